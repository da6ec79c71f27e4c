"""The inventory in anybody's hands: whatever stands there is told, and decides nothing.

Whoever may write there, or restores another's dump, is no more than a nuisance: databases are made,
changed and deleted meanwhile.
"""

import io
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random

import psycopg
import pytest

from daap_operator import migrate, work
from daap_operator.kinds.database.row import DATABASES
from daap_operator.mirror import MetadataError, Mirror
from tests.integration.test_fencing import ROW, Leader, mirror, named
from tests.integration.test_inventory import synced, unsynced
from tests.integration.test_inventory_pages import FILL, Many
from tests.support.databases import Databases
from tests.support.operator import Operators
from tests.support.rows import Rows

LOOSE = "ALTER TABLE leaders DROP CONSTRAINT leaders_epoch_is_int32"

EPOCHS = {
    "more than the Lease can hold": 3_000_000_000,
    "the last that the Lease can hold": 2**31 - 1,
    "further than anybody can have come": 5_000_000,
    "before the beginning": -7,
}


@pytest.mark.parametrize("epoch", EPOCHS.values(), ids=EPOCHS)
async def test_an_epoch_that_cannot_have_been_stops_no_pass(
    epoch: int, databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await databases.create("before")
    await databases.ready("before")
    await rows.becomes("before", status="ready")
    ((lease, right),) = [
        (row["lease"], row["epoch"]) for row in await rows.execute("SELECT * FROM leaders")
    ]
    await rows.execute(LOOSE)
    await rows.execute("UPDATE leaders SET epoch = %s", epoch)
    await databases.create("victim")
    await databases.ready("victim")
    if epoch < right:  # that of a leader of the past: it is ended as such
        await synced(databases, "victim")
        return
    said = await unsynced(databases, "victim", "InventoryEpochImplausible")
    assert lease not in said
    assert str(epoch) not in said
    await databases.edit("before", ownerTeam="payments")
    await databases.delete("before")
    await databases.gone("before")
    await rows.execute("DELETE FROM leaders")
    await synced(databases, "victim")
    await rows.becomes("victim", status="ready", leader_epoch=right)
    await rows.becomes("before", status="deleted")


async def test_an_epoch_that_cannot_have_been_is_no_reason_not_to_start(
    databases: Databases, operators: Operators, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    first = await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready")
    await first.stop()
    await rows.execute("UPDATE leaders SET epoch = 2147483647")
    await operators.start()
    await databases.create("victim")
    await databases.ready("victim")
    await unsynced(databases, "victim", "InventoryEpochImplausible")
    assert "2147483647" in str([vars(record) for record in caplog.records])


async def test_a_table_of_a_million_orphans_is_no_reason_to_wait(
    databases: Databases, operators: Operators, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred thousand, and for a hundredth of the time: the rest is marked by and by."""
    monkeypatch.setattr(work, "FIRST_SECONDS", 0.1)
    await rows.execute(FILL, 100_000)
    await operators.start()
    live = "SELECT count(*) FROM databases WHERE deleted_at IS NULL"
    ((left,),) = [tuple(row.values()) for row in await rows.execute(live)]
    assert left > 50_000
    await databases.create("orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready")


# --- whatever is there ----------------------------------------------------------------------------

VANDALISM = (
    "UPDATE databases SET purpose = repeat('x', 50000000)",
    (
        "DROP INDEX idx_databases_name_active; ALTER TABLE databases ALTER name TYPE text; "
        "UPDATE databases SET name = repeat('y', 1000000)"
    ),
    (
        "ALTER TABLE databases ALTER namespace TYPE text; UPDATE databases SET namespace = "
        "repeat('n', 9000000)"
    ),
    "ALTER TABLE databases ALTER owner_team DROP NOT NULL; UPDATE databases SET owner_team = NULL",
    "ALTER TABLE databases ALTER namespace DROP NOT NULL; UPDATE databases SET namespace = NULL",
    "ALTER TABLE databases ALTER status DROP NOT NULL; UPDATE databases SET status = NULL",
    "ALTER TABLE databases ALTER generation DROP NOT NULL; UPDATE databases SET generation = NULL",
    "UPDATE databases SET created_at = 'infinity'",
    "UPDATE databases SET created_at = '-infinity', updated_at = 'infinity'",
    "UPDATE databases SET created_at = '294276-12-31 23:59:59+00'",
    "UPDATE databases SET created_at = '4713-01-01 00:00:00+00 BC'",
    "UPDATE databases SET port = -2147483648, generation = -9223372036854775808",
    "ALTER TABLE databases ALTER port TYPE text USING 'five'",
    (
        "ALTER TABLE databases ALTER generation DROP DEFAULT, ALTER generation TYPE numeric "
        "USING 'NaN'"
    ),
    "ALTER TABLE databases ALTER created_at TYPE text USING 'yesterday'",
    "ALTER TABLE databases ALTER purpose DROP DEFAULT, ALTER purpose TYPE bytea USING '\\xff00'",
    "ALTER TABLE databases DROP COLUMN host",
    "ALTER TABLE databases ADD COLUMN wanted text NOT NULL DEFAULT 'x'",
    "ALTER TABLE databases ADD CHECK (owner_team <> 'new') NOT VALID",
    (
        "ALTER TABLE databases DROP CONSTRAINT databases_pkey; INSERT INTO databases "
        "SELECT * FROM databases WHERE deleted_at IS NOT NULL"
    ),
    "ALTER TABLE databases RENAME TO rows; CREATE VIEW databases AS SELECT * FROM rows",
    "DROP TABLE databases",
    "UPDATE databases SET status = 'deleted', deleted_at = 'infinity'",
    (
        "INSERT INTO databases (name, owner_team, cluster_name, pooler_name) "
        "SELECT 'n' || i, 't', 'c', 'p' FROM generate_series(1, 2000) AS i"
    ),
    (
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'host 10.1.2.3, role boss'; END $$; "
        "CREATE TRIGGER no BEFORE INSERT OR UPDATE ON databases FOR EACH ROW EXECUTE FUNCTION no()"
    ),
    (
        "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
        "CREATE TRIGGER never BEFORE INSERT OR UPDATE ON leaders FOR EACH ROW "
        "EXECUTE FUNCTION never(); DELETE FROM leaders"
    ),
    (
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.epoch := NEW.epoch + 1; RETURN NEW; END $$; "
        "CREATE TRIGGER more BEFORE INSERT OR UPDATE ON leaders FOR EACH ROW "
        "EXECUTE FUNCTION more(); DELETE FROM leaders"
    ),
    "DELETE FROM leaders",
    "DROP TABLE leaders",
    f"{LOOSE}; UPDATE leaders SET epoch = 9223372036854775807",
    f"{LOOSE}; ALTER TABLE leaders ALTER epoch DROP NOT NULL; UPDATE leaders SET epoch = NULL",
    f"{LOOSE}; ALTER TABLE leaders ALTER epoch TYPE numeric USING 'NaN'",
    f"{LOOSE}; ALTER TABLE leaders ALTER epoch TYPE text USING 'many'",
    f"{LOOSE}; ALTER TABLE leaders ALTER epoch TYPE float USING 'Infinity'",
    "ALTER TABLE leaders DROP CONSTRAINT leaders_pkey; INSERT INTO leaders SELECT * FROM leaders",
    "UPDATE leaders SET holder = repeat('h', 50000000), since = 'infinity'",
    (
        "INSERT INTO _yoyo_migration SELECT md5(i::text), md5(i::text), now() "
        "FROM generate_series(1, 5000) AS i"
    ),
    "INSERT INTO _yoyo_migration VALUES ('x', NULL, NULL)",
    "INSERT INTO _yoyo_migration VALUES ('y', repeat('z', 255), 'infinity')",
    "DROP TABLE _yoyo_migration CASCADE",
)


@pytest.fixture
async def inventory(migrated_database: str) -> AsyncIterator[Mirror]:
    """The inventory of a leader that can raise its Lease, with a row."""
    leader = Leader(3)
    leader.may_exceed = True
    async with mirror(migrated_database, leader) as made:
        await made.connect()
        await made.save(DATABASES, named("old"))
        yield made


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("statement", VANDALISM)
async def test_whatever_stands_there_is_told_and_nothing_else(
    statement: str, inventory: Mirror, rows: Rows
) -> None:
    await rows.execute(statement)
    await use(inventory)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("seed", range(12))
async def test_so_is_what_several_have_left_there(seed: int, inventory: Mirror, rows: Rows) -> None:
    for statement in Random(seed).sample(VANDALISM, 4):
        with suppress(psycopg.Error):  # what one has broken the next may find missing
            await rows.execute(statement)
    await use(inventory)


async def use(inventory: Mirror) -> None:
    """Everything that passes and the sweep do; only MetadataError may come of it."""
    for _ in range(2):
        with suppress(MetadataError):
            await inventory.save(DATABASES, named("new"))
        with suppress(MetadataError):
            async for _ in inventory.compare(DATABASES, Many([5, 6]), ("shop",)):
                pass
        with suppress(MetadataError):
            async for _ in inventory.compare(DATABASES, Many([]), ()):
                pass
        with suppress(MetadataError):
            await inventory.mark_deleted(DATABASES, ROW.id)
        for look in (inventory.check, inventory.connect):
            with suppress(MetadataError):
                await look()


@pytest.mark.usefixtures("unhurried")
async def test_a_row_that_python_cannot_hold_is_found_wrong_and_is_put_right(
    inventory: Mirror, rows: Rows
) -> None:
    await rows.execute("UPDATE databases SET created_at = 'infinity', purpose = repeat('x', 9999)")

    class One:
        def after(self, uid: str, most: int) -> list[str]:
            return [ROW.id][:most] if ROW.id > uid else []

        def row(self, uid: str) -> object:
            return named("old")

    async for page in inventory.compare(DATABASES, One(), ()):  # type: ignore[arg-type]
        assert (page.orphans, page.wrong) == (set(), {ROW.id})
    await inventory.save(DATABASES, named("old"))
    async for page in inventory.compare(DATABASES, One(), ()):  # type: ignore[arg-type]
        assert (page.orphans, page.wrong) == (set(), set())


# --- the migration --------------------------------------------------------------------------------


def test_a_table_with_an_epoch_that_cannot_have_been_is_migrated(empty_database: str) -> None:
    migrate.migrate(empty_database, to="007", out=io.StringIO())
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "INSERT INTO leaders VALUES ('a/a', 3000000000, 'x'), ('b/b', -1, 'x'), "
            "('c/c', 2147483647, 'x'), ('d/d', 0, 'x')"
        )
    migrate.migrate(empty_database, out=io.StringIO())
    with psycopg.connect(empty_database) as connection:
        left = connection.execute("SELECT lease FROM leaders ORDER BY 1").fetchall()
        assert left == [("c/c",), ("d/d",)]
        for epoch in (3_000_000_000, -1):
            with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
                connection.execute("UPDATE leaders SET epoch = %s", [epoch])
