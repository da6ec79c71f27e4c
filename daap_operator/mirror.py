"""The inventory in PostgreSQL: the only door to `psycopg`, and all SQL.

The mirror follows and never decides. Every write is one idempotent upsert of a whole row, keyed by
the object's uid and guarded by the leader's epoch and the object's generation, so that an old
leader or an old pass never overwrites a newer fact. While the server is away writes fail at once,
and a probe tells when it is back.
"""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.rows import class_row, scalar_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from daap_operator.cancellation import heed
from daap_operator.errors import Outage
from daap_operator.row import Row

log = logging.getLogger(__name__)

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 5
PROBE_SECONDS = 2.0
"""How often a server that is away is tried."""

PAGE = 500
"""Rows a page of the sweep."""

_COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
_CHANGING = tuple(name for name in _COLUMNS if name not in ("id", "created_at", "generation"))


def _listed(names: Sequence[str], form: str = "{}") -> str:
    return ", ".join(form.format(name) for name in names)


SAVE = f"""
INSERT INTO databases ({_listed(_COLUMNS)}, leader_epoch)
VALUES ({_listed(_COLUMNS, "%({})s")}, %(leader_epoch)s)
ON CONFLICT (id) DO UPDATE SET
    ({_listed(_CHANGING)}, created_at, generation, leader_epoch, deleted_at, updated_at)
    = ({_listed(_CHANGING, "excluded.{}")},
       excluded.created_at, excluded.generation, excluded.leader_epoch, NULL, now())
WHERE (databases.leader_epoch, databases.generation)
      <= (excluded.leader_epoch, excluded.generation)
  AND ({_listed(_CHANGING, "databases.{}")}, databases.created_at, databases.generation,
       databases.deleted_at)
      IS DISTINCT FROM
      ({_listed(_CHANGING, "excluded.{}")}, excluded.created_at, excluded.generation, NULL)
"""  # noqa: S608 - column names are constants of ours

MARK_DELETED = """
UPDATE databases SET status = 'deleted', deleted_at = now(), updated_at = now()
WHERE id = %(id)s AND deleted_at IS NULL AND leader_epoch <= %(leader_epoch)s
"""

SUPERSEDE = """
UPDATE databases SET status = 'deleted', deleted_at = now(), updated_at = now()
WHERE name = %(name)s AND id <> %(id)s AND deleted_at IS NULL
  AND leader_epoch <= %(leader_epoch)s
"""

LIVE_PAGE = f"""
SELECT {_listed([name if name != "id" else "id::text" for name in _COLUMNS])} FROM databases
WHERE deleted_at IS NULL AND id > %(after)s::uuid
  AND (%(namespaces)s::text[] IS NULL OR namespace = ANY(%(namespaces)s))
ORDER BY id LIMIT %(page)s
"""  # noqa: S608 - column names are constants of ours

APPLIED = "SELECT migration_id FROM _yoyo_migration"

_FIRST_ID = "00000000-0000-0000-0000-000000000000"


