"""Reasons that objects of every kind may have. Part of the API: values never change."""

from daap_operator.findings import Reason


class CommonReason(Reason):
    """Reasons of the conditions of any object."""

    READY = "Ready"
    INVALID_SPEC = "InvalidSpec"
    FORBIDDEN = "Forbidden"
    QUOTA_EXCEEDED = "QuotaExceeded"
    NAMESPACE_TERMINATING = "NamespaceTerminating"
    RETRYING = "Retrying"
    DELETING = "Deleting"
    DELETION_BLOCKED = "DeletionBlocked"
    DELETION_PROTECTED = "DeletionProtected"
    OBJECT_TOO_LARGE = "ObjectTooLarge"
    NAMESPACE_OVER_SHARE = "NamespaceOverShare"


class InventoryReason(Reason):
    """Reasons of the condition MetadataSynced."""

    SYNCED = "Synced"
    CONNECTING = "Connecting"
    EPOCH_IMPLAUSIBLE = "InventoryEpochImplausible"
    EPOCH_NOT_RAISED = "EpochNotRaised"
    FAILED = "Failed"
    FORBIDDEN = "Forbidden"
    READ_ONLY = "ReadOnly"
    ROW_LOCKED = "RowLocked"
    ROW_REFUSED = "RowRefused"
    SCHEMA_OUTDATED = "SchemaOutdated"
    TOO_MANY_CONNECTIONS = "TooManyConnections"
    TRANSACTION_POOLER = "TransactionPooler"
    UNREACHABLE = "Unreachable"


class CommonEvent(Reason):
    """Reasons of Events about any object, besides phases and the reasons of conditions."""

    METADATA_SYNCED = "MetadataSynced"
    METADATA_NOT_SYNCED = "MetadataNotSynced"


class Interruption(Reason):
    """What ends a pass early and is in no status."""

    CHANGED = "Changed"
    STATUS_REFUSED = "StatusRefused"
