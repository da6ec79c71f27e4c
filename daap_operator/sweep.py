"""Objects and rows compared, in both directions: what the passes cannot notice.

A row whose object is gone (deleted while the metadata database was away, or with its finalizer
removed by force), an object without a row, a row changed by hand, an old dump restored.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress

from daap_operator.cache import Cache, Key
from daap_operator.cancellation import heed
from daap_operator.errors import Outage
from daap_operator.mirror import Mirror
from daap_operator.row import Row, row
from daap_operator.subject import subject

log = logging.getLogger(__name__)


def rows(cache: Cache) -> dict[str, tuple[Key, Row]]:
    """The rows of all live objects with their keys, by id."""
    made = {}
    for key in cache.databases():
        seen = cache.database(key)
        if seen is None:
            continue
        looked_at = subject(seen)
        if wanted := row(looked_at.metadata, looked_at.spec, looked_at.status):
            made[wanted.id] = (key, wanted)
    return made


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
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have a sweep made soon."""
        self._asked.set()

    async def sweep(self) -> None:
        """Compare and mend once. A metadata database that is away is left for later."""
        try:
            orphans, wrong = await self._mirror.compare(self._wanted, self._namespaces)
            for uid in orphans:
                await self._mirror.mark_deleted(uid)
        except Outage as error:
            log.info("Sweep put off", extra={"error": str(error)})
            return
        live = rows(self._cache)
        for uid in wrong & live.keys():
            self._look_at(live[uid][0])
        if orphans or wrong:
            counts = {"rows_without_object": len(orphans), "rows_to_write": len(wrong)}
            log.info("Inventory compared", extra=counts)

    def _wanted(self) -> dict[str, Row]:
        return {uid: wanted for uid, (_, wanted) in rows(self._cache).items()}

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            heed()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._asked.wait()
            self._asked.clear()
            await self.sweep()
