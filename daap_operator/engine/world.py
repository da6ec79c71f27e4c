"""What a pass of any kind works with: the doors to the outside, and notes of this process.

None of the notes is authoritative: a process that starts without them does the same, a little
later or with one request more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from daap_operator.engine.announce import Events
from daap_operator.engine.kinds import Object, Ref
from daap_operator.engine.patience import Patience
from daap_operator.engine.store import Store
from daap_operator.kube import Kind, Requests
from daap_operator.mirror import Rows


@dataclass
class Notes:
    """What this process remembers of reporting on one object."""

    progress_told: float = float("-inf")
    """When the status last reported progress."""
    row_refused: bool = False
    """Whether the row could not be written although the others can."""
    row_patience: Patience = field(default_factory=Patience)
    """With the row that is refused."""
    patience: Patience = field(default_factory=Patience)
    """With what ends each pass early."""
    status_refusals: int = 0
    """How often in a row the API server has refused the status."""
    untold: str = ""
    """What the refused status was to say, once an Event has said it."""


@dataclass
class World:
    """Everything that passes of all kinds share."""

    kube: Requests
    mirror: Rows
    store: Store
    announcer: Events
    resync: timedelta
    """How often an object is reconciled without an event."""
    now: Callable[[], datetime]
    """The wall clock, for the status."""
    monotonic: Callable[[], float]
    """A clock that never jumps, in seconds, for appointments."""
    wake: Callable[[Ref], None] = lambda _: None
    """Has an object looked at soon: the store tells nobody of the answers to our own writes."""
    written: Callable[[Kind, Object | None, Object], None] = lambda *_: None
    """Told of each status that is written, with what was kept of the object before and what is kept
    now: those of other kinds that it is about are looked at."""
    random: Random = field(default_factory=Random)
    notes: dict[Ref, Notes] = field(default_factory=dict)
    unsynced: set[Ref] = field(default_factory=set)
    """Objects whose row could not be written: to be reconciled when the server is back."""

    def notes_of(self, key: Ref) -> Notes:
        """The notes on one object."""
        return self.notes.setdefault(key, Notes())

    def forget(self, key: Ref) -> None:
        """Drop the notes on an object that is gone."""
        self.notes.pop(key, None)
        self.unsynced.discard(key)
