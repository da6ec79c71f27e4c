"""The inventory follows whatever happens to it, and never holds up Kubernetes."""

import asyncio
import io
from base64 import b64decode
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import psycopg
import pytest

from daap_operator.kinds.database.row import DATABASES
from daap_operator.migrate import migrate, roll_back
from daap_operator.mirror import MetadataError
from dev.postgres import Postgres
from tests.integration.test_fencing import ROW, Leader, mirror
from tests.integration.test_inventory import announced
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.http import probe
from tests.support.operator import Operators
from tests.support.rows import Rows
from tests.support.scrape import scrape


@pytest.fixture
def own_url(own_migrated_postgres: Postgres) -> str:
    """A migrated database on a server of the test's own."""
    return own_migrated_postgres.url


@pytest.fixture
async def own_operators(
    operator_environment: dict[str, str], own_url: str
) -> AsyncIterator[Operators]:
    """Operators on that server."""
    environment = {
        **operator_environment,
        "DATABASE_URL": own_url,
        "DB_MIN_CONNS": "1",
        "DAAP_LEASE_DURATION": "5m",
    }
    async with Operators(environment) as made:
        yield made


async def test_an_outage_holds_up_neither_create_nor_edit_nor_delete(
    databases: Databases, own_operators: Operators, own_postgres: Postgres, own_url: str
) -> None:
    rows = Rows(own_url)
    running = await own_operators.start()
    for name in ("edited", "deleted"):
        await databases.create(name)
        await databases.ready(name)
        await rows.becomes(name, status="ready")
    own_postgres.stop(mode="immediate")
    await databases.create("created")
    await databases.edit("edited", ownerTeam="payments")
    await databases.delete("deleted")
    await databases.gone("deleted")
    for name in ("created", "edited"):
        found = await eventually(
            lambda name=name: databases.get(name),  # type: ignore[misc]
            lambda obj: is_ready(obj) and condition(obj, "MetadataSynced")["status"] == "False",
        )
        assert condition(found, "MetadataSynced")["reason"] == "Unreachable"
    page = await eventually(
        lambda: scrape(running.operator),
        lambda page: page.value("daap_metadata_rows_behind", kind="DaapDatabase") == 2,
    )
    assert page.value("daap_metadata_up") == 0
    own_postgres.restart()
    await rows.becomes("created", status="ready")
    await rows.becomes("edited", owner_team="payments", generation=2)
    await rows.becomes("deleted", status="deleted")
    for name in ("created", "edited"):
        await eventually(
            lambda name=name: databases.get(name),  # type: ignore[misc]
            lambda obj: condition(obj, "MetadataSynced")["status"] == "True",
        )
        await announced(databases, name)
    page = await eventually(
        lambda: scrape(running.operator), lambda page: page.value("daap_metadata_up") == 1
    )
    assert page.value("daap_metadata_rows_behind", kind="DaapDatabase") == 0


async def test_a_server_away_at_the_start_is_no_reason_to_wait(
    databases: Databases, own_operators: Operators, own_postgres: Postgres, own_url: str
) -> None:
    own_postgres.stop()
    await own_operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    own_postgres.restart()
    await Rows(own_url).becomes("orders", status="ready")


async def test_a_missing_schema_is_waited_for_and_named(
    databases: Databases,
    operators: Operators,
    migrated_database: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await asyncio.to_thread(roll_back, migrated_database, to="004", out=io.StringIO())
    await databases.create("orders")
    waiting = await operators.begin(DAAP_MIGRATION_JOB="daap-system/daap-operator-migrate-1")

    async def readiness() -> tuple[int, str]:
        return await probe(waiting.operator, "/readyz")

    async def logged() -> str:
        """What the probes had logged of why it is not ready."""
        await readiness()
        why = [vars(record)["reason"] for record in caplog.records if record.msg == "Not %s"]
        return str(why[-1:])

    text = await eventually(logged, lambda text: "migrations" in text)
    assert await readiness() == (503, "")
    assert "005_add_generation_and_leader_epoch" in text
    assert "kubectl logs --namespace daap-system job/daap-operator-migrate-1" in text
    assert "004" not in text
    assert (await probe(waiting.operator, "/livez"))[0] == 200
    found = await databases.get("orders")
    assert found
    assert found["status"] == {"observedGeneration": -1}
    await asyncio.to_thread(migrate, migrated_database, out=io.StringIO())
    await waiting.ready()
    assert await readiness() == (200, "ok\n")
    await databases.ready("orders")


@pytest.mark.usefixtures("unhurried")
async def test_a_look_at_the_inventory_keeps_no_connection(
    migrated_database: str, rows: Rows
) -> None:
    """A standby looks at the start, and may stand by for months."""
    sessions = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'daap-operator'"
    )
    async with mirror(migrated_database, Leader(1)) as standby:
        await standby.check()
        with pytest.raises(MetadataError, match="Not connected yet"):
            await standby.save(DATABASES, ROW)
        await eventually(lambda: rows.execute(sessions), lambda there: not there)
        await standby.connect()
        await standby.save(DATABASES, ROW)
        assert await rows.execute(sessions)


