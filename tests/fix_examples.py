"""Fixtures: the examples of whole schemas, applied by a database's owner who may nothing else.

The server is always one of our own: the user of a DATABASE_URL may be a superuser, to whom neither
policies nor missing rights apply.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from dev.postgres import Postgres

EXAMPLES = Path(__file__).parents[1] / "examples"
SCHEMAS = ("gpu-dev", "nomad-services")


def files_of(example: str) -> list[Path]:
    """The SQL files of an example, in the order in which they are applied: fixtures last."""
    directory = EXAMPLES / example
    return [*sorted(directory.glob("schema/*.sql")), *sorted(directory.glob("fixtures/*.sql"))]


def install(url: str, example: str) -> None:
    """Applies an example to a database that has nothing yet."""
    apply(url, files_of(example))


def apply(url: str, files: list[Path]) -> None:
    """Applies files as the role of the URL, each in a transaction, whether they were or not."""
    with psycopg.connect(url, options="-c search_path=public,pg_temp") as connection:
        for file in files:
            with connection.transaction():
                connection.execute(file.read_bytes())


@pytest.fixture(scope="session")
def schema_server(
    tmp_path_factory: pytest.TempPathFactory, new_postgres: Postgres
) -> Iterator[Postgres]:
    """A server whose user `daap` may create databases and roles of no kind."""
    directory = tmp_path_factory.mktemp("schemas")
    with Postgres.start(directory, durable=False, like=new_postgres) as server:
        yield server


@pytest.fixture(scope="session")
def applied_example(
    schema_server: Postgres,
) -> Iterator[Callable[[str], AbstractContextManager[str]]]:
    """Gives, for the name of an example, the URL of a database of its own that has it applied."""
    templates: dict[str, str] = {}

    def database(example: str) -> AbstractContextManager[str]:
        if example not in templates:
            url = schema_server.create_database()
            install(url, example)
            templates[example] = str(conninfo_to_dict(url)["dbname"])
        return schema_server.database(template=templates[example])

    yield database
    for name in templates.values():
        schema_server.drop_database(name)


@pytest.fixture
def gpu_dev(applied_example: Callable[[str], AbstractContextManager[str]]) -> Iterator[str]:
    """The URL of a database with examples/gpu-dev, for this test alone."""
    with applied_example("gpu-dev") as url:
        yield url


@pytest.fixture
def nomad_services(applied_example: Callable[[str], AbstractContextManager[str]]) -> Iterator[str]:
    """The URL of a database with examples/nomad-services, for this test alone."""
    with applied_example("nomad-services") as url:
        yield url
