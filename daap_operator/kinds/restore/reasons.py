"""The reasons that only a DaapRestore has. Part of the API: values never change. Pure."""

from daap_operator.findings import Reason


class RestoreReason(Reason):
    """Reasons of the conditions of a DaapRestore."""

    # waiting
    OTHER_RESTORE = "OtherRestoreUnderWay"
    DATABASE_NOT_READY = "DatabaseNotReady"
    BACKUP_NOT_COMPLETED = "BackupNotCompleted"

    # somebody must act
    BACKUPS_OFF = "BackupsOff"
    HIBERNATED = "Hibernated"
    STORE_MISSING = "StoreMissing"
    PLUGIN_MISSING = "PluginMissing"
    DATABASE_PROTECTED = "DatabaseProtected"
    OBJECT_CONFLICT = "ObjectConflict"
    REJECTED = "Rejected"
    RESTORE_STALLED = "RestoreStalled"

    # under way
    PENDING = "SafetyBackupPending"
    SAFETY_BACKUP = "SafetyBackupRunning"
    SAFETY_BACKUP_STALLED = "SafetyBackupStalled"
    REPLACING = "ReplacingCluster"
    RESTORING = "RestoringDatabase"

    # over
    COMPLETED = "RestoreCompleted"
    CANNOT_BE_RESTORED = "CannotBeRestored"
    CLUSTER_NEWER = "ClusterNewer"
    CLUSTER_REPLACED = "ClusterReplaced"
    DATABASE_MISSING = "DatabaseMissing"
    MOMENT_NOT_COVERED = "MomentNotCovered"
    SAFETY_BACKUP_FAILED = "SafetyBackupFailed"
    SUPERSEDED = "Superseded"
