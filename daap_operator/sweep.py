"""Objects and rows compared, in both directions: what the passes cannot notice.

A row whose object is gone (deleted while the metadata database was away, or with its finalizer
removed by force), an object without a row, a row changed by hand, an old dump restored.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from heapq import nsmallest

from daap_operator.cache import Cache, Key
from daap_operator.cancellation import heed
from daap_operator.errors import Outage
from daap_operator.mirror import Differences, MetadataError, Mirror
from daap_operator.row import DATABASES, Row, row
from daap_operator.subject import subject

log = logging.getLogger(__name__)


RETRY_SECONDS = 5.0
"""When to sweep again after a row could not be repaired, while the others can."""


class Expectation:
    """The rows of all live objects, made when they are asked for."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def after(self, uid: str, most: int) -> list[str]:
        """The ids of live objects that follow this one, in order, so many at most."""
        return nsmallest(most, (found for found in self._cache.uids() if found > uid))

    def row(self, uid: str) -> Row | None:
        """The row of a live object as it is now; None when it has none."""
        key = self._cache.by_uid(uid)
        seen = None if key is None else self._cache.database(key)
        if seen is None:
            return None
        looked_at = subject(seen)
        return row(looked_at.metadata, looked_at.spec, looked_at.status)


class Sweeper:
    """Sweeps every so often, and when asked to."""

    def __init__(
        self,
        mirror: Mirror,
        cache: Cache,
        look_at: Callable[[Key], None],
        *,
        namespaces: Collection[str],
        seconds: float,
    ) -> None:
        """`look_at` is called with the key of each database whose row is not as it should be."""
        self._mirror = mirror
        self._cache = cache
        self._look_at = look_at
        self._namespaces = namespaces
        self._seconds = seconds
        self._pause = seconds
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have a sweep made soon."""
        self._asked.set()

    async def sweep(self) -> None:
        """Compare and repair once; what could not be repaired is tried again soon.

        A metadata database that is away is left for later: somebody asks when it is back.
        """
        done = await self._sweep()
        self._pause = self._seconds if done else min(RETRY_SECONDS, self._seconds)

    async def _sweep(self) -> bool:
        """Compare and repair; False when a row refused."""
        counts = {"rows_without_object": 0, "rows_to_write": 0}
        done = True
        try:
            expected = Expectation(self._cache)
            async for page in self._mirror.compare(DATABASES, expected, self._namespaces):
                done &= await self._repair(page)
                counts["rows_without_object"] += len(page.orphans)
                counts["rows_to_write"] += len(page.wrong)
        except Outage as error:
            log.info("Sweep put off", extra={"error": str(error)})
            return not (isinstance(error, MetadataError) and error.of_one_row)
        if any(counts.values()):
            log.info("Inventory compared", extra=counts)
        return done

    async def _repair(self, page: Differences) -> bool:
        """Mark rows without an object, and have the others looked at; False when one refused."""
        done = True
        for uid in page.orphans:
            try:
                await self._mirror.mark_deleted(DATABASES, uid)
            except MetadataError as error:
                if not error.of_one_row:
                    raise
                log.warning("Row not marked", extra={"row": uid, "error": str(error)})
                done = False
        for uid in page.wrong:
            if key := self._cache.by_uid(uid):
                self._look_at(key)
        return done

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            heed()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._asked.wait()
            self._asked.clear()
            await self.sweep()
