"""Rows of a leader that is no more: none is written, however late it comes."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from daap_operator.errors import Deposed
from daap_operator.kinds.database.row import DATABASES, Row
from daap_operator.kube import Unreachable
from daap_operator.migrate import parameters
from daap_operator.mirror import MetadataError, Mirror, PoolSettings, Server
from daap_operator.mirror import server as mirror_server
from tests.support.eventually import eventually
from tests.support.rows import Rows

ROW = Row(
    id="6f1cdd43-8b36-4b0e-8a3b-1c5d3d9b3c11",
    name="orders",
    owner_team="checkout",
    purpose="",
    namespace="shop",
    cluster_name="daap-orders",
    pooler_name="daap-orders-pooler",
    status="provisioning",
    host=None,
    port=None,
    secret_name=None,
    error_message=None,
    generation=1,
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
)


class Leader:
    """A leader by its own account."""

    lease = "daap/operator"

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.identity = f"replica-{epoch}"
        self.may_exceed = False
        self.exceeded = 0
        self.on_the_way: Callable[[], Awaitable[None]] | None = None
        """What happens while the Lease is being written."""

    def require(self) -> None: ...

    async def exceed(self, epoch: int) -> None:
        if not self.may_exceed:
            raise Deposed("the Lease is another's")
        self.exceeded += 1
        if self.on_the_way:
            await self.on_the_way()
        self.epoch = epoch + 1


@pytest.fixture(autouse=True)
def patient(unhurried: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for until the test frees them."""
    monkeypatch.setattr(mirror_server, "LOCK_SECONDS", 60)


@pytest.fixture
async def mirrors(migrated_database: str) -> AsyncIterator[dict[int, Mirror]]:
    """The inventory as the leaders of epochs 1 and 2 see it."""
    made = {epoch: mirror(migrated_database, Leader(epoch)) for epoch in (1, 2)}
    async with made[1], made[2]:
        for one in made.values():
            await one.connect()
        yield made


def mirror(url: str, leader: Leader) -> Mirror:
    pool = PoolSettings(2, 1, timedelta(hours=1), timedelta(hours=1))
    server = Server(parameters(url), pool, missing_migrations=lambda applied: [])
    return Mirror(server, leader)


def named(team: str) -> Row:
    return dataclasses.replace(ROW, owner_team=team)


async def test_after_the_new_leaders_first_write_the_old_one_writes_nothing(
    mirrors: dict[int, Mirror], rows: Rows
) -> None:
    await mirrors[1].save(DATABASES, named("old"))
    await mirrors[2].save(DATABASES, named("new"))
    with pytest.raises(Deposed):
        await mirrors[1].save(DATABASES, named("late"))
    with pytest.raises(Deposed):
        await mirrors[1].mark_deleted(DATABASES, ROW.id)
    row = await rows.live("orders")
    assert row
    assert (row["owner_team"], row["leader_epoch"]) == ("new", 2)


async def test_a_new_leader_waits_for_a_write_under_way(
    mirrors: dict[int, Mirror], rows: Rows, migrated_database: str
) -> None:
    """Held up in mid-statement by a lock on its row, the old leader's write comes first."""
    await mirrors[1].save(DATABASES, named("old"))
    async with await psycopg.AsyncConnection.connect(migrated_database) as somebody:
        await somebody.execute("SELECT FROM databases FOR UPDATE")
        late = asyncio.create_task(mirrors[1].save(DATABASES, named("late")))
        await waiting(rows, 1)
        new = asyncio.create_task(mirrors[2].save(DATABASES, named("new")))
        await waiting(rows, 2)
        await somebody.rollback()
        await asyncio.gather(late, new)
    row = await rows.live("orders")
    assert row
    assert (row["owner_team"], row["leader_epoch"]) == ("new", 2)


