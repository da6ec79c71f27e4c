"""The scratch Cluster of a drill, and what closes it off. Pure.

https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/#clusterspec
"""

from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import DaapDrillStatus, SourceStatus
from daap_operator.engine.child import Child, Manifest, Owner, Reasons, made_once
from daap_operator.engine.ownership import OWNED, owner_labels
from daap_operator.errors import Problem, Stalled
from daap_operator.kinds import known, recovery, starting
from daap_operator.kinds.drill.reasons import DrillReason
from daap_operator.kube import ApiError, Kind

_LIKE_THE_DATABASES = (
    "imageName",
    "resources",
    "smartShutdownTimeout",
    "stopDelay",
)
"""What the scratch Cluster has of the database's own, with PostgreSQL's settings: that refuses to
replay the log with lower limits than it was written with."""

_QUIET = {"max_logical_replication_workers": "0"}
"""A subscription in the copy would take the changes that the one in the database waits for."""

CNPG_OPERATOR = {"app.kubernetes.io/name": "cloudnative-pg"}
"""Labels of CloudNativePG's own pods, by its manifests and its chart."""

STATUS_PORT = 8000
"""Where CloudNativePG asks an instance how it is."""

DNS_PORT = 53

_REASONS = Reasons(
    pending=DrillReason.PENDING,
    deleted=DrillReason.PENDING,
    leftover=DrillReason.PENDING,
    conflict=DrillReason.OBJECT_CONFLICT,
    rejected=DrillReason.REJECTED,
)


def child(
    kind: Kind, owner: Owner, name: str, spec: Manifest | None = None, **metadata: Any
) -> Child:
    """What a drill makes; without a spec it is only to be found or deleted.

    Made once and never repaired: a drill that somebody meddles with is not worth more for it.
    """
    made = None if spec is None else _manifest(kind, owner, name, spec, metadata)
    return Child(
        kind,
        owner.namespace,
        name,
        _REASONS,
        made,
        immutable=kind is known.JOB,
        compared=made_once,
        refused=_refusal,
    )


def labels(cluster: str) -> dict[str, str]:
    """On all that a drill makes, the pods too."""
    return {names.DRILL_LABEL: cluster}


def _manifest(
    kind: Kind, owner: Owner, name: str, spec: Manifest, metadata: Mapping[str, Any]
) -> Manifest:
    common = {"app.kubernetes.io/name": "daapdrill", "app.kubernetes.io/part-of": "daap"}
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {
            "namespace": owner.namespace,
            "name": name,
            "labels": common | labels(name) | owner_labels(owner.kind, owner.uid),
            "ownerReferences": [owner.reference],
            **metadata,
        },
        "spec": spec,
    }


def _refusal(error: ApiError, manifest: Manifest) -> Problem | ApiError:
    if error.absent:
        return Stalled(
            DrillReason.CLOUDNATIVEPG_MISSING,
            f"The API server does not know the kind {manifest['kind']}: "
            "the platform team must install CloudNativePG",
        )
    return error


# --- the Cluster ----------------------------------------------------------------------------------


def scratch_spec(cluster: raw.Object, status: DaapDrillStatus, database: str) -> Manifest | None:
    """The spec of the scratch Cluster, from what was applied of the database's own.

    None while that is not known. One instance, which archives nothing; the superuser has a
    password, for pg_amcheck needs one.
    """
    applied = raw.mapping(cluster, OWNED, "spec")
    storage, settings = raw.mapping(applied, "storage"), raw.mapping(applied, "postgresql")
    if not (raw.text(applied, "imageName") and storage and status.archive and status.store):
        return None
    source = SourceStatus(
        archive=status.archive,
        store=status.store,
        at=status.at,
        backup_id=status.backup_id,
        database_name=database,
    )
    return {
        **raw.picked(applied, _LIKE_THE_DATABASES),
        "postgresql": {**settings, "parameters": {**raw.mapping(settings, "parameters"), **_QUIET}},
        "instances": 1,
        "enableSuperuserAccess": True,
        "enablePDB": False,
        "probes": starting.probes(),
        "bootstrap": recovery.bootstrap(source),
        "externalClusters": recovery.external_clusters(source),
        "inheritedMetadata": {"labels": labels(status.cluster_name or "")},
        "storage": raw.picked(storage, ("size", "storageClass")),
    }


# --- the network ----------------------------------------------------------------------------------


def policy_spec(cluster: str, ports: tuple[int, ...]) -> Manifest:
    """The spec of the NetworkPolicy of the scratch Cluster's pods, those that restore it too.

    In: the checking pod to PostgreSQL, CloudNativePG to the instance's status. Out: DNS, and the
    ports of the API server and the object store, whose addresses no policy can name.
    """
    checks = {"podSelector": {"matchLabels": labels(cluster)}}
    cnpg = {"namespaceSelector": {}, "podSelector": {"matchLabels": CNPG_OPERATOR}}
    dns = [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]
    return {
        # Our own label is on the pod that checks, too, which has to reach the database
        "podSelector": {"matchLabels": {names.CNPG_CLUSTER_LABEL: cluster}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [checks], "ports": [_tcp(names.POSTGRES_PORT)]},
            {"from": [cnpg], "ports": [_tcp(STATUS_PORT)]},
        ],
        "egress": [{"ports": [*dns, *map(_tcp, ports)]}],
    }


def _tcp(port: int) -> Manifest:
    return {"protocol": "TCP", "port": port}
