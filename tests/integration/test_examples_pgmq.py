"""The queues of examples/gpu-dev on a server with an extension pgmq: one that is made here."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dev.postgres import Postgres, binaries
from tests.fix_examples import EXAMPLES, apply, files_of

CONTROL = """
comment = 'What pgmq declares of itself, and what the test calls'
default_version = '1.0'
schema = 'pgmq'
relocatable = false
superuser = false
"""
SCRIPT = """
CREATE TABLE pgmq.sent (queue_name TEXT, msg JSONB);
CREATE FUNCTION pgmq.send(queue_name TEXT, msg JSONB) RETURNS void LANGUAGE sql
    AS 'INSERT INTO pgmq.sent VALUES ($1, $2)';
CREATE TABLE pgmq.meta (queue_name TEXT PRIMARY KEY);
CREATE FUNCTION pgmq.create(queue_name TEXT) RETURNS void LANGUAGE sql
    AS 'INSERT INTO pgmq.meta VALUES ($1) ON CONFLICT DO NOTHING';
"""
EXTENSION = "SELECT extname FROM pg_extension WHERE extname = 'pgmq'"
(QUEUES,) = [file for file in files_of("gpu-dev") if "pgmq" in file.name]


def with_pgmq(user: binaries.Account | None, home: Path) -> Path:
    """PostgreSQL's programs, copied and given the extension."""
    origin, copy = binaries.programs(), home / "with-pgmq"
    install = copy / binaries.PACKAGE / origin.parent.name
    if not copy.exists():
        binaries._copy(origin, copy)
        extensions = install / "share/postgresql/extension"
        (extensions / "pgmq.control").write_text(CONTROL)
        (extensions / "pgmq--1.0.sql").write_text(SCRIPT)
    return install / "bin"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a database on a server that has pgmq, for its owner."""
    monkeypatch.setattr(binaries, "programs_for", with_pgmq)
    with Postgres.start(tmp_path / "postgres", durable=False) as server, server.database() as url:
        yield url


def test_the_extension_is_used_where_it_is(url: str) -> None:
    for _ in range(2):
        apply(url, files_of("gpu-dev"))
        with psycopg.connect(url) as connection:
            assert connection.execute(EXTENSION).fetchone() is not None
            queues = connection.execute("SELECT queue_name FROM pgmq.meta ORDER BY 1").fetchall()
            assert queues == [("disk_operations",), ("reservations",)]


def test_the_stand_in_stays_until_it_is_replaced(url: str, tmp_path: Path) -> None:
    """By the statements that the example's README gives."""
    without = QUEUES.read_text().replace("FROM pg_available_extensions", "FROM (SELECT '' AS name)")
    (stand_in := tmp_path / "007.sql").write_text(without)
    apply(url, [stand_in])
    apply(url, [QUEUES])
    readme = (EXAMPLES / "gpu-dev" / "README.md").read_text()
    (move,) = re.findall(r"```sql\n(.+?)```", readme, re.DOTALL)
    with psycopg.connect(url) as connection:
        assert connection.execute(EXTENSION).fetchone() is None
        connection.execute("SELECT pgmq.send('reservations', '1')")
        connection.execute(move.encode())
        assert connection.execute("SELECT * FROM pgmq.sent").fetchall() == [("reservations", 1)]
    apply(url, [QUEUES])
    with psycopg.connect(url) as connection:
        assert connection.execute(EXTENSION).fetchone() is not None
