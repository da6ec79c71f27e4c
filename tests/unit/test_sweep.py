"""Objects and rows compared: on time, when asked, and never in the way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from daap_operator.api.reasons import InventoryReason
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.engine.sweep import Sweeper, Swept
from daap_operator.engine.sweep import swept as swept_of
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.row import DATABASES, Row
from daap_operator.kinds.database.watched import WATCHES
from daap_operator.mirror import Differences, Expected, MetadataError, Table
from daap_operator.mirror.table import R
from tests.unit import builders, virtual_time
from tests.unit.fakes import FakeMirror
from tests.unit.stage import Stage
from tests.unit.virtual_time import now


def stored(*names: str) -> Store:
    made = Store(WATCHES)
    for number, name in enumerate(names):
        status = {"clusterName": f"daap-{name}"}
        made.put(known.DATABASE, builders.database(status=status, name=name, uid=f"u{number}"))
    return made


def ignored(key: Ref) -> None:
    """Nobody looks at what a sweep found."""


@asynccontextmanager
async def running(sweeper: Sweeper) -> AsyncIterator[None]:
    """It sweeps while the context lasts."""
    task = asyncio.create_task(sweeper.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def swept_databases(there: Store, wake: Callable[[Ref], None]) -> Swept[Row]:
    """The databases that are there, and their rows."""
    return swept_of(Stage().controller, there, wake)


def sweeper_of(mirror: FakeMirror, there: Store, namespaces: tuple[str, ...] = ()) -> Sweeper:
    """Sweeps the databases alone, every 300 s."""
    swept = swept_databases(there, ignored)
    return Sweeper(mirror, [swept], namespaces=namespaces, seconds=300)


def rows(there: Store) -> dict[str, tuple[Ref | None, Row]]:
    """The rows of all live objects with their keys, by id."""
    expected = swept_databases(there, ignored)
    made = {uid: expected.row(uid) for uid in expected.after("", 1000)}
    return {uid: (there.by_uid(known.DATABASE, uid), row) for uid, row in made.items() if row}


def test_every_database_that_has_its_name_has_a_row() -> None:
    there = stored("orders", "payments")
    there.put(known.DATABASE, builders.database(name="waiting", uid="w"))
    made = rows(there)
    assert {id_: row.name for id_, (_, row) in made.items()} == {"u0": "orders", "u1": "payments"}
    assert made["u1"][0] == ref("shop", "payments")


def test_a_vandalised_database_has_a_row_all_the_same() -> None:
    there = Store(WATCHES)
    status = {"clusterName": "daap-orders", "phase": "Asleep", "port": "x"}
    there.put(known.DATABASE, builders.database({"ownerTeam": 7}, status))
    assert rows(there)[builders.UID][1].status == "provisioning"


async def test_rows_without_object_are_marked_and_wrong_ones_written_by_their_passes() -> None:
    """Not from here: a row that the sweep wrote could be older than the pass' own."""
    there = stored("right", "wrong", "missing")
    mirror = FakeMirror()
    for uid, (_, row) in rows(there).items():
        mirror.rows[uid] = row
    mirror.rows["u1"] = replace(mirror.rows["u1"], owner_team="by hand")
    del mirror.rows["u2"]
    mirror.rows["gone"] = replace(mirror.rows["u0"], id="gone")
    looked_at: list[Ref] = []
    swept = swept_databases(there, looked_at.append)
    await Sweeper(mirror, [swept], namespaces=(), seconds=1).sweep()
    assert mirror.deleted == {"gone"}
    assert set(looked_at) == {ref("shop", "wrong"), ref("shop", "missing")}
    assert mirror.saved == []


