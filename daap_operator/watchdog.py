"""Ensures that every kind the API server has is watched.

kopf looks once, at its start, which kinds there are, and renews their watches. To see kinds that
come later it would need to watch all definitions, a right that nothing else asks for; and in the
end it is somebody else's code in a thread. So what it has not watched anew for too long is asked
for once: if the API server has it, kopf is started anew. While all goes well this asks nothing.
"""

import asyncio
import logging

from daap_operator.cancellation import heed
from daap_operator.errors import Outage
from daap_operator.handlers import SILENT_SECONDS
from daap_operator.intake import WATCHED
from daap_operator.kube import Kube
from daap_operator.trace import Place
from daap_operator.watches import Watches

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0

FIRST_SECONDS = 10.0
"""kopf begins all its watches within a second or two of its start."""

AGAIN_SECONDS = SILENT_SECONDS + 10.0
"""kopf needs no longer to renew a watch that has gone quiet."""

HANGING_SECONDS = 60.0
"""kopf that has been told to end and has not by then never will."""


class Watchdog:
    """Looks after the watches."""

    def __init__(self, watches: Watches, kube: Kube) -> None:
        self._watches = watches
        self._kube = kube

    async def run(self) -> None:
        """Look every so often, until cancelled."""
        while True:
            heed()
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Have kopf started anew if something is there and not watched."""
        for what in self._watches.overdue(FIRST_SECONDS, AGAIN_SECONDS):
            try:
                served = await self._served(what)
            except Outage:  # kopf gets no better answer: nothing to be done but wait
                return
            if served:
                kind, namespace = what.kind.name.lower(), what.namespace
                log.warning("Not watched", extra={"kind": kind, "in": namespace or "all"})
                self._watches.restart()
                return

    async def _served(self, what: Place) -> bool:
        resource, _ = WATCHED[what.kind]
        return await self._kube.serves(resource, what.namespace)

    def what_is_dead(self) -> str:
        """What only a restart of the process repairs; empty when all is well."""
        if not self._watches.alive:
            return "The watches have ended"
        if self._watches.restarting_for > HANGING_SECONDS:
            return "The watches hang"
        return ""
