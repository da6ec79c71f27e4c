"""What the children say: are clients served, and is all that was asked for there?"""

from typing import Any

import pytest
from hypothesis import given

from daap_operator.kinds.database import trim, trim_pod
from daap_operator.kinds.database.desired.secret import CredentialVersions
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.phases import PHASES, Meaning
from daap_operator.kinds.database.seen import Children, Observed
from tests.unit import builders, strategies

Object = dict[str, Any]

HEALTHY_PHASE = "Cluster in healthy state"


def seen(
    cluster: Object | None = None,
    pooler: Object | None = None,
    deployment: Object | None = None,
    *endpoints: Object,
    instances: int = 1,
    poolers: int = 1,
) -> Observed:
    """What is observed of children that are well, but for the given ones."""
    children = Children(
        cluster=trim.cluster(builders.cluster() if cluster is None else cluster),
        pooler=trim.pooler(builders.pooler() if pooler is None else pooler),
        deployment=trim.deployment(builders.deployment() if deployment is None else deployment),
        endpoints=tuple(trim.endpoints(each) for each in endpoints),
    )
    return observe(children, instances=instances, poolers=poolers, image=builders.IMAGE)


def reached(*endpoints: Object, cluster: Object | None = None) -> Observed:
    """What is observed when the primary's Service has these EndpointSlices."""
    return seen(cluster, None, None, *endpoints)


def annotated(key: str, value: str) -> Object:
    return builders.cluster(annotations={key: value})


GONE = "2026-03-01T12:00:00Z"


# --- serving --------------------------------------------------------------------------------------


def test_children_that_are_well_serve_and_are_settled() -> None:
    observed = seen()
    assert observed.serving
    assert observed.unsettled == ""
    assert (observed.instances, observed.ready_instances) == (1, 1)
    assert observed.postgres_version == 17
    assert observed.credentials == CredentialVersions("11", "12")


SERVING: dict[str, Observed] = {
    "a replica is down": seen(builders.cluster({"instances": 3, "readyInstances": 1}), instances=3),
    "a replica is fenced": seen(annotated("cnpg.io/fencedInstances", '["daap-orders-2"]')),
    "fencing that cannot be read": seen(annotated("cnpg.io/fencedInstances", "[")),
    "fencing that is no list": seen(annotated("cnpg.io/fencedInstances", "7")),
    "hibernation that is off": seen(annotated("cnpg.io/hibernation", "off")),
    "a change is rolled out": seen(builders.cluster({"phase": "Upgrading cluster"})),
    "reconciliation is blocked": seen(
        builders.cluster({"phase": "Unable to create required cluster objects"})
    ),
    "the old primary is not back yet, after a failover": seen(
        builders.cluster(
            {
                "phase": "Failing over",
                "currentPrimary": "daap-orders-2",
                "targetPrimary": "daap-orders-2",
                "instancesStatus": {"healthy": ["daap-orders-2"], "failed": ["daap-orders-1"]},
            }
        )
    ),
    "the primary is reported": seen(
        builders.cluster({"instancesReportedState": {"daap-orders-1": {"isPrimary": True}}})
    ),
    "no instance reports anything": seen(
        builders.cluster({"instancesReportedState": {"daap-orders-1": {"isPrimary": False}}})
    ),
    "somebody must switch over": seen(builders.cluster({"phase": "Waiting for user action"})),
    "one of two poolers is up": seen(
        deployment=builders.deployment({"availableReplicas": 1}), poolers=2
    ),
    "the pooler is scaled to 0, and its pod is still there": seen(
        deployment=builders.deployment() | {"spec": {"replicas": 0}}
    ),
    "the pooler is not paused": seen(pooler=builders.pooler(paused=False)),
    "an instance takes connections": reached(builders.endpoints(True)),
    "an instance that was the primary takes none": reached(builders.endpoints(False, True)),
    "there are no addresses of one kind": reached(builders.endpoints(), builders.endpoints(True)),
    "it is not said whether an instance takes connections": reached(builders.endpoints(None)),
}


@pytest.mark.parametrize("observed", SERVING.values(), ids=SERVING)
def test_clients_are_served_although(observed: Observed) -> None:
    assert observed.awaited is None
    assert observed.serving


