"""Whether what was asked for is what there is: each field by what comes of it."""

from dataclasses import replace
from typing import Any

import pytest

from daap_operator.engine.ownership import OWNED
from daap_operator.kinds.database import trim, trim_pod
from daap_operator.kinds.database.applied import amounts, lacking
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.mark import unmarked
from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.seen import Children
from tests.unit import builders

Object = dict[str, Any]

LIMIT = {"limits": {"memory": "2Gi"}}
LIVE = {"clusterName": "daap-orders"}
"""Of a database from before there were revisions of the defaults."""
KINDS = ("requests", "limits")
NOT_READY = {"conditions": [{"type": "Ready", "status": "False"}]}


def owned(child: Object, manifest: Object) -> Object:
    """The child as the cache has it once the manifest was applied."""
    return child | {OWNED: manifest}


def children(**changed: Any) -> Children:
    """Those of a database of which everything is there."""
    there = Children(
        cluster=owned(trim.cluster(builders.cluster()), cluster(builders.resolved())),
        pooler=owned(trim.pooler(builders.pooler()), pooler(builders.resolved())),
        deployment=trim.deployment(builders.deployment()),
        pooler_endpoints=(trim.endpoints(builders.pooler_endpoints()),),
        account=trim.account(builders.account()),
        pods=(trim_pod.pod(builders.pod()),),
    )
    return replace(there, **changed)


def missing(seen: Children, spec: Object | None = None) -> str:
    """What is lacking of the database with that spec."""
    resolved = builders.resolved(spec)
    return lacking(seen, cluster(resolved), pooler(resolved))


def pods(*made: Object) -> tuple[Object, ...]:
    """As the cache has them."""
    return tuple(map(trim_pod.pod, made))


def test_nothing_is_lacking_of_what_is_all_there() -> None:
    assert missing(children()) == ""


CLUSTERS = "CloudNativePG has not picked up the Cluster's latest change yet"
POOLERS = "CloudNativePG has not picked up the Pooler's latest change yet"
LACKING: dict[str, tuple[Children, str]] = {
    "no account": (children(account=None), CLUSTERS),
    "an older spec": (children(account=trim.account(builders.account("0" * 16))), CLUSTERS),
    "no slice of the pooler's": (children(pooler_endpoints=()), POOLERS),
    "an older spec of the pooler's": (
        children(pooler_endpoints=(trim.endpoints(builders.pooler_endpoints("0" * 16)),)),
        POOLERS,
    ),
    "one slice of two": (
        children(
            pooler_endpoints=(
                trim.endpoints(builders.pooler_endpoints()),
                trim.endpoints(builders.pooler_endpoints("0" * 16)),
            )
        ),
        POOLERS,
    ),
    "no pod": (children(pods=()), "0 of 1 instances are ready"),
    "an image of before": (
        children(pods=pods(builders.pod(image="postgresql:16"))),
        "0 of 1 instances have the image that the spec asks for",
    ),
    "resources of before": (
        children(pods=pods(builders.pod(resources=LIMIT))),
        "0 of 1 instances have the resources that the spec asks for",
    ),
    "the time to stop of before": (
        children(pods=pods(builders.pod(grace=1800))),
        "0 of 1 instances have the time to stop that the spec asks for",
    ),
    "the startup probe of before": (
        children(pods=pods(builders.pod(startup={"periodSeconds": 10, "failureThreshold": 360}))),
        "0 of 1 instances have the startup probe that the spec asks for",
    ),
    "a pod that is not ready": (
        children(pods=pods(builders.pod(NOT_READY))),
        "0 of 1 instances are ready",
    ),
    "a pod that goes": (
        children(pods=pods(builders.pod(deletionTimestamp="2026-03-01T12:00:00Z"))),
        "0 of 1 instances are ready",
    ),
    "a pod of the pooler alone": (
        children(pods=pods(builders.pod(role="pooler"))),
        "0 of 1 instances are ready",
    ),
    "one pod too many": (
        children(pods=pods(builders.pod(), builders.pod(name="daap-orders-2"))),
        "2 of 1 instances are ready",
    ),
    "a Deployment of before": (
        children(deployment=trim.deployment(builders.deployment() | {"spec": {"replicas": 1}})),
        "The pooler's pods do not have the resources that the spec asks for yet",
    ),
}


@pytest.mark.parametrize(("seen", "told"), LACKING.values(), ids=LACKING)
def test_what_is_not_there_is_told(seen: Children, told: str) -> None:
    assert missing(seen) == told


