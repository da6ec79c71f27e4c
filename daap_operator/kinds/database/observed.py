"""What the children say, read from the objects as they are. Pure.

CloudNativePG's own summary is not enough: its phase stays "healthy" while a single instance is
down, while the cluster is fenced or hibernated, and until it notices a change; and a Pooler says
"active" before its pods exist. So serving is judged from the primary and the pooler's Deployment.
And while CloudNativePG is stopped its words on the primary are old: Kubernetes' own tell, too,
whether a pod takes connections.
"""

import json
from typing import Any

from daap_operator import raw
from daap_operator.api.reasons import CommonReason
from daap_operator.findings import Finding
from daap_operator.kinds.database.certificates import authority_differs, server_differs
from daap_operator.kinds.database.desired.secret import CredentialVersions
from daap_operator.kinds.database.phases import MAJOR_UPGRADE, ClusterPhase, Meaning, cluster_phase
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.remedies import (
    data_major,
    describe,
    look_at_pods,
    namespace_going,
    way_back,
)
from daap_operator.kinds.database.seen import Awaited, Children, Observed
from daap_operator.kinds.database.volumes import data_claims, real_size
from daap_operator.kube.words import said

Object = dict[str, Any]

_FENCED = "cnpg.io/fencedInstances"
_HIBERNATION = "cnpg.io/hibernation"


def observe(children: Children, *, instances: int, poolers: int, image: str) -> Observed:
    """What the children say, against the numbers and the image that were asked for."""
    cluster = children.cluster or {}
    seen = cluster_phase(raw.text(cluster, "status", "phase"))
    return Observed(
        awaited=_cluster_awaited(children, seen) or _pooler_awaited(children),
        action=_action(children, seen),
        unsettled=_unsettled(children, seen, instances, poolers, image),
        phase=seen,
        instances=_count(children.cluster, "instances"),
        ready_instances=_count(children.cluster, "readyInstances"),
        postgres_version=data_major(cluster),
        storage=real_size(data_claims(children.cluster, children.claims)),
        credentials=_credentials(cluster),
    )


def _count(cluster: Object | None, field: str) -> int | None:
    return None if cluster is None else max(raw.number(cluster, "status", field), 0)


def _credentials(cluster: Object) -> CredentialVersions | None:
    versions = raw.mapping(cluster, "status", "secretsResourceVersion")
    application = raw.text(versions, "applicationSecretVersion")
    server_ca = raw.text(versions, "serverCaSecretVersion")
    return CredentialVersions(application, server_ca) if application and server_ca else None


# --- the Cluster ----------------------------------------------------------------------------------


def _cluster_awaited(children: Children, seen: ClusterPhase) -> Awaited | None:
    cluster = children.cluster
    if cluster is None:
        return Awaited(
            DatabaseReason.CLUSTER_PENDING, "The Cluster does not exist yet", Meaning.STARTING
        )
    name = raw.text(cluster, "metadata", "name")
    if raw.value(cluster, "metadata", "deletionTimestamp"):
        return Awaited(
            DatabaseReason.CLUSTER_DELETED, f"Cluster {name} is being deleted", Meaning.INTERRUPTED
        )
    if hibernated(cluster):
        return Awaited(
            DatabaseReason.HIBERNATED,
            f"Cluster {name} is hibernated: to wake it, remove its annotation '{_HIBERNATION}'",
            Meaning.INTERRUPTED,
        )
    if _primary_fenced(cluster):
        return Awaited(
            DatabaseReason.FENCED,
            f"The primary of Cluster {name} is fenced: remove its annotation '{_FENCED}'",
            Meaning.INTERRUPTED,
        )
    if seen.meaning in (Meaning.STARTING, Meaning.INTERRUPTED, Meaning.UNKNOWN):
        return _from_phase(children, seen)
    healthy = _primary_healthy(cluster)
    if healthy and _reachable(children.endpoints):
        return None
    if seen.meaning is not Meaning.SETTLED:
        return _from_phase(children, seen)
    message = _unnoticed(cluster) if healthy else _not_ready(cluster)
    return Awaited(DatabaseReason.PRIMARY_DOWN, message, Meaning.INTERRUPTED)


