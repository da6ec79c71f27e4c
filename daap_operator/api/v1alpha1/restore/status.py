"""What the operator last saw of a restore."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model
from daap_operator.api.meta import Status


class RestorePhase(StrEnum):
    """The restore's life in one word, for people."""

    PENDING = "Pending"
    BACKING_UP = "BackingUp"
    REPLACING = "Replacing"
    RESTORING = "Restoring"
    COMPLETED = "Completed"
    FAILED = "Failed"


class RestoreSource(Model):
    """What the database is restored from. Set once, before anything is replaced."""

    store: Annotated[str, Field(max_length=253)]
    """Name of the ObjectStore that has the archive."""

    archive: Annotated[str, Field(max_length=253)]
    """Name of the archive within the store."""

    at: Annotated[str | None, Field(max_length=32)] = None
    """The moment that is restored to, in UTC; absent with `backupId`."""

    backup_id: Annotated[str | None, Field(max_length=253)] = None
    """The backup whose end is restored to."""


class SafetyBackupStatus(Model):
    """The backup of the state before: the way back."""

    name: Annotated[str, Field(max_length=253)]
    """Name of the DaapBackup. Set once, before it is created."""

    archive: Annotated[str | None, Field(max_length=253)] = None
    """Name of the archive that it is in. The database writes to another one after the restore."""

    backup_id: Annotated[str | None, Field(max_length=253)] = None
    """What it is called in that archive."""

    stopped_at: datetime | None = None
    """When it ended: what was committed later, until the Cluster was deleted, is lost."""


class DaapRestoreStatus(Status):
    """What the operator last saw."""

    phase: RestorePhase | None = None
    """The restore's life in one word. Completed and Failed are for good."""

    source: RestoreSource | None = None
    """What the database is restored from."""

    cluster_uid: Annotated[str | None, Field(max_length=64)] = None
    """uid of the one Cluster that is replaced. Set once: no other one ever is."""

    safety_backup: SafetyBackupStatus | None = None
    """The backup of the state before; absent when it is skipped."""

    completed_at: datetime | None = None
    """When clients were first seen to be served again."""

    error: Annotated[str | None, Field(max_length=2048)] = None
    """Why it failed."""

    @property
    def over(self) -> bool:
        """Whether it is completed or failed: for good."""
        return self.phase in (RestorePhase.COMPLETED, RestorePhase.FAILED)


CONDITION_TYPES = (
    "`Ready`: the database is restored and serves. `Reconciling`: the restore is under way, or "
    "waits for what comes by itself. `Stalled`: it has failed for good, or waits for what only a "
    "person can change. `MetadataSynced`: the platform's inventory has this state."
)
"""What the conditions of a DaapRestore mean."""
