"""The connection to the metadata database, and what has been applied.

Such a pooler as lends its sessions is refused, for the settings that migrating makes in its own.
"""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Iterator
from typing import LiteralString, TextIO
from urllib.parse import urlencode

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from daap_operator import pooling
from daap_operator.migrate import tls
from daap_operator.migrate.files import Applied, Migration, MigrationError, RefusedError

Connection = psycopg.Connection[TupleRow]

CONNECT_TIMEOUT_SECONDS = 5
RETRY_SECONDS = 0.25
PROGRESS_SECONDS = 5.0

LONGEST = 4096
"""Characters that are printed of what a server says: whoever may change its schema may make it as
long as they like."""

_ADDRESS = re.compile(r"\w+://([^@/]*@)?(?P<host>[^/?]*)(?P<database>[^?]*)")
"""The parts of a URL, as libpq tells them apart."""

_TABLES_SQL = "SELECT to_regclass('_yoyo_migration'), to_regclass('daap_migration_checksums')"
_APPLIED_SQL = "SELECT migration_id, applied_at_utc FROM _yoyo_migration"
_CHECKSUMS_SQL = "SELECT migration_id, sha256 FROM daap_migration_checksums"
_CREATE_CHECKSUMS_SQL = """
CREATE TABLE IF NOT EXISTS daap_migration_checksums (
    migration_id TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
)
"""
_RECORD_SQL = """
INSERT INTO daap_migration_checksums (migration_id, sha256) VALUES (%s, %s)
ON CONFLICT (migration_id) DO UPDATE SET sha256 = EXCLUDED.sha256, recorded_at = NOW()
"""
_FORGET_SQL = "DELETE FROM daap_migration_checksums WHERE migration_id = %s"


def say(out: TextIO, line: str) -> None:
    """One line, at once: a Job's log is read while it runs."""
    out.write(line + "\n")
    out.flush()


def parameters(database_url: str) -> dict[str, str]:
    """A `postgres://` or `postgresql://` URL, or a libpq keyword string, as libpq's parameters.

    With them the server is verified unless the URL or the environment say otherwise. Raises
    MigrationError without libpq's own words: they quote the string, password and all.
    """
    try:
        found = {} if _misleading(database_url) else conninfo_to_dict(database_url)
    except psycopg.ProgrammingError:
        found = {}
    if not found:
        raise MigrationError(
            "DATABASE_URL is neither a URL such as postgresql://user:password@host:5432/database "
            "nor a libpq keyword string; in a URL, special characters of the password are "
            "percent-encoded (it is not shown here: it may hold a password)"
        )
    own = {
        "connect_timeout": str(CONNECT_TIMEOUT_SECONDS),
        "fallback_application_name": "daap-operator migrate",
    }
    given = {key: str(value) for key, value in found.items()}
    return own | tls.secured(given, os.environ)


def _misleading(database_url: str) -> bool:
    """Whether a bare `@` or `/` in the password made a part of it host or database.

    Messages name those. PostgreSQL wants such characters percent-encoded.
    """
    found = _ADDRESS.match(database_url)
    return found is not None and "@" in found["host"] + found["database"]


def warning(database_url: str) -> str:
    """What speaks against how the server is reached; empty when nothing does."""
    mode = tls.unverified(parameters(database_url), os.environ)
    if not mode:
        return ""
    return (
        f"The metadata database's server is not verified (sslmode={mode}): whoever is in between "
        "can read and answer in its place; take sslmode=verify-full, with the certificate "
        "authority in sslrootcert if it is not one that the system trusts"
    )


def yoyo_url(database_url: str) -> str:
    """The same for yoyo, which splits URLs by itself and knows neither keywords nor several hosts.

    Everything goes into the query, which yoyo hands on to libpq as it is.
    """
    return f"postgresql+psycopg:///?{urlencode(parameters(database_url))}"


def place(database_url: str) -> str:
    """Host, port and database for people, with libpq's own defaults."""
    defaults = {option.keyword.decode(): option.val for option in pq.Conninfo.get_defaults()}
    found = {key: value.decode() for key, value in defaults.items() if value}
    found |= parameters(database_url)
    host = found.get("host") or found.get("hostaddr") or "the local socket"
    return f"host {host}, port {found['port']}, database {found.get('dbname') or found['user']}"


