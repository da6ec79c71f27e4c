"""A schema that is not this version's: it is waited for, briefly, and then done without.

Whoever may write to the inventory's tables can bring it about; nothing is written meanwhile.
"""

import asyncio
import io

import pytest

from daap_operator import run
from daap_operator.migrate import migrate, roll_back
from daap_operator.mirror import server
from tests.integration.test_inventory import announced, synced, unsynced
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows

WRONG = {
    "one is taken back": (
        (
            "CREATE TABLE kept AS SELECT * FROM _yoyo_migration; "
            "DELETE FROM _yoyo_migration WHERE left(migration_id, 3) = '008'"
        ),
        "INSERT INTO _yoyo_migration SELECT * FROM kept WHERE left(migration_id, 3) = '008'",
    ),
    "their table is gone": (
        "ALTER TABLE _yoyo_migration RENAME TO kept",
        "ALTER TABLE kept RENAME TO _yoyo_migration",
    ),
    "it cannot be read": (
        "ALTER TABLE _yoyo_migration RENAME COLUMN migration_id TO mid",
        "ALTER TABLE _yoyo_migration RENAME COLUMN mid TO migration_id",
    ),
    "it is something else": (
        "ALTER TABLE _yoyo_migration RENAME TO kept; CREATE VIEW _yoyo_migration AS SELECT 1 AS x",
        "DROP VIEW _yoyo_migration; ALTER TABLE kept RENAME TO _yoyo_migration",
    ),
}
"""What somebody does to the records of migrations, and what undoes it."""


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, shorter."""
    monkeypatch.setattr(run, "SCHEMA_SECONDS", 1.0)
    monkeypatch.setattr(server, "SCHEMA_PROBE_SECONDS", 0.5)


@pytest.mark.parametrize(("wrong", "right"), WRONG.values(), ids=WRONG)
async def test_a_schema_that_stays_wrong_keeps_no_leader_from_leading(
    wrong: str, right: str, databases: Databases, operators: Operators, rows: Rows
) -> None:
    await rows.execute(wrong)
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    said = await unsynced(databases, "orders", "SchemaOutdated")
    assert "the platform team must" in said
    assert not await rows.execute("SELECT FROM databases")
    assert not await rows.execute("SELECT FROM leaders")
    await rows.execute(right)
    await synced(databases, "orders")
    await rows.becomes("orders", status="ready")
    await announced(databases, "orders")


async def test_migrations_that_come_late_are_taken_up(
    databases: Databases, operators: Operators, migrated_database: str, rows: Rows
) -> None:
    await asyncio.to_thread(roll_back, migrated_database, to="004", out=io.StringIO())
    await operators.start()
    await databases.create("orders")
    await unsynced(databases, "orders", "SchemaOutdated")
    await asyncio.to_thread(migrate, migrated_database, out=io.StringIO())
    await synced(databases, "orders")
    await rows.becomes("orders", status="ready")


async def test_a_leader_notices_at_its_next_sweep_that_the_schema_has_become_wrong(
    databases: Databases, operators: Operators, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await databases.create("orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready")
    wrong, right = WRONG["one is taken back"]
    await rows.execute(wrong)

    async def logged() -> bool:
        return "The metadata database cannot be used" in caplog.messages

    await eventually(logged)
    await databases.create("later")
    await databases.edit("orders", ownerTeam="payments")
    await unsynced(databases, "orders", "SchemaOutdated")
    await rows.execute("UPDATE databases SET owner_team = 'nobody'")
    await databases.edit("orders", ownerTeam="checkout")
    await databases.ready("later")
    assert [row["owner_team"] for row in await rows.named("orders")] == ["nobody"]
    await rows.execute(right)
    await rows.becomes("orders", owner_team="checkout")
    await rows.becomes("later", status="ready")


async def test_a_newer_schema_is_written_to_and_logged(
    databases: Databases, operators: Operators, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    """A release only adds, so that the previous one can run on what it has left; or go back."""
    await rows.execute("INSERT INTO _yoyo_migration VALUES ('h', '999_of_the_future', now())")
    await rows.execute("INSERT INTO _yoyo_migration VALUES ('i', 'zzz', now())")
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await databases.create("orders")
    await synced(databases, "orders")
    await rows.becomes("orders", status="ready")
    logged = [vars(record) for record in caplog.records if "newer version" in record.msg]
    assert [record["newest"] for record in logged] == ["999_of_the_future"]


async def test_what_a_newer_version_has_removed_is_told_with_a_remedy_that_helps(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await rows.execute("INSERT INTO _yoyo_migration VALUES ('h', '999_of_the_future', now())")
    await rows.execute("ALTER TABLE databases RENAME COLUMN purpose TO description")
    await operators.start()
    await databases.create("orders")
    said = await unsynced(databases, "orders", "SchemaOutdated")
    assert "upgrade the operator" in said
