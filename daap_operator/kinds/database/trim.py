"""What the store keeps of an object: the fields the operator owns or reads. Pure.

A CloudNativePG Cluster is 10 KB and more of JSON; of it remain the part we applied and a handful of
status fields. Whatever is not kept cannot wake anybody when it changes.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from daap_operator import names, raw
from daap_operator.engine import ownership
from daap_operator.engine.ownership import owned_part
from daap_operator.kinds.database.desired.tuning import NAMES
from daap_operator.kinds.database.volumes import CONDITIONS

Object = dict[str, Any]

OWNED = ownership.OWNED
"""Key under which a trimmed child holds what our field manager applied."""
BY_HAND = "byHand"
"""Key under which a trimmed Cluster holds the names of PostgreSQL's settings that are others'."""

_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "finalizers",
    "ownerReferences",
)
_CLAIM_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "deletionTimestamp",
    "ownerReferences",
)
_MESSAGE = 300
"""Characters kept of what a claim says: storage drivers can be wordy."""
LONG = timedelta(minutes=10)
"""After so long the kubelet, too, forgets how often a container has ended before."""
_LABELS = (names.DATABASE_LABEL, names.UID_LABEL, names.MANAGED_BY_LABEL)
_ANNOTATIONS = (
    "cnpg.io/fencedInstances",
    "cnpg.io/hibernation",
    names.RETAINED_FROM,
    names.RETAINED_SECRET,
    names.DEFAULTS_REVISION,
    names.CERTIFICATES,
)

_CLUSTER_STATUS = (
    "phase",
    "phaseReason",
    "instances",
    "readyInstances",
    "currentPrimary",
    "targetPrimary",
    "image",
    "resizingPVC",
)


def database(obj: Mapping[str, Any]) -> Object:
    """A DaapDatabase: without others' annotations, labels and field managers."""
    metadata = raw.mapping(obj, "metadata")
    kept = _picked(metadata, _METADATA)
    if asked := raw.text(metadata, "annotations", names.DEFAULTS_REVISION):
        kept["annotations"] = {names.DEFAULTS_REVISION: asked}
    return {
        "metadata": kept,
        "spec": dict(raw.mapping(obj, "spec")),
        "status": dict(raw.mapping(obj, "status")),
    }


def cluster(obj: Mapping[str, Any]) -> Object:
    """A CloudNativePG Cluster."""
    status = raw.mapping(obj, "status")
    kept = _picked(status, _CLUSTER_STATUS)
    kept["instanceNames"] = raw.items(status, "instanceNames")
    kept["instancesStatus"] = {"healthy": raw.items(status, "instancesStatus", "healthy")}
    reported = raw.mapping(status, "instancesReportedState")
    kept["instancesReportedState"] = {
        name: {"isPrimary": True} for name in reported if raw.truth(reported, name, "isPrimary")
    }
    kept["secretsResourceVersion"] = _picked(
        raw.mapping(status, "secretsResourceVersion"),
        (
            "applicationSecretVersion",
            "clientCaSecretVersion",
            "serverCaSecretVersion",
            "serverSecretVersion",
        ),
    )
    kept["pgDataImageInfo"] = _picked(raw.mapping(status, "pgDataImageInfo"), ("majorVersion",))
    kept["conditions"] = [
        _picked(condition, ("type", "status"))
        for condition in raw.items(status, "conditions")
        if raw.text(condition, "type") == "cnpg.io/hibernation"
    ]
    owned = owned_part(obj)
    spec = _picked(raw.mapping(obj, "spec"), ("stopDelay", "resources"))
    size = _picked(raw.mapping(obj, "spec", "storage"), ("size",))
    return {
        "metadata": _child_metadata(obj),
        "spec": spec | {"storage": size},
        "status": kept,
        OWNED: owned,
        BY_HAND: _by_hand(obj, owned),
    }


def _by_hand(obj: Mapping[str, Any], owned: Object) -> list[str]:
    """The settings that somebody else gave PostgreSQL in our place."""
    there, ours = (raw.mapping(part, "spec", "postgresql", "parameters") for part in (obj, owned))
    return [name for name in NAMES if name in there and name not in ours]


