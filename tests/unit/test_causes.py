"""What keeps pods from starting, from what Kubernetes tells of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.findings import Finding
from daap_operator.kinds.database import trim, trim_pod
from daap_operator.kinds.database.causes import (
    about,
    cause,
    explained,
    from_events,
    from_objects,
    relevant,
)
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.phases import Meaning
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.seen import Awaited, Children, Observed
from daap_operator.lines import LONGEST
from tests.unit import builders, strategies

Object = dict[str, Any]

CLUSTER = "daap-orders"
POD = "daap-orders-1"


def waiting(reason: str, message: str = "", **more: Any) -> Object:
    """The status of a pod whose container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    container = {"name": "postgres", "image": "postgresql:nope", "ready": False, "state": state}
    return {"phase": "Pending", "conditions": [], "containerStatuses": [container | more]}


def unscheduled(message: str) -> Object:
    """The status of a pod without a node."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {"phase": "Pending", "conditions": [condition | {"message": message}]}


def ended(reason: str, code: int, at: str = "") -> Object:
    """How a container that began at noon ended the last time, with words from its log."""
    last: Object = {"reason": reason, "exitCode": code, "message": "password=s3cret"}
    times = {"startedAt": "2026-03-01T12:00:00Z", "finishedAt": f"2026-03-{at}"} if at else {}
    return {"terminated": last | times}


def up_again(last: Object) -> Object:
    """The status of a pod whose container runs again, and is not ready yet."""
    return waiting("", state={"running": {}}, lastState=last, restartCount=2)


NO_MEMORY = "0/3 nodes are available: 3 Insufficient memory."
TAINTED = "0/1 nodes are available: 1 node(s) had untolerated taint(s)"
NO_CLASS = 'storageclass.storage.k8s.io "fast" not found'
NO_VOLUME = "pod has unbound immediate PersistentVolumeClaims."
OUT_OF_MEMORY = (
    f"Container postgres of pod {POD} keeps exiting, out of memory (OOMKilled, exit code "
    "137): raise spec.resources.limits.memory"
)
STATUSES: dict[str, tuple[Object, str, str]] = {
    "no such image": (
        waiting("ErrImagePull", "rpc error: not found"),
        "ImagePullFailed",
        f"Pod {POD} cannot pull the image postgresql:nope: rpc error: not found",
    ),
    "no such image, later": (
        waiting("ImagePullBackOff", 'Back-off pulling image "x": ErrImagePull: not found'),
        "ImagePullFailed",
        f"Pod {POD} cannot pull the image postgresql:nope: not found",
    ),
    "no image's name": (
        waiting("InvalidImageName"),
        "ImagePullFailed",
        f"Pod {POD} cannot pull the image postgresql:nope: InvalidImageName",
    ),
    "no node": (
        unscheduled(NO_MEMORY),
        "Unschedulable",
        (
            f"Pod {POD} cannot be scheduled: 0/3 nodes are available: 3 Insufficient memory. "
            "Lower spec.resources.requests, or have the platform team add nodes"
        ),
    ),
    "no node that may be used": (
        unscheduled(TAINTED),
        "Unschedulable",
        (
            f"Pod {POD} cannot be scheduled: {TAINTED}. The platform team must provide a node "
            "that can take it"
        ),
    ),
    "no volume": (
        unscheduled(NO_VOLUME),
        "VolumePending",
        f"Pod {POD} waits for its volume: {NO_VOLUME}",
    ),
    "no such class": (
        unscheduled(NO_CLASS),
        "VolumePending",
        f"Pod {POD} waits for its volume: {NO_CLASS}",
    ),
    "a Secret is missing": (
        waiting("CreateContainerConfigError", 'secret "x" not found'),
        "ContainerNotStarting",
        f'Container postgres of pod {POD} cannot be started: secret "x" not found',
    ),
    "out of memory": (
        waiting("CrashLoopBackOff", lastState=ended("OOMKilled", 137), restartCount=4),
        "ContainerCrashing",
        OUT_OF_MEMORY,
    ),
    "crashing": (
        waiting("CrashLoopBackOff", lastState=ended("Error", 1), restartCount=4),
        "ContainerCrashing",
        f"Container postgres of pod {POD} keeps exiting (Error, exit code 1)",
    ),
    "crashing, just now up": (
        up_again(ended("Error", 1)),
        "ContainerCrashing",
        f"Container postgres of pod {POD} keeps exiting (Error, exit code 1)",
    ),
    "crashing within ten minutes": (
        up_again(ended("Error", 1, "01T12:09:59Z")),
        "ContainerCrashing",
        f"Container postgres of pod {POD} keeps exiting (Error, exit code 1)",
    ),
    "crashing, nobody knows after how long": (
        up_again(ended("Error", 1, "day")),
        "ContainerCrashing",
        f"Container postgres of pod {POD} keeps exiting (Error, exit code 1)",
    ),
    "out of memory now and then": (
        up_again(ended("OOMKilled", 137, "31T12:00:00Z")),
        "ContainerCrashing",
        OUT_OF_MEMORY,
    ),
}


def children(*pods: Object, deployment: Object | None = None) -> Children:
    """With these pods."""
    return Children(deployment=deployment, pods=tuple(map(trim_pod.pod, pods)))


@pytest.mark.parametrize(("status", "reason", "message"), STATUSES.values(), ids=STATUSES)
def test_a_pod_says_why_it_does_not_start(status: Object, reason: str, message: str) -> None:
    seen = children(builders.pod(status))
    found = from_objects(seen, of_pooler=None)
    assert found
    assert (found.reason, found.message) == (reason, message)
    assert "s3cret" not in str(seen)


@pytest.mark.parametrize(
    "status",
    [
        {},
        waiting("ContainerCreating"),
        waiting("PodInitializing"),
        waiting("", state={"running": {}}, ready=True, restartCount=9),
        waiting("", state={"running": {}}, restartCount=1),
        up_again(ended("Unknown", 255, "31T12:00:00Z")),
        up_again(ended("Error", 1, "01T12:10:00Z")),
    ],
    ids=[
        "ready",
        "creating",
        "initializing",
        "restarted before",
        "restarted once",
        "restarted with its node, again",
        "restarted after ten minutes",
    ],
)
def test_a_pod_that_is_well_or_on_its_way_has_no_cause(status: Object) -> None:
    assert from_objects(children(builders.pod(status)), of_pooler=None) is None


def test_a_pod_that_goes_has_no_say() -> None:
    gone = builders.pod(waiting("ErrImagePull"), deletionTimestamp="2026-03-01T12:00:00Z")
    assert from_objects(children(gone), of_pooler=None) is None


def test_only_what_the_spec_can_give_is_asked_for() -> None:
    status = waiting("CrashLoopBackOff", lastState=ended("OOMKilled", 137), name="pgbouncer")
    found = from_objects(children(builders.pod(status)), of_pooler=None)
    assert found
    assert found.message.endswith("out of memory (OOMKilled, exit code 137)")


def test_init_containers_count_too() -> None:
    status = waiting("ErrImagePull", "no")
    status["initContainerStatuses"] = status.pop("containerStatuses")
    assert from_objects(children(builders.pod(status)), of_pooler=None)


def test_each_side_is_told_of_alone() -> None:
    instance = builders.pod(waiting("ErrImagePull", "no"))
    pooler = builders.pod(unscheduled("full"), role="pooler", name="daap-orders-pooler-1")
    seen = children(pooler, instance)

    def reason(of_pooler: bool) -> str:
        found = from_objects(seen, of_pooler=of_pooler)
        return found.reason if found else ""

    assert (reason(True), reason(False)) == ("Unschedulable", "ImagePullFailed")


QUOTA = 'pods "x" is forbidden: failed quota: small: must specify limits.cpu for: pgbouncer'


@pytest.mark.parametrize(
    ("message", "reason"), [(QUOTA, "QuotaExceeded"), ("pods is forbidden", "PodsNotCreated")]
)
def test_a_deployment_says_why_it_has_no_pods(message: str, reason: str) -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": message}
    made = trim.deployment(builders.deployment({"conditions": [condition]}))
    found = from_objects(children(deployment=made), of_pooler=True)
    assert found
    assert found.reason == reason
    assert message in found.message
    assert from_objects(children(deployment=made), of_pooler=False) is None


def test_long_messages_are_cut_and_put_on_one_line() -> None:
    found = from_objects(children(builders.pod(unscheduled("full\n" * 1000))), of_pooler=None)
    assert found
    assert len(found.message) < LONGEST + 100
    assert "\n" not in found.message


# --- Events ---------------------------------------------------------------------------------------

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def event(
    reason: str,
    note: str = "because",
    *,
    kind: str = "Job",
    name: str = "daap-orders-3-join",
    at: str = "2026-03-01T12:01:00Z",
) -> Object:
    """A Warning."""
    regarding = {"kind": kind, "name": name}
    return {"reason": reason, "note": note, "regarding": regarding, "deprecatedLastTimestamp": at}


def heard(events: list[Any], *there: Object) -> Finding | None:
    """What they tell of a Cluster with these pods and claims; one that waits is its own pod."""
    pods = there or (builders.pod({"phase": "Pending"}, name=POD),)
    found = Children(
        pods=tuple(trim_pod.pod(each) for each in pods if "phase" in each["status"]),
        claims=tuple(trim.claim(each) for each in pods if "capacity" in each["status"]),
    )
    return from_events(relevant(events, CLUSTER, SINCE), found)


EVENTS: dict[str, tuple[Object, str]] = {
    "quota": (event("FailedCreate", QUOTA), "QuotaExceeded"),
    "no pods": (event("FailedCreate", "no"), "PodsNotCreated"),
    "mount": (event("FailedMount", kind="Pod", name=POD), "VolumePending"),
    "attach": (event("FailedAttachVolume", kind="Pod", name=POD), "VolumePending"),
    "claim": (
        event("ProvisioningFailed", kind="PersistentVolumeClaim", name=POD),
        "VolumePending",
    ),
    "sandbox": (event("FailedCreatePodSandBox", kind="Pod", name=POD), "ContainerNotStarting"),
    "scheduler": (event("FailedScheduling", "full", kind="Pod", name=POD), "Unschedulable"),
}


@pytest.mark.parametrize(("seen", "reason"), EVENTS.values(), ids=EVENTS)
def test_an_event_tells_a_cause(seen: Object, reason: str) -> None:
    found = heard([seen])
    assert found
    assert found.reason == reason
    assert seen["note"] in found.message


def test_the_newest_event_counts_and_old_ones_do_not() -> None:
    old = event("FailedCreate", QUOTA, at="2026-03-01T11:00:00Z")
    assert heard([old]) is None
    newer = event("FailedMount", at="2026-03-01T12:02:00Z")
    found = heard([old, newer, event("FailedCreate", QUOTA)])
    assert found
    assert found.reason == "VolumePending"
    assert heard([event("Unhealthy"), event("BackOff")]) is None


JOIN = "daap-orders-2-join-x2x4z"
OVERCOME: dict[str, tuple[Object, tuple[Object, ...]]] = {
    "a pod that is gone": (event("FailedScheduling", kind="Pod", name=JOIN), (builders.pod(),)),
    "a pod that runs": (event("FailedMount", kind="Pod", name="daap-orders-1"), (builders.pod(),)),
    "a Job that is done": (
        event("FailedCreate", QUOTA, name="daap-orders-2-join"),
        (builders.pod(name="daap-orders-2"),),
    ),
    "a claim that is bound": (
        event("ProvisioningFailed", kind="PersistentVolumeClaim", name="daap-orders-1"),
        (builders.pod(), builders.claim()),
    ),
}


@pytest.mark.parametrize(("seen", "there"), OVERCOME.values(), ids=OVERCOME)
def test_what_is_overcome_is_no_cause(seen: Object, there: tuple[Object, ...]) -> None:
    """As at the restart of an instance that was made a minute ago, with its volume not at once."""
    assert heard([seen], *there) is None
    waiting = event("FailedMount", kind="Pod", name="daap-orders-9", at="2026-03-01T12:00:30Z")
    pending = builders.pod({"phase": "Pending"}, name="daap-orders-9")
    found = heard([seen, waiting], *there, pending)
    assert found
    assert "daap-orders-9" in found.message


def test_a_pod_without_its_volume_has_its_claims_trouble_told() -> None:
    """The pod's own words do not name the StorageClass, and its Event may be the newer."""
    waits = trim_pod.pod(builders.pod(unscheduled(NO_VOLUME), name=POD))
    events = [
        event("ProvisioningFailed", NO_CLASS, kind="PersistentVolumeClaim", name=POD),
        event("FailedScheduling", NO_VOLUME, kind="Pod", name=POD, at="2026-03-01T12:02:00Z"),
    ]
    found = cause(Children(pods=(waits,)), events, of_pooler=False)
    assert found
    assert found.message == (
        f"Pod {POD} waits for its volume: {NO_VOLUME} PersistentVolumeClaim {POD} has trouble with "
        f"its volume: {NO_CLASS}. {CREATE_CLASS}; or delete this DaapDatabase, which holds no data "
        "yet, and create it with the name of one that exists"
    )
    crowded = trim_pod.pod(builders.pod(unscheduled(NO_MEMORY), name=POD))
    other = cause(Children(pods=(crowded,)), events, of_pooler=False)
    assert other
    assert NO_CLASS not in other.message


