"""Warning Events, asked for while a database is stuck and nothing else tells why.

Never watched: a namespace in trouble has thousands of them. One LIST of one page serves all stuck
databases of a namespace for a while, and each database asks more and more seldom.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from daap_operator.errors import Outage
from daap_operator.findings import Finding
from daap_operator.kube import Requests

Object = dict[str, Any]

PATIENCE_SECONDS = 10.0
"""How long a database may wait before Events are asked for: most waits are over by then."""

PAGE_SECONDS = 15.0
"""How long the Events of a namespace count as known."""

LONGEST_PAUSE_SECONDS = 300.0

BEFORE = timedelta(minutes=2)
"""How much older than the trouble an Event about it may be."""


@dataclass(frozen=True)
class Failure:
    """A try to restore that has failed."""

    pod: str
    """The uid of its pod."""
    words: str
    """Why, as PostgreSQL or CloudNativePG says it; empty when the log does not tell."""
    refused: bool = False
    """Whether the operator lacks the right to read the log."""


@dataclass
class Stuck:
    """How long a database has been waiting, and what was heard of it."""

    at: datetime
    due: float
    """When to ask next."""
    pause: float = PAGE_SECONDS
    heard: tuple[Object, ...] = ()
    """The Events about it, the newest last."""
    told: Finding | None = None
    """What they told when they were asked for."""

    @property
    def since(self) -> datetime:
        """The oldest Event that may be about it."""
        return self.at - BEFORE

    def asked(self, now: float, heard: tuple[Object, ...], told: Finding | None) -> None:
        """Note what was heard, and when to ask again: later each time that it is no news."""
        if told != self.told:
            self.pause = PAGE_SECONDS
        self.heard, self.told = heard, told
        self.due = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS)


class Warnings:
    """The Warning Events of namespaces, each asked for at most once in PAGE_SECONDS."""

    def __init__(self, kube: Requests, monotonic: Callable[[], float]) -> None:
        self._kube = kube
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, list[Object]]] = {}

    def forget(self, namespace: str) -> None:
        """Drop the Events of a namespace: whoever asked for them may be the last one there."""
        self._known.pop(namespace, None)

    async def of(self, namespace: str) -> list[Object]:
        """The Events; the previous ones, or none, when the API server gives none."""
        now = self._monotonic()
        self._known = {
            place: known for place, known in self._known.items() if known[0] + PAGE_SECONDS > now
        }
        if namespace not in self._known:
            self._known[namespace] = now, []  # also for the passes that come while it is asked
            try:
                self._known[namespace] = now, await self._kube.warnings(namespace)
            except Outage:
                return []  # the cause is a help, not a need: the pass goes on
        return self._known[namespace][1]
