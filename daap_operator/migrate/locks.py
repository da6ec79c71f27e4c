"""Who migrates, and who is in the way: locks that only those can hold who may change the schema.

An advisory lock is anybody's who may connect, so one command at a time holds a table instead. To
lock that one takes the right to write it; who may only read locks nothing by reading.
https://www.postgresql.org/docs/16/explicit-locking.html#LOCKING-TABLES
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import LiteralString, TextIO

from psycopg import errors

from daap_operator.migrate.database import Connection, Progress, one, say
from daap_operator.migrate.files import MigrationError

OLDER_LOCK = 0x64616170_0001
"""The advisory lock of earlier versions, which may migrate at the same time."""
RETRY_SECONDS = 0.25

_IDLE_SQL = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""
"""The second one is there since PostgreSQL 17."""
_IS_THERE_SQL = "SELECT to_regclass('daap_migration_lock')"
_CREATE_SQL = "CREATE TABLE IF NOT EXISTS daap_migration_lock ()"
_LOCK_SQL = "LOCK TABLE daap_migration_lock IN EXCLUSIVE MODE NOWAIT"
_HOLDERS_SQL = """
SELECT DISTINCT held.pid, coalesce(session.usename, 'unknown')
FROM pg_locks AS held LEFT JOIN pg_stat_activity AS session ON session.pid = held.pid
WHERE held.granted AND held.pid <> pg_backend_pid()
  AND held.relation = to_regclass('daap_migration_lock') AND held.mode <> 'AccessShareLock'
"""
_OLDER_SQL = """
SELECT session.pid, session.usename,
       pg_has_role(session.usesysid, (SELECT relowner FROM pg_class
                                      WHERE oid = to_regclass('daap_migration_lock')), 'USAGE')
FROM pg_locks AS held JOIN pg_stat_activity AS session ON session.pid = held.pid
WHERE held.granted AND held.locktype = 'advisory' AND held.objsubid = 1
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND held.classid::bigint = %s AND held.objid::bigint = %s
"""
_IN_THE_WAY_SQL = """
SELECT DISTINCT held.pid, coalesce(session.usename, 'unknown')
FROM pg_locks AS held
JOIN pg_class AS locked ON locked.oid = held.relation
LEFT JOIN pg_stat_activity AS session ON session.pid = held.pid
WHERE held.granted AND held.pid <> pg_backend_pid() AND locked.relkind IN ('r', 'p', 'v', 'm')
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND locked.relnamespace = current_schema()::regnamespace
  AND locked.relname <> 'daap_migration_lock'
"""


@contextlib.contextmanager
def locked(connection: Connection, *, out: TextIO, seconds: float) -> Iterator[None]:
    """Keeps other commands out, by a transaction on a connection that is used for nothing else.

    PostgreSQL frees the lock when this process dies. Raises MigrationError when another command has
    not ended within `seconds`.
    """
    _make(connection)
    with connection.transaction():
        connection.execute(_IDLE_SQL)  # idle is what a lock's holder is
        _wait(lambda: _lock(connection), lambda: _holders(connection), out, seconds)
        _keep_older_versions_out(connection, out, seconds)
        yield


def in_the_way(connection: Connection) -> str:
    """Which other sessions hold tables of the schema; for people."""
    return _named(connection, _IN_THE_WAY_SQL)


def _make(connection: Connection) -> None:
    if one(connection, _IS_THERE_SQL)[0] is None:
        with contextlib.suppress(errors.UniqueViolation, errors.DuplicateTable):  # another did
            connection.execute(_CREATE_SQL)


def _lock(connection: Connection) -> bool:
    try:
        with connection.transaction():
            connection.execute(_LOCK_SQL)
    except errors.LockNotAvailable:
        return False
    return True


def _holders(connection: Connection) -> str:
    return _named(connection, _HOLDERS_SQL)


def _keep_older_versions_out(connection: Connection, out: TextIO, seconds: float) -> None:
    """Take their lock, and wait for one of them; not for anybody else who holds it."""
    strangers: dict[int, str] = {}

    def taken() -> bool:
        if one(connection, "SELECT pg_try_advisory_xact_lock(%s)", OLDER_LOCK)[0]:
            return True
        halves = (OLDER_LOCK >> 32, OLDER_LOCK & 0xFFFFFFFF)
        found = connection.execute(_OLDER_SQL, halves).fetchall()
        strangers.update({pid: role for pid, role, migrates in found if not migrates})
        return bool(found) and all(not migrates for *_, migrates in found)

    _wait(taken, lambda: "one of an older version", out, seconds)
    for pid, role in strangers.items():
        say(out, f"process {pid} of the role {role} holds the advisory lock of migrate: ignored")


def _wait(
    taken: Callable[[], bool], holders: Callable[[], str], out: TextIO, seconds: float
) -> None:
    began = time.monotonic()
    tell = Progress(out)
    while not taken():
        waited, who = time.monotonic() - began, holders()
        if waited >= seconds:
            raise MigrationError(
                f"another migrate has held its lock for {seconds:g} s: {who}; if that is none, "
                "end it: SELECT pg_terminate_backend(process)"
            )
        tell(f"waiting for another migrate to end ({waited:.0f} of {seconds:g} s): {who}")
        time.sleep(RETRY_SECONDS)


def _named(connection: Connection, query: LiteralString) -> str:
    found = connection.execute(query).fetchall()
    return ", ".join(f"process {pid} of the role {role}" for pid, role in found) or "unknown"
