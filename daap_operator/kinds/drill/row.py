"""A drill's row in the platform's inventory. Pure."""

from dataclasses import dataclass
from datetime import datetime

from daap_operator import raw
from daap_operator.api.meta import ConditionType, Metadata
from daap_operator.api.v1alpha1 import DaapDrillStatus, DrillChecks, DrillPhase, RestoreSeconds
from daap_operator.mirror import Table, optional, storable


@dataclass(frozen=True)
class Row:
    """The columns of `drills` that the operator writes; `id` is the object's uid."""

    id: str
    name: str
    namespace: str
    database_name: str
    database_id: str | None
    store: str | None
    archive: str | None
    backup_id: str | None
    recovered_to: datetime | None
    status: str
    base_seconds: int | None
    wal_seconds: int | None
    total_seconds: int | None
    relations_checked: int | None
    relations_corrupt: int | None
    tables_counted: int | None
    rows_counted: int | None
    queries_asked: int | None
    queries_failed: int | None
    started_at: datetime | None
    completed_at: datetime | None
    error_message: str | None
    created_at: datetime


DRILLS = Table("drills", Row)


def row(metadata: Metadata, spec: raw.Object, status: DaapDrillStatus) -> Row:
    """The row of an object; what PostgreSQL cannot store of it (NUL) is left out."""
    stalled = status.condition(ConditionType.STALLED)
    seconds, checks = status.restore_seconds or RestoreSeconds(), status.checks
    found = checks or DrillChecks(queries=[])
    return Row(
        id=metadata.uid,
        name=metadata.name,
        namespace=metadata.namespace,
        database_name=storable(raw.text(spec, "databaseRef", "name"))[:63],
        database_id=optional(status.database.uid if status.database else None),
        store=optional(status.store),
        archive=optional(status.archive),
        backup_id=optional(status.backup_id),
        recovered_to=status.recovered_to,
        status=str(status.phase or DrillPhase.PENDING).lower(),
        base_seconds=seconds.base,
        wal_seconds=seconds.wal,
        total_seconds=seconds.total,
        relations_checked=found.relations,
        relations_corrupt=found.corrupt,
        tables_counted=found.tables,
        rows_counted=found.rows,
        queries_asked=len(found.queries) if checks else None,
        queries_failed=sum(not each.ok for each in found.queries) if checks else None,
        started_at=status.started_at,
        completed_at=status.completed_at,
        error_message=storable(stalled.message) if stalled else None,
        created_at=metadata.creation_timestamp,
    )
