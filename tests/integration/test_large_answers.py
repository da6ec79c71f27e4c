"""Answers of the metadata database that are as large as its schema's owner likes.

Whoever may change the schema says how long an error is, a notice or a value, up to a gigabyte. None
of it is taken in: the operator's memory does not depend on it, nor on how often it comes.
"""

import re
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from daap_operator.kinds.database.row import DATABASES
from daap_operator.mirror import MetadataError, Mirror
from daap_operator.mirror.answers import BoundedConnection
from tests.integration.test_fencing import Leader, mirror, named
from tests.integration.test_forged_inventory import inventory
from tests.integration.test_inventory_pages import Many
from tests.support.rows import Rows

__all__ = ["inventory"]

MB = 80
MOST_MB = 24
"""What the operator may take for it, besides what it had: one such text as Python has it is 80."""

SAYS = (
    "CREATE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$; "
    "CREATE TRIGGER says BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION says()"
)
TEXT = f"repeat('x', {MB}000000)"

ERRORS = {
    "message": f"RAISE EXCEPTION '%%', {TEXT};",
    "detail": f"RAISE EXCEPTION 'no' USING DETAIL = {TEXT};",
    "hint of a code that is tried again": (
        f"RAISE EXCEPTION 'no' USING HINT = {TEXT}, ERRCODE = '55P03';"
    ),
    "many bytes for each character": f"RAISE EXCEPTION '%%', repeat('😀', {MB // 4}000000);",
}


def peak_mb() -> float:
    """The most memory that this process has had since it was asked to begin anew."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def begin() -> float:
    """Count the most memory from now on; what there is now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("table", ["databases", "leaders"])
async def test_an_error_of_80_mb_takes_no_memory(
    table: str, error: str, inventory: Mirror, rows: Rows
) -> None:
    await rows.execute(SAYS.format(error, table))
    if table == "leaders":
        await rows.execute("DELETE FROM leaders")
    before = begin()
    for _ in range(3):
        with suppress(MetadataError):
            await inventory.save(DATABASES, named("new"))
        with suppress(MetadataError):
            await inventory.connect()
    assert peak_mb() - before < MOST_MB


@pytest.mark.usefixtures("unhurried")
async def test_it_is_the_row_that_is_refused_and_the_inventory_stays(
    inventory: Mirror, rows: Rows
) -> None:
    await rows.execute(SAYS.format(ERRORS["message"], "databases"))
    with pytest.raises(MetadataError, match=r"refuses the row.*more than 262144 bytes") as refused:
        await inventory.save(DATABASES, named("new"))
    assert refused.value.of_one_row
    await rows.execute("DROP TRIGGER says ON databases")
    await inventory.save(DATABASES, named("new"))


@pytest.mark.usefixtures("unhurried")
async def test_nor_do_notices_and_values(migrated_database: str, rows: Rows) -> None:
    leader = Leader(3)
    leader.may_exceed = True
    async with mirror(migrated_database, leader) as made:
        await rows.execute(SAYS.format(f"RAISE NOTICE '%%', {TEXT};", "databases"))
        await made.connect()
        before = begin()
        await made.save(DATABASES, named("old"))  # what nobody reads is not even sent
        await rows.execute(
            f"ALTER TABLE databases RENAME TO rows; CREATE VIEW databases AS SELECT {TEXT} AS id, "
            "r.deleted_at, r.namespace FROM rows AS r"
        )
        with suppress(MetadataError):
            async for _ in made.compare(DATABASES, Many([5, 6]), ()):
                pass
        assert peak_mb() - before < MOST_MB


async def test_the_connection_is_closed_at_once(migrated_database: str) -> None:
    async with await BoundedConnection.connect(migrated_database, autocommit=True) as connection:
        assert await (await connection.execute("SELECT 1")).fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="more than"):
            await connection.execute("SELECT repeat('x', 50000000)")
        assert connection.closed
