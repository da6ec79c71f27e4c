"""A backup's row in the platform's inventory. Pure."""

from dataclasses import dataclass
from datetime import datetime

from daap_operator import raw
from daap_operator.api.meta import ConditionType, Metadata
from daap_operator.api.v1alpha1 import BackupPhase, DaapBackupStatus
from daap_operator.mirror import Table, optional, storable


@dataclass(frozen=True)
class Row:
    """The columns of `backups` that the operator writes; `id` is the object's uid."""

    id: str
    name: str
    namespace: str
    database_name: str
    store: str | None
    archive: str | None
    backup_id: str | None
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    error_message: str | None
    created_at: datetime


BACKUPS = Table("backups", Row)


def row(metadata: Metadata, spec: raw.Object, status: DaapBackupStatus) -> Row:
    """The row of an object; what PostgreSQL cannot store of it (NUL) is left out."""
    stalled = status.condition(ConditionType.STALLED)
    return Row(
        id=metadata.uid,
        name=metadata.name,
        namespace=metadata.namespace,
        database_name=storable(raw.text(spec, "databaseRef", "name"))[:63],
        store=optional(status.store),
        archive=optional(status.archive),
        backup_id=optional(status.backup_id),
        status=str(status.phase or BackupPhase.PENDING).lower(),
        started_at=status.started_at,
        completed_at=status.stopped_at if status.phase is BackupPhase.COMPLETED else None,
        error_message=storable(stalled.message) if stalled else None,
        created_at=metadata.creation_timestamp,
    )