def _action(children: Children, seen: ClusterPhase) -> Finding | None:
    """What a person has to do about the Cluster; nothing about one that is on its way out."""
    going = raw.value(children.cluster, "metadata", "deletionTimestamp")
    if seen.meaning is not Meaning.ACTION or going:
        return None
    return _from_phase(children, seen)


def _not_ready(cluster: Object) -> str:
    name = raw.text(cluster, "metadata", "name")
    return f"The primary of Cluster {name} is not ready{look_at_pods(cluster)}"


def _unnoticed(cluster: Object) -> str:
    name = raw.text(cluster, "metadata", "name")
    return (
        f"No instance of Cluster {name} takes connections, and CloudNativePG has not noticed yet. "
        "If this lasts, the platform team must make sure that CloudNativePG is running; "
        f"the Cluster's pods and volumes show more: {describe(cluster)}"
    )


def _from_phase(children: Children, seen: ClusterPhase) -> Awaited:
    """The phase in our words, then CloudNativePG's own."""
    cluster = children.cluster or {}
    name = raw.text(cluster, "metadata", "name")
    if going := namespace_going(cluster, children.pods):
        return Awaited(CommonReason.NAMESPACE_TERMINATING, going, Meaning.INTERRUPTED)
    words = (raw.text(cluster, "status", field) for field in ("phase", "phaseReason"))
    own = said(": ".join(filter(None, words)))
    told = f" (CloudNativePG says: {own})" if own else ""
    look = look_at_pods(cluster) if seen.waits_for_pods else ""
    back = way_back(cluster) if seen.reason == MAJOR_UPGRADE else ""
    return Awaited(seen.reason, f"Cluster {name}: {seen.text}{told}{look}{back}", seen.meaning)


def _primary_healthy(cluster: Object) -> bool:
    """Whether the primary serves: its pod is ready, and no other is or shall be the primary.

    While another one takes over, CloudNativePG's Service for writing leads nowhere: from when the
    target changes until the instances report the new primary as theirs.
    """
    primary = raw.text(cluster, "status", "currentPrimary")
    healthy = primary in raw.texts(cluster, "status", "instancesStatus", "healthy")
    target = raw.text(cluster, "status", "targetPrimary")
    reported = raw.mapping(cluster, "status", "instancesReportedState")
    others = [name for name in reported if name != primary]
    replaced = any(raw.truth(reported, name, "isPrimary") for name in others)
    return bool(primary) and primary == target and healthy and not replaced


def _reachable(endpoints: tuple[Object, ...]) -> bool:
    """Whether new connections lead to a pod; also when nothing reports that.

    A condition that is absent counts as ready.
    https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions
    """
    return not endpoints or any(
        raw.value(endpoint, "conditions", "ready") is not False
        for each in endpoints
        for endpoint in raw.items(each, "endpoints")
    )


def hibernated(cluster: Object) -> bool:
    """Whether a Cluster is to be without instances, or is."""
    asked = raw.text(cluster, "metadata", "annotations", _HIBERNATION) == "on"
    conditions = raw.items(cluster, "status", "conditions")
    done = any(
        raw.text(c, "type") == _HIBERNATION and raw.text(c, "status") == "True" for c in conditions
    )
    return asked or done


def _primary_fenced(cluster: Object) -> bool:
    try:
        fenced = json.loads(raw.text(cluster, "metadata", "annotations", _FENCED) or "[]")
    except (ValueError, RecursionError):
        return False
    names = fenced if isinstance(fenced, list) else []
    return "*" in names or raw.text(cluster, "status", "currentPrimary") in names


