"""How the API server is to know and list a DaapDrill."""

from daap_operator import names
from daap_operator.api.definition import Column, Definition
from daap_operator.api.kind import Kind
from daap_operator.api.v1alpha1.drill.object import DaapDrill
from daap_operator.api.v1alpha1.drill.status import CONDITION_TYPES

DEFINITION = Definition(
    kind=Kind(names.GROUP, names.VERSION, "DaapDrill", "daapdrills"),
    short_names=("drill",),
    model=DaapDrill,
    conditions=CONDITION_TYPES,
    columns=(
        Column("Database", "string", ".spec.databaseRef.name"),
        Column("Status", "string", ".status.phase"),
        Column("Backup-ID", "string", ".status.backupId", wide=True),
        Column("Recovered-To", "date", ".status.recoveredTo"),
        Column("Seconds", "integer", ".status.restoreSeconds.total"),
        Column("Tables", "integer", ".status.checks.tables", wide=True),
        Column("Rows", "integer", ".status.checks.rows", wide=True),
        Column("Completed", "date", ".status.completedAt"),
        Column("Message", "string", '.status.conditions[?(@.type=="Ready")].message', wide=True),
        Column("Age", "date", ".metadata.creationTimestamp"),
    ),
    selectable=(".spec.databaseRef.name", ".status.phase"),
)
