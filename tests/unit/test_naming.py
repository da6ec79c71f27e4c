"""A name keeps its holder."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import NAME, Arbiter, ref
from daap_operator.kinds.database.watched import WATCHES
from tests.unit import builders

Object = dict[str, Any]


def database(version: int, *, uid: str = "u", **more: Any) -> Object:
    """A DaapDatabase at a resource version."""
    status = more.pop("status", None)
    return builders.database(None, status, uid=uid, resourceVersion=str(version), **more)


def namesake(namespace: str, created: int = 0, version: int = 1, **status: Any) -> Object:
    return database(
        version,
        uid=f"uid-{namespace}",
        namespace=namespace,
        creationTimestamp=f"2026-03-01T12:00:{created:02}Z",
        status=status,
    )


def going(obj: Object) -> Object:
    return obj | {"metadata": obj["metadata"] | {"deletionTimestamp": "2026-03-01T12:30:00Z"}}


def forging(obj: Object) -> Object:
    """With our finalizer, which whoever creates an object may write."""
    return obj | {"metadata": obj["metadata"] | {"finalizers": [names.FINALIZER]}}


def cluster(namespace: str, uid: str = "", *, owner: bool = False, **metadata: Any) -> Object:
    """The Cluster of the DaapDatabase `orders` with that uid, or of an earlier one there."""
    made = builders.cluster(namespace=namespace)
    made["metadata"]["labels"] |= {known.DATABASE.uid_label: uid or "of an earlier object"}
    reference = {
        "apiVersion": known.DATABASE.api_version,
        "kind": known.DATABASE.name,
        "name": "orders",
        "uid": uid,
    }
    made["metadata"]["ownerReferences"] = [reference] if owner else []
    made["metadata"] |= metadata
    return made


HOLDERS: dict[str, tuple[list[Object], str | None]] = {
    "nobody": ([], None),
    "the only one": ([namesake("a")], "a"),
    "the oldest": ([namesake("a", 5), namesake("b", 3), namesake("c", 4)], "b"),
    "of one age, the one with the least uid": ([namesake("b", 3), namesake("a", 3)], "a"),
    "the one with a Cluster, however young": (
        [namesake("a", 1), namesake("b", 9, clusterName="daap-orders")],
        "b",
    ),
    "never the one that wrote our finalizer into itself": (
        [namesake("a", 1), forging(namesake("b", 2))],
        "a",
    ),
    "one that is being deleted has it until the operator has let it go": (
        [going(forging(namesake("a", 1))), namesake("b", 2)],
        "a",
    ),
    "never one that only others keep from going": (
        [going(namesake("a", 1, clusterName="daap-orders")), namesake("b", 2)],
        "b",
    ),
    "not even where nobody else wants it": ([going(namesake("a", 1))], None),
}


@pytest.mark.parametrize(("objects", "namespace"), HOLDERS.values(), ids=HOLDERS)
def test_the_holder_of_a_name_is(objects: list[Object], namespace: str | None) -> None:
    store = Store(WATCHES)
    for obj in objects:
        store.put(known.DATABASE, obj)
    assert Arbiter(store).holder("orders") == (namespace and ref(namespace, "orders"))
    assert set(store.refs_by(known.DATABASE, NAME, "orders")) == {
        Ref.of(known.DATABASE, obj) for obj in objects
    }
    assert Arbiter(store).holder("payments") is None


CLUSTERS: dict[str, tuple[list[Object], str]] = {
    "that owns a Cluster": ([cluster("b", "uid-b", owner=True)], "b"),
    "that has a Cluster with its uid": ([cluster("b", "uid-b")], "b"),
    "that has an earlier one's Cluster": ([cluster("b")], "b"),
    "with a Cluster of its own before the one with an earlier one's": (
        [cluster("a"), cluster("b", "uid-b")],
        "b",
    ),
    "of which a Cluster that is going tells nothing": (
        [cluster("b", deletionTimestamp="2026-03-01T12:00:00Z")],
        "a",
    ),
    "that is older than the one with somebody's Cluster": ([cluster("b", labels={})], "a"),
    "that is older than the one with a Cluster for another name": (
        [cluster("b", labels={names.MANAGED_BY_LABEL: "daap-operator", names.DATABASE_LABEL: "x"})],
        "a",
    ),
}


@pytest.mark.parametrize(("clusters", "namespace"), CLUSTERS.values(), ids=CLUSTERS)
@pytest.mark.parametrize("first", ["databases", "clusters"])
def test_without_any_status_the_holder_is_the_one(
    clusters: list[Object], namespace: str, first: str
) -> None:
    """As after a restore, which brings no status back, whatever came first."""
    store = Store(WATCHES)
    there = [(known.DATABASE, each) for each in (forging(namesake("a", 1)), namesake("b", 9))]
    there += [(known.CLUSTER, each) for each in clusters]
    for kind, obj in there if first == "databases" else reversed(there):
        store.put(kind, obj)
    assert Arbiter(store).holder("orders") == ref(namespace, "orders")


def test_a_cluster_that_appears_takes_no_name_that_was_promised() -> None:
    """Or two would have it: whoever may write Clusters could choose the moment."""
    store = Store(WATCHES)
    for obj in (namesake("a", 1), namesake("b", 9)):
        store.put(known.DATABASE, obj)
    arbiter = Arbiter(store)
    arbiter.promise("orders", "uid-a")
    store.put(known.CLUSTER, cluster("b", "uid-b"))
    assert arbiter.holder("orders") == ref("a", "orders")


def test_who_is_alone_with_a_name_is_not_judged() -> None:
    """Whether an object is qualified takes a validation of the whole of it."""
    judged: list[str] = []

    def qualified(obj: Object) -> bool:
        judged.append(obj["metadata"]["namespace"])
        return True

    store = Store(WATCHES)
    store.put(known.DATABASE, namesake("a"))
    assert Arbiter(store).holder("orders", qualified) == ref("a", "orders")
    assert judged == []
    store.put(known.DATABASE, namesake("b"))
    assert Arbiter(store).holder("orders", qualified) == ref("a", "orders")
    assert sorted(judged) == ["a", "b"]


def test_a_promise_is_kept_until_the_status_tells_it() -> None:
    store = Store(WATCHES)
    store.put(known.DATABASE, namesake("young", 9))
    arbiter = Arbiter(store)
    arbiter.promise("orders", "uid-young")
    store.put(known.DATABASE, namesake("old", 1))
    assert arbiter.holder("orders") == ref("young", "orders")
    store.put(known.DATABASE, namesake("young", 9, version=2, clusterName="daap-orders"))
    assert arbiter.holder("orders") == ref("young", "orders")


def test_a_promise_ends_with_its_object() -> None:
    store = Store(WATCHES)
    for obj in (namesake("young", 9), namesake("old", 1)):
        store.put(known.DATABASE, obj)
    arbiter = Arbiter(store)
    arbiter.promise("orders", "uid-young")
    gone = store.remove(known.DATABASE, namesake("young", version=2))
    assert gone is not None
    arbiter.forget(gone)
    assert arbiter.holder("orders") == ref("old", "orders")
    again = database(3, uid="another", namespace="young", creationTimestamp="2026-03-01T13:00:00Z")
    store.put(known.DATABASE, again)
    assert arbiter.holder("orders") == ref("old", "orders")


def test_only_the_end_of_whom_it_was_promised_to_ends_a_promise() -> None:
    store = Store(WATCHES)
    for obj in (namesake("young", 9), namesake("old", 1)):
        store.put(known.DATABASE, obj)
    arbiter = Arbiter(store)
    arbiter.promise("orders", "uid-young")
    arbiter.forget(namesake("another"))
    assert arbiter.holder("orders") == ref("young", "orders")


actions = st.lists(
    st.tuples(
        st.sampled_from(["comes", "goes", "looks", "is told", "restarts", "forges a Cluster"]),
        st.sampled_from("abc"),
    ),
    max_size=20,
)


@given(actions, st.permutations([1, 2, 3]))
def test_the_holder_never_changes_while_it_lives(
    happened: list[tuple[str, str]], ages: list[int]
) -> None:
    """Whoever looks and finds itself the holder takes the name, and its status tells so later."""
    store, there, decided = Store(WATCHES), dict[str, Object](), ""
    arbiter = Arbiter(store)
    for version, (action, who) in enumerate(happened, start=1):
        if action == "comes" and who not in there:
            born = namesake(who, ages["abc".index(who)], version)
            born["metadata"]["uid"] = f"{who}-{version}"
            there[who] = born
            store.put(known.DATABASE, born)
        elif action == "goes" and who in there:
            gone = there.pop(who)
            store.remove(known.DATABASE, gone | {"metadata": later(gone, version)})
            arbiter.forget(gone)
            decided = "" if decided == who else decided
        elif action == "looks" and who in there:
            if arbiter.holder("orders") == ref(who, "orders"):
                assert decided in ("", who)
                decided = who
                arbiter.promise("orders", there[who]["metadata"]["uid"])
        elif action == "is told" and who == decided:
            there[who] = there[who] | {
                "metadata": later(there[who], version),
                "status": {"clusterName": "daap-orders"},
            }
            store.put(known.DATABASE, there[who])
        elif action == "forges a Cluster" and who in there:
            uid = there[who]["metadata"]["uid"]
            store.put(known.CLUSTER, cluster(who, uid, resourceVersion=str(version)))
        elif action == "restarts" and (not decided or there[decided]["status"]):
            store = Store(WATCHES)
            arbiter = Arbiter(store)
            for obj in there.values():
                store.put(known.DATABASE, obj)
        if decided:
            assert arbiter.holder("orders") == ref(decided, "orders")


def later(obj: Object, version: int) -> Object:
    metadata: Object = obj["metadata"] | {"resourceVersion": str(version)}
    return metadata