CREATE_CLASS = "The platform team must create the StorageClass fast"
MAKE_DEFAULT = "The platform team must make a StorageClass the default"
NO_DEFAULT = "no persistent volumes available for this claim and no storage class is set"
REMEDIES: dict[str, tuple[str, str, str]] = {
    "no such class": (
        NO_CLASS,
        CREATE_CLASS,
        (
            "; or delete this DaapDatabase, which holds no data yet, and create it with the name "
            "of one that exists"
        ),
    ),
    "no default class": (
        NO_DEFAULT,
        MAKE_DEFAULT,
        (
            "; or delete this DaapDatabase, which holds no data yet, and create it with one in "
            "spec.storage.storageClass"
        ),
    ),
    "any other trouble": (
        "no space left on device",
        "Check spec.storage, or ask the platform team",
        "",
    ),
}


@pytest.mark.parametrize(("note", "remedy", "while_empty"), REMEDIES.values(), ids=REMEDIES)
def test_a_volume_that_is_not_made_has_its_remedy(note: str, remedy: str, while_empty: str) -> None:
    """Nobody is told to delete a database that has a volume, and so may have data."""
    events = [event("ProvisioningFailed", note, kind="PersistentVolumeClaim", name=POD)]
    told = f"PersistentVolumeClaim {POD} has trouble with its volume: {note}. {remedy}"
    found = cause(Children(), events, of_pooler=False)
    assert found
    assert found.message == told + while_empty
    others = trim.claim(builders.claim(name="daap-orders-2"))
    kept = cause(Children(claims=(others,)), events, of_pooler=False)
    assert kept
    assert kept.message == told


