"""How the API server is to know and list a DaapDatabase."""

from daap_operator import names
from daap_operator.api.definition import Column, Definition
from daap_operator.api.kind import Kind
from daap_operator.api.v1alpha1.database.object import ROOT_RULES, DaapDatabase
from daap_operator.api.v1alpha1.database.status import CONDITION_TYPES

DEFINITION = Definition(
    kind=Kind(names.GROUP, names.VERSION, "DaapDatabase", "daapdatabases"),
    short_names=("daapdb",),
    model=DaapDatabase,
    rules=ROOT_RULES,
    conditions=CONDITION_TYPES,
    columns=(
        Column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Status", "string", ".status.phase"),
        Column("Stalled", "string", '.status.conditions[?(@.type=="Stalled")].reason'),
        Column("Owner", "string", ".spec.ownerTeam"),
        Column("Version", "integer", ".status.postgresVersion"),
        Column("Host", "string", ".status.host"),
        Column("Secret", "string", ".status.secretName", wide=True),
        Column("Last-Backup", "date", ".status.backup.lastSuccessful", wide=True),
        Column("Last-Verified", "date", ".status.backup.lastVerified", wide=True),
        Column("Message", "string", '.status.conditions[?(@.type=="Ready")].message', wide=True),
        Column("Age", "date", ".metadata.creationTimestamp"),
    ),
    selectable=(".spec.ownerTeam", ".status.phase"),
    labels={"servicebinding.io/provisioned-service": "true"},
)
