"""The metrics of the kind DaapDrill alone. Pure.

Names are API: dashboards and alerts of others are made of them.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from daap_operator.api.v1alpha1 import DrillPhase
from daap_operator.metrics import Metric, Samples, objects

DRILLS = Metric(
    "daap_drills",
    "gauge",
    "DaapDrills by phase; 'None' before their first status.",
    ("phase",),
    leader_only=True,
)

METRICS = (DRILLS,)
"""All of them, in the order of the docs."""

_PHASES = tuple(str(phase) for phase in DrillPhase)


def measured(drills: Collection[Mapping[str, Any]]) -> Iterator[Samples]:
    """What there is to report of all DaapDrills."""
    yield objects.by_phase(DRILLS, drills, _PHASES)
