"""The reasons that only a DaapDatabase has. Part of the API: values never change. Pure."""

from daap_operator.findings import Reason


class DatabaseReason(Reason):
    """Reasons of the conditions of a DaapDatabase."""

    # on its way
    PROVISIONING = "Provisioning"
    CLUSTER_PENDING = "ClusterPending"
    CLUSTER_STARTING = "ClusterStarting"
    INSTANCES_STARTING = "InstancesStarting"
    POOLER_PENDING = "PoolerPending"
    POOLER_STARTING = "PoolerStarting"
    CREDENTIALS_PENDING = "CredentialsPending"
    BACKUP_SCHEDULE_PENDING = "BackupSchedulePending"
    UPDATING = "Updating"
    VOLUME_RESIZING = "VolumeResizing"
    REPLACING = "ReplacingCluster"

    # not serving
    NOT_SERVING = "NotServing"
    PRIMARY_DOWN = "PrimaryDown"
    HIBERNATED = "Hibernated"
    FENCED = "Fenced"
    POOLER_PAUSED = "PoolerPaused"
    POOLER_SCALED_DOWN = "PoolerScaledDown"
    CLUSTER_DELETED = "ClusterDeleted"
    POOLER_DELETED = "PoolerDeleted"
    LEFTOVER_CHILDREN = "LeftoverChildren"
    CERTIFICATE_PENDING = "CertificatePending"

    # made from an archive
    SOURCE_PENDING = "SourcePending"
    SOURCE_STORE_MISSING = "StoreMissing"
    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_FORBIDDEN = "SourceForbidden"
    SOURCE_NOT_RECOVERABLE = "SourceNotRecoverable"
    SOURCE_DIFFERS = "SourceDiffers"
    RESTORING = "Restoring"
    RESTORE_FAILING = "RestoreFailing"

    # CloudNativePG's phases
    APPLYING_CONFIGURATION = "ApplyingConfiguration"
    CREATING_REPLICA = "CreatingReplica"
    FAILING_OVER = "FailingOver"
    MAJOR_UPGRADE = "MajorUpgrade"
    ONLINE_UPGRADE = "OnlineUpgrade"
    PRIMARY_RESTARTING = "PrimaryRestarting"
    PROMOTING = "Promoting"
    ROLL_OUT_DELAYED = "RollOutDelayed"
    ROLLING_OUT = "RollingOut"
    SWITCHOVER = "Switchover"
    IMAGE_CATALOG_INVALID = "ImageCatalogInvalid"
    INSTANCES_UNREACHABLE = "InstancesUnreachable"
    OBJECTS_NOT_CREATED = "ObjectsNotCreated"
    PLUGIN_FAILING = "PluginFailing"
    PLUGIN_MISSING = "PluginMissing"
    UNKNOWN_CLUSTER_PHASE = "UnknownClusterPhase"
    ARCHITECTURE_MISSING = "ArchitectureMissing"
    CLUSTER_INVALID = "ClusterInvalid"
    DISK_FULL = "DiskFull"
    SWITCHOVER_REQUIRED = "SwitchoverRequired"
    UNRECOVERABLE = "Unrecoverable"

    # somebody must act
    CLOUDNATIVEPG_MISSING = "CloudNativePGMissing"
    NAME_TAKEN = "NameTaken"
    NO_SUCH_REVISION = "NoSuchRevision"
    OBJECT_CONFLICT = "ObjectConflict"
    POOLER_CANNOT_LOG_IN = "PoolerCannotLogIn"
    REJECTED = "Rejected"
    SECRET_NAME_TAKEN = "SecretNameTaken"  # noqa: S105 - a word
    VERSION_NOT_OFFERED = "VersionNotOffered"
    VERSION_NOT_REACHED = "VersionNotReached"
    VOLUME_RESIZE_FAILED = "VolumeResizeFailed"
    VOLUME_SIZE_FIXED = "VolumeSizeFixed"
    VOLUMES_CANNOT_GROW = "VolumesCannotGrow"

    # why pods do not start
    CONTAINER_CRASHING = "ContainerCrashing"
    CONTAINER_NOT_STARTING = "ContainerNotStarting"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    PODS_NOT_CREATED = "PodsNotCreated"
    UNSCHEDULABLE = "Unschedulable"
    VOLUME_PENDING = "VolumePending"


class BackupHealthReason(Reason):
    """Reasons of the condition BackupHealthy."""

    RECOVERABLE = "Recoverable"

    # from what counts most to what counts least
    PLUGIN_MISSING = "PluginMissing"
    STORE_MISSING = "StoreMissing"
    ARCHIVING_FAILING = "ArchivingFailing"
    BACKUP_FAILED = "BackupFailed"
    NEVER_BACKED_UP = "NeverBackedUp"
    BACKUP_TOO_OLD = "BackupTooOld"
    VERIFICATION_FAILED = "VerificationFailed"
    VERIFICATION_BLOCKED = "VerificationBlocked"
    VERIFICATION_TOO_OLD = "VerificationTooOld"
    RETENTION_TOO_SHORT = "RetentionTooShort"


OF_POOLER = frozenset(reason for reason in DatabaseReason if reason.startswith("Pooler"))
"""Those that speak of the Pooler alone."""


class DatabaseEvent(Reason):
    """Reasons of Events about a DaapDatabase, besides phases and the reasons of conditions."""

    ADOPTED = "Adopted"
    CLUSTER_RECREATED = "ClusterRecreated"
    POSTGRES_END_OF_LIFE = "PostgresEndOfLife"
