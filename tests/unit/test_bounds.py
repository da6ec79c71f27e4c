"""What is kept of an object has a bound, whatever the object has and wherever it has it."""

import json
import logging
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daap_operator import names, raw
from daap_operator.engine import bounds
from daap_operator.engine.bounds import KEPT_BYTES, MOST_FINALIZERS, MOST_OWNERS, bounded, weight
from daap_operator.engine.kinds import Kept, Watch
from daap_operator.engine.ownership import belongs_to
from daap_operator.engine.store import Store
from daap_operator.engine.tell import REFUSALS_BEFORE_TELLING, REFUSED_SECONDS
from daap_operator.kinds import known
from daap_operator.kinds.database.watched import WATCHES
from daap_operator.kube import ApiError
from daap_operator.kube.sizes import OBJECT_BYTES, TOO_LARGE, marked, told
from tests.unit import builders, strategies
from tests.unit.fakes import refused
from tests.unit.stage import KEY, SOURCES, Stage, ready

Object = dict[str, Any]

SLACK = 1024
"""For the mark."""

OBJECTS: dict[str, Object] = {
    "database": builders.database({"purpose": "shop"}, {"phase": "Ready"}),
    "cluster": builders.cluster(),
    "pooler": builders.pooler(),
    "deployment": builders.deployment(),
    "endpointslice": builders.endpoints(True),
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path in an object."""
    yield path
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, below in pairs:
        yield from paths(below, (*path, key))


def grown(obj: Object, path: tuple[Any, ...], large: Any) -> Object:
    """The object with something large at a path: in place of what is there, and beside it."""
    made = deepcopy(obj)
    place = made
    for key in path[:-1]:
        place = place[key]
    there = place[path[-1]]
    if isinstance(there, dict) and isinstance(large, dict):
        there |= large
    elif isinstance(there, list):
        there += large if isinstance(large, list) else [large]
    else:
        place[path[-1]] = large
    return made


LARGE: dict[str, Any] = {
    "a text": "x" * 100_000,
    "a text of wide characters": "😀" * 30_000,
    "texts": ["example.com/a"] * 3000,
    "long texts": ["x" * 2000] * 60,
    "nothing, often": [{}] * 3000,
    "fields": {f"field-{number}": "x" for number in range(2000)},
    "owners": [{"apiVersion": "v1", "kind": "A", "name": "x" * 200, "uid": "y" * 99}] * 300,
    "conditions": [{"type": "cnpg.io/hibernation", "status": "x" * 999, "message": "y"}] * 100,
}
IDENTITY = {("metadata", key) for key in ("name", "namespace", "uid", "resourceVersion")}


@pytest.mark.parametrize("large", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.kind.word)
def test_what_is_kept_has_a_bound_wherever_an_object_grows(watch: Watch, large: Any) -> None:
    store = Store(WATCHES)
    obj = OBJECTS.get(watch.kind.word) or whole(watch)
    for path in paths(obj):
        if path and path not in IDENTITY and not path[0] == "metadata" == path[-1]:
            kept = store.reduced(watch.source, grown(obj, path, large))
            assert weight(kept, 2 * KEPT_BYTES) <= KEPT_BYTES + SLACK, path
            for identity in IDENTITY:
                assert raw.value(kept, *identity) == raw.value(obj, *identity)


def whole(watch: Watch) -> Object:
    """An object of a kind that has all that any kind is read for."""
    made = deepcopy(OBJECTS["cluster"]) | {"status": {"conditions": [], "containerStatuses": []}}
    made["metadata"] |= {"finalizers": ["a.org/b"], "annotations": {names.SPEC_MARK: "1"}}
    made["metadata"]["labels"] |= {names.CNPG_CLUSTER_LABEL: "daap-orders"}
    return made


@given(strategies.json_values, st.integers(1, 5000))
def test_whatever_is_kept_has_a_bound(value: Any, times: int) -> None:
    obj = {"metadata": {"name": "a"}, "spec": {"a": [value] * times}, "b": [value] * times}
    kept = bounded(obj, obj)
    assert weight(kept, 2 * KEPT_BYTES) <= KEPT_BYTES + SLACK
    assert (TOO_LARGE in kept) is (weight(obj, KEPT_BYTES) > KEPT_BYTES)


@given(strategies.json_values)
def test_what_fits_is_kept_as_it_is(value: Any) -> None:
    obj = {"metadata": {"name": "a"}, "spec": {"a": value}}
    assert bounded(obj, obj) == obj


@given(strategies.json_values)
@example(["x" * 500 + "…"])
def test_what_is_estimated_is_no_less_than_the_weight(value: Any) -> None:
    assert bounds._at_most(value) >= weight(value, 10**9)


def test_a_weight_is_not_counted_further_than_it_is_asked_for() -> None:
    assert 1000 < weight(["x"] * 10**6, 1000) < 10**8
    assert weight([], 1000) < weight(["a"], 1000) < weight([{"a": "a"}], 1000) < 1000


# --- finalizers and owners ------------------------------------------------------------------------


@pytest.mark.parametrize("others", [0, 1, MOST_FINALIZERS - 1, MOST_FINALIZERS, 5000])
@pytest.mark.parametrize("ours", [True, False])
def test_whether_our_finalizer_is_on_an_object_is_kept(others: int, ours: bool) -> None:
    found = [f"example.org/{number}" for number in range(others)]
    found += [names.FINALIZER] * ours
    obj = {"metadata": {"finalizers": found}}
    kept = bounded(obj, obj)["metadata"]["finalizers"]
    assert (names.FINALIZER in kept) is ours
    assert len(kept) <= MOST_FINALIZERS
    assert bounds.is_cut(tuple(kept)) or kept == found


def test_a_finalizer_that_is_left_out_shows() -> None:
    found = ["x" * 9999, names.FINALIZER]
    obj = {"metadata": {"finalizers": found}}
    kept = bounded(obj, obj)["metadata"]["finalizers"]
    assert names.FINALIZER in kept
    assert bounds.is_cut(tuple(kept))


def test_the_owner_that_counts_is_kept() -> None:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b"}
    ours = {
        "apiVersion": known.DATABASE.api_version,
        "kind": known.DATABASE.name,
        "name": "orders",
        "uid": "u",
    }
    obj = {"metadata": {"ownerReferences": [other] * 3000 + [ours]}}
    kept = bounded(obj, obj)
    assert len(kept["metadata"]["ownerReferences"]) == MOST_OWNERS
    assert belongs_to(kept, known.DATABASE, "u")


async def test_finalizers_that_were_not_kept_stay_on_the_object() -> None:
    theirs = [f"example.org/{number}" for number in range(40)]
    stage = Stage()
    stage.order()
    stage.kube.change(known.DATABASE, KEY.name, finalizers(theirs))
    await stage.settle()
    assert stage.database()["metadata"]["finalizers"] == [*theirs, names.FINALIZER]


def finalizers(there: list[str]) -> Callable[[Object], None]:
    def change(obj: Object) -> None:
        obj["metadata"]["finalizers"] = there

    return change


# --- objects that are too large -------------------------------------------------------------------


def annotated(obj: Object) -> None:
    """Make an object as large as annotations can."""
    obj["metadata"].setdefault("annotations", {})["a"] = "x" * OBJECT_BYTES
    marked(obj, len(json.dumps(obj)))


def slimmed(obj: Object) -> None:
    """Take that away again."""
    del obj["metadata"]["annotations"]["a"]
    obj.pop(TOO_LARGE)


async def test_a_database_that_is_too_large_is_told_so_and_nobody_else_notices() -> None:
    stage = Stage()
    stage.order()
    stage.kube.change(known.DATABASE, KEY.name, annotated)
    stage.order("other")
    await stage.settle()
    status = stage.status()
    told = {each["type"]: each for each in status["conditions"]}
    assert told["Stalled"]["reason"] == "ObjectTooLarge"
    assert "metadata.annotations smaller" in told["Stalled"]["message"]
    assert status["phase"] == "Error"
    assert "ObjectTooLarge" in [announced.reason for announced in stage.announcer.announced]
    assert stage.kube.there(known.CLUSTER) == ["daap-other"]
    stage.kube.change(known.DATABASE, KEY.name, slimmed)
    await stage.settle()
    assert stage.status()["phase"] == "Ready"


async def test_of_a_database_without_room_for_a_status_an_event_tells() -> None:
    stage = Stage()
    stage.order()
    stage.kube.change(known.DATABASE, KEY.name, annotated)
    stage.kube.refusals["status of DaapDatabase orders"] = refused(
        500, "etcdserver: request is too large"
    )
    for _ in range(REFUSALS_BEFORE_TELLING - 1):
        with pytest.raises(ApiError):
            await stage.look()
    assert [await stage.look() for _ in range(3)] == [REFUSED_SECONDS] * 3
    assert [announced.reason for announced in stage.announcer.announced] == ["ObjectTooLarge"]


async def test_a_database_that_has_become_too_large_keeps_what_it_has_and_can_be_deleted() -> None:
    stage = await ready()
    stage.kube.change(known.DATABASE, KEY.name, annotated)
    await stage.settle()
    assert {each["type"]: each for each in stage.status()["conditions"]}["Stalled"]["reason"] == (
        "ObjectTooLarge"
    )
    assert stage.status()["phase"] == "Ready", "it serves as before"
    assert stage.kube.writes == ["status of DaapDatabase orders"]
    assert stage.kube.there(known.CLUSTER)
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    assert stage.kube.there(known.DATABASE) == []


async def test_a_child_that_is_too_large_is_left_alone_and_told() -> None:
    stage = await ready()
    stage.kube.change(known.CLUSTER, "daap-orders", annotated)
    stage.edit(instances=3)
    await stage.settle()
    stalled = {each["type"]: each for each in stage.status()["conditions"]}["Stalled"]
    assert stalled["reason"] == "ObjectTooLarge"
    assert stalled["message"].startswith("Cluster daap-orders has ")
    stage.kube.change(known.CLUSTER, "daap-orders", slimmed)
    await stage.settle()
    assert stage.kube.one(known.CLUSTER, "daap-orders")["spec"]["instances"] == 3


def test_what_was_cut_without_being_too_large_is_told() -> None:
    obj = {"metadata": {"name": "a"}, "spec": {"a": [{}] * 9000}}
    words = told("The object", bounded(obj, obj))
    assert words == (
        "The object has 36000 bytes in spec.a, more than the operator keeps of an object: make "
        "spec.a smaller"
    )


def test_an_object_that_is_too_large_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    stage = Stage()
    stage.intake.event(SOURCES[known.DATABASE], None, builders.database())
    for version in "23":
        pod: Object = {"metadata": {"name": "a", "namespace": "shop", "resourceVersion": version}}
        pod["metadata"]["labels"] = {names.CNPG_CLUSTER_LABEL: "daap-orders"}
        pod["metadata"]["finalizers"] = [f"example.org/{version}"]
        annotated(pod)
        stage.intake.event(SOURCES[known.POD], "MODIFIED", pod)
    assert caplog.text.count("Object too large") == 1


def test_what_a_watch_has_reduced_is_kept_as_it_is() -> None:
    store = Store(WATCHES)
    store.put(known.DATABASE, builders.database())
    source = SOURCES[known.CLUSTER]
    kept = Kept(json.loads(json.dumps(store.reduced(source, OBJECTS["cluster"]))))
    change = store.take(source, kept)
    assert change is not None
    assert change.now == store.reduced(source, OBJECTS["cluster"]) == kept