def test_a_pooler_that_finds_no_node_is_not_told_to_ask_for_less() -> None:
    pod = builders.pod(
        unscheduled(NO_MEMORY), role="pooler", name="daap-orders-pooler-6d5f9c-x2x4z"
    )
    found = from_objects(children(pod), of_pooler=True)
    assert found
    assert "spec.resources" not in found.message


@pytest.mark.parametrize(
    ("kind", "name", "ours"),
    [
        ("Cluster", "daap-orders", True),
        ("Pooler", "daap-orders-pooler", True),
        ("Deployment", "daap-orders-pooler", True),
        ("ReplicaSet", "daap-orders-pooler-6d5f9c7b8", True),
        ("Pod", "daap-orders-pooler-6d5f9c7b8-x2x4z", True),
        ("Pod", "daap-orders-1", True),
        ("PersistentVolumeClaim", "daap-orders-12", True),
        ("PersistentVolumeClaim", "daap-orders-1-wal", True),
        ("Job", "daap-orders-1-initdb", True),
        ("Job", "daap-orders-2-major-upgrade", True),
        ("Pod", "daap-orders-1-initdb-x2x4z", True),
        ("Cluster", "daap-orders-1", False),
        ("Pod", "daap-orders-1-1", False),
        ("Job", "daap-orders-1-1-initdb", False),
        ("Pod", "daap-orders-eu-1", False),
        ("Pod", "daap-order-1", False),
        ("Pod", "daap-orders-1-pooler-6d5f9c7b8-x2x4z", False),
        ("Pod", "", False),
    ],
)
def test_whose_an_event_is(kind: str, name: str, ours: bool) -> None:
    assert about(event("x", kind=kind, name=name), CLUSTER) is ours


