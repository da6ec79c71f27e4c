"""Anything anywhere: objects stored before a rule existed, vandalised, or of another version.

Nothing but what is declared is ever raised, and whatever was seen, the status that is made of it is
one that the API server takes: it cannot refuse our own words.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.aio.client import Configuration

from daap_operator import crd
from daap_operator.api.reasons import CommonReason, InventoryReason
from daap_operator.api.v1alpha1.database import DEFINITION
from daap_operator.engine.announce import event, transitions
from daap_operator.engine.conditions import Inventory, dumped, merge_patch, with_inventory
from daap_operator.engine.intake import Intake
from daap_operator.engine.kinds import Ref
from daap_operator.engine.ownership import OWNED, first_difference
from daap_operator.engine.store import Store
from daap_operator.engine.tell import REFUSALS_BEFORE_TELLING, REFUSED_SECONDS
from daap_operator.engine.workqueue import Workqueue
from daap_operator.errors import Stalled
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.kinds.database.applied import lacking
from daap_operator.kinds.database.causes import explained, from_objects
from daap_operator.kinds.database.desired.cluster import cluster as cluster_manifest
from daap_operator.kinds.database.desired.pooler import pooler as pooler_manifest
from daap_operator.kinds.database.desired.resolved import resolve
from daap_operator.kinds.database.naming import Arbiter, ref
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.row import row
from daap_operator.kinds.database.status import (
    Published,
    deleting_status,
    observed_status,
    refused_status,
)
from daap_operator.kinds.database.subject import database, is_valid, subject
from daap_operator.kinds.database.watched import WATCHES, children_of, owner
from daap_operator.kube import ApiError, Kind, Kube, Unreachable
from tests.unit import builders, strategies
from tests.unit.fakes import refused as refused_request
from tests.unit.stage import Stage
from tests.unit.structural import complaints

STATUS = crd.manifest(DEFINITION)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][
    "status"
]
KEY = ref("shop", "orders")

LONG = "x" * 40_000
ODD_NUMBERS = [0, -1, 10**20, 10**30, 1.5, "3", None, True]

specs = strategies.objects_with(
    {
        "ownerTeam": ["checkout", 5, LONG, "a\0b", ""],
        "purpose": ["Orders", 5, LONG, "a\0b"],
        "instances": [1, 3, "three", *ODD_NUMBERS],
        "storage": [
            {"size": "10Gi"},
            {"size": "0" * 40 + "10Gi"},
            {"size": "1" + "0" * 5000},
            {"size": "1e9999999999"},
            {"size": 2**31},
            "big",
        ],
        "postgresVersion": [17, *ODD_NUMBERS],
        "databaseName": ["orders", LONG, 5],
        "pooler": [{"instances": 2}, {"mode": 5}, {"maxClientConnections": 10**30}],
        "resources": [{"requests": {"cpu": "1", "memory": "1Gi"}}, {"limits": {"cpu": LONG}}],
        "connectionSecretName": ["mine", LONG, "daap-other"],
        "deletionPolicy": ["Retain", "Keep"],
        "deletionProtection": [True, "yes"],
    }
)
almost_valid_specs: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    ownerTeam=st.just("checkout"),
    instances=st.integers(1, 9),
    storage=st.sampled_from([{"size": f"{'0' * zeros}10Gi"} for zeros in (0, 28, 29, 40)]),
)

statuses = strategies.objects_with(
    {
        "observedGeneration": [1, *ODD_NUMBERS],
        "observed_generation": [1, "x"],
        "phase": ["Ready", "Error", "Dreaming"],
        "host": ["daap-orders-pooler.shop.svc.cluster.local", LONG, 5],
        "port": [5432, *ODD_NUMBERS],
        "databaseName": ["orders", LONG],
        "username": ["orders", LONG],
        "secretName": ["daap-orders-connection", LONG, "a\0b"],
        "secretRevision": ["abc", LONG],
        "binding": [{"name": "daap-orders-connection"}, {"name": 5}, {"name": LONG}],
        "clusterName": ["daap-orders", LONG, 5],
        "poolerName": ["daap-orders-pooler", LONG],
        "postgresVersion": [17, *ODD_NUMBERS],
        "instances": [1, *ODD_NUMBERS],
        "readyInstances": [1, *ODD_NUMBERS],
        "storage": ["10Gi", LONG],
        "conditions": [
            [builders.condition("Ready", "True")],
            [builders.condition("Ready", "True"), builders.condition("Ready", "False")],
            [builders.condition("Ready", "Perhaps")],
            [builders.condition("Ready", "True", lastTransitionTime="yesterday")],
            [builders.condition("Ready", "True", lastTransitionTime="0001-01-01T00:00:00Z")],
            [builders.condition("Ready", "True", lastTransitionTime=10**30)],
            [builders.condition("Theirs", "True")] * 17,
        ],
        "theirs": [1],
    }
)

managed_fields = st.lists(
    st.fixed_dictionaries(
        {
            "manager": st.just("daap-operator"),
            "operation": st.just("Apply"),
            "fieldsV1": st.dictionaries(
                st.sampled_from(
                    ["f:spec", "f:metadata", "f:status", "k:{", "v:1", 'k:{"a":1}', "k:[]", "."]
                ),
                strategies.json_values,
                max_size=3,
            ),
        }
    ),
    max_size=2,
)
cluster_statuses = strategies.objects_with(
    {
        "phase": ["Cluster in healthy state", "Failing over", "Dreaming", LONG, "a\0b"],
        "phaseReason": ["", LONG, 5],
        "instances": [1, *ODD_NUMBERS],
        "readyInstances": [1, *ODD_NUMBERS],
        "currentPrimary": ["daap-orders-1", 5, {}],
        "instancesStatus": [{"healthy": ["daap-orders-1"]}, {"healthy": "all"}, {"healthy": [{}]}],
        "image": [builders.IMAGE, 5],
        "resizingPVC": [["a"], "a"],
        "conditions": [[{"type": "cnpg.io/hibernation", "status": True}], [5, None, []]],
        "pgDataImageInfo": [{"majorVersion": 17}, *({"majorVersion": n} for n in ODD_NUMBERS)],
        "secretsResourceVersion": [
            {"applicationSecretVersion": "1", "serverCaSecretVersion": "2"},
            {"applicationSecretVersion": 1, "serverCaSecretVersion": [2]},
        ],
    }
)
deployment_statuses = strategies.objects_with(
    {"availableReplicas": [1, *ODD_NUMBERS], "observedGeneration": [1, *ODD_NUMBERS]}
)
states = strategies.objects_with(
    {
        "name": ["postgres"],
        "restartCount": [9, *ODD_NUMBERS],
        "state": [{"waiting": {"reason": "CrashLoopBackOff"}}, {"waiting": {"reason": 5}}, 5],
        "lastState": [{"terminated": {"reason": "OOMKilled", "exitCode": n}} for n in ODD_NUMBERS],
    }
)
pod_statuses = strategies.objects_with(
    {
        "conditions": [
            [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}, 5],
            [{"type": "Ready", "status": "True"}],
            5,
        ],
    }
).flatmap(lambda status: st.lists(states).map(lambda each: status | {"containerStatuses": each}))
annotations = strategies.objects_with(
    {
        "cnpg.io/fencedInstances": ['["*"]', "[[]]", "5", "{", "[" * 20_000],
        "cnpg.io/podSpec": ["{", "5", "[" * 20_000, '{"containers": [5, {"name": "postgres"}]}'],
        "a": [],
    }
)


@st.composite
def children(draw: st.DrawFn) -> dict[Kind, dict[str, Any]]:
    """The children, and what is made of them, with anything in what is not the API server's own."""
    made = {
        known.CLUSTER: builders.cluster() | {"status": draw(cluster_statuses)},
        known.POOLER: builders.pooler() | {"status": draw(strategies.json_values)},
        known.DEPLOYMENT: builders.deployment() | {"status": draw(deployment_statuses)},
        known.ENDPOINTS: builders.endpoints() | {"endpoints": draw(strategies.json_values)},
        known.POD: builders.pod() | {"status": draw(pod_statuses)},
        known.ACCOUNT: builders.account(),
    }
    for obj in made.values():
        obj["metadata"]["annotations"] = draw(annotations)
        obj["metadata"]["managedFields"] = draw(managed_fields)
        if draw(st.booleans()):
            obj["spec"] = draw(strategies.json_values)
    return {kind: obj for kind, obj in made.items() if draw(st.integers(0, 9))}


