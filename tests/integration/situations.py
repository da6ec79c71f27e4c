"""Each situation that a DaapDatabase can be in, brought about and held: what gets recorded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.standin.cnpg import StandIn
from tests.support.api import Object
from tests.support.backups import STORE, archiving, tell_of_backup
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.tried import new_cluster

NAME = "orders"
NO_INVENTORY = "postgresql://daap@127.0.0.1:1/daap"
"""Nobody listens there."""

FAILED: Object = {"instancesStatus": {"healthy": [], "failed": [f"daap-{NAME}-1"]}}
"""The status of a Cluster whose only instance does not answer."""

SPEC: Object = {
    "ownerTeam": "checkout",
    "purpose": "Order history of the web shop",
    "instances": 1,
}


@dataclass(frozen=True)
class Stage:
    """What the situations are made with."""

    databases: Databases
    elsewhere: Databases
    operators: Operators
    standin: StandIn

    @property
    def namespace(self) -> str:
        """Where the database is."""
        return self.databases.namespace

    async def becomes(self, holds: Callable[[Object], object]) -> None:
        """Wait until the database is there and this holds."""
        await eventually(lambda: self.databases.get(NAME), lambda obj: obj and holds(obj))

    async def cluster_says(self, status: Object) -> None:
        """Speak for CloudNativePG from now on."""
        self.standin.take_over(self.namespace, f"daap-{NAME}")
        await self.databases.api.patch(
            "clusters", self.namespace, f"daap-{NAME}", {"status": status}, "status"
        )


def _reason(kind: str, *reasons: str) -> Callable[[Object], object]:
    return lambda obj: condition(obj, kind).get("reason") in reasons


async def _create(stage: Stage, **spec: Any) -> None:
    await stage.databases.create(NAME, **SPEC, **spec)


async def _ready(stage: Stage, **spec: Any) -> None:
    await stage.operators.start()
    await _create(stage, **spec)
    await stage.databases.ready(NAME)
    await stage.becomes(lambda obj: condition(obj, "MetadataSynced").get("status") == "True")


# --- before and on the way ------------------------------------------------------------------------


async def created(stage: Stage) -> None:
    """The operator has not seen it yet."""
    await _create(stage)


async def provisioning(stage: Stage) -> None:
    """On its way, never served yet."""
    stage.standin.stop_at(stage.namespace, f"daap-{NAME}", 3)
    await stage.operators.start()
    await _create(stage)
    await stage.becomes(_reason("Reconciling", "ClusterStarting"))


async def unknown_phase(stage: Stage) -> None:
    """A later CloudNativePG has a phase that this operator has never heard of."""
    await provisioning(stage)
    await stage.cluster_says({"phase": "Phase of a later CloudNativePG"})
    await stage.becomes(_reason("Reconciling", "UnknownClusterPhase"))


async def blocked(stage: Stage) -> None:
    """CloudNativePG cannot go on, and tries again."""
    await provisioning(stage)
    phase = "Cluster cannot proceed to reconciliation due to an unknown plugin being required"
    await stage.cluster_says({"phase": phase, "phaseReason": "Unknown plugin: 'barman-cloud'"})
    await stage.becomes(_reason("Reconciling", "PluginMissing"))


async def restoring(stage: Stage) -> None:
    """Beginning with the data of an archive, which takes its time."""
    stage.standin.stop_at(stage.namespace, f"daap-{NAME}", 3)
    await stage.operators.start()
    await stage.databases.object_store()
    source = {"archive": "daap-orders-archived", "store": "backups"}
    await _create(stage, source=source, postgresVersion=17)
    await stage.becomes(_reason("Reconciling", "Restoring"))
    await stage.becomes(lambda obj: condition(obj, "MetadataSynced").get("status") == "True")


# --- serving --------------------------------------------------------------------------------------


async def ready(stage: Stage) -> None:
    """Serving, all that was asked for is there."""
    await _ready(stage)


async def ready_without_inventory(stage: Stage) -> None:
    """Serving; the metadata database is away, which harms no client."""
    await stage.operators.begin(DATABASE_URL=NO_INVENTORY)
    await _create(stage)
    await stage.databases.ready(NAME)
    await stage.becomes(_reason("MetadataSynced", "Unreachable"))


async def changing(stage: Stage) -> None:
    """Serving, a change under way."""
    await _ready(stage)
    await stage.cluster_says({})
    await stage.databases.edit(NAME, instances=2)
    await stage.becomes(lambda obj: obj["status"]["observedGeneration"] == 2)
    await stage.becomes(_reason("Reconciling", "Updating"))


async def changed_unseen(stage: Stage) -> None:
    """Changed while no operator runs: what the status says is about the spec before."""
    operator = await stage.operators.start()
    await _create(stage)
    await stage.databases.ready(NAME)
    await operator.stop()
    await stage.databases.edit(NAME, instances=2)


async def backed_up(stage: Stage) -> None:
    """Serving, and it can be restored."""
    await stage.databases.object_store(retention="30d")
    await _ready(stage, backup={"store": STORE})
    await tell_of_backup(stage.databases, NAME)
    await stage.becomes(_reason("BackupHealthy", "Recoverable"))
    await stage.becomes(is_ready)


async def not_archiving(stage: Stage) -> None:
    """Serving; what changes does not reach the archive, which harms no client."""
    await backed_up(stage)
    await stage.cluster_says({"conditions": [archiving(failing="exit status 4")]})
    await stage.becomes(_reason("BackupHealthy", "ArchivingFailing"))


async def without_store(stage: Stage) -> None:
    """Serving; it asks for backups, and there is no store to keep them."""
    await _ready(stage, backup={"store": STORE})
    await stage.becomes(_reason("BackupHealthy", "StoreMissing"))
    await stage.becomes(is_ready)


# --- not serving ----------------------------------------------------------------------------------


async def down(stage: Stage) -> None:
    """Served before, does not now."""
    await _ready(stage)
    await stage.cluster_says(FAILED)
    await stage.becomes(_reason("Ready", "NotServing"))


# --- somebody must act ----------------------------------------------------------------------------


async def refused_edit(stage: Stage) -> None:
    """Serving; an edit cannot be followed, since another's Secret has the name asked for."""
    await _ready(stage)
    theirs = {"metadata": {"name": "mine", "namespace": stage.namespace}}
    await stage.databases.api.create("secrets", theirs)
    await stage.databases.edit(NAME, connectionSecretName="mine")
    await stage.databases.stalled(NAME, "SecretNameTaken")


