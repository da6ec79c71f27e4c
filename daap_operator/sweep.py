"""Objects and rows compared, in both directions: what the passes cannot notice.

A row whose object is gone (deleted while the metadata database was away, or with its finalizer
removed by force), an object without a row, a row changed by hand, an old dump restored.
"""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

from daap_operator.cache import Cache
from daap_operator.cancellation import heed
from daap_operator.mirror import MetadataError, Mirror
from daap_operator.row import Row, row
from daap_operator.subject import subject

log = logging.getLogger(__name__)


def rows(cache: Cache) -> dict[str, Row]:
    """The rows of all live objects, by id."""
    made = {}
    for key in cache.databases():
        seen = cache.database(key)
        if seen is None:
            continue
        looked_at = subject(seen)
        if wanted := row(looked_at.metadata, looked_at.spec, looked_at.status):
            made[wanted.id] = wanted
    return made


class Sweeper:
    """Sweeps every so often, and when asked to."""

    def __init__(
        self, mirror: Mirror, cache: Cache, *, namespaces: Collection[str], seconds: float
    ) -> None:
        self._mirror = mirror
        self._cache = cache
        self._namespaces = namespaces
        self._seconds = seconds
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have a sweep made soon."""
        self._asked.set()

    async def sweep(self) -> None:
        """Compare and mend once. A metadata database that is away is left for later."""
        try:
            mended = await self._mirror.sweep(rows(self._cache), self._namespaces)
        except MetadataError as error:
            log.info("Sweep put off", extra={"error": str(error)})
            return
        if mended:
            log.info("Inventory mended", extra={"rows": mended})

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            heed()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._asked.wait()
            self._asked.clear()
            await self.sweep()
