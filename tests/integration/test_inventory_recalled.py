"""How the inventory finds the archive of a database that was deleted, of any number."""

from typing import Any

import psycopg
import pytest

from daap_operator.kinds.database.origin import REMEMBERED
from daap_operator.kinds.database.row import DATABASES
from daap_operator.mirror import statements
from tests.integration.test_fencing import Leader, mirror
from tests.support.rows import Rows

DELETED = """
INSERT INTO databases (id, name, owner_team, namespace, cluster_name, pooler_name, status,
                       generation, created_at, archive, deleted_at)
SELECT gen_random_uuid(), 'db' || number %% 100, 'checkout', 'shop' || number %% 7, 'c', 'p',
       'deleted', 1, '2026-03-01T00:00:00Z', NULLIF('a' || number, 'a' || number / 2 * 2),
       '2026-03-01T00:00:00Z'::timestamptz + number * interval '1 second'
FROM generate_series(1, %s) AS number
"""
PLACE = {"namespace": "shop3", "name": "db45"}


def plans(found: Any) -> list[dict[str, Any]]:
    """A plan, and all below it."""
    return [found, *(each for below in found.get("Plans", ()) for each in plans(below))]


async def asked(url: str, statement: str) -> Any:
    """The first column of the first row."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        row = await (await connection.execute(statement.encode(), PLACE)).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.usefixtures("unhurried")
async def test_one_deleted_row_is_found_by_an_index(rows: Rows, migrated_database: str) -> None:
    await rows.execute(DELETED, 20_000)
    await rows.execute("ANALYZE databases")
    statement = statements.newest_deleted(DATABASES, REMEMBERED, "archive")
    told = await asked(migrated_database, f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
    found = plans(told[0]["Plan"])
    (scan,) = [plan for plan in found if plan.get("Relation Name") == DATABASES.name]
    assert (scan.get("Index Name"), scan["Actual Rows"]) == ("idx_databases_deleted", 1)
    assert "Sort" not in [plan["Node Type"] for plan in found]


@pytest.mark.usefixtures("unhurried")
async def test_it_is_the_one_that_was_deleted_last(rows: Rows, migrated_database: str) -> None:
    await rows.execute(DELETED, 20_000)
    of = "namespace = %(namespace)s AND name = %(name)s AND archive IS NOT NULL"
    latest = f"SELECT archive FROM databases WHERE {of} ORDER BY deleted_at DESC"
    async with mirror(migrated_database, Leader(1)) as inventory:
        await inventory.connect()
        place = PLACE["namespace"], PLACE["name"]
        row = await inventory.newest_deleted(DATABASES, place, REMEMBERED, "archive")
    assert row is not None
    assert row["archive"] == await asked(migrated_database, latest)
