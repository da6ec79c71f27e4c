"""One run at a time in a database, by two session locks that are polled for and never waited in.

A session that waits inside PostgreSQL for a lock holds a snapshot, and CREATE INDEX CONCURRENTLY of
the holder waits for that in turn. `GUARD` is held by a session of its own for the whole run, `WORK`
by the session that runs the files: when a runner is killed, its session in the server may live on
with a statement, and no other run begins until that one is gone too.
https://www.postgresql.org/docs/16/explicit-locking.html#ADVISORY-LOCKS
"""

import contextlib
import time
from collections.abc import Callable, Iterator

import psycopg

from daap_operator import lines
from daap_operator.schema.awaiting import ANOTHER_RUN
from daap_operator.schema.errors import LostError, SchemaError
from daap_operator.schema.sessions import Connection, one

CLASS = 0x64616170
"""The first half of both keys, `daap` in ASCII."""
GUARD, WORK = 1, 2
POLL_SECONDS = 0.25
TELL_SECONDS = 10.0

Say = Callable[[str], None]

_TRY_SQL = "SELECT pg_catalog.pg_try_advisory_lock(%s::int4, %s::int4)"
_HOLDERS_SQL = """
SELECT held.pid, session.usename, session.application_name,
       pg_catalog.to_char(session.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pg_catalog.pg_locks AS held
LEFT JOIN pg_catalog.pg_stat_activity AS session ON session.pid = held.pid
WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 2
  AND held.database = (SELECT oid FROM pg_catalog.pg_database
                       WHERE datname = pg_catalog.current_database())
  AND held.classid = %s::oid AND held.objid = %s::oid AND held.pid <> pg_catalog.pg_backend_pid()
"""


@contextlib.contextmanager
def held(connection: Connection, *, seconds: float, say: Say) -> Iterator[Callable[[], None]]:
    """Keeps other runs out while it lasts; what it gives raises LostError when it has not.

    Raises SchemaError when another session has not let go within `seconds`.
    """
    take(connection, GUARD, seconds=seconds, say=say)

    def check() -> None:
        try:
            connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise LostError("the session that keeps other runs out is gone") from error

    yield check


def take(connection: Connection, key: int, *, seconds: float, say: Say) -> None:
    """Polls for the lock until it is this session's. Raises SchemaError after `seconds`."""
    began, told = time.monotonic(), -TELL_SECONDS
    while not one(connection, _TRY_SQL, CLASS, key):
        waited = time.monotonic() - began
        if waited >= seconds:
            who = holders(connection, key)
            raise SchemaError(
                f"another session has held the lock of schema apply for {seconds:g} s: {who}; "
                "if it is no run of yours, end it: SELECT pg_terminate_backend(process)"
            )
        if waited - told >= TELL_SECONDS:
            told = waited
            who = holders(connection, key)
            say(f"{ANOTHER_RUN} ({waited:.0f} of {seconds:g} s): {who}")
        time.sleep(POLL_SECONDS)


def holders(connection: Connection, key: int) -> str:
    """Who holds it, and since when they are connected, for people."""
    found = connection.execute(_HOLDERS_SQL, [CLASS, key]).fetchall()
    return ", ".join(_named(*row) for row in found) or "a session that is gone by now"


def _named(pid: int, role: str | None, application: str | None, since: str | None) -> str:
    what = f" ({lines.quoted(application)})" if application else ""
    when = f", connected since {since}" if since else ""
    return f"process {pid} of the role {lines.quoted(role or 'unknown')}{what}{when}"
