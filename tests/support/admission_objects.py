"""What the chart's admission policies are asked about besides DaapDatabases and their children."""

from collections.abc import Awaitable, Callable

from daap_operator import names
from daap_operator.kinds.database import ownership
from tests.support.api import Api, Object, path
from tests.support.databases import Databases

CLAIMS_OF = ("daap-{}-1", "daap-{}-2", "daap-{}-2-wal", "daap-{}-10-tbs-fast")
SECRETS_OF = (
    "daap-{}-app",
    "daap-{}-ca",
    "daap-{}-server",
    "daap-{}-replication",
    "daap-{}-pooler",
    "daap-{}-connection",
)
"""What carries a database's data and its passwords: CloudNativePG's, and last our own."""

WATCHED_LABEL = {
    "deployments": names.CNPG_POOLER_LABEL,
    "services": names.DATABASE_LABEL,
    "endpointslices": names.DATABASE_LABEL,
}
LABELLED: dict[str, Object] = {
    "deployments": {
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "replicas": 0,
            "template": {
                "metadata": {"labels": {"app": "x"}},
                "spec": {"containers": [{"name": "x", "image": "x"}]},
            },
        }
    },
    "services": {"spec": {"ports": [{"port": 80}]}},
    "endpointslices": {"addressType": "IPv4", "endpoints": []},
}
"""The rest of an object of each kind that the operator finds by a label."""

Attempt = Callable[[], Awaitable[object]]


def claim(databases: Databases, database: str, name: str) -> Object:
    """A claim for an instance of a database."""
    return {
        "metadata": {
            "name": name.format(database),
            "namespace": databases.namespace,
            "labels": {"cnpg.io/cluster": f"daap-{database}"},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def secret(parent: Object, database: str, name: str) -> Object:
    """A Secret of a database: our own is told by its name here, and has our marks."""
    metadata: Object = {"name": name, "namespace": parent["metadata"]["namespace"]}
    if not name.endswith("-connection"):
        return {"metadata": metadata | {"labels": {"cnpg.io/cluster": f"daap-{database}"}}}
    labels = ownership.labels(database, parent["metadata"]["uid"])
    return {"metadata": metadata | {"labels": labels}, "type": names.SECRET_TYPE}


def labelled(api: Api, plural: str, *, label: str = "", value: str = "probe") -> Attempt:
    """Create, dry, an object with the label that the operator looks for, in `probe`."""
    wanted = label or WATCHED_LABEL[plural]
    metadata = {"name": "probe", "namespace": "probe", "labels": {wanted: value}}
    obj = {"metadata": metadata, **LABELLED[plural]}
    return lambda: api.call("POST", path(plural, "probe") + "?dryRun=All", obj)
