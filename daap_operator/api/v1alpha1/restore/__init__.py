"""The DaapRestore a team writes and the status it reads.

The docstrings of the models are what `kubectl explain daaprestore` prints, and the CRD is generated
from them (`make crds`).
"""

from daap_operator.api.v1alpha1.restore.definition import DEFINITION
from daap_operator.api.v1alpha1.restore.object import (
    DaapRestore,
    DaapRestoreSpec,
    RestoredDatabaseRef,
    SafetyBackup,
)
from daap_operator.api.v1alpha1.restore.status import (
    DaapRestoreStatus,
    RestorePhase,
    RestoreSource,
    SafetyBackupStatus,
)

__all__ = [
    "DEFINITION",
    "DaapRestore",
    "DaapRestoreSpec",
    "DaapRestoreStatus",
    "RestorePhase",
    "RestoreSource",
    "RestoredDatabaseRef",
    "SafetyBackup",
    "SafetyBackupStatus",
]
