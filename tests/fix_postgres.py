"""Fixtures: a real PostgreSQL 16 and databases in it.

The server is the one of DATABASE_URL, else one of our own for the session. Nothing outlives the
tests, and databases that exist already are left alone.
"""

import io
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from daap_operator.migrate import migrate
from daap_operator.mirror import server as mirror_server
from dev.postgres import Postgres, Server, from_environment


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that stays up: make databases in it, leave alone what is there."""
    given = from_environment()
    if given is not None:
        yield given
        return
    with Postgres.start(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def new_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server as initdb makes it, and stopped: others begin as its copies."""
    with Postgres.start(tmp_path_factory.mktemp("new-postgres"), durable=False) as server:
        server.stop()
        yield server


@pytest.fixture
def own_postgres(tmp_path: Path, new_postgres: Postgres) -> Iterator[Postgres]:
    """A server for this test alone, to be stopped, restarted and configured at will."""
    with Postgres.start(tmp_path / "postgres", durable=False, like=new_postgres) as server:
        yield server


@pytest.fixture
def own_migrated_postgres(own_postgres: Postgres) -> Postgres:
    """The same with the schema of today in its database `daap`."""
    migrate(own_postgres.url, out=io.StringIO())
    return own_postgres


@pytest.fixture
def empty_database(postgres_server: Server) -> Iterator[str]:
    """The URL of a database with nothing in it, for this test alone."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def template_database(postgres_server: Server) -> Iterator[str]:
    """The name of a migrated database to copy; nobody may connect to it."""
    with postgres_server.database() as url:
        migrate(url, out=io.StringIO())
        yield str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def migrated_database(postgres_server: Server, template_database: str) -> Iterator[str]:
    """The URL of a database with the schema of today, for this test alone."""
    with postgres_server.database(template=template_database) as url:
        yield url


@pytest.fixture(scope="session")
def shared_database(postgres_server: Server, template_database: str) -> Iterator[str]:
    """The URL of a migrated database for tests that commit nothing."""
    with postgres_server.database(template=template_database) as url:
        yield url


@pytest.fixture
async def connection(shared_database: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """In a migrated database, in a transaction that is rolled back after the test.

    What is tested may open transactions, they become savepoints; its own commit() is an error.
    """
    async with (
        await psycopg.AsyncConnection.connect(shared_database) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator gives a server that is slow to answer all the time it takes.

    For tests that would tell a busy machine from a server that is away.
    """
    for limit in ("CONNECT", "STATEMENT", "ANSWER"):
        monkeypatch.setattr(mirror_server, f"{limit}_SECONDS", 60)


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 60.0) -> None:
    """Waits for something outside this process that nothing announces; fails saying for what."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)
