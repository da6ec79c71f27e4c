"""What keeps pods from starting, in words for those who may not look at pods. Pure.

From the conditions of pods and Deployments where they tell, else from the Events about them. The
words of Kubernetes are quoted, cut to a length; what a container left behind when it ended is not:
that may come from its log.
"""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from daap_operator import names, raw
from daap_operator.api.reasons import CommonReason
from daap_operator.findings import Finding
from daap_operator.kinds.database.phases import Meaning
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.remedies import of_scheduling, of_volume
from daap_operator.kinds.database.seen import Children, Observed
from daap_operator.lines import quoted

Object = dict[str, Any]

CLAIM = "PersistentVolumeClaim"

_IMAGE = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
    | {"RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"}
)
_NOT_STARTING = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
    | {"PreCreateHookError", "PostStartHookError"}
)
_VOLUME_EVENTS = frozenset(
    {"FailedMount", "FailedAttachVolume", "FailedMapVolume", "ProvisioningFailed"}
    | {"VolumeResizeFailed", "FileSystemResizeFailed", "FailedBinding"}
)
_WITHOUT_A_VOLUME = frozenset({"ProvisioningFailed", "FailedBinding"})
_DELIBERATE = frozenset(
    {
        DatabaseReason.HIBERNATED,
        DatabaseReason.FENCED,
        DatabaseReason.POOLER_PAUSED,
        DatabaseReason.POOLER_SCALED_DOWN,
    }
)


def explained(observed: Observed, cause: Finding | None) -> Observed:
    """The same with the cause told, where clients or a change wait for pods."""
    if cause is None:
        return observed
    awaited = observed.awaited
    if awaited is not None:
        passing = awaited.meaning in (Meaning.STARTING, Meaning.CHANGING, Meaning.INTERRUPTED)
        if passing and awaited.reason not in _DELIBERATE:
            awaited = replace(awaited, reason=cause.reason)
        awaited = replace(awaited, message=_joined(cause.message, awaited.message))
        return replace(observed, awaited=awaited)
    if observed.unsettled:
        told = _joined(cause.message, observed.unsettled)
        return replace(observed, unsettled=told, unsettled_reason=cause.reason)
    return observed


def cause(
    children: Children, events: Iterable[Object], *, of_pooler: bool | None
) -> Finding | None:
    """What keeps pods from starting, and what to do about it; None when nothing is known to."""
    found = _found(children, events, of_pooler=of_pooler)
    if found is None or found.reason is not DatabaseReason.VOLUME_PENDING:
        return found
    empty = not any(map(_bound, children.claims))
    remedy = of_volume(found.message, empty=empty)
    return replace(found, message=_joined(found.message, remedy))


def _found(
    children: Children, events: Iterable[Object], *, of_pooler: bool | None
) -> Finding | None:
    """What the objects say now counts for more than what Events said before.

    But for a volume: a pod says no more than that it waits, its claim's Events say for what.
    """
    seen = from_objects(children, of_pooler=of_pooler)
    if seen is None:
        return from_events(events, children)
    if seen.reason is DatabaseReason.VOLUME_PENDING:
        of_claims = (e for e in events if raw.text(e, "regarding", "kind") == CLAIM)
        if told := from_events(of_claims, children):
            return replace(seen, message=_joined(seen.message, told.message))
    return seen


# --- from the objects -----------------------------------------------------------------------------


def from_objects(children: Children, *, of_pooler: bool | None) -> Finding | None:
    """What the Deployment and the pods say; of the pooler alone, of all but it, or of all."""
    told = [] if of_pooler is False else [_not_created(children.deployment)]
    for pod in children.pods:
        role = raw.text(pod, "metadata", "labels", names.CNPG_POD_ROLE_LABEL)
        if of_pooler in (None, role == "pooler"):
            told.append(_of_pod(pod))
    return next((cause for cause in told if cause), None)


def _not_created(deployment: Object | None) -> Finding | None:
    for condition in raw.items(deployment, "status", "conditions"):
        if raw.text(condition, "status") == "True":
            name = raw.text(deployment, "metadata", "name")
            return _refused(f"The pods of Deployment {name}", raw.text(condition, "message"))
    return None


def _refused(what: str, message: str) -> Finding:
    if "quota" in message:
        remedy = "free some of the quota, or ask the platform team"
        return Finding(
            CommonReason.QUOTA_EXCEEDED, f"{what} are not created ({remedy}): {quoted(message)}"
        )
    return Finding(DatabaseReason.PODS_NOT_CREATED, f"{what} are not created: {quoted(message)}")


def _of_pod(pod: Object) -> Finding | None:
    if raw.value(pod, "metadata", "deletionTimestamp"):
        return None
    name = raw.text(pod, "metadata", "name")
    for condition in raw.items(pod, "status", "conditions"):
        if raw.text(condition, "reason") == "Unschedulable":
            return _unscheduled(name, raw.text(condition, "message"))
    found = (_of_container(name, each) for each in raw.items(pod, "status", "containers"))
    return next((cause for cause in found if cause), None)


def _unscheduled(pod: str, message: str) -> Finding:
    if any(word in message.lower() for word in ("volume", "storageclass")):
        return Finding(
            DatabaseReason.VOLUME_PENDING, f"Pod {pod} waits for its volume: {quoted(message)}"
        )
    remedy = of_scheduling(message, of_pooler=bool(_POOLER_POD.search(pod)))
    told = _joined(f"Pod {pod} cannot be scheduled: {quoted(message)}", remedy)
    return Finding(DatabaseReason.UNSCHEDULABLE, told)