@given(st.lists(strategies.json_values))
def test_whatever_stands_in_events_is_borne(events: list[Any]) -> None:
    heard(events)


# --- told -----------------------------------------------------------------------------------------

CAUSE = Finding(DatabaseReason.IMAGE_PULL_FAILED, "No such image")
SERVING = observe(
    Children(
        cluster=trim.cluster(builders.cluster()),
        pooler=trim.pooler(builders.pooler()),
        deployment=trim.deployment(builders.deployment()),
    ),
    instances=1,
    poolers=1,
    image=builders.IMAGE,
)


def waits(reason: DatabaseReason, meaning: Meaning) -> Observed:
    return replace(SERVING, awaited=Awaited(reason, "It waits", meaning))


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (waits(DatabaseReason.CLUSTER_STARTING, Meaning.STARTING), "ImagePullFailed"),
        (waits(DatabaseReason.PRIMARY_DOWN, Meaning.INTERRUPTED), "ImagePullFailed"),
        (waits(DatabaseReason.HIBERNATED, Meaning.INTERRUPTED), "Hibernated"),
        (waits(DatabaseReason.UNRECOVERABLE, Meaning.ACTION), "Unrecoverable"),
        (waits(DatabaseReason.UNKNOWN_CLUSTER_PHASE, Meaning.UNKNOWN), "UnknownClusterPhase"),
    ],
)
def test_the_cause_comes_first(seen: Observed, reason: str) -> None:
    told = explained(seen, CAUSE).awaited
    assert told
    assert (told.reason, told.message) == (reason, "No such image. It waits")


def test_a_change_that_does_not_get_on_has_its_cause_told() -> None:
    told = explained(replace(SERVING, unsettled="1 of 2 instances are ready"), CAUSE)
    assert told.unsettled_reason == "ImagePullFailed"
    assert told.unsettled == "No such image. 1 of 2 instances are ready"


def test_what_waits_for_nothing_has_no_cause() -> None:
    assert explained(SERVING, CAUSE) is SERVING
    assert explained(SERVING, None) is SERVING
