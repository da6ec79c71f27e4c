"""The inventory under a hostile hand: rows forged, rows held, a server that gives no connection.

Each time the database becomes Ready in Kubernetes, MetadataSynced says what is wrong and what to
do, and the row is right within seconds after the cause is gone.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import psycopg
import pytest

from dev.postgres import Postgres, url_of
from tests.support.api import Object
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows
from tests.support.tuning import RESERVED, configure, in_force


async def unsynced(databases: Databases, name: str, reason: str) -> str:
    """Wait until it is Ready and its row is not there for that reason; gives the message."""
    found = await eventually(
        lambda: databases.get(name),
        lambda obj: is_ready(obj) and condition(obj, "MetadataSynced").get("reason") == reason,
    )
    synced = condition(found, "MetadataSynced")
    assert synced["status"] == "False"
    return str(synced["message"])


async def synced(databases: Databases, name: str) -> Object:
    """Wait until it is Ready and the inventory has it."""
    found = await eventually(
        lambda: databases.get(name),
        lambda obj: is_ready(obj) and condition(obj, "MetadataSynced").get("status") == "True",
    )
    assert found
    return found


async def announced(databases: Databases, name: str) -> None:
    """Wait until there was an Event of the loss and one of the return."""
    both = {"MetadataNotSynced", "MetadataSynced"}
    await eventually(lambda: databases.events(name), lambda there: both <= there)


# --- forged ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("forged", ["status = 'error'", "status = 'deleted', deleted_at = now()"])
async def test_a_row_of_a_generation_and_an_epoch_that_never_were_is_put_right(
    forged: str, databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await databases.create("orders")
    await databases.ready("orders")
    row = await rows.becomes("orders", status="ready")
    await rows.execute(f"UPDATE databases SET generation = 99, leader_epoch = 99, {forged}")
    mended = await rows.becomes("orders", status="ready", generation=1)
    assert mended["leader_epoch"] == row["leader_epoch"]
    assert mended["deleted_at"] is None


async def test_a_dump_of_another_time_converges(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    """Rows of the past and of the future, with the table of leaders, under a running operator."""
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    for name in ("older", "newer", "removed"):
        await databases.create(name)
        await databases.ready(name)
        await rows.becomes(name, status="ready")
    await rows.execute("CREATE TABLE dump AS SELECT * FROM databases")
    await rows.execute("CREATE TABLE leaders_dump AS SELECT * FROM leaders")
    await rows.execute("UPDATE leaders_dump SET epoch = epoch + 7, holder = 'another'")
    await rows.execute(
        "UPDATE dump SET generation = 70, leader_epoch = 70, owner_team = 'tomorrow' "
        "WHERE name = 'newer'"
    )
    await databases.edit("older", ownerTeam="payments")
    await databases.delete("removed")
    await databases.gone("removed")
    await rows.becomes("older", owner_team="payments")
    await rows.execute(  # leaders first, as the operator does: else both may wait for each other
        "BEGIN; TRUNCATE leaders, databases; INSERT INTO databases SELECT * FROM dump; "
        "INSERT INTO leaders SELECT * FROM leaders_dump; COMMIT"
    )
    await rows.becomes("older", owner_team="payments", generation=2)
    await rows.becomes("newer", owner_team="checkout", generation=1)
    await rows.becomes("removed", status="deleted")


async def test_rows_that_swapped_their_names_get_them_back(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    """Neither can be written before the other; no collision stops a pass, or the sweep."""
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    uids = {}
    for name in ("left", "right"):
        await databases.create(name)
        uids[name] = (await databases.ready(name))["metadata"]["uid"]
        await rows.becomes(name, status="ready")
    renamed = "UPDATE databases SET name = '{1}' WHERE name = '{0}'"
    swap = [renamed.format(*pair) for pair in (("left", "x"), ("right", "left"), ("x", "right"))]
    await rows.execute("; ".join(["BEGIN", *swap, "COMMIT"]))  # or a sweep mends in between

    async def live() -> dict[str, str]:
        found = await rows.execute("SELECT id::text, name FROM databases WHERE deleted_at IS NULL")
        return {row["name"]: row["id"] for row in found}

    await eventually(live, lambda seen: seen == uids)


async def test_two_objects_that_were_both_allotted_a_name_have_one_row(
    databases: Databases, other_namespace: str, operators: Operators, rows: Rows
) -> None:
    """As after a restore: the loser must not take the row's name, or both would, in turns."""
    other = Databases(databases.api, other_namespace)
    await operators.start()
    await databases.create("orders")
    holder = await databases.ready("orders")
    before = await rows.becomes("orders", status="ready")
    await other.create("orders")
    await other.stalled("orders", "NameTaken")
    allotted = {"status": {"clusterName": "daap-orders"}}
    await databases.api.patch("daapdatabases", other_namespace, "orders", allotted, "status")
    await other.edit("orders", purpose="look again")
    await eventually(
        lambda: other.get("orders"), lambda obj: obj and obj["status"]["observedGeneration"] == 2
    )
    assert await rows.named("orders") == [before]
    assert str(before["id"]) == holder["metadata"]["uid"]


# --- held -----------------------------------------------------------------------------------------


@asynccontextmanager
async def holding(url: str, name: str) -> AsyncIterator[None]:
    """Somebody has begun to change a row, and gone to lunch."""
    async with await psycopg.AsyncConnection.connect(url) as somebody:
        await somebody.execute("SELECT FROM databases WHERE name = %s FOR UPDATE", [name])
        yield
        await somebody.rollback()


