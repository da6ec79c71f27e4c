"""DATABASE_URL leads to a pooler instead of PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from daap_operator import pooling
from tests.integration.migrating import IDS, applied, rows, run
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.pooler import Pooler

LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"

POOLERS: dict[str, tuple[int, bool]] = {
    "the session given back last goes first": (5, False),
    "one session after the other": (5, True),
    "a single session": (1, False),
}


def by(url: str, pooler: Pooler) -> str:
    """The same database through an open pooler."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{pooler.port}"))


async def warmed(pooler: Pooler, url: str, sessions: int) -> None:
    """Have the pooler hold as many sessions as other clients would have made it open."""
    others = [
        await psycopg.AsyncConnection.connect(by(url, pooler), autocommit=True)
        for _ in range(sessions)
    ]
    for other in others:
        await other.execute("BEGIN")
    for other in others:
        await other.execute("COMMIT")
        await other.close()


@pytest.fixture(params=list(POOLERS))
async def lending(request: pytest.FixtureRequest, empty_database: str) -> AsyncIterator[Pooler]:
    """A pooler in transaction mode that other clients have used, too."""
    size, in_turn = POOLERS[request.param]
    async with Pooler(empty_database, size=size, in_turn=in_turn) as pooler:
        await warmed(pooler, empty_database, min(size, 2))
        yield pooler


@pytest.mark.parametrize("action", [[], ["rollback", "--to", "none"]], ids=str)
async def test_migrate_refuses_a_pooler_in_transaction_mode_and_leaves_nothing(
    empty_database: str, lending: Pooler, action: list[str]
) -> None:
    code, output = await asyncio.to_thread(run, by(empty_database, lending), *action)
    assert code == 2, output
    assert "error: refused, nothing was changed: " in output
    assert f"host 127.0.0.1, port {lending.port}, database " in output
    assert "is a pooler in transaction mode" in output
    assert "have DATABASE_URL name PostgreSQL itself" in output
    assert "hidden" not in output
    assert rows(empty_database, TABLES) == []
    assert rows(empty_database, LOCKS) == [(0,)]
    assert (await asyncio.to_thread(run, empty_database))[0] == 0
    assert applied(empty_database) == IDS


async def test_what_only_reads_passes(migrated_database: str) -> None:
    async with Pooler(migrated_database) as pooler:
        url = by(migrated_database, pooler)
        assert (await asyncio.to_thread(run, url, "status"))[0] == 0
        assert (await asyncio.to_thread(run, url, "wait"))[0] == 0


async def test_migrate_takes_a_pooler_in_session_mode(empty_database: str) -> None:
    async with Pooler(empty_database, mode="session") as pooler:
        code, output = await asyncio.to_thread(run, by(empty_database, pooler))
    assert code == 0, output
    assert applied(empty_database) == IDS


async def test_a_pooler_that_lends_unnoticed_keeps_no_lock(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unnoticed(*_: object) -> bool:
        return False

    monkeypatch.setattr(pooling, "lent", unnoticed)
    async with Pooler(empty_database, in_turn=True) as pooler:
        await warmed(pooler, empty_database, 3)
        for _ in range(2):  # whatever becomes of it
            await asyncio.to_thread(run, by(empty_database, pooler))
        assert rows(empty_database, LOCKS) == [(0,)]


async def test_the_operator_says_so_and_goes_on_without_inventory(
    databases: Databases, operators: Operators, migrated_database: str
) -> None:
    async with Pooler(migrated_database) as pooler:
        await operators.start(DATABASE_URL=by(migrated_database, pooler))
        await databases.create("orders")
        seen = await eventually(lambda: databases.get("orders"), is_ready)
        synced = condition(seen, "MetadataSynced")
        assert (synced["status"], synced["reason"]) == ("False", "TransactionPooler")
        assert "have DATABASE_URL name PostgreSQL itself" in synced["message"]
        assert rows(migrated_database, "SELECT count(*) FROM databases") == [(0,)]


async def test_the_operator_takes_a_pooler_in_session_mode(
    databases: Databases, operators: Operators, migrated_database: str
) -> None:
    async with Pooler(migrated_database, mode="session", size=10) as pooler:
        running = await operators.start(DATABASE_URL=by(migrated_database, pooler))
        await databases.create("orders")
        seen = await databases.ready("orders")
        assert condition(seen, "MetadataSynced")["status"] == "True"
        await running.stop()
