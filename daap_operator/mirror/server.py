"""The connections to the metadata database: whether they can be used, and when they can again."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from daap_operator import pooling
from daap_operator.api.reasons import InventoryReason
from daap_operator.cancellation import heed
from daap_operator.mirror.answers import BoundedConnection
from daap_operator.mirror.problems import MetadataError, failed, pooled, problem
from daap_operator.mirror.schema import Schema

log = logging.getLogger(__name__)

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 5
LOCK_SECONDS = 2
"""How long to wait for a row that another session holds: a pass waits meanwhile."""
ANSWER_SECONDS = 6
"""How long to wait for answers. A server that hangs does not keep its own limits; one that works
says within STATEMENT_SECONDS what took too long."""
CLOSE_SECONDS = 2
PROBE_SECONDS = 2.0
"""How often a server that is away is tried."""
SCHEMA_PROBE_SECONDS = 10.0
"""How often a server whose schema is wrong is looked at: that takes people, or a Job."""

KEEP_ALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": ANSWER_SECONDS * 1000,
}
"""Connections that nobody uses find out, too, that the server's machine is gone."""

Connection = BoundedConnection

Verify = Callable[[Connection], Awaitable[None]]
"""Looks whether what is there will do; raises MetadataError saying why not."""


@dataclass(frozen=True)
class PoolSettings:
    """How many connections there are and how long they last."""

    most: int
    fewest: int
    lifetime: timedelta
    idle: timedelta


