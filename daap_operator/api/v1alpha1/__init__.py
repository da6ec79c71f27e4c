"""daap.io/v1alpha1: the kinds that teams write, a package each.

A kind gets its CRD, its part of the chart and its reference page by its entry in DEFINITIONS.
"""

from daap_operator.api.definition import Definition
from daap_operator.api.v1alpha1 import backup, database, drill, restore
from daap_operator.api.v1alpha1.backup import (
    BackupPhase,
    DaapBackup,
    DaapBackupSpec,
    DaapBackupStatus,
    DatabaseRef,
)
from daap_operator.api.v1alpha1.database import (
    MAJORS,
    Backup,
    BackupStatus,
    Binding,
    DaapDatabase,
    DaapDatabaseSpec,
    DaapDatabaseStatus,
    DeletionPolicy,
    Locale,
    LocaleProvider,
    OnDelete,
    Phase,
    Pooler,
    PoolMode,
    ResourceAmounts,
    Resources,
    RestoredStatus,
    SecretMetadata,
    Source,
    SourceStatus,
    Storage,
    Verify,
)
from daap_operator.api.v1alpha1.drill import (
    DaapDrill,
    DaapDrillSpec,
    DaapDrillStatus,
    DrillChecks,
    DrilledDatabase,
    DrillPhase,
    QueryResult,
    RestoreSeconds,
)
from daap_operator.api.v1alpha1.queries import DrillQuery
from daap_operator.api.v1alpha1.restore import (
    DaapRestore,
    DaapRestoreSpec,
    DaapRestoreStatus,
    RestorePhase,
    RestoreSource,
    SafetyBackup,
    SafetyBackupStatus,
)

DEFINITIONS: tuple[Definition, ...] = (
    database.DEFINITION,
    backup.DEFINITION,
    restore.DEFINITION,
    drill.DEFINITION,
)
"""All kinds, in the order in which they are listed."""

__all__ = [
    "DEFINITIONS",
    "MAJORS",
    "Backup",
    "BackupPhase",
    "BackupStatus",
    "Binding",
    "DaapBackup",
    "DaapBackupSpec",
    "DaapBackupStatus",
    "DaapDatabase",
    "DaapDatabaseSpec",
    "DaapDatabaseStatus",
    "DaapDrill",
    "DaapDrillSpec",
    "DaapDrillStatus",
    "DaapRestore",
    "DaapRestoreSpec",
    "DaapRestoreStatus",
    "DatabaseRef",
    "DeletionPolicy",
    "DrillChecks",
    "DrillPhase",
    "DrillQuery",
    "DrilledDatabase",
    "Locale",
    "LocaleProvider",
    "OnDelete",
    "Phase",
    "PoolMode",
    "Pooler",
    "QueryResult",
    "ResourceAmounts",
    "Resources",
    "RestorePhase",
    "RestoreSeconds",
    "RestoreSource",
    "RestoredStatus",
    "SafetyBackup",
    "SafetyBackupStatus",
    "SecretMetadata",
    "Source",
    "SourceStatus",
    "Storage",
    "Verify",
]
