"""What the store keeps of an object: the fields the operator owns or reads. Pure.

A CloudNativePG Cluster is 10 KB and more of JSON; of it remain the part we applied and a handful of
status fields. Whatever is not kept cannot wake anybody when it changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.engine.kinds import IDENTITY, SUBJECT_METADATA
from daap_operator.engine.ownership import OWNED, owned_part
from daap_operator.kinds import known
from daap_operator.kinds.archiver import archiver_of, plugins
from daap_operator.kinds.database.desired.tuning import NAMES
from daap_operator.kinds.database.volumes import CONDITIONS
from daap_operator.lines import all_quoted, line, quoted
from daap_operator.raw import picked

Object = dict[str, Any]

BY_HAND = "byHand"
"""Key under which a trimmed Cluster holds the names of PostgreSQL's settings that are others'."""

METADATA = (*SUBJECT_METADATA, "ownerReferences")
_CLAIM_METADATA = (*IDENTITY, "deletionTimestamp", "ownerReferences")
_LABELS = (names.DATABASE_LABEL, known.DATABASE.uid_label, names.MANAGED_BY_LABEL)
_ANNOTATIONS = (
    "cnpg.io/fencedInstances",
    "cnpg.io/hibernation",
    names.RETAINED_FROM,
    names.RETAINED_SECRET,
    names.DEFAULTS_REVISION,
    names.CERTIFICATES,
)

_MOST_AMOUNTS = 16
"""Resources whose amounts are kept; a container has cpu, memory and seldom a third."""

_TEXTS = ("ownerTeam", "purpose")
"""The fields of a spec with text for people."""

ARCHIVING = "ContinuousArchiving"
"""The type of a Cluster's condition that says whether changes reach the archive."""

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
    kept = picked(metadata, METADATA)
    if asked := raw.text(metadata, "annotations", names.DEFAULTS_REVISION):
        kept["annotations"] = {names.DEFAULTS_REVISION: asked}
    return {
        "metadata": kept,
        "spec": _legible(raw.mapping(obj, "spec")),
        "status": dict(raw.mapping(obj, "status")),
    }


def _legible(spec: Mapping[str, Any]) -> Object:
    """A spec whose texts show all that they hold.

    Such as were stored before the API server refused others must go on: they are made so here.
    """
    texts = {field: line(spec[field]) for field in _TEXTS if isinstance(spec.get(field), str)}
    return {**spec, **texts}


def cluster(obj: Mapping[str, Any]) -> Object:
    """A CloudNativePG Cluster."""
    status = raw.mapping(obj, "status")
    kept = picked(status, _CLUSTER_STATUS)
    kept["instanceNames"] = raw.items(status, "instanceNames")
    kept["instancesStatus"] = {"healthy": raw.items(status, "instancesStatus", "healthy")}
    reported = raw.mapping(status, "instancesReportedState")
    kept["instancesReportedState"] = {
        name: {"isPrimary": True} for name in reported if raw.truth(reported, name, "isPrimary")
    }
    kept["secretsResourceVersion"] = picked(
        raw.mapping(status, "secretsResourceVersion"),
        (
            "applicationSecretVersion",
            "clientCaSecretVersion",
            "serverCaSecretVersion",
            "serverSecretVersion",
        ),
    )
    kept["pgDataImageInfo"] = picked(raw.mapping(status, "pgDataImageInfo"), ("majorVersion",))
    kept["conditions"] = list(_conditions(raw.items(status, "conditions"), drill=_is_drills(obj)))
    owned = owned_part(obj)
    spec = picked(raw.mapping(obj, "spec"), ("stopDelay", "resources")) | _backup_plugin(obj)
    size = picked(raw.mapping(obj, "spec", "storage"), ("size",))
    return {
        "metadata": child_metadata(obj),
        "spec": spec | {"storage": size},
        "status": all_quoted(kept),
        OWNED: owned,
        BY_HAND: _by_hand(obj, owned),
    }


def _backup_plugin(obj: Mapping[str, Any]) -> Object:
    """Where a Cluster archives to, whoever said so."""
    return {"plugins": plugins(told)} if (told := archiver_of(obj)) else {}


def _is_drills(obj: Mapping[str, Any]) -> bool:
    """Whether a Cluster is the scratch one of a DaapDrill, which is kept here with all others."""
    return names.DRILL_LABEL in raw.mapping(obj, "metadata", "labels")


def _conditions(found: Iterable[Any], *, drill: bool) -> Iterator[Object]:
    for each in found:
        kind, status = raw.text(each, "type"), raw.text(each, "status")
        if drill and kind == "Ready":
            yield picked(each, ("type", "status", "lastTransitionTime"))
        if kind == "cnpg.io/hibernation":
            yield picked(each, ("type", "status"))
        elif kind == ARCHIVING and status == "False":
            yield picked(each, ("type", "status", "message", "lastTransitionTime"))


def _by_hand(obj: Mapping[str, Any], owned: Object) -> list[str]:
    """The settings that somebody else gave PostgreSQL in our place."""
    there, ours = (raw.mapping(part, "spec", "postgresql", "parameters") for part in (obj, owned))
    return [name for name in NAMES if name in there and name not in ours]