@given(specs | almost_valid_specs, statuses, children(), st.booleans())
def test_whatever_was_seen_the_status_is_one_that_is_taken(
    spec: Any, status: Any, seen: dict[Kind, dict[str, Any]], going: bool
) -> None:
    store = Store(WATCHES)
    store.put(known.DATABASE, builders.database() | {"spec": spec, "status": status})
    for kind, obj in seen.items():
        store.put(kind, obj)
        owner(obj)
    cached = store.get(KEY)
    assert cached
    Arbiter(store).holder(KEY.name, is_valid)
    looked_at = subject(cached)
    moment = looked_at.moment(builders.NOW)
    try:
        resolved = resolve(database(cached), builders.PLATFORM)
    except Stalled as refusal:
        found = children_of(store, "shop", looked_at.status.cluster_name or "daap-orders")
        made = refused_status(moment, observe(found, instances=0, poolers=0, image=""), refusal)
    else:
        found = children_of(store, "shop", resolved.cluster)
        for child, manifest in (
            (found.cluster, cluster_manifest(resolved)),
            (found.pooler, pooler_manifest(resolved)),
        ):
            first_difference(manifest, child[OWNED] if child else {})
        observed = observe(found, instances=1, poolers=1, image=resolved.image)
        missing = lacking(found, cluster_manifest(resolved), pooler_manifest(resolved))
        observed = replace(observed, unsettled=observed.unsettled or missing)
        observed = explained(observed, from_objects(found, of_pooler=None))
        published = Published(resolved.host, resolved.secret, "abc", "orders")
        made = observed_status(moment, resolved, observed, None, published)
    if going:
        made = deleting_status(moment, Finding(CommonReason.DELETING, "It is going"))
    full = with_inventory(
        made, moment, Inventory(synced=False, why=Finding(InventoryReason.UNREACHABLE, ""))
    )
    after = dumped(full)
    assert list(complaints(after, STATUS)) == []
    merge_patch(dict(looked_at.status_before), after)
    row(looked_at.metadata, looked_at.spec, full)
    for announcement in transitions(looked_at.status, full):
        posted = event(looked_at.kind, looked_at.metadata, announcement, now=builders.NOW, number=1)
        assert len(posted["note"].encode()) <= 1024


