"""The schema that the migrations make: the documented one, there and back."""

import io

import psycopg
import pytest

from daap_operator import migrate
from tests.integration.migrating import IDS, applied, recorded, rows
from tests.integration.schema_snapshot import SNAPSHOT, render


def regardless_of_column_order(schema: str) -> list[str]:
    """A column that went and came back is the last one."""
    return sorted(line.rstrip(",") for line in schema.splitlines())


def test_the_schema_is_the_snapshot(migrated_database: str) -> None:
    assert render(migrated_database) == SNAPSHOT.read_text(), "run: make golden"


def test_up_down_up_gives_the_same_schema(empty_database: str) -> None:
    nothing = render(empty_database)
    migrate.migrate(empty_database, out=io.StringIO())
    first = render(empty_database)
    assert migrate.roll_back(empty_database, to="none", out=io.StringIO()) == IDS[::-1]
    assert render(empty_database) == nothing
    assert applied(empty_database) == []
    assert recorded(empty_database) == {}
    migrate.migrate(empty_database, out=io.StringIO())
    assert render(empty_database) == first


@pytest.mark.parametrize("id_", IDS)
def test_every_rollback_reverses_its_file(empty_database: str, id_: str) -> None:
    before = IDS[IDS.index(id_) - 1] if id_ != IDS[0] else None
    if before:
        migrate.migrate(empty_database, to=before, out=io.StringIO())
    schema = render(empty_database)
    assert migrate.migrate(empty_database, to=id_, out=io.StringIO()) == [id_]
    after = render(empty_database)
    assert after != schema
    assert migrate.roll_back(empty_database, to=before or "none", out=io.StringIO()) == [id_]
    assert regardless_of_column_order(render(empty_database)) == regardless_of_column_order(schema)
    assert migrate.migrate(empty_database, to=id_, out=io.StringIO()) == [id_]
    assert regardless_of_column_order(render(empty_database)) == regardless_of_column_order(after)


SEED = """
CREATE TABLE seed.databases (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(63) NOT NULL,
    owner_team VARCHAR(255) NOT NULL,
    purpose TEXT NOT NULL DEFAULT '',
    namespace VARCHAR(255) NOT NULL DEFAULT 'default',
    cluster_name VARCHAR(255) NOT NULL,
    pooler_name VARCHAR(255) NOT NULL,
    status VARCHAR(20) NOT NULL DEFAULT 'provisioning',
    host VARCHAR(255),
    port INTEGER,
    secret_name VARCHAR(255),
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    deleted_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX idx_databases_name_active ON seed.databases (name) WHERE deleted_at IS NULL;
CREATE INDEX idx_databases_owner_team ON seed.databases (owner_team);
CREATE INDEX idx_databases_status ON seed.databases (status);
"""
"""The table that the project's schema document has after its migration 003."""
COLUMNS = """
SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = '{}' AND table_name = 'databases' ORDER BY 1
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = '{}' ORDER BY 1"
CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = '{}'::regnamespace AND conrelid = '{}.databases'::regclass ORDER BY 1
"""


def test_after_003_the_table_is_the_documented_one(empty_database: str) -> None:
    migrate.migrate(empty_database, to="003", out=io.StringIO())
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE SCHEMA seed")
        connection.execute(SEED)
    columns = rows(empty_database, COLUMNS.format("public"))
    assert len(columns) == 14
    assert columns == rows(empty_database, COLUMNS.format("seed"))
    public, seed = (
        [
            (name, str(definition).replace("seed.", "public."))
            for name, definition in rows(empty_database, INDEXES.format(schema))
            if "databases" in str(name)
        ]
        for schema in ("public", "seed")
    )
    assert len(public) == 4
    assert public == seed
    constraints = [
        rows(empty_database, CONSTRAINTS.format(schema, schema)) for schema in ("public", "seed")
    ]
    assert constraints[0] == constraints[1] == [("databases_pkey", "PRIMARY KEY (id)")]


INSERT = """
INSERT INTO databases (name, owner_team, cluster_name, pooler_name, status, deleted_at)
VALUES (%s, 'checkout', 'daap-orders', 'daap-orders-pooler', %s, %s)
"""


@pytest.mark.parametrize("status", ["provisioning", "ready", "error", "deleting"])
async def test_a_live_row_has_no_deleted_at(
    connection: psycopg.AsyncConnection, status: str
) -> None:
    await connection.execute(INSERT, ["orders", status, None])
    with pytest.raises(psycopg.errors.CheckViolation, match="databases_deleted_at_set_when_dele"):
        await connection.execute(INSERT, ["other", status, "2026-01-01"])


async def test_a_deleted_row_has_deleted_at(connection: psycopg.AsyncConnection) -> None:
    await connection.execute(INSERT, ["orders", "deleted", "2026-01-01"])
    with pytest.raises(psycopg.errors.CheckViolation, match="databases_deleted_at_set_when_dele"):
        await connection.execute(INSERT, ["orders", "deleted", None])


@pytest.mark.parametrize("status", ["Ready", "gone", ""])
async def test_other_statuses_are_refused(connection: psycopg.AsyncConnection, status: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="databases_status_known"):
        await connection.execute(INSERT, ["orders", status, None])


async def test_a_name_is_free_again_once_deleted(connection: psycopg.AsyncConnection) -> None:
    await connection.execute(INSERT, ["orders", "deleted", "2026-01-01"])
    await connection.execute(INSERT, ["orders", "deleted", "2026-01-02"])
    await connection.execute(INSERT, ["orders", "ready", None])
    with pytest.raises(psycopg.errors.UniqueViolation, match="idx_databases_name_active"):
        await connection.execute(INSERT, ["orders", "ready", None])


@pytest.mark.parametrize("which", ["first", "second"])
async def test_what_one_test_writes_the_next_does_not_see(
    connection: psycopg.AsyncConnection, which: str
) -> None:
    found = await connection.execute("SELECT count(*) FROM databases")
    assert await found.fetchone() == (0,)
    async with connection.transaction():
        await connection.execute(INSERT, [which, "ready", None])
