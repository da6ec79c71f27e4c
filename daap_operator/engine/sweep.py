"""Objects and rows compared, in both directions and for each kind: what the passes cannot notice.

A row whose object is gone (deleted while the metadata database was away, or with its finalizer
removed by force), an object without a row, a row changed by hand, an old dump restored.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Generic, TypeVar

from daap_operator.api.meta import Status
from daap_operator.cancellation import heed
from daap_operator.engine.controller import Controller
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.engine.subject import read
from daap_operator.errors import Outage
from daap_operator.mirror import Differences, MetadataError, Rows, Table
from daap_operator.mirror.table import R

S = TypeVar("S", bound=Status)

log = logging.getLogger(__name__)

FIRST_SECONDS = 10.0
"""How long passes wait for the first sweep: with it most of them need not write a row, and nobody
knows how much others have written into the table."""

RETRY_SECONDS = 5.0
"""When to sweep again after a row could not be repaired, while the others can."""


@dataclass(frozen=True)
class Swept(Generic[R]):
    """The objects of one kind and the table of their rows; nothing is held but where to ask."""

    table: Table[R]
    uids: Callable[[], Collection[str]]
    """The ids of all live objects."""
    row: Callable[[str], R | None]
    """The row of the live object with an id, as it is now; None when it has none."""
    wake: Callable[[str], None]
    """Has the object with an id reconciled, which writes its row; fine when it is gone."""

    def after(self, uid: str, most: int) -> list[str]:
        """The ids of live objects that follow this one, in order, so many at most."""
        return nsmallest(most, (found for found in self.uids() if found > uid))


def swept(controller: Controller[S], store: Store, wake: Callable[[Ref], None]) -> Swept[Any]:
    """The objects of a kind and their rows; `wake` is called for one whose row is not right.

    Raises ValueError for a kind that has no table.
    """
    kind, table = controller.kind, controller.table
    if table is None:
        raise ValueError(f"{kind.name} has no table: there is nothing to compare")

    def row(uid: str) -> Any:
        key = store.by_uid(kind, uid)
        seen = None if key is None else store.get(key)
        if seen is None:
            return None
        found = read(kind, seen, controller.status)
        return controller.row(found.metadata, found.spec, found.status)

    def wake_object(uid: str) -> None:
        if key := store.by_uid(kind, uid):
            wake(key)

    return Swept(table, lambda: store.uids(kind), row, wake_object)


class Sweeper:
    """Sweeps every so often, and when asked to."""

    def __init__(
        self,
        mirror: Rows,
        swept: Sequence[Swept[Any]],
        *,
        namespaces: Collection[str],
        seconds: float,
    ) -> None:
        """Sweep the tables one after another, in this order."""
        self._mirror = mirror
        self._swept = swept
        self._namespaces = namespaces
        self._seconds = seconds
        self._pause = seconds
        self._until = float("inf")
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have a sweep made soon."""
        self._asked.set()

    def gone(self, uid: str) -> None:
        """An object is gone: if its row is not marked, its finalizer was removed by force."""
        if any(self._mirror.holds(swept.table, uid) for swept in self._swept):
            self.ask()

    async def sweep(self, *, within: float = float("inf")) -> None:
        """Compare and repair once; what could not be repaired is tried again soon.

        So is what was not reached within so many seconds. A metadata database that is away is left
        for later: somebody asks when it is back.
        """
        self._until = asyncio.get_running_loop().time() + within
        done = await self._sweep()
        self._pause = self._seconds if done else min(RETRY_SECONDS, self._seconds)

    async def _sweep(self) -> bool:
        """Compare and repair each table; False when a row refused."""
        done = True
        for swept in self._swept:
            try:
                done &= await self._sweep_table(swept)
            except Outage as error:
                log.info("Sweep put off", extra={"table": swept.table.name, "error": str(error)})
                if not (isinstance(error, MetadataError) and error.of_one_row):
                    return True  # it is away, for the other tables as well
                done = False
        return done

    async def _sweep_table(self, swept: Swept[Any]) -> bool:
        """Compare and repair one table; False when a row refused."""
        counts = {"rows_without_object": 0, "rows_to_write": 0}
        done = True
        async for page in self._mirror.compare(swept.table, swept, self._namespaces):
            done &= await self._repair(swept, page)
            if self._late():
                done = False
                break
            counts["rows_without_object"] += len(page.orphans)
            counts["rows_to_write"] += len(page.wrong)
        if counts["rows_without_object"] and not swept.uids():
            log.warning(
                "All rows were marked as deleted, because there is no object: if this cluster is "
                "in the place of one that was lost, see docs/disaster.md",
                extra={"table": swept.table.name, **counts},
            )
        elif any(counts.values()):
            log.info("Inventory compared", extra={"table": swept.table.name, **counts})
        return done

    async def _repair(self, swept: Swept[Any], page: Differences) -> bool:
        """Mark rows without an object, and wake the other objects; False when a row refused."""
        done = True
        for uid in page.orphans:
            if self._late():
                break
            try:
                await self._mirror.mark_deleted(swept.table, uid)
            except MetadataError as error:
                if not error.of_one_row:
                    raise
                where = {"table": swept.table.name, "row": uid}
                log.warning("Row not marked", extra=where | {"error": str(error)})
                done = False
        for uid in page.wrong:
            swept.wake(uid)
        return done

    def _late(self) -> bool:
        return asyncio.get_running_loop().time() >= self._until

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            heed()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._asked.wait()
            self._asked.clear()
            await self.sweep()