def test_what_was_made_before_there_were_marks_is_there() -> None:
    """It has not been changed since, else it would have one."""
    resolved = builders.resolved()
    seen = children(
        cluster=owned(trim.cluster(builders.cluster()), unmarked(cluster(resolved))),
        pooler=owned(trim.pooler(builders.pooler()), unmarked(pooler(resolved))),
        account=None,
        pooler_endpoints=(),
    )
    assert missing(seen) == ""


EDITS: dict[str, Object] = {
    "instances": {"instances": 2},
    "version": {"postgresVersion": 18},
    "storage": {"storage": {"size": "20Gi"}},
    "resources": {"resources": LIMIT},
    "pooler's instances": {"pooler": {"instances": 3}},
    "pooler's mode": {"pooler": {"mode": "Session"}},
    "pooler's clients": {"pooler": {"maxClientConnections": 77}},
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_no_edit_counts_as_applied_while_nothing_has_changed(edit: Object) -> None:
    assert missing(children(), edit)


@pytest.mark.parametrize(
    "edit", [{"ownerTeam": "payments"}, {"purpose": "x"}, {"deletionPolicy": "Retain"}], ids=str
)
def test_an_edit_that_is_not_cloudnativepgs_waits_for_nothing(edit: Object) -> None:
    assert missing(children(), edit) == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {"requests": {}}, True),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}, True),
        ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1024Mi"}}, True),
        ({"limits": {"memory": "1Gi"}}, {"requests": {"memory": "1Gi"}}, False),
        ({"limits": {"memory": "1Gi"}}, {}, False),
        ({"requests": {"cpu": "1"}}, {"requests": {"cpu": "2"}}, False),
        ({"limits": {"memory": 1}}, {"limits": {"memory": "1"}}, True),
        ({"limits": {"memory": "much"}}, {"limits": {"memory": "much"}}, True),
        ({"limits": "much"}, {}, True),
    ],
)
def test_amounts_are_compared_by_what_they_mean(one: Object, other: Object, same: bool) -> None:
    assert (amounts({"resources": one}) == amounts({"resources": other})) is same


def test_what_a_limit_range_has_added_to_a_pod_is_not_a_difference() -> None:
    """CloudNativePG compares what it asked for itself, and so does this."""
    made = builders.pod()
    made["spec"] = {"containers": [{"name": "postgres", "resources": LIMIT}]}
    assert missing(children(pods=pods(made))) == ""


def test_a_pod_without_the_annotation_is_read_as_it_is() -> None:
    made = builders.pod()
    made["metadata"]["annotations"] = {"cnpg.io/podSpec": "{"}
    assert missing(children(pods=pods(made))) == ""


BY_HAND = {
    "of a database that has none": (LIVE, {"requests": {"cpu": "2"}, "limits": {"memory": "2Gi"}}),
    "beside those of the newest defaults": ({}, {"requests": {"ephemeral-storage": "1Gi"}}),
}


@pytest.mark.parametrize(("status", "added"), BY_HAND.values(), ids=BY_HAND)
def test_resources_that_others_gave_a_cluster_are_not_lacking(
    status: Object, added: Object
) -> None:
    resolved = builders.resolved(status=status)
    asked, live = cluster(resolved), builders.cluster()
    ours = asked["spec"].get("resources", {})
    live["spec"]["resources"] = {kind: ours.get(kind, {}) | added.get(kind, {}) for kind in KINDS}
    seen = children(
        cluster=owned(trim.cluster(live), unmarked(asked)),
        pooler=owned(trim.pooler(builders.pooler()), unmarked(pooler(resolved))),
        pods=pods(builders.pod(resources=live["spec"]["resources"])),
    )
    assert lacking(seen, asked, pooler(resolved)) == ""
    before = replace(seen, pods=pods(builders.pod(resources=ours)))
    assert "have the resources" in lacking(before, asked, pooler(resolved))


def test_resources_that_others_gave_a_pooler_count() -> None:
    resolved = builders.resolved(status=LIVE)
    live, deployment = builders.pooler(), builders.deployment()
    for each in (live, deployment):
        template = each["spec"]["template"]["spec"] = pooler(resolved)["spec"]["template"]["spec"]
        template["containers"][0]["resources"]["limits"] = {"memory": "256Mi"}
    seen = children(
        cluster=owned(trim.cluster(builders.cluster()), unmarked(cluster(resolved))),
        pooler=owned(trim.pooler(live), unmarked(pooler(resolved))),
        deployment=trim.deployment(deployment),
    )
    assert lacking(seen, cluster(resolved), pooler(resolved)) == ""
    seen = replace(seen, deployment=trim.deployment(builders.deployment()))
    assert "The pooler's pods" in lacking(seen, cluster(resolved), pooler(resolved))