hibernated: Object = {"conditions": [{"type": "cnpg.io/hibernation", "status": "True"}]}
waking: Object = {"conditions": [{"type": "cnpg.io/hibernation", "status": "False"}]}
down: Object = {"instancesStatus": {"healthy": []}}

NOT_SERVING: dict[str, tuple[Observed, str, str, Meaning]] = {
    "the Cluster is going": (
        seen(builders.cluster(deletionTimestamp=GONE)),
        "ClusterDeleted",
        "Cluster daap-orders is being deleted",
        Meaning.INTERRUPTED,
    ),
    "hibernation is asked for": (
        seen(annotated("cnpg.io/hibernation", "on")),
        "Hibernated",
        "remove its annotation 'cnpg.io/hibernation'",
        Meaning.INTERRUPTED,
    ),
    "the Cluster is hibernated": (
        seen(builders.cluster(hibernated)),
        "Hibernated",
        "Cluster daap-orders is hibernated",
        Meaning.INTERRUPTED,
    ),
    "the primary is fenced": (
        seen(annotated("cnpg.io/fencedInstances", '["daap-orders-1"]')),
        "Fenced",
        "remove its annotation 'cnpg.io/fencedInstances'",
        Meaning.INTERRUPTED,
    ),
    "all instances are fenced": (
        seen(annotated("cnpg.io/fencedInstances", '["*"]')),
        "Fenced",
        "The primary of Cluster daap-orders is fenced",
        Meaning.INTERRUPTED,
    ),
    "the only instance is down although all is healthy": (
        seen(builders.cluster(down)),
        "PrimaryDown",
        "The primary of Cluster daap-orders is not ready",
        Meaning.INTERRUPTED,
    ),
    "no instance takes connections, of which CloudNativePG says nothing": (
        reached(builders.endpoints(False)),
        "PrimaryDown",
        "the platform team must make sure that CloudNativePG is running",
        Meaning.INTERRUPTED,
    ),
    "there is no instance, of which CloudNativePG says nothing": (
        reached(builders.endpoints(), builders.endpoints()),
        "PrimaryDown",
        "kubectl describe pods,pvc --namespace shop --selector cnpg.io/cluster=daap-orders",
        Meaning.INTERRUPTED,
    ),
    "no instance takes connections, and CloudNativePG knows": (
        reached(builders.endpoints(), cluster=builders.cluster(down)),
        "PrimaryDown",
        "The primary of Cluster daap-orders is not ready",
        Meaning.INTERRUPTED,
    ),
    "no instance takes connections during a roll-out": (
        reached(builders.endpoints(), cluster=builders.cluster({"phase": "Upgrading cluster"})),
        "RollingOut",
        "(CloudNativePG says: Upgrading cluster)",
        Meaning.CHANGING,
    ),
    "another instance is healthy, the primary is not": (
        seen(builders.cluster({"instancesStatus": {"healthy": ["daap-orders-2"]}})),
        "PrimaryDown",
        "not ready",
        Meaning.INTERRUPTED,
    ),
    "there is no primary yet": (
        seen(builders.cluster({"currentPrimary": "", "instancesStatus": {"healthy": [""]}})),
        "PrimaryDown",
        "not ready",
        Meaning.INTERRUPTED,
    ),
    "the primary fails over": (
        seen(builders.cluster({"phase": "Failing over", "targetPrimary": "pending"})),
        "FailingOver",
        "(CloudNativePG says: Failing over)",
        Meaning.CHANGING,
    ),
    "another instance is to become the primary": (
        seen(builders.cluster({"phase": "Switchover in progress", "targetPrimary": "other"})),
        "Switchover",
        "(CloudNativePG says: Switchover in progress)",
        Meaning.CHANGING,
    ),
    "the primary is lost, and nobody was chosen yet": (
        seen(builders.cluster({"phase": "Failing over"} | down)),
        "FailingOver",
        "the primary was lost",
        Meaning.CHANGING,
    ),
    "a roll-out has come to the primary": (
        seen(builders.cluster({"phase": "Upgrading cluster", "targetPrimary": "daap-orders-2"})),
        "RollingOut",
        "(CloudNativePG says: Upgrading cluster)",
        Meaning.CHANGING,
    ),
    "a new primary is not reported yet": (
        seen(
            builders.cluster(
                {
                    "phase": "Upgrading cluster",
                    "instancesReportedState": {
                        "daap-orders-1": {"isPrimary": False},
                        "daap-orders-2": {"isPrimary": True},
                    },
                }
            )
        ),
        "RollingOut",
        "(CloudNativePG says: Upgrading cluster)",
        Meaning.CHANGING,
    ),
    "an instance that starts is the primary": (
        seen(builders.cluster({"phase": "Waiting for the instances to become active"} | down)),
        "InstancesStarting",
        "kubectl describe pods,pvc --namespace shop --selector cnpg.io/cluster=daap-orders",
        Meaning.CHANGING,
    ),
    "the primary is down during a roll-out": (
        seen(builders.cluster({"phase": "Upgrading cluster", "phaseReason": "why"} | down)),
        "RollingOut",
        "(CloudNativePG says: Upgrading cluster: why)",
        Meaning.CHANGING,
    ),
    "CloudNativePG quotes an address of the platform's": (
        seen(
            builders.cluster(
                {"phase": "Upgrading cluster", "phaseReason": "dial 10.96.7.1:9090"} | down
            )
        ),
        "RollingOut",
        "(CloudNativePG says: Upgrading cluster: dial (an address))",
        Meaning.CHANGING,
    ),
    "nobody has taken the Cluster up": (
        seen(builders.cluster({"phase": ""} | down)),
        "ClusterPending",
        "Cluster daap-orders: CloudNativePG has not picked it up yet",
        Meaning.STARTING,
    ),
    "the phase is unknown": (
        seen(builders.cluster({"phase": "Dreaming"})),
        "UnknownClusterPhase",
        "(CloudNativePG says: Dreaming)",
        Meaning.UNKNOWN,
    ),
    "the Pooler is going": (
        seen(pooler=builders.pooler(deletionTimestamp=GONE)),
        "PoolerDeleted",
        "Pooler daap-orders-pooler is being deleted",
        Meaning.INTERRUPTED,
    ),
    "the Pooler is paused": (
        seen(pooler=builders.pooler(paused=True)),
        "PoolerPaused",
        "Pooler daap-orders-pooler is paused: set its spec.",
        Meaning.INTERRUPTED,
    ),
    "no pooler pod is up": (
        seen(deployment=builders.deployment({"availableReplicas": 0})),
        "PoolerStarting",
        "No pod of Pooler daap-orders-pooler is available yet",
        Meaning.STARTING,
    ),
    "the pooler's Deployment is scaled to 0": (
        seen(deployment=builders.deployment({"availableReplicas": 0}) | {"spec": {"replicas": 0}}),
        "PoolerScaledDown",
        "kubectl scale deployment daap-orders-pooler --namespace shop --replicas=1",
        Meaning.INTERRUPTED,
    ),
    "the pooler tells why": (
        seen(
            pooler=builders.pooler({"phaseReason": "no such image"}),
            deployment=builders.deployment({"availableReplicas": 0}),
        ),
        "PoolerStarting",
        "(CloudNativePG says: no such image)",
        Meaning.STARTING,
    ),
}


