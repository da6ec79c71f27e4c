"""The examples of whole schemas: each is what its document says, and what it says of itself.

The document is read where it lies beside the checkout; the facts in tests/data are always there.
The names of the tests say which of the two was used: `-document`, `-extract`.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg
import pytest

from dev.postgres import Postgres
from tests.fix_examples import SCHEMAS, apply, files_of
from tests.integration import schema_facts
from tests.integration.schema_built import built, described, differences
from tests.integration.schema_documents import document, facts_of
from tests.integration.schema_facts import Facts

Applied = Callable[[str], AbstractContextManager[str]]

SOURCES = [
    *((example, "extract") for example in SCHEMAS),
    *((example, "document") for example in SCHEMAS if document(example) is not None),
]
each_source = pytest.mark.parametrize(
    ("example", "source"), SOURCES, ids=["-".join(source) for source in SOURCES]
)
each_example = pytest.mark.parametrize("example", SCHEMAS)


def facts(example: str, source: str) -> Facts:
    """What the document of an example says, by either source."""
    text = document(example) if source == "document" else None
    return schema_facts.read(example)[0] if text is None else facts_of(example, text)


def whole(example: str, source: str = "extract") -> Facts:
    """All that an example's database is to have."""
    return schema_facts.together(facts(example, source), schema_facts.read(example)[1])


@each_source
def test_the_extract_says_what_the_document_says(example: str, source: str) -> None:
    extract = schema_facts.read(example)[0]
    assert schema_facts.text(facts(example, source)) == schema_facts.text(extract)


@each_source
def test_all_of_the_document_is_there_and_nothing_unnamed(
    applied_example: Applied, example: str, source: str
) -> None:
    with applied_example(example) as url, psycopg.connect(url) as connection:
        expected = built(connection, whole(example, source), "expected")
        assert differences(expected, described(connection, "public")) == []


@each_source
def test_the_files_are_those_of_the_document(example: str, source: str) -> None:
    said = facts(example, source)
    files = files_of(example)
    if said.files:
        assert [file.name for file in files] == list(said.files)
    created = [
        table
        for file in files
        for table in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \(", file.read_text())
        if table in said.tables
    ]
    assert created == list(said.tables)


def test_who_applies_it_may_nothing_but_own_the_database(schema_server: Postgres) -> None:
    query = "SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = user"
    with psycopg.connect(schema_server.url) as connection:
        assert connection.execute(query).fetchone() == (False, False, False)


@each_example
def test_applied_again_it_changes_nothing(applied_example: Applied, example: str) -> None:
    with applied_example(example) as url:
        with psycopg.connect(url) as connection:
            before = described(connection, "public")
        apply(url, files_of(example))
        with psycopg.connect(url) as connection:
            assert described(connection, "public") == before


@each_example
def test_every_file_says_what_it_is_for(example: str) -> None:
    for file in files_of(example):
        first = file.read_text().partition("\n\n")[0]
        assert all(line.startswith("--") for line in first.splitlines()), file.name


# --- what the comparison would find ---------------------------------------------------------------

REMOVE = {
    "column": "ALTER TABLE {table} DROP COLUMN {name} CASCADE",
    "trigger": "DROP TRIGGER {name} ON {table}",
    "policy": "DROP POLICY {name} ON {table}",
    "row security": "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
}
CONSTRAINTS = """
SELECT conname, conrelid::regclass::text, conrelid::regclass || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f', 'c')
"""
OF_A_CONSTRAINT = (
    "SELECT FROM pg_constraint WHERE conindid = %s::regclass AND contype IN ('p', 'u')"
)


def removals(connection: psycopg.Connection, expected: list[str]) -> dict[str, str]:
    """For each object in the catalogue the statement that takes it away."""
    constraints = {
        f"constraint {told}": f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"
        for name, table, told in connection.execute(CONSTRAINTS)
    }
    return {key: constraints.get(key) or _removal(connection, key) for key in expected}


def _removal(connection: psycopg.Connection, key: str) -> str:
    kind = next(kind for kind in (*REMOVE, "index") if key.startswith(f"{kind} "))
    table, _, name = key.removeprefix(f"{kind} ").partition(".")
    if kind != "index":
        return REMOVE[kind].format(table=table, name=name)
    if connection.execute(OF_A_CONSTRAINT, [name]).fetchone() is not None:
        return f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"
    return f"DROP INDEX {name}"


@each_example
def test_whatever_is_taken_away_is_missed(applied_example: Applied, example: str) -> None:
    with applied_example(example) as url, psycopg.connect(url) as connection:
        expected = built(connection, whole(example), "expected")
        missed = {}
        for key, statement in removals(connection, list(expected)).items():
            with connection.transaction(force_rollback=True):
                connection.execute(statement.encode())
                told = differences(expected, described(connection, "public"))
            missed[key] = any(line.startswith(f"{key}: is ") for line in told)
        assert [key for key, found in missed.items() if not found] == []
        assert len(missed) == len(expected) > 100


NO_CASCADE = """
service_deployments DROP CONSTRAINT service_deployments_service_id_fkey,
ADD FOREIGN KEY (service_id) REFERENCES services (id)
"""
OTHERS = [
    ("gpu-dev", "reservations ALTER namespace DROP DEFAULT", "column reservations.namespace"),
    ("gpu-dev", "reservations ALTER gpu_count TYPE BIGINT", "column reservations.gpu_count"),
    ("gpu-dev", "reservations ALTER status DROP NOT NULL", "column reservations.status"),
    ("gpu-dev", "disks ALTER size_gb SET NOT NULL", "column disks.size_gb"),
    ("gpu-dev", "api_keys ALTER expires_at SET DEFAULT NOW()", "column api_keys.expires_at"),
    ("gpu-dev", "gpu_types ADD COLUMN price INTEGER", "column gpu_types.price"),
    ("nomad-services", "users ALTER role SET DEFAULT 'admin'", "column users.role"),
    ("nomad-services", "tenants ALTER name TYPE VARCHAR(51)", "column tenants.name"),
    (
        "nomad-services",
        NO_CASCADE,
        "constraint service_deployments FOREIGN KEY (service_id) REFERENCES services(id)",
    ),
]


@pytest.mark.parametrize(("example", "change", "named"), OTHERS, ids=[one[2] for one in OTHERS])
def test_what_is_otherwise_is_told(
    applied_example: Applied, example: str, change: str, named: str
) -> None:
    with applied_example(example) as url, psycopg.connect(url) as connection:
        connection.execute(f"ALTER TABLE {change}".encode())
        expected = built(connection, whole(example), "expected")
        told = differences(expected, described(connection, "public"))
    assert [line for line in told if line.startswith(f"{named}: is ")] != []