async def waiting(rows: Rows, count: int) -> None:
    """Wait until so many statements wait for a lock."""

    async def waiters() -> int:
        query = (
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        return len(await rows.execute(query))

    await eventually(waiters, lambda seen: seen == count)


async def test_the_inventory_of_an_older_dump_is_claimed_anew(
    mirrors: dict[int, Mirror], rows: Rows
) -> None:
    await mirrors[2].save(DATABASES, named("new"))
    await rows.execute("DELETE FROM leaders")
    await mirrors[2].save(DATABASES, named("newer"))
    assert [row["epoch"] for row in await rows.execute("SELECT epoch FROM leaders")] == [2]


async def test_the_leader_of_the_lease_exceeds_an_epoch_that_never_was(
    migrated_database: str, rows: Rows
) -> None:
    leader = Leader(3)
    leader.may_exceed = True
    async with mirror(migrated_database, leader) as inventory:
        await inventory.connect()
        await rows.execute("INSERT INTO leaders VALUES ('daap/operator', 40, 'nobody')")
        await inventory.save(DATABASES, named("new"))
    row = await rows.live("orders")
    assert row
    assert (row["owner_team"], row["leader_epoch"]) == ("new", 41)


async def test_leaders_of_different_leases_share_an_inventory(
    mirrors: dict[int, Mirror], rows: Rows, migrated_database: str
) -> None:
    await mirrors[2].save(DATABASES, named("ours"))
    other = Leader(1)
    other.lease = "elsewhere/operator"
    row = dataclasses.replace(ROW, id="00000000-8b36-4b0e-8a3b-1c5d3d9b3c11", name="bills")
    async with mirror(migrated_database, other) as inventory:
        await inventory.connect()
        await inventory.save(DATABASES, row)
    assert await rows.live("bills")


ANSWER_SECONDS = 1.0
"""In place of the inventory's own limit, so that the test need not wait for it."""


async def slow() -> None:
    """The API server takes longer than the inventory may."""
    await asyncio.sleep(ANSWER_SECONDS * 1.5)


async def refusing() -> None:
    raise Unreachable("PUT /apis/coordination.k8s.io/v1/leases: TimeoutError")


@pytest.fixture
async def behind(
    migrated_database: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Mirror, Leader]]:
    """The inventory of the leader of a Lease that was deleted by hand: the table is ahead of it."""
    leader = Leader(3)
    leader.may_exceed = True
    async with mirror(migrated_database, leader) as inventory:
        await inventory.connect()
        await inventory.save(DATABASES, named("before"))
        await rows.execute("UPDATE leaders SET epoch = 40")
        monkeypatch.setattr(mirror_server, "ANSWER_SECONDS", ANSWER_SECONDS)
        yield inventory, leader


@pytest.mark.parametrize("what", ["save", "mark", "supersede"])
async def test_a_slow_api_server_is_not_taken_for_a_slow_inventory(
    what: str, behind: tuple[Mirror, Leader], rows: Rows
) -> None:
    inventory, leader = behind
    leader.on_the_way = slow
    if what == "mark":
        await inventory.mark_deleted(DATABASES, ROW.id)
        assert await rows.live("orders") is None
    else:
        uid = ROW.id if what == "save" else f"{ROW.id[:-1]}2"
        await inventory.save(DATABASES, dataclasses.replace(named("after"), id=uid))
        row = await rows.live("orders")
        assert row
        assert (row["owner_team"], row["leader_epoch"]) == ("after", 41)
    assert (inventory.away, leader.exceeded) == (None, 1)
    await inventory.save(DATABASES, named("again"))
    assert leader.exceeded == 1


async def test_writes_that_wait_for_a_slow_api_server_raise_the_lease_once(
    behind: tuple[Mirror, Leader],
) -> None:
    inventory, leader = behind
    leader.on_the_way = slow
    async with asyncio.TaskGroup() as tasks:
        for number in range(5):
            row = dataclasses.replace(ROW, id=f"{ROW.id[:-1]}{number + 4}", name=f"a{number}")
            tasks.create_task(inventory.save(DATABASES, row))
    assert (inventory.away, leader.exceeded, leader.epoch) == (None, 1, 41)


async def test_a_lease_that_cannot_be_raised_is_told_and_tried_again(
    behind: tuple[Mirror, Leader],
) -> None:
    inventory, leader = behind
    leader.on_the_way = refusing
    with pytest.raises(MetadataError, match="leases") as told:
        await inventory.save(DATABASES, named("after"))
    assert (told.value.finding.reason, told.value.of_one_row) == ("EpochNotRaised", True)
    assert "leases" not in told.value.finding.message
    assert inventory.away is None
    leader.on_the_way = None
    await inventory.save(DATABASES, named("after"))
    assert leader.epoch == 41