async def test_a_row_changed_by_hand_is_put_right(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await databases.create("orders", purpose="Orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready")
    await rows.execute("UPDATE databases SET owner_team = 'me', status = 'error', host = NULL")
    await rows.becomes("orders", owner_team="checkout", status="ready", port=5432)
    await rows.execute("UPDATE databases SET status = 'deleted', deleted_at = now()")
    row = await rows.becomes("orders", status="ready")
    assert row["deleted_at"] is None
    await rows.execute("DELETE FROM databases")
    await rows.becomes("orders", purpose="Orders", status="ready")


async def test_a_restored_old_dump_converges(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    for name in ("kept", "removed"):
        await databases.create(name)
        await databases.ready(name)
        await rows.becomes(name, status="ready")
    await rows.execute("CREATE TABLE dump AS SELECT * FROM databases")
    await databases.edit("kept", ownerTeam="payments")
    await databases.delete("removed")
    await databases.gone("removed")
    await databases.create("added")
    await databases.ready("added")
    await rows.becomes("added", status="ready")
    await rows.execute(
        "BEGIN; TRUNCATE databases; INSERT INTO databases SELECT * FROM dump; COMMIT"
    )
    await rows.becomes("kept", owner_team="payments", status="ready")
    await rows.becomes("removed", status="deleted")
    await rows.becomes("added", status="ready")


async def test_a_finalizer_removed_by_force_leaves_no_live_row(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}  # or the deletion may end by itself
    await databases.api.patch("clusters", databases.namespace, "daap-orders", hold)
    await databases.api.delete("daapdatabases", databases.namespace, "orders")
    await databases.api.patch(
        "daapdatabases", databases.namespace, "orders", {"metadata": {"finalizers": None}}
    )
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")


async def test_a_stale_row_of_the_same_name_gives_way(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await rows.execute(
        "INSERT INTO databases (name, owner_team, cluster_name, pooler_name, namespace) "
        "VALUES ('orders', 'nobody', 'daap-orders', 'daap-orders-pooler', 'elsewhere')"
    )
    # The first sweep would remove it: let it come after the operator's start
    await operators.start()
    await rows.execute("UPDATE databases SET status = 'ready', deleted_at = NULL")
    await databases.create("orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready", owner_team="checkout")
    assert [row["status"] for row in await rows.named("orders")] == ["deleted", "ready"]


async def test_connections_killed_in_mid_work_are_replaced(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    for number in range(5):
        await rows.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await databases.edit("orders", ownerTeam=f"team-{number}")
        await rows.becomes("orders", owner_team=f"team-{number}")
    await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "MetadataSynced")["status"] == "True",
    )


async def test_a_read_only_server_is_told_of_and_waited_for(
    databases: Databases, own_operators: Operators, own_url: str
) -> None:
    rows = Rows(own_url)
    await own_operators.start()
    await databases.create("orders")
    await databases.ready("orders")

    async def set_read_only(value: str) -> None:
        async with await psycopg.AsyncConnection.connect(own_url, autocommit=True) as connection:
            await connection.execute("SET default_transaction_read_only = off")
            await connection.execute(
                f"ALTER DATABASE daap SET default_transaction_read_only = {value}".encode()
            )
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    await set_read_only("on")
    await databases.edit("orders", ownerTeam="payments")
    await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "MetadataSynced")["reason"] == "ReadOnly",
    )
    await set_read_only("off")
    await rows.becomes("orders", owner_team="payments")


async def test_where_the_inventory_is_and_who_writes_it_is_in_the_log_alone(
    databases: Databases,
    own_operators: Operators,
    own_postgres: Postgres,
    own_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of a role that may no longer log in; the fixture of `databases` looks at all others."""
    await own_operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    async with await psycopg.AsyncConnection.connect(
        own_postgres.admin_url, autocommit=True
    ) as admin:
        await admin.execute("ALTER ROLE daap NOLOGIN")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'daap'"
        )
    await databases.edit("orders", ownerTeam="payments")
    await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "MetadataSynced").get("reason") == "Unreachable",
    )
    await databases.edit("orders", ownerTeam="billing")  # told anew, by what is known by now
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "MetadataSynced").get("observedGeneration") == 3,
    )
    assert found
    told = str(found["status"])
    for word in ("127.0.0.1", str(urlsplit(own_url).port), "permitted", "role"):
        assert word not in told
    assert 'role "daap" is not permitted to log in' in str([vars(r) for r in caplog.records])


async def test_no_password_is_logged(
    databases: Databases,
    own_operators: Operators,
    own_postgres: Postgres,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    await own_operators.start(DAAP_LOG_LEVEL="DEBUG")
    await databases.create("orders")
    await databases.ready("orders")
    own_postgres.stop(mode="immediate")
    await databases.edit("orders", ownerTeam="payments")
    await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "MetadataSynced")["status"] == "False",
    )
    found = await databases.get("orders")
    secret = await databases.child("secrets", "daap-orders-app")
    assert found
    assert secret
    encoded = secret["data"]["password"]
    assert "The metadata database cannot be used" in caplog.text
    logged = caplog.text + str([vars(record) for record in caplog.records])
    for text in (logged, str(found)):
        for password in (encoded, b64decode(encoded).decode(), "daap:daap"):
            assert password not in text
