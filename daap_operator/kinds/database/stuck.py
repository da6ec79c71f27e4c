"""How long a database has been stuck, and when to ask for Events about it: ever more seldom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from daap_operator.findings import Finding
from daap_operator.kinds.warned import PAGE_SECONDS

Object = dict[str, Any]

PATIENCE_SECONDS = 10.0
"""How long a database may wait before Events are asked for: most waits are over by then."""

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
