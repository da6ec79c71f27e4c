"""How the API server is to know and list a DaapSchema."""

from daap_operator import names
from daap_operator.api.definition import Column, Definition
from daap_operator.api.kind import Kind
from daap_operator.api.v1alpha1.schema.object import DaapSchema
from daap_operator.api.v1alpha1.schema.status import CONDITION_TYPES

DEFINITION = Definition(
    kind=Kind(names.GROUP, names.VERSION, "DaapSchema", "daapschemas"),
    short_names=("daapsch",),
    model=DaapSchema,
    conditions=CONDITION_TYPES,
    columns=(
        Column("Database", "string", ".spec.databaseRef.name"),
        Column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Status", "string", ".status.phase"),
        Column("Current", "string", ".status.current"),
        Column("Applied", "integer", ".status.applied"),
        Column("Pending", "integer", ".status.pendingCount"),
        Column("Findings", "integer", ".status.findingsCount"),
        Column("Drift", "integer", ".status.driftCount", wide=True),
        Column("Plan", "string", ".status.plan", wide=True),
        Column("Rehearsal", "string", ".status.rehearsal.state", wide=True),
        Column("Message", "string", '.status.conditions[?(@.type=="Ready")].message', wide=True),
        Column("Age", "date", ".metadata.creationTimestamp"),
    ),
    selectable=(".spec.databaseRef.name", ".status.phase"),
)
