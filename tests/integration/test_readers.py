"""Whoever may only read the inventory holds up neither the operator nor the migrations."""

import dataclasses
import io
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from daap_operator import migrate
from daap_operator.kinds.database.row import Row
from daap_operator.migrate import MigrationError, locks, steps
from daap_operator.mirror import Table
from dev.postgres import Postgres, url_of
from tests.integration.migrating import IDS, Clock, Command, applied, run
from tests.integration.test_fencing import ROW, Leader, mirror

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
PASSWORD = "a-b-c"
BEFORE = IDS[: IDS.index("009_add_archive")]
"""The migrations before one that changes a table."""

ADDED = {"archive", "store", "spec", "database_name", "postgres_version", "locale"}
"""The columns that it adds, and those that come after it."""


def previous(row: Row) -> Any:
    """A row as the operator writes it that runs while the migration waits."""
    values = {k: v for k, v in dataclasses.asdict(row).items() if k not in ADDED}
    hints = typing.get_type_hints(Row)
    made = dataclasses.make_dataclass("Previous", [(k, hints[k]) for k in values], frozen=True)
    return made(**values)


@pytest.fixture
def database(own_postgres: Postgres) -> str:
    """The URL of a database in which a migration of a table that is there is pending."""
    migrate.migrate(own_postgres.url, to=BEFORE[-1], out=io.StringIO())
    return own_postgres.url


@pytest.fixture
def reader(own_postgres: Postgres, database: str) -> Iterator[psycopg.Connection]:
    """A session that may read every table, and nothing else."""
    with (
        psycopg.connect(database, autocommit=True) as owner,
        psycopg.connect(url_of(own_postgres.admin_url, "daap"), autocommit=True) as admin,
    ):
        admin.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'".encode())
        owner.execute("CREATE TABLE IF NOT EXISTS daap_migration_lock ()")
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    with psycopg.connect(as_role(database, "reader")) as session:
        yield session
        session.rollback()


def as_role(url: str, role: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{PASSWORD}@{place}"))


def test_no_advisory_lock_holds_up_a_migration(reader: psycopg.Connection, database: str) -> None:
    for key in (locks.OLDER_LOCK, locks.OLDER_LOCK + 1):
        reader.execute("SELECT pg_advisory_lock(%s)", [key])
    reader.commit()
    code, output = run(database)
    assert (code, applied(database)) == (0, IDS), output
    pid = reader.info.backend_pid
    assert f"process {pid} of the role reader holds the advisory lock of migrate: ignored" in output


def test_no_lock_that_a_reader_can_take_keeps_a_command_waiting(
    reader: psycopg.Connection, database: str
) -> None:
    reader.execute("LOCK TABLE daap_migration_lock, daap_migration_checksums IN ACCESS SHARE MODE")
    code, output = run(database)
    assert (code, "waiting" in output) == (0, False), output
    for mode in ("ROW SHARE", "SHARE", "EXCLUSIVE"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), reader.transaction():
            reader.execute(f"LOCK TABLE daap_migration_lock IN {mode} MODE".encode())


async def test_a_reader_who_stays_in_a_transaction_holds_up_no_row_and_is_named(
    reader: psycopg.Connection, database: str
) -> None:
    reader.execute("SELECT FROM databases, leaders")
    who = f"process {reader.info.backend_pid} of the role reader"
    waiting = Command(database)
    waiting.wait_for("waiting for a table")
    assert who in waiting.seen
    async with mirror(database, Leader(1)) as inventory:
        await inventory.connect()
        row = previous(ROW)
        await inventory.save(Table("databases", type(row), unique="name"), row)
        assert inventory.away is None
    reader.rollback()
    code, output = waiting.end()
    assert (code, applied(database)) == (0, IDS), output


def test_a_reader_who_stays_for_ever_is_told_of_with_the_remedy(
    reader: psycopg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "time", Clock())
    monkeypatch.setattr(steps, "TABLE_SECONDS", 2.0)
    reader.execute("SELECT FROM databases, leaders")
    who = f"process {reader.info.backend_pid} of the role reader"
    with pytest.raises(MigrationError, match=f"by {who}; try again .*pg_terminate_backend"):
        migrate.migrate(database, out=io.StringIO())
    assert applied(database) == BEFORE


def test_the_documented_role_of_readers_reads_what_it_should_and_no_more(
    own_postgres: Postgres, database: str
) -> None:
    section = PAGE.read_text().partition("### Who else reads it")[2].partition("\n## ")[0]
    block = "\n".join(re.findall(r"^ {4}(.*)$", section, re.MULTILINE)).replace("…", PASSWORD)
    assert "CREATE ROLE inventory_reader" in block
    admin_url = url_of(own_postgres.admin_url, "daap")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(block.encode())
    url = as_role(database, "inventory_reader")
    with psycopg.connect(url) as session:
        assert session.execute("SELECT * FROM reports.inventory").fetchall() == []
        shown = session.execute("SHOW idle_in_transaction_session_timeout").fetchone()
        assert shown == ("30s",)
        for table in ("databases", "leaders"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
                session.execute(f"SELECT FROM {table}".encode())
        others = [psycopg.connect(url) for _ in range(4)]
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(url)
        for other in others:
            other.close()
