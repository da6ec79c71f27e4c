"""The rows: saved, marked as deleted, and compared with what should be there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString, Self

from psycopg import errors

from daap_operator.api.reasons import InventoryReason
from daap_operator.errors import Deposed, Outage
from daap_operator.lease import plausible
from daap_operator.mirror import statements
from daap_operator.mirror.problems import MetadataError, failed, implausible, not_raised
from daap_operator.mirror.rows import Differences, Expected, Leadership
from daap_operator.mirror.server import Connection, Server
from daap_operator.mirror.table import R, Table

log = logging.getLogger(__name__)

PAGE = 500
"""Rows a page of the sweep."""


CLAIMS = 3
"""How often to claim the table: it may hold a later epoch than the Lease, which then follows."""


@contextmanager
def _deciding_nothing() -> Iterator[None]:
    """Whatever comes of the inventory is a MetadataError, and so stops no pass.

    Only a Lease that is lost is another matter: that was not the inventory's say.
    """
    try:
        yield
    except (MetadataError, Deposed):
        raise
    except Outage as error:
        raise not_raised(str(error)) from error
    except Exception as error:
        raise failed(error) from error


class _NotLeadingError(Exception):
    """The table does not know this leader, or a later one; nothing was written."""


class Mirror:
    """The inventory. An async context manager, which gives the connections back."""

    def __init__(self, server: Server, leadership: Leadership) -> None:
        self._server = server
        self._leadership = leadership
        self._known: dict[tuple[str, str], int] = {}
        """The hash of each live row, by table and id, as it is known to be."""
        self._outdating, self._claiming = asyncio.Lock(), asyncio.Lock()
        self._outdated = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._server.close()

    @property
    def away(self) -> MetadataError | None:
        """Why the inventory cannot be written just now; None while it can."""
        return self._server.away

    async def check(self) -> None:
        """Look whether it can be used; keeps no connection. Raises MetadataError saying why not."""
        with _deciding_nothing():
            await self._server.check()

    async def connect(self) -> None:
        """Connect for the first time. Raises MetadataError saying what is wrong."""
        with _deciding_nothing():
            await self._server.connect(self._follow)

    async def keep_connected(self, on_change: Callable[[], None]) -> None:
        """Look after the connections until cancelled.

        `on_change` is called whenever the server is back, or away for another reason.
        """

        def changed() -> None:
            self._known.clear()  # what is there now may be another server, or an older state
            on_change()

        await self._server.keep_connected(self._follow, changed)

    async def _follow(self, connection: Connection) -> None:
        """See that the leader which the inventory knows of is one that the Lease can follow.

        Raises MetadataError when there can have been no such leader.
        """
        self._require_plausible(await self._claimed(connection))

    async def _claimed(self, connection: Connection) -> int:
        """The epoch of the latest leader that the inventory knows of; 0 for none."""
        found = await connection.execute(statements.CLAIMED, self._ours())
        (epoch,) = await found.fetchone() or (0,)
        return epoch

    def _require_plausible(self, epoch: int) -> None:
        ours = self._leadership.epoch
        if not plausible(ours, epoch):
            raise implausible(self._leadership.lease, ours, epoch)

    def holds(self, table: Table[R], uid: str) -> bool:
        """Whether this process knows of a live row with that id."""
        return (table.name, uid) in self._known

    # writing --------------------------------------------------------------------------------------

    async def save(self, table: Table[R], row: R) -> None:
        """Make the row what it should be; no request when it is known to be.

        Raises MetadataError when that is not possible now.
        """
        if self._known.get((table.name, row.id)) == hash(row):
            return

        async def save(connection: Connection) -> None:
            try:
                await self._execute(connection, statements.save(table), table.parameters(row))
            except errors.UniqueViolation:
                if table.unique is None:
                    raise
                await self._supersede(connection, table, row)

        await self._write(save)
        self._known[table.name, row.id] = hash(row)

    async def mark_deleted(self, table: Table[R], uid: str) -> None:
        """Mark the row as deleted; fine when there is none, or it is already.

        Raises MetadataError when that is not possible now.
        """

        async def mark(connection: Connection) -> None:
            await self._execute(connection, statements.mark_deleted(table), {"id": uid})

        await self._write(mark)
        self._known.pop((table.name, uid), None)

    async def _write(self, write: Callable[[Connection], Awaitable[None]]) -> None:
        """Write as the leader. Raises Deposed, with nothing written, when the Lease is another's.

        The Lease is only ever raised between two uses of a connection: how long the API server
        takes says nothing about the inventory, whose answers have a limit.
        """
        with _deciding_nothing():
            await self._outdate()
            for _ in range(CLAIMS):
                try:
                    async with self._server.connection() as connection:
                        await write(connection)
                except _NotLeadingError:
                    await self._claim()
                else:
                    return
            self._leadership.require()
            raise not_raised("it keeps naming another leader")

    async def _execute(
        self, connection: Connection, statement: LiteralString, parameters: Mapping[str, Any]
    ) -> None:
        """Raises _NotLeadingError, with nothing written, when the table has another leader."""
        self._leadership.require()
        written = await connection.execute(statement, {**parameters, **self._ours()})
        if await written.fetchone() != (1,):
            raise _NotLeadingError

    async def _supersede(self, connection: Connection, table: Table[R], row: R) -> None:
        """Take the unique value from a live row: its object is gone, or we would not have it."""
        parameters = table.parameters(row)
        async with connection.transaction():
            await self._execute(connection, statements.supersede(table), parameters)
            await self._execute(connection, statements.save(table), parameters)
        log.warning(
            "Row of an earlier object was marked deleted",
            extra={"table": table.name, "row": parameters[str(table.unique)]},
        )

    async def _outdate(self) -> None:
        """See that nothing that was given up can still take effect.

        A server that hung, or the network, may have kept a statement. It names the epoch it was
        written in, so that ends here.
        """
        async with self._outdating:
            unanswered = self._server.unanswered
            if unanswered == self._outdated or self._server.away is not None:
                return
            await self._leadership.exceed(self._leadership.epoch)
            await self._claim()
            self._outdated = unanswered

    async def _claim(self) -> None:
        """End the time of earlier leaders here. The Lease decides, this table follows."""
        async with self._claiming:
            async with self._server.connection() as connection:
                await connection.execute(statements.CLAIM, self._ours())
                epoch = await self._claimed(connection)
            try:
                self._require_plausible(epoch)
            except MetadataError as error:
                self._server.leave(error)
                raise
            if epoch > self._leadership.epoch:
                await self._leadership.exceed(epoch)

    def _ours(self) -> dict[str, Any]:
        leadership = self._leadership
        return {
            "lease": leadership.lease,
            "leader_epoch": leadership.epoch,
            "holder": leadership.identity,
        }

    # what was ------------------------------------------------------------------------------------

    async def newest_deleted(
        self, table: Table[R], place: tuple[str, str], paths: tuple[str, ...], known: str
    ) -> Mapping[str, str] | None:
        """The texts by path, where they are known, of the row of a place that was deleted last.

        None when there is none. Raises MetadataError when that cannot be known now.
        """
        statement = statements.newest_deleted(table, paths, known)
        parameters = dict(zip(("namespace", "name"), place, strict=True))
        with _deciding_nothing():
            async with self._server.connection() as connection:
                row = await (await connection.execute(statement, parameters)).fetchone()
            known_of = dict(zip(paths, row or (), strict=bool(row)))
        # Whoever runs the server answers what they like, also what is no text
        return {path: text for path, text in known_of.items() if isinstance(text, str)} or None

    # the sweep ------------------------------------------------------------------------------------

    async def compare(
        self, table: Table[R], expected: Expected[R], namespaces: Collection[str]
    ) -> AsyncIterator[Differences]:
        """Compare a table with what should be there, in both directions, page by page.

        Both sides are walked in the order of the ids, and no page has more than PAGE of either:
        neither the table nor all that is expected is ever held at once, and each page is two short
        statements. What is expected is asked after the page was read: a row is written after its
        object was seen, never before. Of the rows only their ids are read, for anybody may have
        written them. Raises MetadataError when the server is not there.
        """
        with _deciding_nothing():
            await self._server.look()
            await self._outdate()
        after = statements.FIRST_ID
        while after < statements.LAST_ID:
            with _deciding_nothing():
                page = await self._live_page(table, after, namespaces)
                ids = expected.after(after, PAGE)
                ends = [page[-1][0]] if len(page) == PAGE else []
                ends += [ids[-1]] if len(ids) == PAGE else []
                after = min(ends, default=statements.LAST_ID)
                there = {uid for uid, ours in page if ours and uid <= after}
                should = _rows(expected, [uid for uid in ids if uid <= after])
                wrong = await self._differing(table, should)
            self._remember(table, should, wrong)
            yield Differences(orphans=there - should.keys(), wrong=wrong)

    def _remember(self, table: Table[R], should: Mapping[str, R], wrong: Collection[str]) -> None:
        for uid, row in should.items():
            if uid in wrong:
                self._known.pop((table.name, uid), None)
            else:
                self._known.setdefault((table.name, uid), hash(row))

    async def _live_page(
        self, table: Table[R], after: str, namespaces: Collection[str]
    ) -> list[tuple[str, bool]]:
        """Ids of live rows, and whether each is of our namespaces."""
        parameters = {"after": after, "page": PAGE, "namespaces": list(namespaces) or None}
        async with self._server.connection() as connection:
            found = await connection.execute(statements.live_page(table), parameters)
            return await found.fetchall()

    async def _differing(self, table: Table[R], should: Mapping[str, R]) -> set[str]:
        """Ids of the rows that are missing or differ.

        They all do when PostgreSQL refuses one of the values: the pass of each object writes its
        row or tells why not.
        """
        if not should:
            return set()
        values = table.arrays(list(should.values()))
        try:
            async with self._server.connection() as connection:
                found = await connection.execute(statements.differing(table), values)
                return {uid for (uid,) in await found.fetchall()}
        except MetadataError as error:
            if error.finding.reason != InventoryReason.ROW_REFUSED:
                raise
            return set(should)


def _rows(expected: Expected[R], uids: Collection[str]) -> dict[str, R]:
    return {uid: row for uid in uids if (row := expected.row(uid)) is not None}