@pytest.mark.parametrize(
    ("observed", "reason", "told", "meaning"), NOT_SERVING.values(), ids=NOT_SERVING
)
def test_clients_are_not_served_because(
    observed: Observed, reason: str, told: str, meaning: Meaning
) -> None:
    awaited = observed.awaited
    assert awaited is not None
    assert not observed.serving
    assert (awaited.reason, awaited.meaning) == (reason, meaning)
    assert told in awaited.message


def test_waking_from_hibernation_is_not_hibernation() -> None:
    assert seen(builders.cluster(waking)).serving


@pytest.mark.parametrize(
    ("children", "reason"),
    [
        (Children(), "ClusterPending"),
        (Children(cluster=trim.cluster(builders.cluster())), "PoolerPending"),
        (
            Children(trim.cluster(builders.cluster()), trim.pooler(builders.pooler())),
            "PoolerStarting",
        ),
    ],
    ids=["Cluster", "Pooler", "Deployment"],
)
def test_a_child_that_is_not_there_is_awaited(children: Children, reason: str) -> None:
    observed = observe(children, instances=1, poolers=1, image=builders.IMAGE)
    assert observed.awaited is not None
    assert (observed.awaited.reason, observed.awaited.meaning) == (reason, Meaning.STARTING)


def test_nothing_is_counted_without_a_cluster() -> None:
    observed = observe(Children(), instances=1, poolers=1, image=builders.IMAGE)
    assert (observed.instances, observed.ready_instances) == (None, None)
    assert observed.postgres_version is None
    assert observed.credentials is None