@contextlib.contextmanager
def connected(database_url: str, *, out: TextIO, wait_seconds: float) -> Iterator[Connection]:
    """A connection in autocommit mode, tried for `wait_seconds` (once when 0).

    Raises MigrationError naming host, port, database and the last error; likewise for errors of the
    database that nobody caught while it was in use.
    """
    try:
        with _connect(database_url, out, wait_seconds) as connection:
            yield connection
    except psycopg.Error as error:
        raise MigrationError(f"{place(database_url)}: {words(error)}") from error


def _connect(database_url: str, out: TextIO, wait_seconds: float) -> Connection:
    conninfo = make_conninfo("", **parameters(database_url))
    where = place(database_url)
    began = time.monotonic()
    tell = Progress(out)
    while True:
        try:
            return psycopg.connect(conninfo, autocommit=True)
        except psycopg.OperationalError as error:
            reason = " ".join(words(error).split())
            waited = time.monotonic() - began
            if waited >= wait_seconds:
                after = f" after waiting {wait_seconds:g} s" if wait_seconds else ""
                raise MigrationError(f"no connection to {where}{after}: {reason}") from error
        tell(f"waiting for {where} ({waited:.0f} of {wait_seconds:g} s): {reason}")
        time.sleep(min(RETRY_SECONDS, wait_seconds - waited))


def words(error: psycopg.Error) -> str:
    """What the server said, as much of it as is printed."""
    said = str(error)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"


def stay(connection: Connection) -> None:
    """Lets the connection outlive the time that migrations take on another one."""
    connection.execute("SET idle_session_timeout = 0")


def refuse_lent_sessions(database_url: str) -> None:
    """Raises RefusedError when a pooler in transaction mode is in the way; changes nothing.

    Raises psycopg.Error when there is no connection any more.
    """
    if asyncio.run(pooling.lent_at(make_conninfo("", **parameters(database_url)))):
        raise RefusedError(
            f"refused, nothing was changed: {place(database_url)} is a pooler in transaction mode, "
            "where a command's settings would reach the pooler's other clients; "
            f"{pooling.REMEDY}"
        )


def applied(connection: Connection) -> dict[str, Applied]:
    """What has been applied, by id. Only reads: it works where nothing was ever applied."""
    migrations, checksums = one(connection, _TABLES_SQL)
    if migrations is None:
        return {}
    recorded = connection.execute(_CHECKSUMS_SQL).fetchall() if checksums else []
    sha256: dict[str, str] = dict(recorded)
    rows = connection.execute(_APPLIED_SQL).fetchall()
    return {id_: Applied(at, sha256.get(id_)) for id_, at in rows}


def is_applied(connection: Connection, file: Migration) -> bool:
    """Whether it is, now, as this connection's transaction sees it."""
    found = connection.execute(f"{_APPLIED_SQL} WHERE migration_id = %s", [file.id])
    return found.fetchone() is not None


def make_checksums(connection: Connection) -> None:
    """Creates the table of the checksums if it is not there. Only under the lock."""
    if one(connection, _TABLES_SQL)[1] is None:
        connection.execute(_CREATE_CHECKSUMS_SQL)


def record(connection: Connection, file: Migration) -> None:
    """Remembers the contents that were applied."""
    connection.execute(_RECORD_SQL, [file.id, file.sha256])


def forget(connection: Connection, file: Migration) -> None:
    """Forgets the contents of what was rolled back."""
    connection.execute(_FORGET_SQL, [file.id])


class Progress:
    """Tells the first time and then every few seconds."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._told: float | None = None

    def __call__(self, line: str) -> None:
        """Tell this, if it is time."""
        now = time.monotonic()
        if self._told is None or now - self._told >= PROGRESS_SECONDS:
            self._told = now
            say(self._out, line)


def one(connection: Connection, query: LiteralString, *values: object) -> TupleRow:
    """The one row that a query gives."""
    return connection.execute(query, values).fetchall()[0]
