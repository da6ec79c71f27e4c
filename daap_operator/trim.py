"""What the cache keeps of an object: the fields the operator owns or reads. Pure.

A CloudNativePG Cluster is 10 KB and more of JSON; of it remain the part we applied and a handful of
status fields. Whatever is not kept cannot wake anybody when it changes.
"""

from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.desired.tuning import NAMES
from daap_operator.ownership import owned_part

Object = dict[str, Any]

OWNED = "owned"
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
_LABELS = (names.DATABASE_LABEL, names.UID_LABEL, names.MANAGED_BY_LABEL)
_ANNOTATIONS = (
    "cnpg.io/fencedInstances",
    "cnpg.io/hibernation",
    names.RETAINED_FROM,
    names.RETAINED_SECRET,
    names.DEFAULTS_REVISION,
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
    kept["instancesStatus"] = {"healthy": raw.items(status, "instancesStatus", "healthy")}
    reported = raw.mapping(status, "instancesReportedState")
    kept["instancesReportedState"] = {
        name: {"isPrimary": True} for name in reported if raw.truth(reported, name, "isPrimary")
    }
    kept["secretsResourceVersion"] = _picked(
        raw.mapping(status, "secretsResourceVersion"),
        ("applicationSecretVersion", "serverCaSecretVersion"),
    )
    kept["pgDataImageInfo"] = _picked(raw.mapping(status, "pgDataImageInfo"), ("majorVersion",))
    kept["conditions"] = [
        _picked(condition, ("type", "status"))
        for condition in raw.items(status, "conditions")
        if raw.text(condition, "type") == "cnpg.io/hibernation"
    ]
    owned = owned_part(obj)
    return {
        "metadata": _child_metadata(obj),
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
    return {
        "metadata": _child_metadata(obj),
        "spec": {"pgbouncer": _picked(raw.mapping(obj, "spec", "pgbouncer"), ("paused",))},
        "status": _picked(raw.mapping(obj, "status"), ("phase", "phaseReason")),
        OWNED: owned_part(obj),
    }


def deployment(obj: Mapping[str, Any]) -> Object:
    """The Deployment of a Pooler."""
    counts = ("observedGeneration", "replicas", "updatedReplicas", "availableReplicas")
    return {
        "metadata": _picked(raw.mapping(obj, "metadata"), _METADATA),
        "spec": _picked(raw.mapping(obj, "spec"), ("replicas",)),
        "status": _picked(raw.mapping(obj, "status"), counts),
    }


def endpoints(obj: Mapping[str, Any]) -> Object:
    """An EndpointSlice of one of CloudNativePG's Services: which pods take connections."""
    metadata = raw.mapping(obj, "metadata")
    kept = _picked(metadata, _METADATA)
    kept["labels"] = _picked(
        raw.mapping(metadata, "labels"), (names.DATABASE_LABEL, names.SERVICE_LABEL)
    )
    conditions = [raw.mapping(endpoint, "conditions") for endpoint in raw.items(obj, "endpoints")]
    return {
        "metadata": kept,
        "endpoints": [{"conditions": _picked(each, ("ready",))} for each in conditions],
    }


def _child_metadata(obj: Mapping[str, Any]) -> Object:
    metadata = raw.mapping(obj, "metadata")
    kept = _picked(metadata, _METADATA)
    kept["labels"] = _picked(raw.mapping(metadata, "labels"), _LABELS)
    kept["annotations"] = _picked(raw.mapping(metadata, "annotations"), _ANNOTATIONS)
    return kept


def _picked(obj: Mapping[str, Any], fields: tuple[str, ...]) -> Object:
    return {field: obj[field] for field in fields if field in obj}
