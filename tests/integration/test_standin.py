"""The stand-in for CloudNativePG, where what it does depends on the order of what it is told."""

from daap_operator.kinds import known
from tests.standin.cnpg import StandIn
from tests.support.api import Api, Object
from tests.support.databases import Databases
from tests.support.eventually import eventually

PLUGIN: Object = {
    "name": "barman-cloud.cloudnative-pg.io",
    "isWALArchiver": True,
    "parameters": {"barmanObjectName": "backups", "serverName": "orders-0a1b2c3d"},
}


def scheduled(namespace: str, cluster: str) -> Object:
    """A ScheduledBackup of a Cluster."""
    return {
        "apiVersion": known.SCHEDULED_BACKUP.api_version,
        "kind": known.SCHEDULED_BACKUP.name,
        "metadata": {"namespace": namespace, "name": cluster},
        "spec": {
            "schedule": "0 0 0 * * *",
            "cluster": {"name": cluster},
            "method": "plugin",
            "pluginConfiguration": {"name": PLUGIN["name"]},
        },
    }


async def test_a_first_backup_is_made_once_its_cluster_can(
    api: Api, namespace: str, databases: Databases, standin: StandIn
) -> None:
    """The ScheduledBackup is seen first, and nothing happens to it any more."""
    await databases.object_store()
    await api.create(known.SCHEDULED_BACKUP, scheduled(namespace, "orders"))
    metadata = {"namespace": namespace, "name": "orders"}
    body = {"apiVersion": known.CLUSTER.api_version, "kind": known.CLUSTER.name}
    spec = {"instances": 1, "storage": {"size": "1Gi"}}
    await api.create(known.CLUSTER, body | {"metadata": metadata, "spec": spec})
    await eventually(
        lambda: api.get(known.CLUSTER, namespace, "orders"),
        lambda obj: obj and (obj.get("status") or {}).get("currentPrimary"),
    )
    assert await api.list(known.BACKUP, namespace) == []

    await api.patch(known.CLUSTER, namespace, "orders", {"spec": {"plugins": [PLUGIN]}})
    await eventually(
        lambda: api.get(known.SCHEDULED_BACKUP, namespace, "orders"),
        lambda obj: obj and (obj.get("status") or {}).get("lastScheduleTime"),
    )
    store = await api.get(known.BARMAN_STORE, namespace, "backups")
    assert store
    assert store["status"]["serverRecoveryWindow"]["orders-0a1b2c3d"]
    assert len(await api.list(known.BACKUP, namespace)) == 1
