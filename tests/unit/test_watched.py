"""Whom an object is about, and how the objects of a database are found."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.database import trim
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.watched import MOST_PARTS, WATCHES, children_of, owner
from daap_operator.kube import Kind
from tests.support.steps import steps
from tests.unit import builders
from tests.unit.stage import KEY, SOURCES

Object = dict[str, Any]


def woken(store: Store, kind: Kind, obj: Object) -> list[Ref]:
    """What an object of a kind wakes."""
    found = [ref for watch in WATCHES if watch.kind == kind for ref in watch.wakes(obj, store)]
    return list(dict.fromkeys(found))


OWNED = {
    "kind": known.DATABASE.name,
    "apiVersion": known.DATABASE.api_version,
    "name": "orders",
    "uid": "u",
}
LABELLED = {names.DATABASE_LABEL: "orders"}

OWNERS: dict[str, tuple[Object, Ref | None]] = {
    "by its reference": ({"ownerReferences": [OWNED]}, KEY),
    "by its reference, not its label": (
        {"ownerReferences": [OWNED], "labels": {names.DATABASE_LABEL: "other"}},
        KEY,
    ),
    "by its label when retained": ({"labels": LABELLED}, KEY),
    "by its label beside another owner": (
        {"labels": LABELLED, "ownerReferences": [{"kind": "Other", "name": "x"}]},
        KEY,
    ),
    "by its label beside a kind of our name of another group": (
        {"labels": LABELLED, "ownerReferences": [OWNED | {"apiVersion": "a.org/v1", "name": "x"}]},
        KEY,
    ),
    "nobody": ({}, None),
    "nobody beside a kind of our name of another group": (
        {"ownerReferences": [OWNED | {"apiVersion": "a.org/v1"}]},
        None,
    ),
}


@pytest.mark.parametrize(("metadata", "expected"), OWNERS.values(), ids=OWNERS)
@pytest.mark.parametrize("kind", [known.CLUSTER, known.POOLER], ids=lambda kind: kind.name)
def test_a_child_wakes_its_owner(kind: Kind, metadata: Object, expected: Ref | None) -> None:
    store = Store(WATCHES)
    child = {"metadata": {"name": "daap-orders", "namespace": "shop"} | metadata}
    assert owner(child) == expected
    assert woken(store, kind, store.kept(kind, child)) == ([expected] if expected else [])


def test_a_database_wakes_itself_and_all_of_its_name() -> None:
    store = Store(WATCHES)
    assert woken(store, known.DATABASE, builders.database()) == [KEY]
    store.put(known.DATABASE, builders.database(namespace="billing", uid="other"))
    store.put(known.DATABASE, builders.database(name="payments", uid="third"))
    assert woken(store, known.DATABASE, builders.database()) == [KEY, ref("billing", "orders")]


def test_a_deployment_wakes_the_owner_of_its_pooler() -> None:
    store, deployment = Store(WATCHES), trim.deployment(builders.deployment())
    assert woken(store, known.DEPLOYMENT, deployment) == []
    store.put(known.POOLER, builders.pooler())
    assert woken(store, known.DEPLOYMENT, deployment) == [KEY]


PARTS: dict[Kind, Object] = {
    known.POD: {"name": "daap-orders-1", "labels": {names.CNPG_CLUSTER_LABEL: "daap-orders"}},
    known.CLAIM: {"name": "daap-orders-1", "labels": {names.CNPG_CLUSTER_LABEL: "daap-orders"}},
    known.ACCOUNT: {"name": "daap-orders"},
}


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.name)
def test_a_part_of_a_cluster_wakes_the_owner_of_that(kind: Kind) -> None:
    store, part = Store(WATCHES), {"metadata": {"namespace": "shop"} | PARTS[kind]}
    assert woken(store, kind, part) == []
    store.put(known.CLUSTER, builders.cluster())
    assert woken(store, kind, part) == [KEY]
    elsewhere = {"metadata": part["metadata"] | {"namespace": "billing"}}
    assert woken(store, kind, elsewhere) == []


def test_children_are_found_by_their_names_whoever_owns_them() -> None:
    store = Store(WATCHES)
    cluster = store.put(known.CLUSTER, builders.cluster(ownerReferences=[]))
    assert children_of(store, "shop", "daap-orders").cluster == cluster
    pooler = store.put(known.POOLER, builders.pooler())
    deployment = store.put(known.DEPLOYMENT, builders.deployment())
    children = children_of(store, "shop", "daap-orders")
    assert (children.pooler, children.deployment) == (pooler, deployment)
    assert children_of(store, "other", "daap-orders").cluster is None


def test_endpoints_are_found_by_their_service_as_long_as_they_are_of_it() -> None:
    store = Store(WATCHES)

    def found(namespace: str = "shop") -> list[str]:
        children = children_of(store, namespace, "daap-orders")
        return [Ref.of(known.ENDPOINTS, each).name for each in children.endpoints]

    for name, service in (("four", "daap-orders-rw"), ("six", "daap-orders-rw"), ("ro", "other")):
        store.put(known.ENDPOINTS, builders.endpoints(True, service=service, name=name, uid=name))
    assert found() == ["four", "six"]
    assert found("billing") == []
    moved = builders.endpoints(True, service="other", name="four", uid="four", resourceVersion="2")
    store.put(known.ENDPOINTS, moved)
    assert found() == ["six"]
    store.remove(known.ENDPOINTS, builders.endpoints(name="six", uid="six", resourceVersion="2"))
    assert found() == []
    store.prune(SOURCES[known.ENDPOINTS], set(), version=9)
    store.put(
        known.ENDPOINTS, builders.endpoints(True, name="six", uid="new", resourceVersion="10")
    )
    assert found() == ["six"]


@pytest.mark.parametrize("kind", [known.POD, known.CLAIM], ids=lambda kind: kind.name)
def test_of_any_number_of_parts_the_first_are_looked_at(kind: Kind) -> None:
    """Whoever may label objects gives a Cluster as many as they like; a pass looks at few."""
    store = Store(WATCHES)

    def add(name: str) -> None:
        labels = {names.CNPG_CLUSTER_LABEL: "daap-orders"}
        metadata = {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"}
        store.put(kind, {"metadata": metadata | {"labels": labels}})

    def looked_at() -> list[str]:
        children = children_of(store, "shop", "daap-orders")
        found = children.pods if kind == known.POD else children.claims
        return [Ref.of(kind, each).name for each in found]

    add("daap-orders-1")
    for number in range(2 * MOST_PARTS):
        add(f"a{number}")  # before it, by its name
    assert len(looked_at()) == MOST_PARTS
    assert "daap-orders-1" in looked_at()
    before = steps(looked_at)
    for number in range(20 * MOST_PARTS):
        add(f"b{number}")
    assert steps(looked_at) == before


def test_a_database_is_found_by_its_uid_while_it_is_the_one_at_its_place() -> None:
    store = Store(WATCHES)
    store.put(known.DATABASE, builders.database(resourceVersion="1", uid="a"))
    assert store.by_uid(known.DATABASE, "a") == KEY
    store.put(known.DATABASE, builders.database(resourceVersion="2", uid="b"))
    assert (store.by_uid(known.DATABASE, "a"), store.by_uid(known.DATABASE, "b")) == (None, KEY)
    assert list(store.uids(known.DATABASE)) == ["b"]
    store.remove(known.DATABASE, builders.database(resourceVersion="3", uid="b"))
    assert not store.uids(known.DATABASE)
