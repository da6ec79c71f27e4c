"""All that an event wakes when they are many: once for many events, and the namespaces take turns.

Whoever may create thousands of objects that wait for one other would else have all of them gone
through with each change of that, of which there may be hundreds a second: in the one event loop
that serves everybody, and before any pass of anybody's.
"""

import asyncio

from daap_operator.cancellation import heed
from daap_operator.engine.kinds import All, Reader, Ref
from daap_operator.engine.turns import Turns
from daap_operator.engine.workqueue import Queue

AT_ONCE = 100
"""So many are woken at once, as anybody's few are."""

SECONDS_EACH = 0.0001
"""How long to wait for each that was woken before the next many are: some thirty times as long as
it has taken."""


class Many:
    """Wakes all objects under a key of an index."""

    def __init__(self, store: Reader, queue: Queue[Ref]) -> None:
        self._store = store
        self._queue = queue
        self._waiting: Turns[All] = Turns(lambda each: each.namespace)
        self._known: set[All] = set()
        self._came = asyncio.Event()

    def wake(self, each: All) -> None:
        """Wake them: now when they are few, else soon, and once however often they are meant."""
        if each in self._known:
            return
        found = self._store.refs_by(each.kind, each.by, each.key, AT_ONCE + 1)
        if len(found) <= AT_ONCE:
            self._add(found)
        else:
            self._known.add(each)
            self._waiting.put(each)
            self._came.set()

    def next(self) -> int | None:
        """Wake the next many; how many they are, None when nobody waits for it."""
        each = self._waiting.take()
        if each is None:
            return None
        self._known.discard(each)
        found = self._store.refs_by(each.kind, each.by, each.key)
        self._add(found)
        return len(found)

    async def run(self) -> None:
        """Wake all that are meant, until cancelled."""
        while True:
            heed()
            self._came.clear()
            woken = self.next()
            if woken is None:
                await self._came.wait()
            else:
                await asyncio.sleep(woken * SECONDS_EACH)

    def _add(self, refs: list[Ref]) -> None:
        for ref in refs:
            self._queue.add(ref)