def _of_container(pod: str, container: Object) -> Finding | None:
    why = raw.text(container, "waiting", "reason")
    message = raw.text(container, "waiting", "message")
    name = raw.text(container, "name")
    if why in _IMAGE:
        image = quoted(raw.text(container, "image"))
        detail = message.rpartition("ErrImagePull: ")[2]
        return Finding(
            DatabaseReason.IMAGE_PULL_FAILED,
            f"Pod {pod} cannot pull the image {image}: {quoted(detail or why)}",
        )
    if why in _NOT_STARTING:
        return Finding(
            DatabaseReason.CONTAINER_NOT_STARTING,
            f"Container {name} of pod {pod} cannot be started: {quoted(message or why)}",
        )
    if why == "CrashLoopBackOff" or raw.truth(container, "again"):
        return Finding(
            DatabaseReason.CONTAINER_CRASHING,
            f"Container {name} of pod {pod} keeps exiting{_last(container)}",
        )
    return None


def _last(container: Object) -> str:
    """How it ended the last time."""
    reason, code = raw.text(container, "last", "reason"), raw.number(container, "last", "exitCode")
    if reason == "OOMKilled":
        instance = raw.text(container, "name") == "postgres"
        remedy = ": raise spec.resources.limits.memory" if instance else ""
        return f", out of memory (OOMKilled, exit code {code}){remedy}"
    return f" ({reason}, exit code {code})" if reason else ""


# --- from Events ----------------------------------------------------------------------------------


def relevant(events: Iterable[Object], cluster: str, since: datetime) -> tuple[Object, ...]:
    """The Events since then about objects of the Cluster that tell a cause, the newest last."""
    told = [
        event
        for event in events
        if about(event, cluster) and happened(event) >= since.isoformat() and _of_event(event)
    ]
    return tuple(sorted(told, key=happened))


def from_events(events: Iterable[Object], children: Children) -> Finding | None:
    """What the newest of these Events tells that has not been overcome since."""
    there = _There.of(children)
    told = [_of_event(event) for event in events if _still_holds(event, there)]
    return told[-1] if told else None


class _There(NamedTuple):
    """What there is, by name: looked up once for all Events."""

    phases: Mapping[str, str]
    """Of the pods."""
    bound: Set[str]
    """The claims that have a volume."""

    @classmethod
    def of(cls, children: Children) -> "_There":
        phases = {
            raw.text(pod, "metadata", "name"): raw.text(pod, "status", "phase")
            for pod in children.pods
        }
        bound = filter(_bound, children.claims)
        return cls(phases, {raw.text(claim, "metadata", "name") for claim in bound})


def _still_holds(event: Object, there: _There) -> bool:
    """Whether what it is about is there, and still waits: an Event outlives its cause by an hour.

    The instance that a Job was to make is there once the Job is done.
    """
    kind, name = (raw.text(event, "regarding", field) for field in ("kind", "name"))
    if kind == "Pod":
        return there.phases.get(name) == "Pending"
    if kind == "Job":
        return _INSTANCE.sub(r"\1", name) not in there.phases
    if raw.text(event, "reason") in _WITHOUT_A_VOLUME:
        return name not in there.bound
    return True


def _bound(claim: Object) -> bool:
    return bool(raw.value(claim, "status", "capacity"))


def about(event: Object, cluster: str) -> bool:
    """Whether it is of the Cluster, of its Pooler, or of a pod, a Job or a claim of either.

    By name, for a Job that made no pod is not watched. What belongs to a Cluster of a longer name
    is not taken for this one's.
    """
    kind, name = (raw.text(event, "regarding", field) for field in ("kind", "name"))
    if kind in ("Cluster", "Pooler", "Deployment"):
        return name in (cluster, names.pooler_name(cluster))
    instance = rf"{re.escape(cluster)}-\d+(-(wal|{_JOBS})(-[a-z0-9]{{5}})?)?"
    pod = rf"{re.escape(names.pooler_name(cluster))}-{_REPLICA_SET}({_RANDOM})?"
    return re.fullmatch(f"{instance}|{pod}", name) is not None


_JOBS = "initdb|import|join|pgbasebackup|full-recovery|snapshot-recovery|major-upgrade"
_REPLICA_SET, _RANDOM = "[a-z0-9]{6,10}", "-[a-z0-9]{5}"
_POOLER_POD = re.compile(rf"-pooler-{_REPLICA_SET}{_RANDOM}$")
_INSTANCE = re.compile(rf"(-\d+)-({_JOBS})$")
"""The end of a Job's name, in front of which stands the instance that it makes."""


def happened(event: Object) -> str:
    """When an Event was seen last, in RFC 3339 and UTC."""
    for path in (("series", "lastObservedTime"), ("deprecatedLastTimestamp",), ("eventTime",)):
        if text := raw.text(event, *path):
            return text
    return raw.text(event, "metadata", "creationTimestamp")


def _of_event(event: Object) -> Finding | None:
    reason, note = raw.text(event, "reason"), raw.text(event, "note")
    kind, name = (raw.text(event, "regarding", field) for field in ("kind", "name"))
    if reason == "FailedCreate" or "exceeded quota" in note or "failed quota" in note:
        return _refused(f"The pods of {kind} {name}", note)
    if reason in _VOLUME_EVENTS:
        return Finding(
            DatabaseReason.VOLUME_PENDING,
            f"{kind} {name} has trouble with its volume: {quoted(note)}",
        )
    if reason == "FailedScheduling":
        return _unscheduled(name, note)
    if reason == "FailedCreatePodSandBox":
        return Finding(
            DatabaseReason.CONTAINER_NOT_STARTING, f"Pod {name} cannot be started: {quoted(note)}"
        )
    return None


def _joined(first: str, second: str) -> str:
    return f"{first.rstrip('.')}. {second}"