class MetadataError(Outage):
    """The inventory could not be written; `reason` is the condition's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclasses.dataclass(frozen=True)
class PoolSettings:
    """How many connections there are and how long they last."""

    most: int
    fewest: int
    lifetime: timedelta
    idle: timedelta


class Mirror:
    """The table `databases`. An async context manager, which holds the connections."""

    def __init__(
        self,
        parameters: Mapping[str, str],
        pool: PoolSettings,
        *,
        epoch: int,
        missing_migrations: Callable[[Collection[str]], list[str]],
    ) -> None:
        """`parameters` are libpq's, read from the URL beforehand: its errors quote passwords."""
        self._connecting: dict[str, Any] = {
            **parameters,
            "autocommit": True,
            "connect_timeout": CONNECT_SECONDS,
            "fallback_application_name": "daap-operator",
        }
        self._settings = pool
        self._epoch = epoch
        self._missing = missing_migrations
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] | None = None
        self._written: dict[str, Row] = {}
        self._away: MetadataError | None = MetadataError("Connecting", "Not connected yet")
        self._went_away = asyncio.Event()

    async def __aenter__(self) -> "Mirror":
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._pool is not None:
            await self._pool.close(timeout=2)

    @property
    def away(self) -> MetadataError | None:
        """Why the inventory cannot be written just now; None while it can."""
        return self._away

    def holds(self, uid: str) -> bool:
        """Whether this process knows of a live row with that id."""
        return uid in self._written

    # writing --------------------------------------------------------------------------------------

    async def save(self, row: Row) -> None:
        """Make the row what it should be; writes nothing when it is.

        Raises MetadataError when that is not possible now.
        """
        if self._written.get(row.id) == row:
            return
        async with self._connection() as connection:
            try:
                await connection.execute(_sql(SAVE), self._parameters(row))
            except errors.UniqueViolation:
                await self._supersede(connection, row)
        self._written[row.id] = row

    async def mark_deleted(self, uid: str) -> None:
        """Mark the row as deleted; fine when there is none, or it is already.

        Raises MetadataError when that is not possible now.
        """
        async with self._connection() as connection:
            await connection.execute(_sql(MARK_DELETED), {"id": uid, "leader_epoch": self._epoch})
        self._written.pop(uid, None)

    async def _supersede(self, connection: AsyncConnection[Any], row: Row) -> None:
        """Take the name from another live row: its object is gone, or we would not have it."""
        parameters = self._parameters(row)
        async with connection.transaction():
            await connection.execute(_sql(SUPERSEDE), parameters)
            await connection.execute(_sql(SAVE), parameters)
        log.warning("Row of an earlier database of this name marked as deleted", extra={"row": row})

    def _parameters(self, row: Row) -> dict[str, object]:
        return dataclasses.asdict(row) | {"leader_epoch": self._epoch}

    # the sweep ------------------------------------------------------------------------------------

    async def sweep(self, wanted: dict[str, Row], namespaces: Collection[str]) -> int:
        """Make the table what it should be, in both directions; how many rows were mended.

        `wanted` has the rows of all live objects by id. Raises MetadataError when the server is not
        there; what was mended until then stays.
        """
        mended = 0
        unseen = dict(wanted)
        async for row in self._live(namespaces):
            should = unseen.pop(row.id, None)
            if should is None:
                await self.mark_deleted(row.id)
                mended += 1
                continue
            self._written[row.id] = row
            mended += row != should
            await self.save(should)
        for row in unseen.values():
            self._written.pop(row.id, None)
            await self.save(row)
        return mended + len(unseen)

    async def _live(self, namespaces: Collection[str]) -> AsyncIterator[Row]:
        after = _FIRST_ID
        while True:
            parameters = {"after": after, "page": PAGE, "namespaces": list(namespaces) or None}
            async with (
                self._connection() as connection,
                connection.cursor(row_factory=class_row(Row)) as cursor,
            ):
                await cursor.execute(_sql(LIVE_PAGE), parameters)
                rows = await cursor.fetchall()
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            after = rows[-1].id

    # the connection -------------------------------------------------------------------------------

    async def keep_connected(self, on_change: Callable[[], None]) -> None:
        """Look after the connection until cancelled.

        `on_change` is called whenever it is back, or away for another reason.
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
                await AsyncConnection.connect(**self._connecting) as connection,
            ):
                await self._verify(connection)
            await self._open_pool()
        except (psycopg.Error, PoolTimeout, OSError, TimeoutError) as error:
            raise _metadata_error(error) from error
        self._away = None

    async def _verify(self, connection: AsyncConnection[Any]) -> None:
        async with connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute("SELECT to_regclass('_yoyo_migration') IS NOT NULL")
            applied: list[str] = []
            if await cursor.fetchone():
                await cursor.execute(APPLIED)
                applied = await cursor.fetchall()
            if missing := self._missing(applied):
                raise MetadataError(
                    "SchemaOutdated",
                    f"The metadata database lacks the migrations {', '.join(missing)}: "
                    "run `daap-operator migrate`",
                )
            await cursor.execute("SHOW transaction_read_only")
            if await cursor.fetchone() == "on":
                raise MetadataError("ReadOnly", "The metadata database takes no writes")

    async def _open_pool(self) -> None:
        if self._pool is not None:
            await self._pool.close(timeout=2)
        self._pool = AsyncConnectionPool(
            kwargs=self._connecting,
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
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection; an error on it that means the server is away is remembered."""
        if self._away is not None or self._pool is None:
            raise self._away or MetadataError("Connecting", "Not connected yet")
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (psycopg.Error, PoolTimeout, PoolClosed, OSError) as error:
            problem = _metadata_error(error)
            if problem.reason != "RowRefused":
                self._leave(problem)
            raise problem from error

    def _leave(self, error: MetadataError) -> None:
        if self._away is None or self._away.reason != error.reason:
            log.warning("The metadata database cannot be used", extra={"error": str(error)})
        self._away = error
        self._written.clear()
        self._went_away.set()


async def _configure(connection: AsyncConnection[Any]) -> None:
    await connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")


def _sql(text: str) -> LiteralString:
    """psycopg takes literals only; ours are put together from constants of this module."""
    return text


def _metadata_error(error: Exception) -> MetadataError:
    """What went wrong, in the terms of the condition MetadataSynced. Never shows the URL."""
    if isinstance(error, MetadataError):
        return error
    said = " ".join(str(error).split()) or type(error).__name__
    match error:
        case errors.ReadOnlySqlTransaction():
            return MetadataError("ReadOnly", f"The metadata database takes no writes: {said}")
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return MetadataError("SchemaOutdated", f"The schema is not as it should be: {said}")
        case errors.InsufficientPrivilege():
            return MetadataError("Forbidden", f"The metadata database refuses the user: {said}")
        case psycopg.DataError() | psycopg.IntegrityError():
            return MetadataError("RowRefused", f"The metadata database refuses the row: {said}")
        case _:
            return MetadataError("Unreachable", f"The metadata database does not answer: {said}")
