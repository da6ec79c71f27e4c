"""Whether a connection to PostgreSQL has a server session to itself.

A pooler in transaction mode lends a session for one transaction and then to whoever comes next.
What is set or locked for a session, such as a timeout, reaches other clients there, and is not
there for one's own next statement.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]

ANSWER_SECONDS = 3.0
"""How long to wait for the second client: a pooler whose pool is used up lets it wait."""

TRIES = 3
"""How often to compare: on a busy pooler a third client may come in between."""

_SESSION = "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"
"""As text: what a database has for DateStyle need not be what the driver reads."""

REMEDY = (
    "have DATABASE_URL name PostgreSQL itself, for a CloudNativePG Cluster its Service "
    "CLUSTER-rw, or a pooler in session mode"
)


async def lent(first: Connection, connect: Callable[[], Awaitable[Connection]]) -> bool:
    """Whether the sessions of a server are lent for a transaction; changes nothing in them.

    `first` is a connection in autocommit mode, and `connect` makes another one to the same place. A
    pooler gives its clients keys of its own to cancel with; without one the key's process is the
    session's. Behind a pooler two things prove that it lends: the session changes between two
    statements, or a second client gets the one that the first has not given back. Raises
    psycopg.Error or OSError when the first connection fails.
    """
    if (await _session(first))[0] == first.info.backend_pid:
        return False
    for _ in range(TRIES):
        before = await _session(first)
        if await _session(first) != before or await _another(connect) == before:
            return True
    return False


async def lent_at(conninfo: str) -> bool:
    """The same of the server at a conninfo. Raises psycopg.Error when there is no connection."""

    async def connect() -> Connection:
        return await psycopg.AsyncConnection.connect(conninfo, autocommit=True)

    async with await connect() as first:
        return await lent(first, connect)


async def _another(connect: Callable[[], Awaitable[Connection]]) -> tuple[Any, ...] | None:
    """The session that a second client gets; None when it gets none."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            second = await connect()
            try:
                return await _session(second)
            finally:
                await second.close()
    except (psycopg.Error, OSError):
        return None


async def _session(connection: Connection) -> tuple[Any, ...]:
    found = await connection.execute(_SESSION, prepare=False)
    (session,) = await found.fetchall()
    return tuple(session)
