"""What a pass works with: the doors to the outside, and short-lived notes of this process.

None of the notes is authoritative: a process that starts without them does the same, a little
later or with one request more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from daap_operator.engine.announce import Events
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.kinds.database.desired.resolved import Platform
from daap_operator.kinds.database.naming import Arbiter
from daap_operator.kinds.database.stuck import Stuck, Warnings
from daap_operator.kinds.database.volumes import Expansion
from daap_operator.kube import Requests
from daap_operator.mirror import Rows


@dataclass
class Notes:
    """What this process remembers of one database between two passes."""

    secret_due: float | None = None
    """When to fetch the connection Secret next, unasked."""
    settling_until: float = 0.0
    """Until when a changed Cluster's status may still speak of the spec before; 0 once a pass has
    seen that this is over."""
    progress_told: float = float("-inf")
    """When the status last reported progress."""
    stuck: Stuck | None = None
    """Since when it waits for what does not come; None while it does not."""
    row_refused: bool = False
    """Whether the row could not be written although the others can."""
    status_refusals: int = 0
    """How often in a row the API server has refused the status."""
    login_settled: tuple[str, str] | None = None
    """Versions of the authority and of PgBouncer's own certificate that were found to agree."""
    login_refused: bool = False
    """Whether PostgreSQL refuses PgBouncer's own certificate, as far as was seen."""
    end_of_life_told: date | None = None
    """When an Event last told that the version gets no fixes any more."""
    untold: str = ""
    """What the refused status was to say, once an Event has said it."""


@dataclass
class World:
    """Everything a pass may touch."""

    kube: Requests
    mirror: Rows
    store: Store
    announcer: Events
    platform: Platform
    resync: timedelta
    """How often a database is looked at without an event."""
    secret_check: timedelta
    """How often a connection Secret is fetched unasked; zero for never."""
    now: Callable[[], datetime]
    """The wall clock, for the status."""
    monotonic: Callable[[], float]
    """A clock that never jumps, in seconds, for appointments."""
    random: Random = field(default_factory=Random)
    notes: dict[Ref, Notes] = field(default_factory=dict)
    storage_classes: dict[str, tuple[float, Expansion]] = field(default_factory=dict)
    """Whether a StorageClass lets volumes grow, and when that was asked."""
    unsynced: set[Ref] = field(default_factory=set)
    """Databases whose row could not be written: to be looked at when the server is back."""
    arbiter: Arbiter = field(init=False)
    """Who has which name."""
    warnings: Warnings = field(init=False)

    def __post_init__(self) -> None:
        self.arbiter = Arbiter(self.store)
        self.warnings = Warnings(self.kube, self.monotonic)

    def notes_of(self, key: Ref) -> Notes:
        """The notes on one database."""
        return self.notes.setdefault(key, Notes())
