"""The metrics of the kind DaapBackup alone. Pure.

Names are API: dashboards and alerts of others are made of them.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from daap_operator.api.v1alpha1 import BackupPhase
from daap_operator.metrics import Metric, Samples, objects

BACKUPS = Metric(
    "daap_backups",
    "gauge",
    "DaapBackups by phase; 'None' before their first status.",
    ("phase",),
    leader_only=True,
)

METRICS = (BACKUPS,)
"""All of them, in the order of the docs."""

_PHASES = tuple(str(phase) for phase in BackupPhase)


def measured(backups: Collection[Mapping[str, Any]]) -> Iterator[Samples]:
    """What there is to report of all DaapBackups."""
    yield objects.by_phase(BACKUPS, backups, _PHASES)
