"""A restore's row in the platform's inventory. Pure."""

from dataclasses import dataclass
from datetime import datetime

from daap_operator import raw
from daap_operator.api.meta import ConditionType, Metadata
from daap_operator.api.v1alpha1 import DaapRestoreStatus, RestorePhase
from daap_operator.mirror import Table, optional, storable


@dataclass(frozen=True)
class Row:
    """The columns of `restores` that the operator writes; `id` is the object's uid."""

    id: str
    name: str
    namespace: str
    database_name: str
    store: str | None
    archive: str | None
    restored_to: datetime | None
    backup_id: str | None
    safety_backup: str | None
    status: str
    completed_at: datetime | None
    error_message: str | None
    created_at: datetime


RESTORES = Table("restores", Row)


def row(metadata: Metadata, spec: raw.Object, status: DaapRestoreStatus) -> Row:
    """The row of an object; what PostgreSQL cannot store of it (NUL) is left out."""
    stalled = status.condition(ConditionType.STALLED)
    source, safety = status.source, status.safety_backup
    return Row(
        id=metadata.uid,
        name=metadata.name,
        namespace=metadata.namespace,
        database_name=storable(raw.text(spec, "databaseRef", "name"))[:63],
        store=optional(source.store if source else None),
        archive=optional(source.archive if source else None),
        restored_to=_moment(source.at if source else None),
        backup_id=optional(source.backup_id if source else None),
        safety_backup=optional(safety.name if safety else None),
        status=_word(status.phase or RestorePhase.PENDING),
        completed_at=status.completed_at,
        error_message=storable(stalled.message) if stalled else None,
        created_at=metadata.creation_timestamp,
    )


def _word(phase: RestorePhase) -> str:
    return "backing_up" if phase is RestorePhase.BACKING_UP else phase.lower()


def _moment(text: str | None) -> datetime | None:
    return raw.moment({"at": text}, "at") if text else None
