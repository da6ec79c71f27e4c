"""Ensures that every kind the API server has is watched.

kopf looks once, at its start, which kinds there are, and renews their watches. To see kinds that
come later it would need to watch all definitions, a right that nothing else asks for; and in the
end it is somebody else's code in a thread. So what it has not watched anew for too long is asked
for: if the API server has it, kopf is started anew. While all goes well this asks nothing.

A kind that is not installed is asked for less and less often, and at once when an object of it is
seen, in the answer to a write or in a LIST of our own.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from daap_operator.cancellation import heed
from daap_operator.engine.kinds import Ref
from daap_operator.engine.kopf_watch import SILENT_SECONDS
from daap_operator.engine.store import Store
from daap_operator.engine.trace import Place
from daap_operator.engine.watches import Watches
from daap_operator.errors import Outage
from daap_operator.kube import Kind, Kube

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0

FIRST_SECONDS = 10.0
"""kopf begins all its watches within a second or two of its start."""

AGAIN_SECONDS = SILENT_SECONDS + 10.0
"""kopf needs no longer to renew a watch that has gone quiet."""

ABSENT_SECONDS = 60.0
"""Between two requests for kinds that have not been installed for long, for all of them together:
each is asked for in its turn."""

HANGING_SECONDS = 60.0
"""kopf that has been told to end and has not by then never will."""


@dataclass
class _Absence:
    """A kind that the API server did not have when it was last asked."""

    asked: float
    seen: frozenset[Ref]
    """The objects of it that were known then: a watch that ended has left them behind."""


class Watchdog:
    """Looks after the watches."""

    def __init__(
        self,
        watches: Watches,
        kube: Kube,
        store: Store,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watches = watches
        self._kube = kube
        self._store = store
        self._monotonic = monotonic
        self._absent: dict[Kind, _Absence] = {}
        self._pause = LOOK_SECONDS
        self._due = 0.0

    async def run(self) -> None:
        """Look every so often, until cancelled."""
        while True:
            heed()
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Have kopf started anew if something is there and not watched."""
        overdue: dict[Kind, Place] = {}
        for what in self._watches.overdue(FIRST_SECONDS, AGAIN_SECONDS):
            overdue.setdefault(what.source.kind, what)
        for kind in self._absent.keys() - overdue.keys():
            del self._absent[kind]
        for kind in self._to_ask(overdue):
            namespace = overdue[kind].namespace
            try:
                served = await self._kube.serves(kind, namespace)
            except Outage:  # kopf gets no better answer: nothing to be done but wait
                return
            if served:
                log.warning("Not watched", extra={"kind": kind.word, "in": namespace or "all"})
                self._absent.clear()
                self._watches.restart()
                return
            self._absent[kind] = _Absence(self._monotonic(), frozenset(self._store.refs(kind)))

    def _to_ask(self, overdue: Collection[Kind]) -> list[Kind]:
        """What to ask for now: news at once, and of what was not there one when it is due."""
        news = [kind for kind in overdue if self._is_news(kind)]
        now = self._monotonic()
        if news or not overdue:
            self._pause, self._due = LOOK_SECONDS, now + LOOK_SECONDS
            return news
        if now < self._due:
            return []
        self._pause = min(self._pause * 2, ABSENT_SECONDS)
        self._due = now + self._pause
        return [min(overdue, key=lambda kind: self._absent[kind].asked)]

    def _is_news(self, kind: Kind) -> bool:
        """Whether it was not asked for yet, or an object has shown since that it is there."""
        absence = self._absent.get(kind)
        return absence is None or not absence.seen.issuperset(self._store.refs(kind))

    def what_is_dead(self) -> str:
        """What only a restart of the process repairs; empty when all is well."""
        if not self._watches.alive:
            return "The watches have ended"
        if self._watches.restarting_for > HANGING_SECONDS:
            return "The watches hang"
        return ""
