"""What a database or its end waits for, and what to do about it, for people. Pure."""

from collections.abc import Iterable, Mapping, Set
from datetime import timedelta
from typing import Any

from daap_operator import raw
from daap_operator.kinds.database.desired.resolved import tagged_major
from daap_operator.lines import quoted

Object = Mapping[str, Any]

_TERMINATING = "because it is being terminated"
"""How the API server refuses what would be made in a namespace that is being deleted."""

STOP_SECONDS = 1800
"""CloudNativePG's own `stopDelay`: how long an instance has to stop."""

_GARBAGE_COLLECTION = frozenset({"foregroundDeletion", "orphan"})
"""Finalizers of Kubernetes itself, which go within moments."""


def fate(*, retained: bool) -> str:
    """What a deletion does to all that belongs to the database."""
    if not retained:
        return "What this DaapDatabase owns is being removed: Pooler, Cluster, volumes and Secret"
    return (
        "What this DaapDatabase owns is retained and keeps running, owned by nothing: Pooler, "
        "Cluster, volumes and Secret (spec.deletionPolicy is 'Retain')"
    )


def held_by(finalizers: Set[str]) -> str:
    """What keeps an object that the operator has done with; empty when nothing for long does."""
    holders = quoted(", ".join(sorted(finalizers - _GARBAGE_COLLECTION)))
    if not holders:
        return ""
    return (
        f"The operator is done, and the finalizers {holders} hold this object: whoever added "
        "them must finish, or the platform team must remove them"
    )


def look_at_pods(cluster: Object) -> str:
    """Where the reason stands when it lasts, and nothing that is watched has told it."""
    return f". If this lasts, its pods and volumes show why: {describe(cluster)}"


def of_scheduling(said: str, *, of_pooler: bool) -> str:
    """What to do for a pod that finds no node; spec.resources does not apply to a pooler's pod."""
    if "Insufficient" in said and not of_pooler:
        return "Lower spec.resources.requests, or have the platform team add nodes"
    return "The platform team must provide a node that can take it"


def of_volume(said: str, *, empty: bool) -> str:
    """What to do for a pod without its volume; `empty` while there is no data to lose."""
    if missing := _missing_class(said):
        remedy = f"The platform team must create the StorageClass {missing}"
        again = "with the name of one that exists"
    elif "no storage class is set" in said:
        remedy = "The platform team must make a StorageClass the default"
        again = "with one in spec.storage.storageClass"
    else:
        return "Check spec.storage, or ask the platform team"
    if empty:
        remedy += f"; or delete this DaapDatabase, which holds no data yet, and create it {again}"
    return remedy


def _missing_class(said: str) -> str:
    """The StorageClass that a message says is not found; empty when it says no such thing."""
    words = said.split()
    for kind, name, *end in zip(words, words[1:], words[2:], words[3:], strict=False):
        if "storageclass" in kind.lower() and " ".join(end).startswith("not found"):
            return name.strip('"')
    return ""


def describe(cluster: Object) -> str:
    """The command that shows a Cluster's pods and claims."""
    name = raw.text(cluster, "metadata", "name")
    namespace = raw.text(cluster, "metadata", "namespace")
    return f"kubectl describe pods,pvc --namespace {namespace} --selector cnpg.io/cluster={name}"


def data_major(cluster: Object) -> int | None:
    """Major version of the data directory; None when CloudNativePG does not tell."""
    number = raw.number(cluster, "status", "pgDataImageInfo", "majorVersion")
    return number if number > 0 else None


def way_back(cluster: Object) -> str:
    """What a major upgrade needs, and how to call it off: until it is done the data is old."""
    data, image = data_major(cluster), raw.text(cluster, "status", "image")
    if data is None or not image or data == tagged_major(image):
        return ""
    return (
        f". The data is still in the format of PostgreSQL {data}; the upgrade needs the image "
        f"{image}. "
        f"To call it off, set spec.postgresVersion to {data}"
    )


def namespace_going(cluster: Object, pods: Iterable[Object]) -> str:
    """What holds a namespace that is being deleted; empty when it is not, as far as is known.

    Kubernetes removes its pods before all else, so this database is not even asked to go before.
    """
    if _TERMINATING not in raw.text(cluster, "status", "phaseReason"):
        return ""
    name, namespace = (raw.text(cluster, "metadata", field) for field in ("name", "namespace"))
    stopping = [told for pod in pods if (told := _stopping(pod))]
    seconds = raw.number(cluster, "spec", "stopDelay") or STOP_SECONDS
    reported = quoted(", ".join(sorted(raw.texts(cluster, "status", "instanceNames"))))
    names = reported or "none reported"
    waited = (
        f"of Cluster {name} for {', '.join(stopping)}"
        if stopping
        else f"such as an instance of Cluster {name} ({names}), up to {seconds} seconds after it "
        "is told to stop"
    )
    return (
        f"Namespace {namespace} is being deleted: Kubernetes first removes its pods and waits for "
        f"each one that does not stop, {waited}"
    )


def _stopping(pod: Object) -> str:
    """Since when a pod is to stop, and when it is killed; empty for one that is to stay.

    The timestamp is the latter. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
    """
    metadata = raw.mapping(pod, "metadata")
    killed = raw.moment(metadata, "deletionTimestamp")
    try:
        grace = timedelta(seconds=raw.number(metadata, "deletionGracePeriodSeconds"))
        told = killed - grace if killed else None
    except OverflowError:
        told = None
    if killed is None or told is None:
        return ""
    since, until = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (told, killed))
    return f"pod {raw.text(metadata, 'name')} (told to stop at {since}, to be killed at {until})"
