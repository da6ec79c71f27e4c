"""The metrics of the kind DaapRestore alone. Pure.

Names are API: dashboards and alerts of others are made of them.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from daap_operator.api.v1alpha1 import RestorePhase
from daap_operator.metrics import Metric, Samples, objects

RESTORES = Metric(
    "daap_restores",
    "gauge",
    "DaapRestores by phase; 'None' before their first status.",
    ("phase",),
    leader_only=True,
)

METRICS = (RESTORES,)
"""All of them, in the order of the docs."""

_PHASES = tuple(str(phase) for phase in RestorePhase)


def measured(restores: Collection[Mapping[str, Any]]) -> Iterator[Samples]:
    """What there is to report of all DaapRestores."""
    yield objects.by_phase(RESTORES, restores, _PHASES)
