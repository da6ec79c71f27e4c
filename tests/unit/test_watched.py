"""Whom an object is about, and how the objects of a database are found."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.database import trim
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.watched import (
    CLUSTER,
    MOST_PARTS,
    WATCHES,
    children_of,
    owner,
)
from daap_operator.kube import Kind
from tests.support.steps import steps
from tests.support.woken import each
from tests.unit import backups, builders
from tests.unit.stage import KEY, SOURCES

Object = dict[str, Any]


def woken(store: Store, kind: Kind, obj: Object) -> list[Ref]:
    """What an object of a kind wakes."""
    found = [ref for watch in WATCHES if watch.kind == kind for ref in watch.wakes(obj, store)]
    return list(dict.fromkeys(each(found, store)))


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


# --- an ObjectStore, which many share -------------------------------------------------------------


def backed_up(name: str, archive: str, namespace: str = "shop") -> Object:
    status = {"backup": {"archive": archive}} if archive else {}
    return builders.database(
        status=status, name=name, namespace=namespace, uid=f"{namespace}-{name}"
    )


def concerned(before: Object | None, now: Object | None) -> set[str]:
    """The databases of `shop` and `bank` that a change of an ObjectStore of `shop` concerns."""
    store = Store(WATCHES)
    for name in ("a", "b", ""):
        archive = f"archive-{name}" if name else ""
        store.put(known.DATABASE, backed_up(name or "none", archive))
    store.put(known.DATABASE, backed_up("theirs", "archive-a", "bank"))
    (watch,) = (watch for watch in WATCHES if watch.kind == known.BARMAN_STORE)
    kept = [None if one is None else store.kept(known.BARMAN_STORE, one) for one in (before, now)]
    assert watch.concerns is not None
    assert [*watch.wakes(kept[1] or kept[0] or {}, store)] == []
    found = each(watch.concerns(kept[0], kept[1], store), store)
    return {ref.name for ref in found if ref.namespace == "shop"}


def kept_in(windows: dict[str, str], **changed: Any) -> Object:
    found = {f"archive-{name}": backups.window(last) for name, last in windows.items()}
    return backups.object_store(found, **changed)


EARLY, LATE = "2026-03-01T03:12:30Z", "2026-03-02T03:12:30Z"
ONE = kept_in({"a": EARLY, "b": EARLY})

CHANGES: dict[str, tuple[Object | None, Object | None, set[str]]] = {
    "there": (None, ONE, {"a", "b", "none"}),
    "gone": (ONE, None, {"a", "b", "none"}),
    "a backup of one": (ONE, kept_in({"a": EARLY, "b": LATE}), {"b"}),
    "the first backup of one": (kept_in({"a": EARLY}), ONE, {"b"}),
    "the end of an archive": (ONE, kept_in({"b": EARLY}), {"a"}),
    "a backup of nobody's": (ONE, kept_in({"a": EARLY, "b": EARLY, "c": EARLY}), set()),
    "another retention": (
        ONE,
        kept_in({"a": EARLY, "b": EARLY}, retention="1d"),
        {"a", "b", "none"},
    ),
}


@pytest.mark.parametrize(("before", "now", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_store_concerns_the_databases_whose_backups_have_changed(
    before: Object | None, now: Object | None, expected: set[str]
) -> None:
    assert concerned(before, now) == expected


def test_a_backup_that_has_failed_wakes_the_database_of_its_cluster() -> None:
    store = Store(WATCHES)
    store.put(known.CLUSTER, builders.cluster())
    for phase, expected in (("running", []), ("failed", [KEY]), ("completed", [])):
        kept = store.kept(known.BACKUP, backups.backup(phase))
        assert woken(store, known.BACKUP, kept) == expected, phase


def test_the_backups_of_a_cluster_that_have_failed_are_found() -> None:
    store = Store(WATCHES)
    store.put(known.BACKUP, backups.backup("completed"))
    assert store.by(known.BACKUP, CLUSTER, ("shop", "daap-orders")) == []
    failed = backups.backup("failed")
    failed["metadata"] |= {"name": "later", "uid": "later"}
    kept = store.put(known.BACKUP, failed)
    assert store.by(known.BACKUP, CLUSTER, ("shop", "daap-orders")) == [kept]
