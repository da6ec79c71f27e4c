"""The reasons that only a DaapBackup has. Part of the API: values never change. Pure."""

from daap_operator.findings import Reason


class BackupReason(Reason):
    """Reasons of the conditions of a DaapBackup."""

    # waiting
    DATABASE_MISSING = "DatabaseMissing"
    DATABASE_NOT_READY = "DatabaseNotReady"
    ARCHIVE_PENDING = "ArchivePending"

    # somebody must act
    BACKUPS_OFF = "BackupsOff"
    HIBERNATED = "Hibernated"
    STORE_MISSING = "StoreMissing"
    PLUGIN_MISSING = "PluginMissing"
    OBJECT_CONFLICT = "ObjectConflict"
    REJECTED = "Rejected"
    CLOUDNATIVEPG_MISSING = "CloudNativePGMissing"

    # being made
    RUNNING = "BackupRunning"
    PENDING = "BackupPending"
    FAILING = "BackupFailing"
    ARCHIVING_FAILING = "ArchivingFailing"

    # over
    COMPLETED = "BackupCompleted"
    FAILED = "BackupFailed"
    DELETED = "BackupDeleted"
