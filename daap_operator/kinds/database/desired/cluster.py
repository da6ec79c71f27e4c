"""The CloudNativePG Cluster of a database.

https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/#clusterspec
"""

from typing import Any

from daap_operator import names
from daap_operator.api.v1alpha1 import DeletionPolicy
from daap_operator.kinds import known, recovery, starting
from daap_operator.kinds.archiver import plugins
from daap_operator.kinds.database.desired import amounts, defaults, locales, tuning
from daap_operator.kinds.database.desired.mark import marked_cluster
from daap_operator.kinds.database.desired.resolved import Manifest, Resolved

SMART_SHUTDOWN_SECONDS = 10
"""How long a stopping instance waits for its clients to leave by themselves. PgBouncer never does,
so with CloudNativePG's default every failover and every deletion takes three minutes."""

CNPG_CLUSTER_DOMAIN = "cluster.local"
"""What CloudNativePG takes for the cluster's DNS domain unless its KUBERNETES_CLUSTER_DOMAIN is
set. With another one there, too, it has the names below twice, which harms nobody."""

STOP_SECONDS = 180
"""How long an instance has to stop, SMART_SHUTDOWN_SECONDS included, before its pod is killed. The
rest is for the last checkpoint; cut short, it is made up for at the next start, and nothing is
lost. With CloudNativePG's default an instance that does not answer holds its namespace for half an
hour."""


def cluster(database: Resolved) -> Manifest:
    """The Cluster to apply."""
    return {
        "apiVersion": known.CLUSTER.api_version,
        "kind": known.CLUSTER.name,
        "metadata": _metadata(database),
        "spec": marked_cluster(_spec(database)),
    }


def _metadata(database: Resolved) -> Manifest:
    """With the revision of the defaults, for a status may be lost; and with the team, for a Cluster
    that outlives its owner: its data is not for any other."""
    made = database.metadata(database.cluster)
    annotations = made.get("annotations", {}) | defaults.marks(database.defaults)
    if database.spec.deletion_policy is DeletionPolicy.RETAIN:
        annotations |= names.retained_with(database.spec.owner_team, database.secret)
    return made | ({"annotations": annotations} if annotations else {})


def _spec(database: Resolved) -> Manifest:
    several = database.spec.instances > 1
    made: Manifest = {
        "instances": database.spec.instances,
        "imageName": database.image,
        "enableSuperuserAccess": False,
        # For a single instance a disruption budget forbids every node drain, and there is nobody to
        # switch over to.
        "enablePDB": several,
        "primaryUpdateMethod": "switchover" if several else "restart",
        "primaryUpdateStrategy": "unsupervised",
        "smartShutdownTimeout": SMART_SHUTDOWN_SECONDS,
        **_beginning(database),
        "certificates": {"serverAltDNSNames": _certified(database)},
        "inheritedMetadata": {"labels": {names.DATABASE_LABEL: database.name}},
        "postgresql": _postgresql(database),
        "storage": _storage(database),
    }
    if resources := _resources(database):
        made["resources"] = resources
    if database.defaults >= defaults.LIMITED:
        made["stopDelay"] = STOP_SECONDS
    if database.defaults >= defaults.PROMPT:
        made["probes"] = starting.probes()
    if database.archiver:
        made["plugins"] = plugins(database.archiver)
    return made


def _beginning(database: Resolved) -> Manifest:
    """What the Cluster begins with: nothing, or what is in an archive."""
    if database.source:
        return {
            "bootstrap": recovery.bootstrap(database.source),
            "externalClusters": recovery.external_clusters(database.source),
        }
    initdb = {
        "database": database.database,
        "owner": database.database,
        "encoding": "UTF8",
        "dataChecksums": True,
    }
    return {"bootstrap": {"initdb": initdb | locales.initdb(database.locale)}}


def _postgresql(database: Resolved) -> Manifest:
    made: Manifest = {"pg_hba": ["hostnossl all all all reject"]}
    if settings := tuning.of_database(database):
        made["parameters"] = settings.parameters()
    return made


def _certified(database: Resolved) -> list[str]:
    """Published names that CloudNativePG would not put into the certificate by itself.

    PgBouncer serves the Cluster's certificate. Of the Cluster's own Services CloudNativePG has all
    names, but with the domain that it is configured with, and nothing says which that is. Both are
    there from the start: going to two instances makes no new certificate.
    """
    added = names.service_dns_names(database.pooler, database.namespace, database.domain)
    if database.domain != CNPG_CLUSTER_DOMAIN:
        added += [database.service(role) for role in ("rw", "ro")]
    return added


def _storage(database: Resolved) -> Manifest:
    storage = database.spec.storage
    made: Manifest = {"size": database.volume_size or storage.size}
    if not database.resize_volumes:
        made["resizeInUseVolumes"] = False
    if storage.storage_class:
        made["storageClass"] = storage.storage_class
    return made


def _resources(database: Resolved) -> dict[str, Any]:
    if whole := amounts.of(database):
        return {"requests": whole.requests, "limits": whole.limits}
    if database.spec.resources is None:
        return {}
    dumped = database.spec.resources.model_dump(exclude_none=True)
    return {kind: amounts for kind, amounts in dumped.items() if amounts}