def pooler(obj: Mapping[str, Any]) -> Object:
    """A CloudNativePG Pooler."""
    status = raw.mapping(obj, "status")
    kept = _picked(status, ("phase", "phaseReason"))
    kept["secrets"] = {
        name: _picked(raw.mapping(status, "secrets", name), ("name", "version"))
        for name in ("serverCA", "clientTLS")
    }
    login = raw.mapping(status, "secrets", "pgBouncerSecrets", "authQuery")
    kept["secrets"]["pgBouncerSecrets"] = {"authQuery": _picked(login, ("name", "version"))}
    return {
        "metadata": _child_metadata(obj),
        "spec": {
            "pgbouncer": _picked(raw.mapping(obj, "spec", "pgbouncer"), ("paused",)),
            "resources": _resources(raw.mapping(obj, "spec", "template", "spec"), "pgbouncer"),
        },
        "status": kept,
        OWNED: owned_part(obj),
    }


def deployment(obj: Mapping[str, Any]) -> Object:
    """The Deployment of a Pooler."""
    counts = ("observedGeneration", "replicas", "updatedReplicas", "availableReplicas")
    status = raw.mapping(obj, "status")
    failures = [
        _picked(condition, ("type", "status", "reason", "message"))
        for condition in raw.items(status, "conditions")
        if raw.text(condition, "type") == "ReplicaFailure"
    ]
    asked = _resources(raw.mapping(obj, "spec", "template", "spec"), "pgbouncer")
    return {
        "metadata": _picked(raw.mapping(obj, "metadata"), _METADATA),
        "spec": _picked(raw.mapping(obj, "spec"), ("replicas",)) | {"resources": asked},
        "status": _picked(status, counts) | {"conditions": failures},
    }


def endpoints(obj: Mapping[str, Any]) -> Object:
    """An EndpointSlice of one of CloudNativePG's Services: which pods take connections."""
    metadata = raw.mapping(obj, "metadata")
    kept = _picked(metadata, _METADATA)
    kept["labels"] = _picked(
        raw.mapping(metadata, "labels"),
        (names.DATABASE_LABEL, names.SERVICE_LABEL, names.SPEC_MARK),
    )
    conditions = [raw.mapping(endpoint, "conditions") for endpoint in raw.items(obj, "endpoints")]
    return {
        "metadata": kept,
        "endpoints": [{"conditions": _picked(each, ("ready",))} for each in conditions],
    }


def claim(obj: Mapping[str, Any]) -> Object:
    """A PersistentVolumeClaim of a Cluster: what it has, what it asks for, what keeps it so."""
    metadata, status = raw.mapping(obj, "metadata"), raw.mapping(obj, "status")
    kept = _picked(metadata, _CLAIM_METADATA)
    kept["labels"] = _picked(
        raw.mapping(metadata, "labels"), (names.CNPG_CLUSTER_LABEL, names.CNPG_PVC_ROLE_LABEL)
    )
    spec = _picked(raw.mapping(obj, "spec"), ("storageClassName",))
    requests = _picked(raw.mapping(obj, "spec", "resources", "requests"), ("storage",))
    states = _picked(raw.mapping(status, "allocatedResourceStatuses"), ("storage",))
    conditions = [
        _picked(each, ("type", "status")) | {"message": raw.text(each, "message")[:_MESSAGE]}
        for each in raw.items(status, "conditions")
        if raw.text(each, "type") in CONDITIONS
    ]
    return {
        "metadata": kept,
        "spec": spec | {"resources": {"requests": requests}},
        "status": {
            "capacity": _picked(raw.mapping(status, "capacity"), ("storage",)),
            "allocatedResourceStatuses": states,
            "conditions": conditions,
        },
    }


def account(obj: Mapping[str, Any]) -> Object:
    """The ServiceAccount of a Cluster: which spec CloudNativePG has worked with."""
    metadata = raw.mapping(obj, "metadata")
    kept = _picked(metadata, _METADATA)
    kept["annotations"] = _picked(raw.mapping(metadata, "annotations"), (names.SPEC_MARK,))
    return {"metadata": kept}


