"""A schema's row in the platform's inventory. Pure."""

from dataclasses import dataclass
from datetime import datetime

from daap_operator import raw
from daap_operator.api.meta import ConditionType, Metadata
from daap_operator.api.v1alpha1 import DaapSchemaStatus, SchemaPhase
from daap_operator.mirror import Table, optional, storable


@dataclass(frozen=True)
class Row:
    """The columns of `schemas` that the operator writes; `id` is the object's uid."""

    id: str
    name: str
    namespace: str
    database_name: str
    database_id: str | None
    ledger: str
    status: str
    current_file: str | None
    files_applied: int | None
    files_pending: int | None
    findings: int | None
    differences: int | None
    ledger_checksum: str | None
    last_applied_at: datetime | None
    verified_at: datetime | None
    error_message: str | None
    created_at: datetime


SCHEMAS = Table("schemas", Row)


def row(metadata: Metadata, spec: raw.Object, status: DaapSchemaStatus) -> Row:
    """The row of an object; what PostgreSQL cannot store of it (NUL) is left out."""
    stalled = status.condition(ConditionType.STALLED)
    return Row(
        id=metadata.uid,
        name=metadata.name,
        namespace=metadata.namespace,
        database_name=storable(raw.text(spec, "databaseRef", "name"))[:63],
        database_id=optional(status.database.uid if status.database else None),
        ledger=storable(raw.text(spec, "ledger") or "default")[:63],
        status=str(status.phase or SchemaPhase.PENDING).lower(),
        current_file=optional(status.current),
        files_applied=status.applied,
        files_pending=status.pending_count,
        findings=status.findings_count,
        differences=status.drift_count,
        ledger_checksum=optional(status.ledger_checksum),
        last_applied_at=status.last_applied_at,
        verified_at=status.verified_at,
        error_message=storable(stalled.message) if stalled else None,
        created_at=metadata.creation_timestamp,
    )