async def attempts(rows: Rows, count: int) -> None:
    """Wait until so many statements have waited for a lock from now on, one after the other."""
    query = (
        "SELECT query_start FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    seen: set[object] = set()

    async def look() -> int:
        seen.update(row["query_start"] for row in await rows.execute(query))
        return len(seen)

    await eventually(look, lambda tried: tried >= count)


@pytest.mark.usefixtures("unhurried")
async def test_a_row_that_somebody_holds_keeps_nothing_else_waiting(
    databases: Databases,
    operators: Operators,
    rows: Rows,
    migrated_database: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await operators.start()
    for name in ("held", "free"):
        await databases.create(name)
        await databases.ready(name)
        await rows.becomes(name, status="ready")
    async with holding(migrated_database, "held"):
        await databases.edit("held", ownerTeam="payments")
        assert "pg_stat_activity" in await unsynced(databases, "held", "RowLocked")
        await databases.edit("free", ownerTeam="payments")
        await rows.becomes("free", owner_team="payments")
        await synced(databases, "free")
        await attempts(rows, 3)  # the edit's, its own status', and one that nothing brought about
        await unsynced(databases, "held", "RowLocked")
    await rows.becomes("held", owner_team="payments", generation=2)
    await synced(databases, "held")
    await announced(databases, "held")
    assert "The metadata database cannot be used" not in caplog.text


async def test_a_held_row_does_not_hold_the_deletion_and_is_marked_when_it_is_free(
    databases: Databases, operators: Operators, rows: Rows, migrated_database: str
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready")
    async with holding(migrated_database, "orders"):
        await databases.delete("orders")
        await databases.gone("orders")
        await attempts(rows, 3)  # when the object has gone, and such as nothing brought about
    await rows.becomes("orders", status="deleted")


async def test_a_connection_that_drops_in_mid_transaction_is_replaced(
    databases: Databases, operators: Operators, rows: Rows, migrated_database: str
) -> None:
    """A failover: the statement is under way, the server is gone, another one answers."""
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready")
    terminate = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with holding(migrated_database, "orders"):
        await databases.edit("orders", ownerTeam="payments")
        await eventually(lambda: rows.execute(terminate))
    await rows.becomes("orders", owner_team="payments")
    await synced(databases, "orders")


# --- out of reach ---------------------------------------------------------------------------------


async def test_a_server_without_a_free_connection_is_waited_for(
    databases: Databases, operators: Operators, own_migrated_postgres: Postgres
) -> None:
    url, admin = own_migrated_postgres.url, own_migrated_postgres.admin_url
    await configure(own_migrated_postgres, "max_connections", "10")
    own_migrated_postgres.restart()
    async with AsyncExitStack() as held:

        async def one_more() -> bool:
            with suppress(psycopg.OperationalError):  # the last slots are freed a little later
                held.push_async_callback((await psycopg.AsyncConnection.connect(url)).close)
                return True
            return False

        for _ in range(10 - RESERVED):
            await eventually(one_more)
        with pytest.raises(psycopg.OperationalError):
            await psycopg.AsyncConnection.connect(url)
        await operators.start(DATABASE_URL=url)
        await databases.create("orders")
        said = await unsynced(databases, "orders", "TooManyConnections")
        assert "max_connections" in said
    # By a reserved slot: those that were held may not be free yet
    await Rows(url_of(admin, "daap")).becomes("orders", status="ready")
    await synced(databases, "orders")
    await announced(databases, "orders")


async def test_one_connection_for_all_is_slow_and_right(
    databases: Databases, operators: Operators, rows: Rows, migrated_database: str
) -> None:
    await operators.start(DB_MAX_CONNS="1")
    names = [f"orders-{number}" for number in range(5)]
    for name in names:
        await databases.create(name)
    for name in names:
        await databases.ready(name)
        await rows.becomes(name, status="ready")
    async with AsyncExitStack() as held:
        for name in names[1:]:
            await held.enter_async_context(holding(migrated_database, name))
        for name in names:
            await databases.edit(name, ownerTeam="payments")
        for name in names:
            await databases.ready(name)
    for name in names:
        await rows.becomes(name, owner_team="payments")
        await synced(databases, name)


async def test_a_server_that_becomes_read_only_is_told_of_and_waited_for(
    databases: Databases, operators: Operators, own_migrated_postgres: Postgres
) -> None:
    rows = Rows(own_migrated_postgres.url)
    await operators.start(DATABASE_URL=own_migrated_postgres.url)
    await databases.create("edited")
    await databases.ready("edited")
    await rows.becomes("edited", status="ready")
    await configure(own_migrated_postgres, "default_transaction_read_only", "on")
    await in_force(own_migrated_postgres, "default_transaction_read_only", "on")
    await databases.create("created")
    await databases.edit("edited", ownerTeam="payments")
    for name in ("created", "edited"):
        assert "DATABASE_URL name the primary" in await unsynced(databases, name, "ReadOnly")
    await configure(own_migrated_postgres, "default_transaction_read_only", "off")
    await rows.becomes("edited", owner_team="payments")
    await rows.becomes("created", status="ready")
    for name in ("created", "edited"):
        await synced(databases, name)
        await announced(databases, name)