def pod(obj: Mapping[str, Any]) -> Object:
    """A pod of a Cluster or a Pooler: what it was made from, and what keeps it from being ready."""
    metadata, status = raw.mapping(obj, "metadata"), raw.mapping(obj, "status")
    kept = _picked(metadata, (*_METADATA, "deletionGracePeriodSeconds"))
    kept["labels"] = _picked(
        raw.mapping(metadata, "labels"), (names.CNPG_CLUSTER_LABEL, names.CNPG_POD_ROLE_LABEL)
    )
    containers = [
        *raw.items(status, "initContainerStatuses"),
        *raw.items(status, "containerStatuses"),
    ]
    return {
        "metadata": kept,
        "asked": _asked_of_pod(obj),
        "status": {
            "phase": raw.text(status, "phase"),
            "conditions": _pod_conditions(status),
            "containers": [held for each in containers if (held := _held_container(each))],
        },
    }


def _asked_of_pod(obj: Mapping[str, Any]) -> Object:
    """What CloudNativePG made the pod from: others may have added to it since (a LimitRange, say).

    It keeps that in an annotation, and replaces the pod when it is not what the Cluster says.
    """
    try:
        asked = json.loads(raw.text(obj, "metadata", "annotations", "cnpg.io/podSpec"))
    except (ValueError, RecursionError):
        asked = None
    spec = asked if isinstance(asked, dict) else raw.mapping(obj, "spec")
    images = [
        raw.text(each, "image")
        for each in raw.items(spec, "containers")
        if raw.text(each, "name") == "postgres"
    ]
    return {
        "image": images[0] if images else "",
        "resources": _resources(spec, "postgres"),
        "grace": raw.number(spec, "terminationGracePeriodSeconds"),
    }


def _resources(spec: Mapping[str, Any], container: str) -> Object:
    """Requests and limits of a pod's container."""
    for each in raw.items(spec, "containers"):
        if raw.text(each, "name") == container:
            return _picked(raw.mapping(each, "resources"), ("requests", "limits"))
    return {}


def _pod_conditions(status: Mapping[str, Any]) -> list[Object]:
    """Whether the pod is ready, and why it is not scheduled while it is not."""
    return [
        _picked(condition, ("type", "status"))
        if raw.text(condition, "type") == "Ready"
        else _picked(condition, ("type", "status", "reason", "message"))
        for condition in raw.items(status, "conditions")
        if raw.text(condition, "type") == "Ready"
        or (
            raw.text(condition, "type") == "PodScheduled"
            and raw.text(condition, "status") != "True"
        )
    ]


def _held_container(status: Mapping[str, Any]) -> Object | None:
    """Why a container does not run; None for one that does.

    Without the words that it left behind when it ended: they may come from its log. And without
    the exact count of its restarts, which would wake a pass each time.
    """
    waiting = raw.mapping(status, "state", "waiting")
    last = raw.mapping(status, "lastState", "terminated")
    again = raw.number(status, "restartCount") > 1 and not raw.truth(status, "ready")
    again = again and not _ran_well(last)
    if not waiting and not again:
        return None
    return _picked(status, ("name", "image")) | {
        "waiting": _picked(waiting, ("reason", "message")),
        "again": again,
        "last": _picked(last, ("reason", "exitCode")),
    }


def _ran_well(last: Mapping[str, Any]) -> bool:
    """Whether a container had been up for long when it ended, as with its node."""
    started, ended = (raw.moment(last, field) for field in ("startedAt", "finishedAt"))
    long = started is not None and ended is not None and ended - started >= LONG
    return long and raw.text(last, "reason") != "OOMKilled"


def _child_metadata(obj: Mapping[str, Any]) -> Object:
    metadata = raw.mapping(obj, "metadata")
    kept = _picked(metadata, _METADATA)
    kept["labels"] = _picked(raw.mapping(metadata, "labels"), _LABELS)
    kept["annotations"] = _picked(raw.mapping(metadata, "annotations"), _ANNOTATIONS)
    return kept


def _picked(obj: Mapping[str, Any], fields: tuple[str, ...]) -> Object:
    return {field: obj[field] for field in fields if field in obj}