@pytest.mark.parametrize(("there", "level"), [((), "WARNING"), (("orders",), "INFO")])
async def test_when_no_object_is_left_for_any_row_the_log_says_where_to_look(
    there: tuple[str, ...], level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a new cluster that has the inventory of one that was lost."""
    caplog.set_level("INFO")
    mirror = FakeMirror()
    (row,) = [row for _, row in rows(stored("orders")).values()]
    mirror.rows["gone"] = replace(row, id="gone")
    await sweeper_of(mirror, stored(*there)).sweep()
    assert mirror.deleted == {"gone"}
    said = [(record.levelname, "docs/disaster.md" in record.message) for record in caplog.records]
    assert said == [(level, level == "WARNING")]


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
        sweeper = sweeper_of(mirror, stored("orders"), namespaces=("shop",))
        async with running(sweeper):
            for time in asked:
                await asyncio.sleep(time - now())
                sweeper.ask()
                sweeper.ask()
            await asyncio.sleep(until - now())
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
        sweeper = sweeper_of(Swallowing(), Store(WATCHES))
        sweeper.ask()
        async with running(sweeper):
            await asyncio.sleep(1)
        return now()

    assert virtual_time.run(scene()) == 1


def test_an_inventory_that_is_away_is_swept_later() -> None:
    assert swept(outage=True, until=700).times == [300, 600]


async def test_a_sweep_says_what_it_found(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await sweeper_of(FakeMirror(), stored("a", "b")).sweep()
    await sweeper_of(FakeMirror(), stored()).sweep()
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
        there = stored("orders")
        mirror = Locked()
        ours = rows(there)["u0"][1]
        mirror.rows.update({uid: replace(ours, id=uid) for uid in ("gone", "held", "other")})
        sweeper = sweeper_of(mirror, there)
        await sweeper.sweep()  # the first one, before the passes begin
        async with running(sweeper):
            await asyncio.sleep(1)
            assert mirror.deleted == {"gone", "other"}
            await asyncio.sleep(100)
        return mirror

    mirror = virtual_time.run(scene())
    assert mirror.deleted == {"gone", "held", "other"}
    assert mirror.times == [0, 5, 10, 15]


class Slow(Diary):
    """An inventory in which a row takes a second."""

    async def mark_deleted(self, table: Table[R], uid: str) -> None:
        await asyncio.sleep(1)
        await super().mark_deleted(table, uid)


def test_nobody_waits_for_the_first_sweep_longer_than_that_and_it_is_ended_later() -> None:
    async def scene() -> Slow:
        there = stored("orders")
        mirror = Slow()
        ours = rows(there)["u0"][1]
        mirror.rows.update({f"g{number}": replace(ours, id=f"g{number}") for number in range(50)})
        sweeper = sweeper_of(mirror, there)
        await sweeper.sweep(within=10)
        assert (now(), len(mirror.deleted)) == (10, 10)
        async with running(sweeper):
            await asyncio.sleep(100)
        return mirror

    mirror = virtual_time.run(scene())
    assert len(mirror.deleted) == 50
    assert mirror.times == [0, 15]


def test_a_table_that_is_held_is_compared_again_soon() -> None:
    async def scene() -> Diary:
        mirror = Diary()
        mirror.outage = MetadataError(InventoryReason.ROW_LOCKED, "somebody holds it")
        sweeper = sweeper_of(mirror, stored("orders"))
        sweeper.ask()
        async with running(sweeper):
            await asyncio.sleep(11)
        return mirror

    assert virtual_time.run(scene()).times == [0, 5, 10]


# --- several kinds --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """A row of another kind, which is in no namespace."""

    id: str
    name: str
    status: str = "ready"


OFFERS = Table("offers", Offer, unique="name")


def two_kinds(
    there: Store, offers: dict[str, Offer], woken: list[object]
) -> tuple[Swept[Any], Swept[Any]]:
    """Databases, and the live objects of the other kind by id."""
    return (
        swept_databases(there, woken.append),
        Swept(OFFERS, offers.keys, offers.get, woken.append),
    )


async def test_each_kind_is_compared_with_its_own_table(caplog: pytest.LogCaptureFixture) -> None:
    """In both directions: an id of one table says nothing about the other."""
    caplog.set_level("INFO")
    there, mirror = stored("right", "missing"), FakeMirror()
    mirror.rows["u0"] = rows(there)["u0"][1]
    mirror.rows["small"] = replace(mirror.rows["u0"], id="small")
    offers = {uid: Offer(uid, uid) for uid in ("large", "small", "new")}
    mirror.tables["offers"] = {uid: offers[uid] for uid in ("large", "small")}
    mirror.tables["offers"] |= {"u0": Offer("u0", "gone"), "large": Offer("large", "by hand")}
    woken: list[object] = []
    swept = two_kinds(there, offers, woken)
    await Sweeper(mirror, swept, namespaces=(), seconds=1).sweep()
    assert mirror.rows.keys() == {"u0"}
    assert mirror.tables["offers"].keys() == {"large", "small"}
    assert woken[0] == ref("shop", "missing")
    assert set(woken[1:]) == {"large", "new"}
    found = [(vars(r)["table"], vars(r)["rows_to_write"]) for r in caplog.records]
    assert found == [("databases", 1), ("offers", 2)]


class Trouble(FakeMirror):
    """An inventory that fails to compare one table."""

    def __init__(self, reason: InventoryReason) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._reason = reason

    async def compare(
        self, table: Table[R], expected: Expected[R], namespaces: Collection[str]
    ) -> AsyncIterator[Differences]:
        self.asked.append(table.name)
        if table is DATABASES:
            raise MetadataError(self._reason, "no")
        async for page in super().compare(table, expected, namespaces):
            yield page


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        (InventoryReason.ROW_LOCKED, ["databases", "offers"]),
        (InventoryReason.UNREACHABLE, ["databases"]),
    ],
)
async def test_a_table_that_is_held_stops_no_other_and_a_server_that_is_away_all(
    reason: InventoryReason, asked: list[str]
) -> None:
    mirror = Trouble(reason)
    woken: list[object] = []
    swept = two_kinds(stored("orders"), {"small": Offer("small", "small")}, woken)
    await Sweeper(mirror, swept, namespaces=(), seconds=1).sweep()
    assert mirror.asked == asked
    assert woken == ["small"] * (len(asked) - 1)


@pytest.mark.parametrize(("table", "swept"), [("databases", True), ("offers", True), (None, False)])
async def test_an_object_gone_with_a_live_row_of_any_kind_brings_a_sweep(
    table: str | None, swept: bool
) -> None:
    mirror = Diary()
    if table:
        mirror.tables[table]["u"] = Offer("u", "u")
    sweeper = Sweeper(mirror, two_kinds(stored(), {}, []), namespaces=(), seconds=300)
    sweeper.gone("u")
    async with running(sweeper):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert bool(mirror.times) == swept


def test_what_is_expected_comes_in_order_and_in_portions() -> None:
    expected = swept_databases(stored("a", "b", "c", "d"), ignored)
    assert expected.after("", 3) == ["u0", "u1", "u2"]
    assert expected.after("u2", 3) == ["u3"]
    assert expected.row("u9") is None
