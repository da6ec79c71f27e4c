"""A PostgreSQL that is up, and the throw-away databases of the tests in it."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo


def url_of(url: str, database: str) -> str:
    """The same server, user and options, another database; a libpq keyword string stays one."""
    if "://" not in url:
        return make_conninfo(url, dbname=database)
    parts = urlsplit(url)
    options = f"?{parts.query}" if parts.query else ""
    # Not urlunsplit: it drops the `//` of a URL that names no host.
    return f"{parts.scheme}://{parts.netloc}/{quote(database, safe='')}{options}"


class Server:
    """A PostgreSQL that is up, whoever runs it. The user of `url` needs CREATEDB."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        """What DATABASE_URL would be."""
        return self._url

    def create_database(self, name: str | None = None, *, template: str = "template1") -> str:
        """Creates a database, a copy of `template`, which nobody may be connected to.

        Returns its URL. Without a name it gets one that no other run uses.
        """
        name = name or _throwaway_name()
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return url_of(self.url, name)

    def drop_database(self, name: str) -> None:
        """Drops a database and whoever is connected to it; fine when there is none."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._execute(statement.format(sql.Identifier(name)))

    @contextlib.contextmanager
    def database(self, *, template: str = "template1") -> Iterator[str]:
        """The URL of a throw-away database, dropped at the end."""
        name = _throwaway_name()
        try:
            yield self.create_database(name, template=template)
        finally:
            self.drop_database(name)

    def _execute(self, statement: sql.Composed) -> None:
        # autocommit: neither statement is allowed in a transaction.
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


def from_environment(environ: Mapping[str, str] = os.environ) -> Server | None:
    """The server of DATABASE_URL, or None when a server of our own is to be started.

    Tests make their own databases there and leave alone the one that the URL names.
    """
    url = environ.get("DATABASE_URL")
    return Server(url) if url else None


def _throwaway_name() -> str:
    return f"test_{secrets.token_hex(6)}"
