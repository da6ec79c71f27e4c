"""The reasons that only a DaapSchema has. Part of the API: values never change. Pure."""

from daap_operator.findings import Reason


class SchemaReason(Reason):
    """Reasons of the conditions of a DaapSchema."""

    # waiting
    FILES_MISSING = "FilesMissing"
    WAITING_FOR_DATABASE = "WaitingForDatabase"
    LOCK_TIMEOUT = "LockTimeout"
    UNAVAILABLE = "DatabaseUnavailable"
    RUN_LOST = "RunLost"
    BACKING_UP = "BackingUp"

    # somebody must act
    APPROVAL_REQUIRED = "ApprovalRequired"
    DESTRUCTIVE_REFUSED = "DestructiveRefused"
    LINT_FAILED = "LintFailed"
    FILE_FAILED = "FileFailed"
    APPLIED_FILE_CHANGED = "AppliedFileChanged"
    OUT_OF_ORDER = "OutOfOrder"
    DRIFTED = "Drifted"
    FILES_INVALID = "FilesInvalid"
    IMAGES_UNSUPPORTED = "ImagesUnsupported"
    IMAGE_UNAVAILABLE = "ImageUnavailable"
    LEDGER_TAKEN = "LedgerTaken"
    RUN_REFUSED = "RunRefused"
    BACKUP_FAILED = "BackupFailed"
    REHEARSAL_BLOCKED = "RehearsalBlocked"
    REHEARSAL_FAILED = "RehearsalFailed"
    IMAGE_UNKNOWN = "RunnerImageUnknown"
    OBJECT_CONFLICT = "ObjectConflict"
    REJECTED = "Rejected"

    # under way
    JOB_PENDING = "JobPending"
    PLANNING = "Planning"
    PLAN_READY = "PlanReady"
    REHEARSING = "Rehearsing"
    APPLYING = "Applying"