async def name_taken(stage: Stage) -> None:
    """Another DaapDatabase on the platform has the name."""
    await stage.operators.start()
    await stage.elsewhere.create(NAME, ownerTeam="payments")
    await stage.elsewhere.ready(NAME)
    await _create(stage)
    await stage.databases.stalled(NAME, "NameTaken")


async def object_conflict(stage: Stage) -> None:
    """A Cluster of that name exists that is not this database's."""
    cluster = {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {"name": f"daap-{NAME}", "namespace": stage.namespace},
        "spec": {"instances": 1, "storage": {"size": "1Gi"}},
    }
    await stage.databases.api.create("clusters", cluster)
    await stage.operators.start()
    await _create(stage)
    await stage.databases.stalled(NAME, "ObjectConflict")


async def quota_exceeded(stage: Stage) -> None:
    """A ResourceQuota forbids the Cluster."""
    quota = {
        "metadata": {"name": "databases", "namespace": stage.namespace},
        "spec": {"hard": {"count/clusters.postgresql.cnpg.io": "0"}},
    }
    await stage.databases.api.create("resourcequotas", quota)
    await eventually(
        lambda: new_cluster(stage.databases.api, stage.namespace),
        lambda said: "exceeded quota" in said,
    )
    await stage.operators.start()
    await _create(stage)
    await stage.databases.stalled(NAME, "QuotaExceeded")


async def disk_full(stage: Stage) -> None:
    """A volume is full, and PostgreSQL has stopped."""
    await _ready(stage)
    await stage.cluster_says({"phase": "Not enough disk space", **FAILED})
    await stage.databases.stalled(NAME, "DiskFull")


# --- deletion -------------------------------------------------------------------------------------


async def deleting(stage: Stage) -> None:
    """Being deleted: it waits for what a finalizer holds."""
    await _ready(stage)
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    await stage.databases.api.patch("clusters", stage.namespace, f"daap-{NAME}", hold)
    await stage.databases.delete(NAME)
    await stage.becomes(
        lambda obj: "example.com/hold" in condition(obj, "Ready").get("message", "")
    )


async def deletion_protected(stage: Stage) -> None:
    """A deletion was asked for, which the database's protection holds up."""
    await _ready(stage)
    await stage.databases.edit(NAME, deletionProtection=True)
    await stage.databases.ready(NAME)
    await stage.databases.delete(NAME)
    await stage.becomes(_reason("Reconciling", "DeletionProtected"))


async def deleted_unseen(stage: Stage) -> None:
    """A deletion was asked for while no operator runs: the status still says Ready."""
    operator = await stage.operators.start()
    await _create(stage)
    await stage.databases.ready(NAME)
    await operator.stop()
    await stage.databases.delete(NAME)


SITUATIONS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        *(created, provisioning, unknown_phase, blocked, restoring),
        *(ready, ready_without_inventory, changing, changed_unseen),
        *(backed_up, not_archiving, without_store),
        *(down, refused_edit, name_taken, object_conflict, quota_exceeded, disk_full),
        *(deleting, deletion_protected, deleted_unseen),
    )
}