@pytest.mark.parametrize("missing", ["applicationSecretVersion", "serverCaSecretVersion"])
def test_credentials_need_both_secrets(missing: str) -> None:
    versions = {"applicationSecretVersion": "1", "serverCaSecretVersion": "2", missing: ""}
    assert seen(builders.cluster({"secretsResourceVersion": versions})).credentials is None


# --- settled --------------------------------------------------------------------------------------

UNSETTLED: dict[str, tuple[Observed, str]] = {
    "a change is rolled out": (
        seen(builders.cluster({"phase": "Upgrading cluster", "phaseReason": "image"})),
        (
            "Cluster daap-orders: a change is being rolled out instance by instance "
            "(CloudNativePG says: Upgrading cluster: image)"
        ),
    ),
    "the image is another one": (
        seen(builders.cluster({"image": "other"})),
        f"The instances do not all run {builders.IMAGE} yet",
    ),
    "an instance is missing": (
        seen(builders.cluster({"instances": 2, "readyInstances": 2}), instances=3),
        "2 of 3 instances are ready",
    ),
    "an instance is not ready": (
        seen(builders.cluster({"instances": 3, "readyInstances": 2}), instances=3),
        "2 of 3 instances are ready",
    ),
    "an instance is too many": (
        seen(builders.cluster({"instances": 3, "readyInstances": 3}), instances=2),
        "3 of 2 instances are ready",
    ),
    "an instance is still to go": (
        seen(builders.cluster({"instances": 3, "readyInstances": 2}), instances=2),
        "2 of 2 instances are ready",
    ),
    "volumes grow": (
        seen(builders.cluster({"resizingPVC": ["daap-orders-1"]})),
        "The volumes are being resized",
    ),
    "the Deployment is behind its generation": (
        seen(deployment=builders.deployment(generation=2)),
        "The pooler's change is being picked up",
    ),
    "a pooler pod is missing": (
        seen(deployment=builders.deployment(), poolers=2),
        "1 of 2 pooler pods are available and up to date",
    ),
    "a pooler pod is not available": (
        seen(deployment=builders.deployment({"availableReplicas": 0})),
        "0 of 1 pooler pods are available and up to date",
    ),
    "a pooler pod is of the old kind": (
        seen(deployment=builders.deployment({"updatedReplicas": 0})),
        "1 of 1 pooler pods are available and up to date",
    ),
    "an old pooler pod is still there": (
        seen(deployment=builders.deployment({"replicas": 2})),
        "1 of 1 pooler pods are available and up to date",
    ),
}


@pytest.mark.parametrize(("observed", "told"), UNSETTLED.values(), ids=UNSETTLED)
def test_not_all_that_was_asked_for_is_there_because(observed: Observed, told: str) -> None:
    assert observed.unsettled == told


# --- whatever comes -------------------------------------------------------------------------------

CLUSTER_STATUS: dict[str, list[Any]] = {
    "phase": [*PHASES, "Dreaming"],
    "phaseReason": ["because"],
    "instances": [1, 3],
    "readyInstances": [1, 0],
    "currentPrimary": ["daap-orders-1", ""],
    "targetPrimary": ["daap-orders-1", ""],
    "instancesReportedState": [{"daap-orders-2": {"isPrimary": True}}],
    "instancesStatus": [{"healthy": ["daap-orders-1"]}, {"healthy": []}],
    "image": [builders.IMAGE],
    "resizingPVC": [["x"]],
    "conditions": [[{"type": "cnpg.io/hibernation", "status": "True"}]],
    "secretsResourceVersion": [{"applicationSecretVersion": "1", "serverCaSecretVersion": "2"}],
    "pgDataImageInfo": [{"majorVersion": 17}],
}
METADATA: dict[str, list[Any]] = {
    "name": ["daap-orders"],
    "deletionTimestamp": [GONE],
    "annotations": [{"cnpg.io/fencedInstances": '["*"]'}, {"cnpg.io/hibernation": "on"}],
}
REST: dict[str, list[Any]] = {
    "status": [{"availableReplicas": 1, "observedGeneration": 1}],
    "spec": [{"pgbouncer": {"paused": True}}, {"replicas": 1}],
    "metadata": [{"generation": 1, "name": "p"}],
}
ENDPOINTS: dict[str, list[Any]] = {
    "endpoints": [[{"conditions": {"ready": True}}], [{"conditions": {"ready": False}}], [{}, 5]],
}


