"""What a pass over a database works with: the engine's world, and what only databases need.

None of what is remembered is authoritative: a process that starts without it does the same, a
little later or with one request more.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from daap_operator.api.v1alpha1 import DaapDatabaseStatus
from daap_operator.engine.controller import Outcome, Turn
from daap_operator.engine.kinds import Ref
from daap_operator.engine.patience import Patience
from daap_operator.engine.world import World
from daap_operator.errors import Stalled
from daap_operator.kinds.database.desired.resolved import Platform
from daap_operator.kinds.database.naming import Arbiter
from daap_operator.kinds.database.stuck import Failure, Stuck
from daap_operator.kinds.database.volumes import Expansion
from daap_operator.kinds.warned import Warnings

DatabaseTurn = Turn[DaapDatabaseStatus]
DatabaseOutcome = Outcome[DaapDatabaseStatus]


@dataclass(frozen=True)
class Refused:
    """The last try to get a Cluster, which was refused."""

    problem: Stalled
    version: str
    """The object's resource version since: with any other, somebody has changed something."""
    due: float
    """When to try again."""


@dataclass(frozen=True)
class Archive:
    """An archive as this process knows it."""

    name: str
    used: bool
    """Whether there has been a Cluster that may have begun it."""


@dataclass(frozen=True)
class Undrilled:
    """A drill that is due and could not be made, or one too many that could not be deleted."""

    why: str
    """With the remedy; empty where it passes by itself."""
    due: datetime
    """When to try again."""


@dataclass
class Notes:
    """What this process remembers of one database between two passes."""

    secret_due: float | None = None
    """When to fetch the connection Secret next, unasked."""
    restore_failed: Failure | None = None
    """The last try to restore that has failed, as its log tells it."""
    settling_until: float = 0.0
    """Until when a changed Cluster's status may still speak of the spec before; 0 once a pass has
    seen that this is over."""
    stuck: Stuck | None = None
    """Since when it waits for what does not come; None while it does not."""
    login_settled: tuple[str, str] | None = None
    """Versions of the authority and of PgBouncer's own certificate that were found to agree."""
    login_refused: bool = False
    """Whether PostgreSQL refuses PgBouncer's own certificate, as far as was seen."""
    end_of_life_told: date | None = None
    """When an Event last told that the version gets no fixes any more."""
    archive: Archive | None = None
    """The archive that its Cluster has, or will have when it is created."""
    backups_due: datetime | None = None
    """When its backups are worse, or late, if nothing happens."""
    undrilled: Undrilled | None = None
    """The last try to have a drill made, which was refused; None once there is one, or none is
    due."""
    drill_patience: Patience = field(default_factory=Patience)
    """With what refuses it."""
    claims_due: float | None = None
    """When to ask whether the volume claims that its deletion waits for are still there."""
    final_failed: tuple[str, float, int] | None = None
    """The last Backup before the deletion, if it failed: its uid, since when, and how often."""
    refused: Refused | None = None
    """Why it got no Cluster and gave its name back; None once it has one."""
    behind: bool = False
    """Whether it was refused, or waits for its source, before it had a name: others come first."""
    rival: Ref | None = None
    """Who has its name instead."""
    patience: Patience = field(default_factory=Patience)
    """With what is in the way."""
    login_patience: Patience = field(default_factory=Patience)
    """With a certificate that PostgreSQL refuses."""


def begin_archive(notes: Notes) -> None:
    """A Cluster has been created: it may begin its archive."""
    if notes.archive:
        notes.archive = replace(notes.archive, used=True)


class DatabaseWorld:
    """Everything a pass over a database may touch."""

    def __init__(self, world: World, platform: Platform, *, secret_check: timedelta) -> None:
        """`secret_check`: how often a connection Secret is fetched unasked; zero for never."""
        self.kube, self.store, self.announcer = world.kube, world.store, world.announcer
        self.mirror = world.mirror
        self.now, self.monotonic, self.random = world.now, world.monotonic, world.random
        self.resync, self.wake = world.resync, world.wake
        self.platform = platform
        self.secret_check = secret_check
        self.notes: dict[Ref, Notes] = {}
        self.storage_classes: dict[str, tuple[float, Expansion]] = {}
        """Whether a StorageClass lets volumes grow, and when that was asked."""
        self.arbiter = Arbiter(world.store)
        """Who has which name."""
        self.warnings = Warnings(world.kube, world.monotonic)

    def notes_of(self, key: Ref) -> Notes:
        """The notes on one database."""
        return self.notes.setdefault(key, Notes())

    def forget(self, key: Ref) -> None:
        """Drop the notes on a database that is gone."""
        self.notes.pop(key, None)
        self.warnings.forget(key.namespace)
