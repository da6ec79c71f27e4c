"""How the API server is to know and list a DaapRestore."""

from daap_operator import names
from daap_operator.api.definition import Column, Definition
from daap_operator.api.kind import Kind
from daap_operator.api.v1alpha1.restore.object import DaapRestore
from daap_operator.api.v1alpha1.restore.status import CONDITION_TYPES

DEFINITION = Definition(
    kind=Kind(names.GROUP, names.VERSION, "DaapRestore", "daaprestores"),
    short_names=("daaprst",),
    model=DaapRestore,
    conditions=CONDITION_TYPES,
    columns=(
        Column("Database", "string", ".spec.databaseRef.name"),
        Column("Status", "string", ".status.phase"),
        Column("At", "string", ".status.source.at"),
        Column("Backup-ID", "string", ".status.source.backupId"),
        Column("Safety-Backup", "string", ".status.safetyBackup.name", wide=True),
        Column("Completed", "date", ".status.completedAt"),
        Column("Message", "string", '.status.conditions[?(@.type=="Ready")].message', wide=True),
        Column("Age", "date", ".metadata.creationTimestamp"),
    ),
    selectable=(".spec.databaseRef.name", ".status.phase"),
)
