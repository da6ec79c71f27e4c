"""The DaapBackup a team writes and the status it reads.

The docstrings of the models are what `kubectl explain daapbackup` prints, and the CRD is generated
from them (`make crds`).
"""

from daap_operator.api.v1alpha1.backup.definition import DEFINITION
from daap_operator.api.v1alpha1.backup.object import DaapBackup, DaapBackupSpec, DatabaseRef
from daap_operator.api.v1alpha1.backup.status import BackupPhase, DaapBackupStatus

__all__ = [
    "DEFINITION",
    "BackupPhase",
    "DaapBackup",
    "DaapBackupSpec",
    "DaapBackupStatus",
    "DatabaseRef",
]
