"""The metrics of the kind DaapSchema alone. Pure.

Names are API: dashboards and alerts of others are made of them.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from daap_operator.api.v1alpha1 import SchemaPhase
from daap_operator.metrics import Metric, Samples, objects

SCHEMAS = Metric(
    "daap_schemas",
    "gauge",
    "DaapSchemas by phase; 'None' before their first status.",
    ("phase",),
    leader_only=True,
)

METRICS = (SCHEMAS,)
"""All of them, in the order of the docs."""

_PHASES = tuple(str(phase) for phase in SchemaPhase)


def measured(schemas: Collection[Mapping[str, Any]]) -> Iterator[Samples]:
    """What there is to report of all DaapSchemas."""
    yield objects.by_phase(SCHEMAS, schemas, _PHASES)
