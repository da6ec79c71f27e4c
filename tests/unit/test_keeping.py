"""What tenants make does not decide what is kept: nothing of strangers, shares of the rest."""

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import names, raw
from daap_operator.engine import strangers
from daap_operator.engine.bounds import OVER_SHARE, STUB_BYTES, footprint, is_out, stub, weight
from daap_operator.engine.keeping import Listener
from daap_operator.engine.kinds import Ref
from daap_operator.engine.shares import UNIT_BYTES
from daap_operator.engine.store import Store
from daap_operator.engine.strangers import Strangers
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.watched import WATCHES, children_of
from daap_operator.kube import Kind
from tests.unit import builders, strategies
from tests.unit.stage import KEY, SOURCES, Stage, ready

Object = dict[str, Any]

FEW = 400 * 1024
"""Bytes: some databases fit, and no hundred."""

PARTS = [watch.kind for watch in WATCHES if watch.of]


def made(kind: Kind, number: int, namespace: str = "shop", *, of: str = "orders") -> Object:
    """An object of a kind that the operator watches for a database."""
    cluster = names.cluster_name(of)
    service = names.primary_service(cluster)
    labels = {names.CNPG_CLUSTER_LABEL: cluster, names.SERVICE_LABEL: service}
    exact = {
        known.CLUSTER: cluster,
        known.POOLER: names.pooler_name(cluster),
        known.DEPLOYMENT: names.pooler_name(cluster),
        known.ACCOUNT: cluster,
    }
    metadata = {
        "name": exact.get(kind, f"a-{number}"),
        "namespace": namespace,
        "uid": f"{kind.name}-{namespace}-{of}-{number}",
        "resourceVersion": str(number + 1),
        "labels": labels,
    }
    return {"metadata": metadata}


