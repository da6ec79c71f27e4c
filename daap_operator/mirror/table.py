"""The table `databases`: rows saved, marked as deleted, and compared with what should be there."""

import dataclasses
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any, LiteralString, Protocol, Self

from psycopg import errors
from psycopg.rows import class_row

from daap_operator.errors import Deposed
from daap_operator.mirror import statements
from daap_operator.mirror.problems import MetadataError
from daap_operator.mirror.server import Connection, Server
from daap_operator.row import Row

log = logging.getLogger(__name__)

PAGE = 500
"""Rows a page of the sweep."""


CLAIMS = 3
"""How often to claim the table: it may hold a later epoch than the Lease, which then follows."""


class Leadership(Protocol):
    """What says whether this process may write."""

    @property
    def lease(self) -> str:
        """What is led, by name."""

    @property
    def identity(self) -> str:
        """Who this process is."""

    @property
    def epoch(self) -> int:
        """Grows with every leader."""

    def require(self) -> None:
        """Raise Deposed unless this process leads for certain."""

    async def exceed(self, epoch: int) -> None:
        """Lead on in an epoch after that one; raises Outage when that cannot be."""


class Mirror:
    """The inventory. An async context manager, which gives the connections back."""

    def __init__(self, server: Server, leadership: Leadership) -> None:
        self._server = server
        self._leadership = leadership
        self._known: dict[str, Row] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._server.close()

    @property
    def away(self) -> MetadataError | None:
        """Why the inventory cannot be written just now; None while it can."""
        return self._server.away

    async def connect(self) -> None:
        """Connect for the first time. Raises MetadataError saying what is wrong."""
        await self._server.connect()

    async def keep_connected(self, on_change: Callable[[], None]) -> None:
        """Look after the connections until cancelled.

        `on_change` is called whenever the server is back, or away for another reason.
        """

        def changed() -> None:
            self._known.clear()  # what is there now may be another server, or an older state
            on_change()

        await self._server.keep_connected(changed)

    def holds(self, uid: str) -> bool:
        """Whether this process knows of a live row with that id."""
        return uid in self._known

    # writing --------------------------------------------------------------------------------------

    async def save(self, row: Row) -> None:
        """Make the row what it should be; asks nothing when it is known to be.

        Raises MetadataError when that is not possible now.
        """
        if self._known.get(row.id) == row:
            return
        parameters = dataclasses.asdict(row)
        async with self._server.connection() as connection:
            try:
                await self._write(connection, statements.SAVE, parameters)
            except errors.UniqueViolation:
                await self._supersede(connection, parameters)
        self._known[row.id] = row

    async def mark_deleted(self, uid: str) -> None:
        """Mark the row as deleted; fine when there is none, or it is already.

        Raises MetadataError when that is not possible now.
        """
        async with self._server.connection() as connection:
            await self._write(connection, statements.MARK_DELETED, {"id": uid})
        self._known.pop(uid, None)

    async def _supersede(self, connection: Connection, parameters: dict[str, object]) -> None:
        """Take the name from another live row: its object is gone, or we would not have it."""
        async with connection.transaction():
            await self._write(connection, statements.SUPERSEDE, parameters)
            await self._write(connection, statements.SAVE, parameters)
        name = parameters["name"]
        log.warning(
            "Row of an earlier database of this name was marked deleted", extra={"row": name}
        )

    async def _write(
        self, connection: Connection, statement: str, parameters: dict[str, Any]
    ) -> None:
        """Write as the leader. Raises Deposed, with nothing written, when another one is."""
        for _ in range(CLAIMS):
            self._leadership.require()
            ours = self._ours()
            written = await connection.execute(_sql(statement), parameters | ours)
            if await written.fetchone() == (1,):
                return
            await self._claim(connection)
        raise Deposed(f"Another leader of the Lease {self._leadership.lease} writes the inventory")

    async def _claim(self, connection: Connection) -> None:
        """End the time of earlier leaders here. The Lease decides, this table follows."""
        await connection.execute(_sql(statements.CLAIM), self._ours())
        found = await connection.execute(_sql(statements.CLAIMED), self._ours())
        (epoch,) = await found.fetchone() or (0,)
        if epoch > self._leadership.epoch:
            await self._leadership.exceed(epoch)

    def _ours(self) -> dict[str, Any]:
        leadership = self._leadership
        return {
            "lease": leadership.lease,
            "leader_epoch": leadership.epoch,
            "holder": leadership.identity,
        }

    # the sweep ------------------------------------------------------------------------------------

    async def compare(
        self, wanted: Callable[[], Mapping[str, Row]], namespaces: Collection[str]
    ) -> tuple[set[str], set[str]]:
        """Compare the table with what should be there, in both directions, page by page.

        `wanted` gives the rows of all live objects by id, and is asked anew for each page: a row is
        written after its object was seen, never before. Gives back the ids of live rows without an
        object, and the ids of objects whose row is missing or differs; those are to be written by
        their own passes, for a row saved from here could be older than theirs. Raises MetadataError
        when the server is not there.
        """
        orphans: set[str] = set()
        seen: set[str] = set()
        right: set[str] = set()
        async for page in self._live(namespaces):
            should = wanted()
            for row in page:
                seen.add(row.id)
                if row.id not in should:
                    orphans.add(row.id)
                elif row == should[row.id]:
                    right.add(row.id)
                    self._known.setdefault(row.id, row)
        wrong = wanted().keys() - right
        for uid in wrong:
            self._known.pop(uid, None)
        return orphans, wrong

    async def _live(self, namespaces: Collection[str]) -> AsyncIterator[list[Row]]:
        parameters: dict[str, Any] = {
            "after": statements.FIRST_ID,
            "page": PAGE,
            "namespaces": list(namespaces) or None,
        }
        while True:
            async with (
                self._server.connection() as connection,
                connection.cursor(row_factory=class_row(Row)) as cursor,
            ):
                await cursor.execute(_sql(statements.LIVE_PAGE), parameters)
                rows = await cursor.fetchall()
            yield rows
            if len(rows) < PAGE:
                return
            parameters["after"] = rows[-1].id


def _sql(text: str) -> LiteralString:
    """psycopg takes literals only; ours are put together from constants of this package."""
    return text
