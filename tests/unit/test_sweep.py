"""Objects and rows compared: on time, when asked, and never in the way."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import replace

import pytest

from daap_operator.api.reasons import InventoryReason
from daap_operator.cache import Cache, Key, Kind
from daap_operator.mirror import Differences, Expected, MetadataError, Table
from daap_operator.mirror.table import R
from daap_operator.row import Row
from daap_operator.sweep import Expectation, Sweeper
from tests.unit import builders, virtual_time
from tests.unit.fakes import FakeMirror
from tests.unit.virtual_time import now


def cache(*names: str) -> Cache:
    made = Cache()
    for number, name in enumerate(names):
        status = {"clusterName": f"daap-{name}"}
        made.put(Kind.DATABASE, builders.database(status=status, name=name, uid=f"u{number}"))
    return made


def rows(there: Cache) -> dict[str, tuple[Key | None, Row]]:
    """The rows of all live objects with their keys, by id."""
    expected = Expectation(there)
    made = {uid: expected.row(uid) for uid in expected.after("", 1000)}
    return {uid: (there.by_uid(uid), row) for uid, row in made.items() if row}


def test_every_database_that_has_its_name_has_a_row() -> None:
    there = cache("orders", "payments")
    there.put(Kind.DATABASE, builders.database(name="waiting", uid="w"))
    made = rows(there)
    assert {id_: row.name for id_, (_, row) in made.items()} == {"u0": "orders", "u1": "payments"}
    assert made["u1"][0] == Key("shop", "payments")


def test_a_vandalised_database_has_a_row_all_the_same() -> None:
    there = Cache()
    status = {"clusterName": "daap-orders", "phase": "Asleep", "port": "x"}
    there.put(Kind.DATABASE, builders.database({"ownerTeam": 7}, status))
    assert rows(there)[builders.UID][1].status == "provisioning"


async def test_rows_without_object_are_marked_and_wrong_ones_written_by_their_passes() -> None:
    """Not from here: a row that the sweep wrote could be older than the pass' own."""
    there = cache("right", "wrong", "missing")
    mirror = FakeMirror()
    for uid, (_, row) in rows(there).items():
        mirror.rows[uid] = row
    mirror.rows["u1"] = replace(mirror.rows["u1"], owner_team="by hand")
    del mirror.rows["u2"]
    mirror.rows["gone"] = replace(mirror.rows["u0"], id="gone")
    looked_at: list[Key] = []
    await Sweeper(mirror, there, looked_at.append, namespaces=(), seconds=1).sweep()
    assert mirror.deleted == {"gone"}
    assert set(looked_at) == {Key("shop", "wrong"), Key("shop", "missing")}
    assert mirror.saved == []


def ignored(key: Key) -> None:
    """Nobody looks at what a sweep found."""


class Diary(FakeMirror):
    """An inventory that notes when it was swept."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    async def compare(
        self, table: Table[R], expected: Expected[R], namespaces: Collection[str]
    ) -> AsyncIterator[Differences]:
        self.times.append(now())
        async for page in super().compare(table, expected, namespaces):
            yield page


def swept(*asked: float, until: float = 1000, outage: bool = False) -> Diary:
    """An inventory that is swept every 300 s and at the times it is asked for."""

    async def scene() -> Diary:
        mirror = Diary()
        mirror.outage = MetadataError(InventoryReason.UNREACHABLE, "no answer") if outage else None
        sweeper = Sweeper(mirror, cache("orders"), ignored, namespaces=("shop",), seconds=300)
        running = asyncio.create_task(sweeper.run())
        for time in asked:
            await asyncio.sleep(time - now())
            sweeper.ask()
            sweeper.ask()
        await asyncio.sleep(until - now())
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return mirror

    return virtual_time.run(scene())


def test_the_inventory_is_swept_every_so_often() -> None:
    mirror = swept()
    assert mirror.times == [300, 600, 900]
    assert mirror.compared == [("shop",)] * 3


def test_asking_brings_a_sweep_at_once_and_only_one() -> None:
    assert swept(100, until=390).times == [100]
    assert swept(100, until=410).times == [100, 400]


def test_a_cancellation_that_the_inventory_swallows_still_ends_the_sweeps() -> None:
    class Swallowing(FakeMirror):
        async def compare(self, *args: object) -> AsyncIterator[Differences]:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(100)
            yield Differences(set(), set())

    async def scene() -> float:
        sweeper = Sweeper(Swallowing(), Cache(), ignored, namespaces=(), seconds=300)
        sweeper.ask()
        running = asyncio.create_task(sweeper.run())
        await asyncio.sleep(1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return now()

    assert virtual_time.run(scene()) == 1


def test_an_inventory_that_is_away_is_swept_later() -> None:
    assert swept(outage=True, until=700).times == [300, 600]


async def test_a_sweep_says_what_it_found(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await Sweeper(FakeMirror(), cache("a", "b"), ignored, namespaces=(), seconds=1).sweep()
    await Sweeper(FakeMirror(), cache(), ignored, namespaces=(), seconds=1).sweep()
    found = [(r.getMessage(), vars(r)["rows_to_write"]) for r in caplog.records]
    assert found == [("Inventory compared", 2)]


# --- one row that cannot be mended ----------------------------------------------------------------


class Locked(Diary):
    """An inventory in which somebody holds one row for a while."""

    async def mark_deleted(self, table: Table[R], uid: str) -> None:
        if uid == "held" and now() < 12:
            raise MetadataError(InventoryReason.ROW_LOCKED, "somebody holds it")
        await super().mark_deleted(table, uid)


def test_a_row_that_is_held_stops_no_other_and_is_tried_again_soon() -> None:
    async def scene() -> Locked:
        there = cache("orders")
        mirror = Locked()
        ours = Expectation(there).row("u0")
        assert ours
        mirror.rows.update({uid: replace(ours, id=uid) for uid in ("gone", "held", "other")})
        sweeper = Sweeper(mirror, there, ignored, namespaces=(), seconds=300)
        await sweeper.sweep()  # the first one, before the passes begin
        running = asyncio.create_task(sweeper.run())
        await asyncio.sleep(1)
        assert mirror.deleted == {"gone", "other"}
        await asyncio.sleep(100)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return mirror

    mirror = virtual_time.run(scene())
    assert mirror.deleted == {"gone", "held", "other"}
    assert mirror.times == [0, 5, 10, 15]


def test_a_table_that_is_held_is_compared_again_soon() -> None:
    async def scene() -> Diary:
        mirror = Diary()
        mirror.outage = MetadataError(InventoryReason.ROW_LOCKED, "somebody holds it")
        sweeper = Sweeper(mirror, cache("orders"), ignored, namespaces=(), seconds=300)
        sweeper.ask()
        running = asyncio.create_task(sweeper.run())
        await asyncio.sleep(11)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return mirror

    assert virtual_time.run(scene()).times == [0, 5, 10]


def test_what_is_expected_comes_in_order_and_in_portions() -> None:
    expected = Expectation(cache("a", "b", "c", "d"))
    assert expected.after("", 3) == ["u0", "u1", "u2"]
    assert expected.after("u2", 3) == ["u3"]
    assert expected.row("u9") is None
