"""Objects as the API server gives them, to be changed where a test needs it."""

import json
from datetime import UTC, datetime
from typing import Any

from daap_operator import names
from daap_operator.api.v1alpha1 import DaapDatabase
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.cluster import cluster as cluster_manifest
from daap_operator.kinds.database.desired.pooler import pooler as pooler_manifest
from daap_operator.kinds.database.desired.resolved import Platform, Resolved, resolve
from daap_operator.kinds.database.desired.scheduled_backup import (
    scheduled_backup as scheduled_backup_manifest,
)

Object = dict[str, Any]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UID = "5e1ec7ab-1e00-4000-8000-000000000001"
IMAGE = "registry.example/postgresql:17-standard-trixie"
PLATFORM = Platform(
    default_postgres_version=17,
    postgres_versions=(15, 16, 17, 18),
    postgres_image="registry.example/postgresql:{major}-standard-trixie",
    cluster_domain="cluster.local",
)


def database(spec: Object | None = None, status: Object | None = None, **metadata: Any) -> Object:
    """A DaapDatabase of the name `orders`."""
    return {
        "apiVersion": known.DATABASE.api_version,
        "kind": known.DATABASE.name,
        "metadata": {
            "name": "orders",
            "namespace": "shop",
            "uid": UID,
            "resourceVersion": "1",
            "generation": 1,
            "creationTimestamp": "2026-03-01T11:00:00Z",
        }
        | metadata,
        "spec": {"ownerTeam": "checkout"} | (spec or {}),
        "status": {"observedGeneration": -1} if status is None else status,
    }


def model(
    spec: Object | None = None, status: Object | None = None, **metadata: Any
) -> DaapDatabase:
    """The same, read."""
    return DaapDatabase.model_validate(database(spec, status, **metadata))


def resolved(spec: Object | None = None, status: Object | None = None, **metadata: Any) -> Resolved:
    """The same, with every choice made."""
    return resolve(model(spec, status, **metadata), PLATFORM)


def cluster(status: Object | None = None, **metadata: Any) -> Object:
    """A healthy Cluster with one instance."""
    made = cluster_manifest(resolved())
    healthy: Object = {
        "phase": "Cluster in healthy state",
        "instances": 1,
        "readyInstances": 1,
        "currentPrimary": "daap-orders-1",
        "targetPrimary": "daap-orders-1",
        "instancesStatus": {"healthy": ["daap-orders-1"]},
        "image": IMAGE,
        "pgDataImageInfo": {"majorVersion": 17},
        "secretsResourceVersion": {
            "applicationSecretVersion": "11",
            "serverCaSecretVersion": "12",
        },
    }
    return _live(made, metadata) | {"status": healthy | (status or {})}


def pooler(status: Object | None = None, paused: bool = False, **metadata: Any) -> Object:
    """An active Pooler."""
    made = _live(pooler_manifest(resolved()), metadata)
    made["spec"]["pgbouncer"]["paused"] = paused
    return made | {"status": {"phase": "active"} | (status or {})}


def scheduled_backup(**metadata: Any) -> Object:
    """The ScheduledBackup of a database with backups."""
    made = resolved({"backup": {"store": "backups"}})
    assert made.backups
    return _live(scheduled_backup_manifest(made, made.backups, suspended=False), metadata)


def deployment(status: Object | None = None, **metadata: Any) -> Object:
    """The Deployment of a Pooler, its one pod available."""
    counts = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    labels = {"labels": {names.CNPG_POOLER_LABEL: "daap-orders-pooler"}}
    made = {"metadata": {"name": "daap-orders-pooler", "namespace": "shop"} | labels}
    template = {"spec": pooler_manifest(resolved())["spec"]["template"]["spec"]}
    spec = {"spec": {"replicas": 1, "template": template}}
    return _live(made | spec, metadata) | {"status": counts | (status or {})}


def endpoints(*ready: bool | None, service: str = "daap-orders-rw", **metadata: Any) -> Object:
    """An EndpointSlice of the primary's Service, with an endpoint for each given condition."""
    labels = {names.DATABASE_LABEL: "orders", names.SERVICE_LABEL: service}
    made: Object = {"metadata": {"name": f"{service}-abcde", "namespace": "shop", "labels": labels}}
    conditions = [{"conditions": {} if each is None else {"ready": each}} for each in ready]
    return _live(made, metadata) | {"endpoints": conditions}