class Server:
    """The metadata database's server, as far as it can be reached."""

    def __init__(
        self,
        parameters: Mapping[str, str],
        pool: PoolSettings,
        *,
        missing_migrations: Callable[[Collection[str]], list[str]],
        migration_job: str = "",
    ) -> None:
        """`parameters` are libpq's, read from the URL beforehand: its errors quote passwords.

        `missing_migrations` tells what the applied ones lack; `migration_job` is to be looked at
        then, when there is one.
        """
        self._parameters: dict[str, Any] = {
            **KEEP_ALIVE,
            **parameters,
            "autocommit": True,
            "connect_timeout": CONNECT_SECONDS,
            "fallback_application_name": "daap-operator",
        }
        self._settings = pool
        self._schema = Schema(missing_migrations, migration_job)
        self._pool: AsyncConnectionPool[Connection] | None = None
        self._away: MetadataError | None = MetadataError(
            InventoryReason.CONNECTING, "Not connected yet"
        )
        self._went_away = asyncio.Event()
        self.unanswered = 0
        """How many uses of a connection ended without a word: what was sent may still come late."""

    @property
    def away(self) -> MetadataError | None:
        """Why it cannot be used just now; None while it can."""
        return self._away

    async def close(self) -> None:
        """Give all connections back."""
        if self._pool is not None:
            await self._pool.close(timeout=CLOSE_SECONDS)

    async def keep_connected(self, verify: Verify, on_change: Callable[[], None]) -> None:
        """Look after the connections until cancelled; `verify` as in `connect`.

        `on_change` is called whenever the server is back, or away for another reason.
        """
        while True:
            heed()
            if self._away is None:
                await self._went_away.wait()
            self._went_away.clear()
            while not await self._is_back(verify, on_change):
                heed()
                await asyncio.sleep(_until_the_next_probe(self._away))

    async def _is_back(self, verify: Verify, on_change: Callable[[], None]) -> bool:
        told = self._away
        try:
            await self.connect(verify)
        except MetadataError as error:
            if told is None or told.finding.reason != error.finding.reason:
                on_change()
            return False
        log.info("The metadata database can be used")
        on_change()
        return True

    async def connect(self, verify: Verify) -> None:
        """Connect, to stay, once `verify` has seen nothing wrong.

        Raises MetadataError saying what is wrong, whatever it is; nothing is written until then.
        """
        try:
            await self.check(verify)
            await self._open_pool()
        except MetadataError as error:
            self.leave(error)
            raise
        except Exception as error:
            found = failed(error)
            self.leave(found)
            raise found from error
        self._away = None

    async def check(self, verify: Verify | None = None) -> None:
        """See that the server answers, and that the schema is there and can be written.

        Raises MetadataError saying what is wrong.
        """
        try:
            connection = await self._connection()
            async with connection, _answering(connection):
                if await pooling.lent(connection, self._connection):
                    raise pooled()
                await self._schema.verify(connection)
                if verify is not None:
                    await verify(connection)
        except (psycopg.Error, OSError) as error:
            raise problem(error) from error

    async def _connection(self) -> Connection:
        async with asyncio.timeout(CONNECT_SECONDS * 2):
            return await BoundedConnection.connect(**self._parameters)

    async def look(self) -> None:
        """See that what it was connected to is still so, and use it no more when it is not.

        Raises MetadataError saying what is wrong.
        """
        async with self.connection() as connection:
            try:
                await self._schema.verify(connection)
            except MetadataError as error:
                self.leave(error)
                raise

    async def _open_pool(self) -> None:
        await self.close()
        self._pool = AsyncConnectionPool(
            kwargs=self._parameters,
            connection_class=BoundedConnection,
            configure=_configure,
            min_size=min(self._settings.fewest, self._settings.most),
            max_size=self._settings.most,
            max_lifetime=self._settings.lifetime.total_seconds(),
            max_idle=self._settings.idle.total_seconds(),
            timeout=CONNECT_SECONDS,
            open=False,
        )
        await self._pool.open()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection; an error on it that means the server is away is remembered.

        Raises MetadataError, at once while the server is known to be away.
        """
        if self._away is not None or self._pool is None:
            raise self._away or MetadataError(InventoryReason.CONNECTING, "Not connected yet")
        try:
            async with self._pool.connection() as connection, _answering(connection):
                yield connection
        except (psycopg.Error, PoolTimeout, PoolClosed, OSError) as error:
            found = problem(error)
            if _unanswered(error):
                self.unanswered += 1
            if not found.of_one_row:
                self.leave(found)
            raise found from error

    def leave(self, error: MetadataError) -> None:
        """Use it no more, for that reason, until a probe finds that all is well."""
        if self._away is None or self._away.finding.reason != error.finding.reason:
            unforeseen = error if error.finding.reason == InventoryReason.FAILED else None
            log.warning(
                "The metadata database cannot be used",
                extra={"error": str(error)},
                exc_info=unforeseen,
            )
        self._away = error
        self._went_away.set()


def _until_the_next_probe(why: MetadataError | None) -> float:
    outdated = why is not None and why.finding.reason == InventoryReason.SCHEMA_OUTDATED
    return SCHEMA_PROBE_SECONDS if outdated else PROBE_SECONDS


def _unanswered(error: Exception) -> bool:
    """Whether nobody knows what became of a statement: the server says a code with all it says."""
    if isinstance(error, PoolTimeout | PoolClosed):
        return False
    return not (isinstance(error, psycopg.Error) and error.sqlstate)


@asynccontextmanager
async def _answering(connection: Connection) -> AsyncIterator[None]:
    """Give up on a server that does not answer: raises TimeoutError then.

    Not by a cancellation: before psycopg lets go of a statement it asks the server to end it.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + ANSWER_SECONDS
    timer = loop.call_at(until, _hang_up, connection)
    try:
        yield
    except psycopg.Error as error:
        if loop.time() < until:
            raise
        raise TimeoutError(f"nothing came within {ANSWER_SECONDS} s") from error
    finally:
        timer.cancel()


def _hang_up(connection: Connection) -> None:
    """End a connection below psycopg, as if the server had: who waits for it is told at once."""
    with (
        suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)


async def _configure(connection: Connection) -> None:
    async with _answering(connection):
        await connection.execute(
            f"SET statement_timeout = '{STATEMENT_SECONDS}s'; "
            f"SET lock_timeout = '{LOCK_SECONDS}s'; "
            "SET client_min_messages = error"  # nobody here reads notices
        )