def heavy(obj: Object, size: int) -> Object:
    """The same object, of which so many bytes are kept."""
    obj["metadata"]["finalizers"] = [f"example.org/{'x' * 200}{n}" for n in range(size // 300)]
    obj["status"] = {"phase": "x", "conditions": [{"type": "Ready", "message": "x" * size}]}
    return obj


def database(number: int, namespace: str = "shop", *, begun: bool = True, size: int = 0) -> Object:
    finalizers = [names.FINALIZER] if begun else []
    return builders.database(
        {"purpose": "x" * size},
        name=f"db-{number}",
        namespace=namespace,
        uid=f"{namespace}-{number}",
        finalizers=finalizers,
        resourceVersion=str(number + 1),
    )


def kept(store: Store) -> list[Object]:
    """All that is kept."""
    found = [store.get(one) for watch in WATCHES for one in store.refs(watch.kind)]
    return [one for one in found if one is not None]


# --- whatever is fed ------------------------------------------------------------------------------

events = st.tuples(
    st.sampled_from([known.DATABASE, *PARTS]),
    st.integers(0, 40),
    st.sampled_from(["shop", "billing", "third"]),
    st.integers(0, 40),
    st.sampled_from([0, 0, 500, 5_000, 60_000]),
    st.sampled_from(["ADDED", "ADDED", "ADDED", "DELETED", "answer"]),
)


@given(st.lists(events, min_size=100, max_size=300), st.sampled_from([FEW // 4, FEW]))
def test_whatever_is_fed_what_is_kept_has_a_bound(fed: list[Any], most: int) -> None:
    store = Store(WATCHES, most=most)
    for version, (kind, number, namespace, of, size, event) in enumerate(fed):
        if kind == known.DATABASE:
            obj = database(of, namespace, begun=bool(number % 3), size=size)
        else:
            obj = heavy(made(kind, number, namespace, of=f"db-{of}"), size)
        obj["metadata"]["resourceVersion"] = str(version + 1)
        if event == "DELETED":
            store.drop(SOURCES[kind], obj)
        elif event == "answer":
            store.put(kind, obj)
        else:
            store.take(SOURCES[kind], obj)
        assert store.weight <= most
    total = sum(footprint(one) for one in kept(store))
    assert total <= store.weight <= most


@given(st.lists(events, min_size=100, max_size=200))
def test_who_has_less_than_an_equal_part_loses_nothing(fed: list[Any]) -> None:
    store = Store(WATCHES, most=FEW)
    quiet = [database(0, "quiet"), *(made(kind, 0, "quiet", of="db-0") for kind in PARTS)]
    for kind, obj in zip([known.DATABASE, *PARTS], quiet, strict=True):
        store.take(SOURCES[kind], obj)
    before = kept(store)
    for version, (kind, number, namespace, of, size, _) in enumerate(fed):
        if kind == known.DATABASE:
            obj = database(of, namespace, begun=bool(number % 3), size=size)
        else:
            obj = heavy(made(kind, number, namespace, of=f"db-{of}"), size)
        obj["metadata"]["resourceVersion"] = str(version + 1)
        store.take(SOURCES[kind], obj)
        assert [one for one in kept(store) if one["metadata"]["namespace"] == "quiet"] == before


@pytest.mark.parametrize("size", [2_000, STUB_BYTES // 2, STUB_BYTES * 9 // 10, 3 * STUB_BYTES])
def test_databases_as_large_as_what_stays_of_them_cost_nobody_else_anything(size: int) -> None:
    """Putting one out frees little: then even what stays of those of the same namespace goes."""
    store = Store(WATCHES, most=FEW)
    quiet = [database(0, "quiet"), *(made(kind, 0, "quiet", of="db-0") for kind in PARTS)]
    for kind, obj in zip([known.DATABASE, *PARTS], quiet, strict=True):
        store.take(SOURCES[kind], obj)
    before = kept(store)
    for number in range(3 * FEW // size + 100):
        taken = database(number, "greedy", size=size)
        store.take(SOURCES[known.DATABASE], taken)
        store.put(known.DATABASE, taken | {"status": {"phase": "Error"}})
        assert store.weight <= FEW
        assert [one for one in kept(store) if one["metadata"]["namespace"] == "quiet"] == before
    assert store.take(SOURCES[known.DATABASE], database(1, "third", begun=False)) is not None


@given(strategies.json_values, st.integers(1, 3000))
def test_a_stub_has_a_bound_and_what_we_have_written(value: Any, times: int) -> None:
    obj = builders.database({"a": [value] * times}, {"clusterName": "daap-orders"})
    made = stub(obj, {"kind": "Pod"})
    assert weight(made, 10**9) <= STUB_BYTES + 1024
    assert made["metadata"]["uid"] == obj["metadata"]["uid"]
    assert made["status"] == obj["status"]
    assert is_out(made)


# --- strangers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.name)
def test_nothing_is_kept_of_a_stranger(kind: Kind) -> None:
    store = Store(WATCHES)
    store.take(SOURCES[known.DATABASE], builders.database())
    for number in range(100):
        stranger = made(kind, number, of=f"other-{number}")
        assert store.take(SOURCES[kind], stranger) is None
        assert store.take(SOURCES[kind], made(kind, number, "billing")) is None
    assert store.refs(kind) == []
    assert store.take(SOURCES[kind], made(kind, 0)) is not None
    assert len(store.refs(kind)) == 1


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.name)
def test_what_belonged_to_a_database_goes_with_it(kind: Kind) -> None:
    store = Store(WATCHES)
    store.take(SOURCES[known.DATABASE], builders.database())
    store.take(SOURCES[kind], made(kind, 0))
    store.drop(SOURCES[known.DATABASE], builders.database(resourceVersion="9"))
    assert store.refs(kind) == []
    assert store.weight == 0


def test_a_part_that_becomes_a_strangers_is_forgotten() -> None:
    store = Store(WATCHES)
    store.take(SOURCES[known.DATABASE], builders.database())
    store.take(SOURCES[known.POD], made(known.POD, 0))
    moved = made(known.POD, 0, of="other")
    moved["metadata"]["resourceVersion"] = "2"
    store.take(SOURCES[known.POD], moved)
    assert store.refs(known.POD) == []


async def test_what_came_before_its_database_is_listed_before_the_first_pass() -> None:
    stage = await ready()
    stage.kube.objects = {
        one: obj for one, obj in stage.kube.objects.items() if one[0] != known.DATABASE
    }
    await stage.restart()
    assert children_of(stage.store, *KEY[1:]).cluster is None
    stage.order()
    stage.watch()
    assert list(stage.store.lacking) == [KEY]
    asked = len(stage.kube.requests)
    assert await stage.loop.reconcile(KEY, 0)
    assert len(stage.kube.requests) == asked, "a pass that does not know all does nothing"
    await stage.complete()
    assert not stage.store.lacking
    assert KEY in stage.queue.taken()
    children = children_of(stage.store, "shop", "daap-orders")
    assert children.cluster
    assert children.pooler
    assert children.deployment
    assert children.endpoints


async def test_a_database_without_predecessors_lists_nothing() -> None:
    stage = Stage()
    for number in range(50):
        stage.intake.event(SOURCES[known.POD], "ADDED", made(known.POD, number, of=f"a-{number}"))
    stage.order()
    stage.watch()
    assert not stage.store.lacking


async def test_what_was_completed_during_a_list_is_not_taken_for_gone() -> None:
    """The LIST has passed by the stranger, which then came to be of ours."""
    stage = await ready()
    stage.kube.page = 1
    databases = {one: obj for one, obj in stage.kube.objects.items() if one[0] == known.DATABASE}
    for one in databases:
        del stage.kube.objects[one]
    await stage.restart()
    pages = stage.kube.pages

    async def late(kind: Kind, namespace: str = "", **more: Any) -> Any:
        async for page in pages(kind, namespace, **more):
            yield page
        if kind == known.CLUSTER and not namespace:
            stage.kube.objects |= databases
            stage.intake.event(SOURCES[known.DATABASE], "ADDED", next(iter(databases.values())))
            await stage.intake.complete_lacking(stage.kube)

    stage.kube.pages = late  # type: ignore[method-assign]
    await stage.intake.list_all(stage.kube, ())
    assert children_of(stage.store, "shop", "daap-orders").cluster


def test_a_stranger_is_forgotten_when_two_lists_have_not_seen_it() -> None:
    found = Strangers()
    found.note("a")
    found.begin()
    assert found.may_have("a")
    found.note("b")
    found.end()
    assert not found.may_have("a")
    assert found.may_have("b")
    assert strangers.BITS // 8 <= 128 * 1024


# --- shares ---------------------------------------------------------------------------------------


def flood(stage: Stage, count: int = 200, size: int = 5000) -> None:
    """Somebody labels pods as those of a database."""
    for number in range(count):
        pod = heavy(made(known.POD, number), size)
        pod["metadata"]["resourceVersion"] = str(10_000 + number)
        stage.intake.event(SOURCES[known.POD], "ADDED", pod)


async def test_a_flood_puts_its_database_out_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    stage = Stage(most=FEW)
    stage.order()
    stage.order("payments")
    await stage.settle()
    stage.queue.taken()
    flood(stage)
    assert [pod.name for pod in stage.store.refs(known.POD)] == ["daap-payments-1"]
    assert stage.queue.taken() == [KEY]
    assert is_out(stage.store.get(KEY) or {})
    assert caplog.text.count("No memory for what belongs to an object") == 1
    await stage.look()
    stalled = stage.condition("Stalled")
    assert stalled == ("True", "NamespaceOverShare")
    told = stage.message("Stalled")
    for word in ("Namespace shop", "kind Pod", "ResourceQuota", "memory limit"):
        assert word in told
    assert stage.condition("Ready") == ("False", "NamespaceOverShare")
    assert stage.store.over() == {("shop", known.DATABASE.name): 1}
    asked = len(stage.kube.requests)
    for key in (KEY, ref("shop", "payments")):
        await stage.look(key)
    assert len(stage.kube.requests) == asked, "what is reported costs no requests"
    assert stage.condition("Ready", ref("shop", "payments")) == ("True", "Ready")


async def test_a_database_that_was_put_out_comes_back() -> None:
    stage = Stage(most=FEW)
    stage.order()
    await stage.settle()
    flood(stage)
    await stage.look()
    for _ in range(6):  # each LIST hopes for less
        await stage.relist()
    assert not is_out(stage.store.get(KEY) or {})
    await stage.settle()
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Stalled") is None
    assert not stage.store.over()


async def test_a_database_that_was_put_out_can_be_deleted() -> None:
    stage = Stage(most=FEW)
    stage.order()
    await stage.settle()
    flood(stage)
    await stage.look()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert stage.kube.there(known.CLUSTER) == []
    assert stage.store.get(KEY) is None
    assert stage.store.weight == 0


def test_what_was_not_begun_is_turned_away_where_there_is_most() -> None:
    stage = Stage(most=FEW)
    for number in range(100):
        event = database(number, begun=False)
        stage.intake.event(SOURCES[known.DATABASE], "ADDED", event)
    there = len(stage.store.refs(known.DATABASE))
    assert 20 < there < FEW // UNIT_BYTES
    assert stage.turned_away == [ref("shop", f"db-{there}")], "told once"
    assert stage.store.over() == {("shop", known.DATABASE.name): 100 - there}
    for number in range(20):
        other = database(number, "billing", begun=False)
        stage.intake.event(SOURCES[known.DATABASE], "ADDED", other)
        assert stage.store.get(ref("billing", f"db-{number}")), "for whoever has less there is room"
    assert stage.store.over()["shop", known.DATABASE.name] > 100 - there, "at the cost of the other"


def test_what_was_begun_is_never_turned_away_while_there_is_room_for_stubs() -> None:
    store = Store(WATCHES, most=FEW)
    told: list[Ref] = []
    store.tell(Listener(put_out=told.append))
    for number in range(60):
        store.take(SOURCES[known.DATABASE], database(number))
    assert len(store.refs(known.DATABASE)) == 60
    out = [one for one in kept(store) if is_out(one)]
    assert len(told) == len(out) > 0
    assert all(raw.mapping(one, OVER_SHARE)["kind"] == known.DATABASE.name for one in out)


def test_an_answer_to_a_write_does_not_bring_back_what_was_put_out() -> None:
    stage = Stage(most=FEW)
    obj = database(0) | {"metadata": builders.database(finalizers=[names.FINALIZER])["metadata"]}
    stage.intake.event(SOURCES[known.DATABASE], "ADDED", obj)
    flood(stage)
    obj["metadata"] = obj["metadata"] | {"resourceVersion": "99999"}
    stage.store.put(known.DATABASE, obj)
    assert is_out(stage.store.get(KEY) or {})
    assert stage.store.put(known.CLUSTER, builders.cluster(resourceVersion="99999")) is None
    assert stage.store.refs(known.CLUSTER) == []
