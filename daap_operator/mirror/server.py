"""The connections to the metadata database: whether they can be used, and when they can again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import scalar_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from daap_operator.cancellation import heed
from daap_operator.mirror import statements
from daap_operator.mirror.problems import READ_ONLY, MetadataError, problem

log = logging.getLogger(__name__)

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 5
LOCK_SECONDS = 2
"""How long to wait for a row that another session holds: a pass waits meanwhile."""
CLOSE_SECONDS = 2
PROBE_SECONDS = 2.0
"""How often a server that is away is tried."""

Connection = AsyncConnection[Any]


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
    ) -> None:
        """`parameters` are libpq's, read from the URL beforehand: its errors quote passwords.

        `missing_migrations` tells what the applied ones lack.
        """
        self._parameters: dict[str, Any] = {
            **parameters,
            "autocommit": True,
            "connect_timeout": CONNECT_SECONDS,
            "fallback_application_name": "daap-operator",
        }
        self._settings = pool
        self._missing = missing_migrations
        self._pool: AsyncConnectionPool[Connection] | None = None
        self._away: MetadataError | None = MetadataError("Connecting", "Not connected yet")
        self._went_away = asyncio.Event()

    @property
    def away(self) -> MetadataError | None:
        """Why it cannot be used just now; None while it can."""
        return self._away

    async def close(self) -> None:
        """Give all connections back."""
        if self._pool is not None:
            await self._pool.close(timeout=CLOSE_SECONDS)

    async def keep_connected(self, on_change: Callable[[], None]) -> None:
        """Look after the connections until cancelled.

        `on_change` is called whenever the server is back, or away for another reason.
        """
        while True:
            if self._away is None:
                await self._went_away.wait()
            self._went_away.clear()
            while not await self._is_back(on_change):  # noqa: ASYNC110 - a server is asked
                await asyncio.sleep(PROBE_SECONDS)
            heed()

    async def _is_back(self, on_change: Callable[[], None]) -> bool:
        told = self._away
        try:
            await self.connect()
        except MetadataError as error:
            self._leave(error)
            if told is None or told.reason != error.reason:
                on_change()
            return False
        log.info("The metadata database can be used")
        on_change()
        return True

    async def connect(self) -> None:
        """Connect, and see that the schema is there and can be written.

        Raises MetadataError saying what is wrong.
        """
        try:
            async with (
                asyncio.timeout(CONNECT_SECONDS * 2),
                await AsyncConnection.connect(**self._parameters) as connection,
            ):
                await self._verify(connection)
            await self._open_pool()
        except (psycopg.Error, PoolTimeout, OSError, TimeoutError) as error:
            raise problem(error) from error
        self._away = None

    async def _verify(self, connection: Connection) -> None:
        async with connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(statements.HAS_MIGRATIONS)
            applied: list[str] = []
            if await cursor.fetchone():
                await cursor.execute(statements.APPLIED)
                applied = await cursor.fetchall()
            if missing := self._missing(applied):
                raise MetadataError(
                    "SchemaOutdated",
                    f"The metadata database lacks the migrations {', '.join(missing)}: "
                    "run `daap-operator migrate`",
                )
            await cursor.execute(statements.IS_READ_ONLY)
            if await cursor.fetchone() == "on":
                raise MetadataError("ReadOnly", READ_ONLY)

    async def _open_pool(self) -> None:
        await self.close()
        self._pool = AsyncConnectionPool(
            kwargs=self._parameters,
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
            raise self._away or MetadataError("Connecting", "Not connected yet")
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (psycopg.Error, PoolTimeout, PoolClosed, OSError) as error:
            found = problem(error)
            if not found.of_one_row:
                self._leave(found)
            raise found from error

    def _leave(self, error: MetadataError) -> None:
        if self._away is None or self._away.reason != error.reason:
            log.warning("The metadata database cannot be used", extra={"error": str(error)})
        self._away = error
        self._went_away.set()


async def _configure(connection: Connection) -> None:
    await connection.execute(
        f"SET statement_timeout = '{STATEMENT_SECONDS}s'; SET lock_timeout = '{LOCK_SECONDS}s'"
    )