def pooler(obj: Mapping[str, Any]) -> Object:
    """A CloudNativePG Pooler."""
    status = raw.mapping(obj, "status")
    kept = picked(status, ("phase", "phaseReason"))
    kept["secrets"] = {
        name: picked(raw.mapping(status, "secrets", name), ("name", "version"))
        for name in ("serverCA", "clientTLS")
    }
    login = raw.mapping(status, "secrets", "pgBouncerSecrets", "authQuery")
    kept["secrets"]["pgBouncerSecrets"] = {"authQuery": picked(login, ("name", "version"))}
    return {
        "metadata": child_metadata(obj),
        "spec": {
            "pgbouncer": picked(raw.mapping(obj, "spec", "pgbouncer"), ("paused",)),
            "resources": resources(raw.mapping(obj, "spec", "template", "spec"), "pgbouncer"),
        },
        "status": all_quoted(kept),
        OWNED: owned_part(obj),
    }


def deployment(obj: Mapping[str, Any]) -> Object:
    """The Deployment of a Pooler."""
    counts = ("observedGeneration", "replicas", "updatedReplicas", "availableReplicas")
    status = raw.mapping(obj, "status")
    failures = [
        picked(condition, ("type", "status", "reason", "message"))
        for condition in raw.items(status, "conditions")
        if raw.text(condition, "type") == "ReplicaFailure"
    ]
    asked = resources(raw.mapping(obj, "spec", "template", "spec"), "pgbouncer")
    return {
        "metadata": picked(raw.mapping(obj, "metadata"), METADATA),
        "spec": picked(raw.mapping(obj, "spec"), ("replicas",)) | {"resources": asked},
        "status": picked(status, counts) | {"conditions": all_quoted(failures)},
    }


def endpoints(obj: Mapping[str, Any]) -> Object:
    """An EndpointSlice of one of CloudNativePG's Services: which pods take connections."""
    metadata = raw.mapping(obj, "metadata")
    kept = picked(metadata, METADATA)
    kept["labels"] = picked(
        raw.mapping(metadata, "labels"),
        (names.DATABASE_LABEL, names.SERVICE_LABEL, names.SPEC_MARK),
    )
    conditions = [raw.mapping(endpoint, "conditions") for endpoint in raw.items(obj, "endpoints")]
    return {
        "metadata": kept,
        "endpoints": [{"conditions": picked(each, ("ready",))} for each in conditions],
    }


def claim(obj: Mapping[str, Any]) -> Object:
    """A PersistentVolumeClaim of a Cluster: what it has, what it asks for, what keeps it so."""
    metadata, status = raw.mapping(obj, "metadata"), raw.mapping(obj, "status")
    kept = picked(metadata, _CLAIM_METADATA)
    kept["labels"] = picked(
        raw.mapping(metadata, "labels"), (names.CNPG_CLUSTER_LABEL, names.CNPG_PVC_ROLE_LABEL)
    )
    spec = picked(raw.mapping(obj, "spec"), ("storageClassName",))
    requests = picked(raw.mapping(obj, "spec", "resources", "requests"), ("storage",))
    states = picked(raw.mapping(status, "allocatedResourceStatuses"), ("storage",))
    conditions = [
        picked(each, ("type", "status")) | {"message": quoted(raw.text(each, "message"))}
        for each in raw.items(status, "conditions")
        if raw.text(each, "type") in CONDITIONS
    ]
    return {
        "metadata": kept,
        "spec": spec | {"resources": {"requests": requests}},
        "status": {
            "capacity": picked(raw.mapping(status, "capacity"), ("storage",)),
            "allocatedResourceStatuses": states,
            "conditions": conditions,
        },
    }


def account(obj: Mapping[str, Any]) -> Object:
    """The ServiceAccount of a Cluster: which spec CloudNativePG has worked with."""
    metadata = raw.mapping(obj, "metadata")
    kept = picked(metadata, METADATA)
    kept["annotations"] = picked(raw.mapping(metadata, "annotations"), (names.SPEC_MARK,))
    return {"metadata": kept}


def child_metadata(obj: Mapping[str, Any]) -> Object:
    """The metadata of a child of ours."""
    metadata = raw.mapping(obj, "metadata")
    kept = picked(metadata, METADATA)
    kept["labels"] = picked(raw.mapping(metadata, "labels"), _LABELS)
    kept["annotations"] = picked(raw.mapping(metadata, "annotations"), _ANNOTATIONS)
    return kept


def resources(spec: Mapping[str, Any], container: str) -> Object:
    """Requests and limits of a pod's container."""
    for each in raw.items(spec, "containers"):
        if raw.text(each, "name") == container:
            asked = raw.mapping(each, "resources")
            kinds = picked(asked, ("requests", "limits"))
            return {kind: amounts for kind in kinds if (amounts := _amounts(asked, kind))}
    return {}


def _amounts(resources: Mapping[str, Any], kind: str) -> Object:
    """Texts and numbers alone: what comes from an annotation may be as deep as JSON allows."""
    found = raw.mapping(resources, kind)
    few = sorted(found)[:_MOST_AMOUNTS]
    return {name: found[name] for name in few if isinstance(found[name], str | int | float)}
