"""What the cache keeps: all that is read, little else."""

from typing import Any

import pytest
from hypothesis import given

from daap_operator import names
from daap_operator.engine.ownership import OWNED, owned_part
from daap_operator.kinds import known
from daap_operator.kinds.database import trim
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.database.seen import Children
from daap_operator.kinds.database.subject import subject
from daap_operator.kinds.database.watched import WATCHES
from tests.unit import builders, strategies
from tests.unit import server_side_apply as api_server

Object = dict[str, Any]

TRIMS = {watch.kind.word: watch.keep for watch in WATCHES if watch.keep is not None}


def applied(obj: Object) -> Object:
    """A child as the API server has it after our apply, with what others put on it."""
    status = obj["status"]
    live = api_server.apply(None, obj, names.FIELD_MANAGER)
    more = {"annotations": {"a": "b"}, "labels": live["metadata"]["labels"] | {"theirs": "x"}}
    live["metadata"] |= {"uid": "u", "resourceVersion": "7", "generation": 2} | more
    return live | {"status": status | {"poolerIntegrations": {}, "topology": {"a": 1}}}


CLUSTER, POOLER = applied(builders.cluster()), applied(builders.pooler())


def test_a_database_keeps_spec_status_and_identity() -> None:
    full = builders.database(
        {"instances": 3},
        {"phase": "Ready"},
        finalizers=["a"],
        labels={"a": "b"},
        annotations={"c": "d"},
        managedFields=[{"manager": "kubectl"}],
    )
    kept = trim.database(full)
    assert kept["spec"] == full["spec"]
    assert kept["status"] == full["status"]
    assert subject(kept).metadata == subject(full).metadata
    assert {"labels", "annotations", "managedFields"}.isdisjoint(kept["metadata"])


def test_a_cluster_keeps_what_we_own_of_it_and_what_is_observed() -> None:
    kept = trim.cluster(CLUSTER)
    assert kept[OWNED] == owned_part(CLUSTER)
    assert belongs_to(kept, builders.UID)
    assert belongs_to(CLUSTER, builders.UID)
    assert kept["metadata"]["labels"] == {
        names.DATABASE_LABEL: "orders",
        known.DATABASE.uid_label: builders.UID,
        names.MANAGED_BY_LABEL: names.FIELD_MANAGER,
    }
    assert kept["metadata"]["ownerReferences"] == CLUSTER["metadata"]["ownerReferences"]
    resources = CLUSTER["spec"]["resources"]
    storage = {"size": "10Gi"}
    assert kept["spec"] == {"stopDelay": 180, "storage": storage, "resources": resources}
    assert not {"poolerIntegrations", "topology"} & set(kept["status"])


def test_a_pooler_keeps_what_we_own_of_it_and_whether_it_is_paused() -> None:
    told = {
        "serverCA": {"name": "daap-orders-ca", "version": "1"},
        "clientTLS": {"name": "daap-orders-server", "version": "2"},
        "pgBouncerSecrets": {"authQuery": {"name": "daap-orders-pooler", "version": "3"}},
    }
    status = {"phase": "active", "secrets": told | {"clientCA": {"version": "4"}}, "instances": 1}
    paused = {"spec": POOLER["spec"] | {"pgbouncer": {"paused": True}}, "status": status}
    kept = trim.pooler(POOLER | paused)
    (container,) = POOLER["spec"]["template"]["spec"]["containers"]
    resources = container["resources"]
    assert kept["spec"] == {"pgbouncer": {"paused": True}, "resources": resources}
    assert kept["status"] == {"phase": "active", "secrets": told}
    assert belongs_to(kept, builders.UID)


def test_a_deployment_keeps_its_counts() -> None:
    kept = trim.deployment(builders.deployment({"conditions": []}))
    (container,) = builders.deployment()["spec"]["template"]["spec"]["containers"]
    resources = container["resources"]
    assert kept["spec"] == {"replicas": 1, "resources": resources}
    assert kept["status"] == builders.deployment()["status"] | {"conditions": []}
    assert "labels" not in kept["metadata"]


def test_endpoints_keep_their_service_and_who_is_ready() -> None:
    full = builders.endpoints(True, False, None)
    full["endpoints"][0] |= {"addresses": ["10.0.0.1"], "nodeName": "node"}
    full["endpoints"][0]["conditions"] |= {"serving": True}
    kept = trim.endpoints(full)
    assert kept["endpoints"] == builders.endpoints(True, False, None)["endpoints"]
    assert kept["metadata"]["labels"] == full["metadata"]["labels"]


SIGNS: dict[str, Object] = {
    "well": CLUSTER,
    "hibernated": CLUSTER
    | {
        "status": CLUSTER["status"]
        | {"conditions": [{"type": "cnpg.io/hibernation", "status": "True", "reason": "x"}]}
    },
    "fenced": CLUSTER
    | {"metadata": CLUSTER["metadata"] | {"annotations": {"cnpg.io/fencedInstances": '["*"]'}}},
    "going": CLUSTER | {"metadata": CLUSTER["metadata"] | {"deletionTimestamp": "now"}},
    "resizing": CLUSTER | {"status": CLUSTER["status"] | {"resizingPVC": ["x"]}},
    "replaced": CLUSTER
    | {
        "status": CLUSTER["status"]
        | {"instancesReportedState": {"daap-orders-2": {"isPrimary": True, "ip": "10.0.0.1"}}}
    },
    "explained": CLUSTER | {"status": CLUSTER["status"] | {"phase": "?", "phaseReason": "why"}},
}


@pytest.mark.parametrize("cluster", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("paused", [True, False], ids=["paused", "not paused"])
@pytest.mark.parametrize("reachable", [True, False], ids=["reachable", "not reachable"])
def test_a_trimmed_child_is_observed_as_the_whole_one(
    cluster: Object, paused: bool, reachable: bool
) -> None:
    pooler, deployment = builders.pooler(paused=paused), builders.deployment()
    endpoints = builders.endpoints(reachable)
    whole = Children(cluster, pooler, deployment, (endpoints,))
    kept = Children(
        trim.cluster(cluster),
        trim.pooler(pooler),
        trim.deployment(deployment),
        (trim.endpoints(endpoints),),
    )
    asked: Any = {"instances": 1, "poolers": 1, "image": builders.IMAGE}
    assert observe(kept, **asked) == observe(whole, **asked)


@given(strategies.objects_with({"metadata": [{"name": "a"}], "spec": [{}], "status": [{}]}))
@pytest.mark.parametrize("kind", TRIMS)
def test_trimming_never_raises_and_twice_is_once(kind: str, obj: Object) -> None:
    kept = TRIMS[kind](obj)
    assert isinstance(kept["metadata"], dict)
    assert TRIMS[kind](kept) == kept | ({OWNED: {}} if OWNED in kept else {})


def test_of_a_container_few_amounts_are_kept() -> None:
    many = {f"example.com/{number:04}": "1" for number in range(500)}
    spec = {"containers": [{"name": "c", "resources": {"requests": many | {"cpu": "1"}}}]}
    kept = trim.resources(spec, "c")["requests"]
    assert len(kept) <= 16
    assert kept["cpu"] == "1"
