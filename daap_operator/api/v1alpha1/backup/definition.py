"""How the API server is to know and list a DaapBackup."""

from daap_operator import names
from daap_operator.api.definition import Column, Definition
from daap_operator.api.kind import Kind
from daap_operator.api.v1alpha1.backup.object import DaapBackup
from daap_operator.api.v1alpha1.backup.status import CONDITION_TYPES

DEFINITION = Definition(
    kind=Kind(names.GROUP, names.VERSION, "DaapBackup", "daapbackups"),
    short_names=("daapbkp",),
    model=DaapBackup,
    conditions=CONDITION_TYPES,
    columns=(
        Column("Database", "string", ".spec.databaseRef.name"),
        Column("Status", "string", ".status.phase"),
        Column("Backup-ID", "string", ".status.backupId", wide=True),
        Column("Started", "date", ".status.startedAt"),
        Column("Completed", "date", ".status.stoppedAt"),
        Column("Message", "string", '.status.conditions[?(@.type=="Ready")].message', wide=True),
        Column("Age", "date", ".metadata.creationTimestamp"),
    ),
    selectable=(".spec.databaseRef.name", ".status.phase"),
)
