"""What the operator last saw of a backup."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from daap_operator.api.meta import Status


class BackupPhase(StrEnum):
    """The backup's life in one word, for people."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"


class DaapBackupStatus(Status):
    """What the operator last saw."""

    phase: BackupPhase | None = None
    """The backup's life in one word. Completed and Failed are for good."""

    backup_name: Annotated[str | None, Field(max_length=253)] = None
    """Name of the CloudNativePG Backup. Set once, before the Backup is created."""

    backup_id: Annotated[str | None, Field(max_length=253)] = None
    """What the backup is called in its archive."""

    store: Annotated[str | None, Field(max_length=253)] = None
    """Name of the ObjectStore that has the backup."""

    archive: Annotated[str | None, Field(max_length=63)] = None
    """Name of the archive within the store."""

    begin_wal: Annotated[str | None, Field(max_length=64)] = None
    """The first segment of the write-ahead log that a restore needs."""

    end_wal: Annotated[str | None, Field(max_length=64)] = None
    """The last segment that a restore needs; whatever follows it in the archive can be replayed."""

    started_at: datetime | None = None
    """When the backup began."""

    stopped_at: datetime | None = None
    """When the backup ended."""

    postgres_version: Annotated[int | None, Field(ge=1)] = None
    """PostgreSQL's major version: it can be restored by this one only."""

    error: Annotated[str | None, Field(max_length=1024)] = None
    """Why it failed, in CloudNativePG's words."""

    @property
    def over(self) -> bool:
        """Whether it is completed or failed: for good."""
        return self.phase in (BackupPhase.COMPLETED, BackupPhase.FAILED)


CONDITION_TYPES = (
    "`Ready`: the backup is completed. `Reconciling`: it is being made, or waits for its database. "
    "`Stalled`: it has failed for good, or waits for what only a person can change. "
    "`MetadataSynced`: the platform's inventory has this state."
)
"""What the conditions of a DaapBackup mean."""
