"""CloudNativePG's phases and what each means for a database's clients. Pure data.

`Cluster.status.phase` is an English sentence, not an enumeration; this table is the only place that
knows them. A unit test holds it against the constants of CloudNativePG's own source.
"""

from dataclasses import dataclass
from enum import Enum, auto

from daap_operator.api.reasons import CommonReason
from daap_operator.findings import Reason
from daap_operator.kinds.database.reasons import DatabaseReason


class Meaning(Enum):
    """What a phase says about serving and about who has to act."""

    SETTLED = auto()
    """Nothing is going on; clients are served if the primary is healthy."""
    CHANGING = auto()
    """A change is being rolled out; clients are served while the primary is healthy."""
    INTERRUPTED = auto()
    """The primary is being replaced or taken down: clients are not served, for a while."""
    STARTING = auto()
    """There is no database yet."""
    BLOCKED = auto()
    """CloudNativePG cannot go on; it tries again by itself."""
    ACTION = auto()
    """CloudNativePG waits for a person."""
    UNKNOWN = auto()
    """A phase this operator has never heard of: never ready, never an error."""


@dataclass(frozen=True)
class ClusterPhase:
    """One phase: its meaning, our CamelCase reason, and what a person should know or do."""

    meaning: Meaning
    reason: Reason
    text: str
    waits_for_pods: bool = False
    """Whether pods or volumes that do not start hold it up; CloudNativePG does not say why."""


HEALTHY = "Cluster in healthy state"
MAJOR_UPGRADE = DatabaseReason.MAJOR_UPGRADE
"""The reason of a major upgrade."""

PHASES: dict[str, ClusterPhase] = {
    "": ClusterPhase(
        Meaning.STARTING, DatabaseReason.CLUSTER_PENDING, "CloudNativePG has not picked it up yet"
    ),
    HEALTHY: ClusterPhase(Meaning.SETTLED, CommonReason.READY, "all is well"),
    "Setting up primary": ClusterPhase(
        Meaning.STARTING,
        DatabaseReason.CLUSTER_STARTING,
        "the first instance is being set up",
        waits_for_pods=True,
    ),
    "Creating a new replica": ClusterPhase(
        Meaning.CHANGING,
        DatabaseReason.CREATING_REPLICA,
        "an instance is being added",
        waits_for_pods=True,
    ),
    "Waiting for the instances to become active": ClusterPhase(
        Meaning.CHANGING,
        DatabaseReason.INSTANCES_STARTING,
        "an instance is starting",
        waits_for_pods=True,
    ),
    "Upgrading cluster": ClusterPhase(
        Meaning.CHANGING,
        DatabaseReason.ROLLING_OUT,
        "a change is being rolled out instance by instance",
    ),
    "Cluster upgrade delayed": ClusterPhase(
        Meaning.CHANGING, DatabaseReason.ROLL_OUT_DELAYED, "a rollout is waiting for its turn"
    ),
    "Online upgrade in progress": ClusterPhase(
        Meaning.CHANGING, DatabaseReason.ONLINE_UPGRADE, "the instance manager is being replaced"
    ),
    "Applying configuration": ClusterPhase(
        Meaning.CHANGING,
        DatabaseReason.APPLYING_CONFIGURATION,
        "the configuration is being applied",
    ),
    "Switchover in progress": ClusterPhase(
        Meaning.CHANGING, DatabaseReason.SWITCHOVER, "another instance is becoming the primary"
    ),
    "Failing over": ClusterPhase(
        Meaning.CHANGING, DatabaseReason.FAILING_OVER, "the primary was lost and is being replaced"
    ),
    "Primary instance is being restarted in-place": ClusterPhase(
        Meaning.CHANGING,
        DatabaseReason.PRIMARY_RESTARTING,
        "the primary is being restarted",
        waits_for_pods=True,
    ),
    "Primary instance is being restarted without a switchover": ClusterPhase(
        Meaning.CHANGING,
        DatabaseReason.PRIMARY_RESTARTING,
        "the primary is being restarted",
        waits_for_pods=True,
    ),
    "Promoting to primary cluster": ClusterPhase(
        Meaning.INTERRUPTED, DatabaseReason.PROMOTING, "the cluster is being promoted"
    ),
    "Upgrading Postgres major version": ClusterPhase(
        Meaning.INTERRUPTED,
        MAJOR_UPGRADE,
        "PostgreSQL is being upgraded to a new major version",
        waits_for_pods=True,
    ),
    "Cluster cannot execute instance online upgrade due to missing architecture binary": (
        ClusterPhase(
            Meaning.ACTION,
            DatabaseReason.ARCHITECTURE_MISSING,
            "CloudNativePG's image lacks an architecture: the platform team must replace it",
        )
    ),
    "Waiting for user action": ClusterPhase(
        Meaning.ACTION,
        DatabaseReason.SWITCHOVER_REQUIRED,
        "a rollout is waiting for somebody to switch over: "
        "the platform team must run `kubectl cnpg promote` or restart the primary",
    ),
    "Cluster has incomplete or invalid image catalog": ClusterPhase(
        Meaning.BLOCKED,
        DatabaseReason.IMAGE_CATALOG_INVALID,
        "the image catalog lacks the image: the platform team must repair the catalog",
    ),
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required": (
        ClusterPhase(
            Meaning.BLOCKED,
            DatabaseReason.PLUGIN_MISSING,
            "a CloudNativePG plugin is not installed: the platform team must install it",
        )
    ),
    "Cluster cannot proceed to reconciliation due to an error while interacting with plugins": (
        ClusterPhase(
            Meaning.BLOCKED,
            DatabaseReason.PLUGIN_FAILING,
            "a CloudNativePG plugin fails; CloudNativePG keeps trying",
        )
    ),
    "Unable to create required cluster objects": ClusterPhase(
        Meaning.BLOCKED,
        DatabaseReason.OBJECTS_NOT_CREATED,
        "CloudNativePG cannot create the objects it needs; it keeps trying",
    ),
    "Invalid cluster definition": ClusterPhase(
        Meaning.ACTION,
        DatabaseReason.CLUSTER_INVALID,
        "CloudNativePG refuses the Cluster's definition: change the fields it names",
    ),
    "Instance Status Extraction Error: HTTP communication issue": ClusterPhase(
        Meaning.BLOCKED,
        DatabaseReason.INSTANCES_UNREACHABLE,
        "CloudNativePG cannot reach the instances on port 8000: "
        "check the namespace's NetworkPolicies",
    ),
    "Not enough disk space": ClusterPhase(
        Meaning.ACTION,
        DatabaseReason.DISK_FULL,
        "a volume is full: raise spec.storage.size, and have the platform team expand the "
        "PersistentVolumeClaims, since CloudNativePG does not do so in this state",
    ),
    "Cluster is unrecoverable and needs manual intervention": ClusterPhase(
        Meaning.ACTION,
        DatabaseReason.UNRECOVERABLE,
        "CloudNativePG has given up: the platform team must examine the Cluster's pods and volumes",
    ),
}


def cluster_phase(text: str) -> ClusterPhase:
    """What a `status.phase` means; a sentence never heard of is UNKNOWN."""
    unknown = ClusterPhase(
        Meaning.UNKNOWN,
        DatabaseReason.UNKNOWN_CLUSTER_PHASE,
        "this operator does not know this phase: is CloudNativePG newer than it supports?",
    )
    return PHASES.get(text, unknown)