@pytest.mark.parametrize(
    "wrong",
    [
        {"phase": "Dreaming"},
        {"instances": -1},
        {"storage": "x" * 33},
        {"conditions": [builders.condition("Ready", "Perhaps")]},
        {"conditions": [builders.condition("Ready", "True")] * 2},
        {"host": 5},
        {"unheard": "of"},
        {"instances": 10**20},
    ],
    ids=str,
)
def test_the_judge_of_these_tests_refuses(wrong: dict[str, Any]) -> None:
    assert list(complaints(wrong, STATUS))


async def test_a_status_that_is_refused_is_told_of_by_one_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A rule of the CRD that finds a type it does not know has every write refused."""
    stage = Stage()
    stage.order(ownerTeam=5)
    stage.kube.refusals["status of DaapDatabase orders"] = refused_request(422, "expected string")
    for _ in range(REFUSALS_BEFORE_TELLING - 1):
        with pytest.raises(ApiError):
            await stage.look()
    assert stage.announcer.announced == []
    assert [await stage.look() for _ in range(3)] == [REFUSED_SECONDS] * 3
    assert [announced.reason for announced in stage.announcer.announced] == ["InvalidSpec"]
    assert caplog.text.count("Status refused") == 1
    del stage.kube.refusals["status of DaapDatabase orders"]
    stage.edit(ownerTeam="checkout")
    await stage.settle()
    assert stage.status()["phase"] == "Ready"


@pytest.mark.parametrize("content", [b"<html>Sorry</html>", b"[]", b"", b'"ok"', b"{}", b"\xff"])
async def test_an_answer_that_is_no_object_is_no_answer(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load balancer's page, with 200 before it, must not end the operator."""

    async def send(*_: Any) -> Any:
        return 200, {}, content

    async with Kube(Configuration()) as kube:
        monkeypatch.setattr(kube, "_send", send)
        with pytest.raises(Unreachable):
            await kube.get(known.CLUSTER, "shop", "orders")
        with pytest.raises(Unreachable):
            await Intake(Store(WATCHES), Workqueue(stub, workers=1), WATCHES).list_all(kube, ())


async def stub(key: Ref, failures: int) -> None:
    return None
