"""What the platform team and the Barman Cloud plugin do for backups, done by a test."""

from datetime import UTC, datetime, timedelta

from daap_operator.kinds import known
from tests.support.api import Object
from tests.support.databases import Databases

STORE = "backups"
CLUSTER_LABEL = "cnpg.io/cluster"


async def tell_of_backup(
    databases: Databases, name: str, *, ended: timedelta = timedelta(0), store: str = STORE
) -> datetime:
    """The store tells of a backup of a database that ended so long ago; gives back when."""
    obj = await databases.get(name)
    assert obj is not None
    last = datetime.now(UTC).replace(microsecond=0) - ended  # noqa: TID251 - the plugin has its own clock
    window = {
        "firstRecoverabilityPoint": _text(last - timedelta(minutes=1)),
        "lastSuccessfulBackupTime": _text(last),
    }
    windows = {"serverRecoveryWindow": {obj["status"]["backup"]["archive"]: window}}
    place = known.BARMAN_STORE, databases.namespace, store
    await databases.api.patch(*place, {"status": windows}, "status")
    return last


def archiving(*, failing: str = "") -> Object:
    """A Cluster's condition on archiving; `failing`: CloudNativePG's words while it fails."""
    return {
        "type": "ContinuousArchiving",
        "status": "False" if failing else "True",
        "reason": "ContinuousArchivingFailing" if failing else "ContinuousArchivingSuccess",
        "message": failing or "Continuous archiving is working",
        "lastTransitionTime": "2026-03-01T12:00:00Z",
    }


def backup(namespace: str, cluster: str, name: str) -> Object:
    """A Backup of a Cluster."""
    labels = {CLUSTER_LABEL: cluster}
    return {
        "apiVersion": known.BACKUP.api_version,
        "kind": known.BACKUP.name,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "cluster": {"name": cluster},
            "method": "plugin",
            "pluginConfiguration": {"name": "barman-cloud.cloudnative-pg.io"},
        },
    }


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
