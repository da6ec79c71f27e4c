"""How a database is to be backed up, and what is seen of that. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from daap_operator import raw
from daap_operator.api.v1alpha1 import BackupStatus
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kinds.cnpg_backups import FAILED
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.trim_backup import WINDOWS
from daap_operator.kinds.database.verified import NOTHING, Verified
from daap_operator.kinds.windows import Window, utc, window_of
from daap_operator.kube.words import said

Object = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How a database is backed up, with every choice made."""

    store: str
    """The ObjectStore's name; empty while nobody has named one."""
    archive: str
    schedule: str
    """In CloudNativePG's six fields; empty while backups are turned off."""
    retention: str = ""
    """How far back was asked for; empty for whatever the store keeps."""
    current: str = ""
    """The ObjectStore that the Cluster archives to now; empty while to none."""
    lost: str = ""
    """The one that a Cluster archived to which is gone; empty while there is one."""
    known: datetime | None = None
    """When the latest backup in the archive ended, as it was told before."""
    verify: str = ""
    """When drills are made, in six fields; empty for never."""

    @classmethod
    def of(
        cls, database: Resolved, previous: BackupStatus | None, cluster: Object | None
    ) -> "Plan | None":
        """The plan of a database with every choice made; None for one that never had backups.

        `previous` is what its status says, with the archive that was noted, and `cluster` its
        Cluster.
        """
        wanted = database.backups
        if wanted is None and not (previous and previous.archive):
            return None
        if wanted is None:
            made = cls.as_made(previous, cluster)
            return made and replace(made, schedule="", retention="", verify="")
        before = previous if previous and previous.archive else BackupStatus()
        return cls(
            store=wanted.store,
            archive=before.archive or database.archive or "",
            schedule=wanted.schedule,
            retention=wanted.retention or "",
            current=_current(cluster),
            lost="" if cluster else before.store or "",
            known=before.last_successful,
            verify=wanted.verify or "",
        )

    @classmethod
    def as_made(cls, previous: BackupStatus | None, cluster: Object | None) -> "Plan | None":
        """The plan that was last followed, of a database whose spec is not."""
        if previous is None or not (previous.archive or previous.schedule):
            return None
        return cls(
            store=previous.store or "",
            archive=previous.archive or "",
            schedule=previous.schedule or "",
            current=_current(cluster),
            known=previous.last_successful,
            verify=previous.verify_schedule or "",
        )

    @property
    def told(self) -> str:
        """The ObjectStore in which the backups are that there are."""
        return self.current or self.lost or self.store


def _current(cluster: Object | None) -> str:
    archiver = archiver_of(cluster)
    return archiver.store if archiver else ""


@dataclass(frozen=True)
class Seen:
    """What there is of a database's backups, as the store has it; None for what there is not."""

    plugin: bool = True
    """Whether the API server knows ObjectStores."""
    store: Object | None = None
    """The ObjectStore in which the backups are that there are."""
    asked: Object | None = None
    """The one that is asked for; the same, but where a Cluster archives to another one."""
    cluster: Object | None = None
    schedule: Object | None = None
    """The ScheduledBackup."""
    backups: tuple[Object, ...] = ()
    """Of the Cluster's that have failed the latest hundred that came, whoever made them."""
    verified: Verified = NOTHING
    """What the drills have shown."""
    undrilled: str = ""
    """Why a drill that is due is not made, with the remedy; empty where none is due or one is."""


@dataclass(frozen=True)
class Facts:
    """A plan and what is seen of it."""

    plan: Plan
    seen: Seen
    window: Window
    failed: datetime | None
    """When a backup last failed."""
    error: str
    """Why it did, while none has succeeded since; empty where that is not known."""

    @classmethod
    def of(cls, plan: Plan, seen: Seen) -> "Facts":
        """The facts that the findings are made from."""
        window = window_of(raw.text(seen.store, "status", WINDOWS), plan.archive)
        failed, error = _failure(seen.backups)
        if window.last_failed and (failed is None or window.last_failed > failed):
            failed = window.last_failed
        overcome = failed and window.last_successful and window.last_successful >= failed
        return cls(plan, seen, window, failed, "" if overcome else error)

    @property
    def latest(self) -> datetime | None:
        """When the latest backup ended that can be restored."""
        return self.window.last_successful if self.window.first_recoverable else None

    @property
    def since(self) -> datetime | None:
        """Since when backups are made; None while they are not."""
        return utc(raw.moment(self.seen.schedule, "metadata", "creationTimestamp"))

    @property
    def suspended(self) -> bool:
        """Whether none are made for now, on purpose."""
        return raw.truth(self.seen.schedule, OWNED, "spec", "suspend")

    @property
    def archives(self) -> bool:
        """Whether the Cluster has been told to archive."""
        return bool(self.plan.current)

    @property
    def cluster(self) -> str:
        """The Cluster's name."""
        return raw.text(self.seen.cluster, "metadata", "name")


def _failure(backups: tuple[Object, ...]) -> tuple[datetime | None, str]:
    """When the latest Backup that failed did so, and why."""
    found = [
        (when, said(raw.text(each, "status", "error")))
        for each in backups
        if raw.text(each, "status", "phase") == FAILED and (when := _ended(each))
    ]
    return max(found, default=(None, ""))


def _ended(backup: Object) -> datetime | None:
    """When it ended, as well as is known: one that never began has no times of its own."""
    for path in (
        ("status", "stoppedAt"),
        ("status", "startedAt"),
        ("metadata", "creationTimestamp"),
    ):
        if found := utc(raw.moment(backup, *path)):
            return found
    return None