# --- the Pooler -----------------------------------------------------------------------------------


def _pooler_awaited(children: Children) -> Awaited | None:
    if children.pooler is None:
        return Awaited(
            DatabaseReason.POOLER_PENDING, "The Pooler does not exist yet", Meaning.STARTING
        )
    name = raw.text(children.pooler, "metadata", "name")
    if raw.value(children.pooler, "metadata", "deletionTimestamp"):
        return Awaited(
            DatabaseReason.POOLER_DELETED, f"Pooler {name} is being deleted", Meaning.INTERRUPTED
        )
    if raw.truth(children.pooler, "spec", "pgbouncer", "paused"):
        return Awaited(
            DatabaseReason.POOLER_PAUSED,
            f"Pooler {name} is paused: set its spec.pgbouncer.paused to false",
            Meaning.INTERRUPTED,
        )
    if raw.number(children.deployment, "status", "availableReplicas") < 1:
        if raw.value(children.deployment, "spec", "replicas") == 0:
            return _scaled_down(children.pooler)
        own = raw.text(children.pooler, "status", "phaseReason")
        told = f" (CloudNativePG says: {own})" if own else ""
        return Awaited(
            DatabaseReason.POOLER_STARTING,
            f"No pod of Pooler {name} is available yet{told}",
            Meaning.STARTING,
        )
    if authority_differs(children.cluster, children.pooler):
        return Awaited(
            DatabaseReason.CERTIFICATE_PENDING, _certificate(children.pooler), Meaning.INTERRUPTED
        )
    return None


def _certificate(pooler: Object) -> str:
    name = raw.text(pooler, "metadata", "name")
    return (
        f"Pooler {name} does not serve the new certificate yet, so clients that verify it cannot "
        "connect. If this lasts, the platform team must make sure that CloudNativePG is running"
    )


def _scaled_down(pooler: Object) -> Awaited:
    """CloudNativePG changes a Deployment with its Pooler only; ours to see, not to write."""
    name = raw.text(pooler, "metadata", "name")
    namespace = raw.text(pooler, "metadata", "namespace")
    return Awaited(
        DatabaseReason.POOLER_SCALED_DOWN,
        f"Deployment {name} is scaled to 0, and CloudNativePG leaves it that way. Run: "
        f"kubectl scale deployment {name} --namespace {namespace} --replicas=1",
        Meaning.INTERRUPTED,
    )


# --- is all that was asked for there? -------------------------------------------------------------


def _unsettled(
    children: Children, seen: ClusterPhase, instances: int, poolers: int, image: str
) -> str:
    cluster = children.cluster or {}
    ready = raw.number(cluster, "status", "readyInstances")
    there = raw.number(cluster, "status", "instances")
    if seen.meaning is not Meaning.SETTLED:
        return _from_phase(children, seen).message
    if raw.text(cluster, "status", "image") != image:
        return f"The instances do not all run {image} yet"
    if not there == ready == instances:
        return f"{ready} of {instances} instances are ready"
    if raw.items(cluster, "status", "resizingPVC"):
        return "The volumes are being resized"
    if server_differs(cluster, children.pooler):
        return "The pooler is picking up its new certificate"
    return _pooler_unsettled(children.deployment, poolers)


def _pooler_unsettled(deployment: Object | None, poolers: int) -> str:
    """A Deployment is rolled out when it has seen its spec and only new pods are left."""
    if raw.number(deployment, "status", "observedGeneration") < raw.number(
        deployment, "metadata", "generation"
    ):
        return "The pooler's change is being picked up"
    counts = {
        raw.number(deployment, "spec", "replicas"),
        *(
            raw.number(deployment, "status", field)
            for field in ("replicas", "updatedReplicas", "availableReplicas")
        ),
    }
    if counts == {poolers}:
        return ""
    available = raw.number(deployment, "status", "availableReplicas")
    return f"{available} of {poolers} pooler pods are available and up to date"