@given(
    strategies.objects_with(CLUSTER_STATUS),
    strategies.objects_with(METADATA),
    strategies.objects_with(REST),
    strategies.objects_with(REST),
    strategies.objects_with(ENDPOINTS),
)
def test_no_children_can_keep_themselves_from_being_observed(
    status: Object, metadata: Object, pooler: Object, deployment: Object, endpoints: Object
) -> None:
    cluster = {"metadata": metadata, "status": status}
    for trimmed in (False, True):
        children = (
            Children(
                trim.cluster(cluster),
                trim.pooler(pooler),
                trim.deployment(deployment),
                (trim.endpoints(endpoints),),
            )
            if trimmed
            else Children(cluster, pooler, deployment, (endpoints,))
        )
        observed = observe(children, instances=1, poolers=1, image=builders.IMAGE)
        unknown = observed.phase.meaning is Meaning.UNKNOWN
        assert not (unknown and observed.serving)
        assert observed.serving == (observed.awaited is None)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (
            {"image": "registry.example/postgresql:18-standard", "phaseReason": "to version 18"},
            (
                "the upgrade needs the image registry.example/postgresql:18-standard. "
                "To call it off, set spec.postgresVersion to 17"
            ),
        ),
        ({"image": "registry.example/postgresql:18", "pgDataImageInfo": {"majorVersion": 18}}, ""),
        ({"image": "registry.example/postgresql:18", "pgDataImageInfo": None}, ""),
        ({"image": ""}, ""),
    ],
    ids=["the data is old", "the data is new", "nobody tells of the data", "no image"],
)
def test_an_upgrade_that_does_not_start_tells_the_way_back(status: Object, told: str) -> None:
    upgrading = {"phase": "Upgrading Postgres major version"} | status
    awaited = seen(builders.cluster(upgrading)).awaited
    assert awaited
    assert awaited.reason == "MajorUpgrade"
    assert "kubectl describe pods,pvc" in awaited.message
    assert ("call it off" in awaited.message) is bool(told)
    assert told in awaited.message


TERMINATING = {
    "phase": "Unable to create required cluster objects",
    "phaseReason": "forbidden: namespace shop cannot take it because it is being terminated",
    "instanceNames": ["daap-orders-1"],
}
STAYS = "such as an instance of Cluster daap-orders (daap-orders-1), up to 180 seconds after it"
STOPPING = [
    ({}, STAYS),
    ({"deletionTimestamp": "soon"}, STAYS),
    ({"deletionTimestamp": GONE, "deletionGracePeriodSeconds": 2**62}, STAYS),
    (
        {"deletionTimestamp": GONE, "deletionGracePeriodSeconds": 180},
        (
            "of Cluster daap-orders for pod daap-orders-1 "
            "(told to stop at 2026-03-01T11:57:00Z, to be killed at 2026-03-01T12:00:00Z)"
        ),
    ),
]


@pytest.mark.parametrize(("metadata", "told"), STOPPING, ids=["stays", "odd", "huge", "stops"])
def test_a_namespace_that_goes_tells_which_pod_holds_it_and_until_when(
    metadata: Object, told: str
) -> None:
    children = Children(
        cluster=trim.cluster(builders.cluster(TERMINATING | {"instancesStatus": {}})),
        pods=(trim_pod.pod(builders.pod(**metadata)),),
    )
    observed = observe(children, instances=1, poolers=1, image=builders.IMAGE)
    assert observed.awaited
    assert observed.awaited.reason == "NamespaceTerminating"
    assert told in observed.awaited.message
    assert told in observed.unsettled