def account(mark: str | None = None, **metadata: Any) -> Object:
    """The Cluster's ServiceAccount, with the mark of its spec or another."""
    template = cluster_manifest(resolved())["spec"]["serviceAccountTemplate"]["metadata"]
    found = template["annotations"] if mark is None else {names.SPEC_MARK: mark}
    labels = {names.CNPG_CLUSTER_LABEL: "daap-orders", names.DATABASE_LABEL: "orders"}
    made = {"name": "daap-orders", "namespace": "shop", "labels": labels, "annotations": found}
    return _live({"metadata": made}, metadata)


def pooler_endpoints(mark: str | None = None, **metadata: Any) -> Object:
    """An EndpointSlice of the Pooler's Service, with the mark of its spec or another."""
    template = pooler_manifest(resolved())["spec"]["serviceTemplate"]["metadata"]
    labels = template["labels"] | {names.SERVICE_LABEL: "daap-orders-pooler"}
    if mark is not None:
        labels |= {names.SPEC_MARK: mark}
    made = {"name": "daap-orders-pooler-vwxyz", "namespace": "shop", "labels": labels}
    return _live({"metadata": made}, metadata) | {"endpoints": [{"conditions": {"ready": True}}]}


def pod(
    status: Object | None = None,
    *,
    role: str = "instance",
    resources: Object | None = None,
    image: str = IMAGE,
    grace: int | None = None,
    startup: Object | None = None,
    **metadata: Any,
) -> Object:
    """A pod of the Cluster: its one instance, ready."""
    labels = {names.CNPG_CLUSTER_LABEL: "daap-orders", names.CNPG_POD_ROLE_LABEL: role}
    wanted = cluster_manifest(resolved())["spec"]
    container: Object = {"name": "postgres", "image": image}
    container["resources"] = wanted.get("resources", {}) if resources is None else resources
    probed = wanted.get("probes", {}).get("startup", {"periodSeconds": 10})
    container["startupProbe"] = startup or probed
    asked: Object = {"containers": [container]}
    asked["terminationGracePeriodSeconds"] = grace or wanted.get("stopDelay", 1800)
    made = {"name": "daap-orders-1", "namespace": "shop", "labels": labels}
    made["annotations"] = {"cnpg.io/podSpec": json.dumps(asked)}
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return _live({"metadata": made}, metadata) | {"spec": asked, "status": ready | (status or {})}


def claim(
    requested: str = "10Gi",
    capacity: str = "10Gi",
    *conditions: tuple[str, str],
    number: int = 1,
    storage_class: str = "standard",
    state: str = "",
    **metadata: Any,
) -> Object:
    """The PersistentVolumeClaim of an instance; its conditions as (type, message)."""
    made: Object = {
        "metadata": {
            "name": f"daap-orders-{number}",
            "namespace": "shop",
            "labels": {
                names.CNPG_CLUSTER_LABEL: "daap-orders",
                names.CNPG_PVC_ROLE_LABEL: "PG_DATA",
            },
            "ownerReferences": [{"kind": "Cluster", "uid": "child"}],
        },
        "spec": {
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": requested}},
        },
    }
    told = [{"type": kind, "status": "True", "message": text} for kind, text in conditions]
    status: Object = {"conditions": told}
    if capacity:
        status["capacity"] = {"storage": capacity}
    if state:
        status["allocatedResourceStatuses"] = {"storage": state}
    return _live(made, metadata) | {"status": status}


def _live(manifest: Object, metadata: Object) -> Object:
    born = {"uid": "child", "resourceVersion": "1", "generation": 1}
    return manifest | {"metadata": manifest["metadata"] | born | metadata}


def condition(kind: str, status: str, reason: str = "Because", **changed: Any) -> Object:
    """A condition as it stands on the wire."""
    return {
        "type": kind,
        "status": status,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-03-01T11:30:00Z",
        "reason": reason,
        "message": "",
    } | changed
