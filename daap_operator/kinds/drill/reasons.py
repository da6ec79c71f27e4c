"""The reasons that only a DaapDrill has. Part of the API: values never change. Pure."""

from daap_operator.findings import Reason


class DrillReason(Reason):
    """Reasons of the conditions of a DaapDrill."""

    # waiting
    QUEUED = "Queued"
    NEVER_BACKED_UP = "NeverBackedUp"
    DATABASE_NOT_READY = "DatabaseNotReady"
    BACKUP_NOT_COMPLETED = "BackupNotCompleted"

    # somebody must act
    BACKUPS_OFF = "BackupsOff"
    STORE_MISSING = "StoreMissing"
    PLUGIN_MISSING = "PluginMissing"
    IMAGE_UNKNOWN = "CheckImageUnknown"
    OBJECT_CONFLICT = "ObjectConflict"
    REJECTED = "Rejected"
    CLOUDNATIVEPG_MISSING = "CloudNativePGMissing"

    # under way
    PENDING = "ScratchClusterPending"
    RESTORING = "RestoringBackup"
    CHECKING = "CheckingBackup"
    LENT = "LentForRehearsal"
    REMOVING = "RemovingScratchCluster"

    # over
    PASSED = "DrillPassed"
    CANNOT_BE_RESTORED = "CannotBeRestored"
    DATABASE_MISSING = "DatabaseMissing"
    MOMENT_NOT_COVERED = "MomentNotCovered"
    RESTORE_FAILED = "RestoreFailed"
    CORRUPTION_FOUND = "CorruptionFound"
    QUERY_FAILED = "QueryFailed"
    CHECKS_FAILED = "ChecksFailed"
    TIMED_OUT = "TimedOut"
