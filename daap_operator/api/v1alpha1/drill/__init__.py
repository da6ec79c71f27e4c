"""The DaapDrill a team writes and the status it reads.

The docstrings of the models are what `kubectl explain daapdrill` prints, and the CRD is generated
from them (`make crds`).
"""

from daap_operator.api.v1alpha1.drill.definition import DEFINITION
from daap_operator.api.v1alpha1.drill.object import DaapDrill, DaapDrillSpec
from daap_operator.api.v1alpha1.drill.status import (
    DaapDrillStatus,
    DrillChecks,
    DrilledDatabase,
    DrillPhase,
    QueryResult,
    RestoreSeconds,
)

__all__ = [
    "DEFINITION",
    "DaapDrill",
    "DaapDrillSpec",
    "DaapDrillStatus",
    "DrillChecks",
    "DrillPhase",
    "DrilledDatabase",
    "QueryResult",
    "RestoreSeconds",
]
