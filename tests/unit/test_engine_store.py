"""The store knows no kind: indexes, cluster-scoped kinds, several watches of one kind."""

import json
from dataclasses import replace
from typing import Any

import pytest

from daap_operator import raw
from daap_operator.engine.kinds import Watch, selects
from daap_operator.engine.store import Store
from daap_operator.kube.sizes import OBJECT_BYTES, TOO_LARGE, marked
from tests.unit import toys
from tests.unit.toys import BY_SHELF, SHELF, SHELVES, TOY, TOYS, shelf_ref, toy_ref

# --- indexes --------------------------------------------------------------------------------------


def test_an_index_follows_its_objects() -> None:
    store = Store([TOYS])
    for name, shelf in (("bear", "low"), ("ball", "low"), ("kite", "high")):
        store.put(TOY, toys.toy(name, shelf))
    assert store.refs_by(TOY, BY_SHELF, "low") == [toy_ref("ball"), toy_ref("bear")]
    assert set(store.keys(TOY, BY_SHELF)) == {"low", "high"}
    store.put(TOY, toys.toy("bear", "high", version=2))
    assert store.refs_by(TOY, BY_SHELF, "low") == [toy_ref("ball")]
    assert [kept["spec"] for kept in store.by(TOY, BY_SHELF, "high")] == [{"shelf": "high"}] * 2
    store.remove(TOY, toys.toy("ball", "low", version=3))
    store.prune(TOYS.source, {toy_ref("kite")}, version=4)
    assert set(store.keys(TOY, BY_SHELF)) == {"high"}
    assert store.refs_by(TOY, BY_SHELF, "high") == [toy_ref("kite")]
    assert store.by(TOY, BY_SHELF, "low") == []


def test_an_object_may_be_under_several_keys_of_an_index_or_none() -> None:
    def letters(toy: Any) -> list[str]:
        return list(toy["metadata"]["name"])

    store = Store([replace(TOYS, indexes={"letter": letters})])
    for name in ("ab", "bc"):
        store.put(TOY, toys.toy(name, "low"))
    assert store.refs_by(TOY, "letter", "b") == [toy_ref("ab"), toy_ref("bc")]
    assert store.refs_by(TOY, "letter", "c") == [toy_ref("bc")]
    assert store.refs_by(TOY, "letter", "") == []


def test_what_is_not_watched_or_indexed_is_a_mistake_not_an_absence() -> None:
    store = Store([TOYS])
    with pytest.raises(KeyError):
        store.get(shelf_ref("low"))
    with pytest.raises(KeyError):
        store.by(TOY, "colour", "red")


# --- cluster-scoped -------------------------------------------------------------------------------


def test_a_cluster_scoped_object_is_in_no_namespace() -> None:
    store = Store([SHELVES, TOYS])
    store.put(SHELF, toys.shelf("low", wide=1))
    store.put(TOY, toys.toy("low", "high"))
    assert store.refs(SHELF) == [shelf_ref("low")]
    assert (store.get(shelf_ref("low")) or {})["spec"] == {"wide": 1}
    assert (store.get(toy_ref("low")) or {})["spec"] == {"shelf": "high"}
    assert store.prune(SHELVES.source, set(), version=2) != []
    assert store.refs(SHELF) == []
    assert store.refs(TOY) == [toy_ref("low")]


# --- several watches of one kind ------------------------------------------------------------------

RED = replace(TOYS, selector="colour=red")
SMALL = replace(TOYS, selector="small", indexes={})


def test_an_object_in_two_streams_is_there_until_it_has_left_both() -> None:
    store = Store([RED, SMALL])
    bear = toys.toy("bear", "low", 1, colour="red", small="yes")
    for source in (RED.source, SMALL.source):
        assert store.take(source, bear) is not None
    blue = toys.toy("bear", "low", 2, colour="blue", small="yes")
    assert store.drop(RED.source, blue) is not None
    assert store.take(SMALL.source, blue) is not None, "leaving one stream buries it there only"
    assert (store.get(toy_ref("bear")) or {})["metadata"]["labels"]["colour"] == "blue"
    assert store.refs_by(TOY, BY_SHELF, "low") == []
    assert store.drop(SMALL.source, toys.toy("bear", "low", 3)) is not None
    assert store.get(toy_ref("bear")) is None
    assert store.refs(TOY) == []


def test_the_newest_of_two_streams_counts() -> None:
    store = Store([RED, SMALL])
    store.take(RED.source, toys.toy("bear", "low", 2, colour="red", small="yes"))
    store.take(SMALL.source, toys.toy("bear", "high", 3, colour="red", small="yes"))
    assert (store.get(toy_ref("bear")) or {})["spec"] == {"shelf": "high"}
    assert store.refs(TOY) == [toy_ref("bear")]


def test_the_answer_to_a_write_goes_where_its_labels_say() -> None:
    store = Store([RED, SMALL])
    store.put(TOY, toys.toy("bear", "low", colour="red"))
    store.put(TOY, toys.toy("ball", "low", small="yes"))
    assert store.prune(RED.source, set(), version=1) != []
    assert store.refs(TOY) == [toy_ref("ball")]
    assert store.put(TOY, toys.toy("kite", "low")) is None
    assert store.remove(TOY, toys.toy("ball", "low", 2)) is not None
    assert store.refs(TOY) == []


def test_what_is_kept_of_an_answer_is_what_its_own_stream_keeps() -> None:
    """Of two streams of a kind each keeps its own, whichever is declared first."""
    bare = replace(SMALL, keep=lambda obj: {"metadata": dict(obj["metadata"])})
    small = toys.toy("ball", "low", small="yes")
    for watches in ([RED, bare], [bare, RED]):
        store = Store(watches)
        store.put(TOY, small)
        assert store.kept(TOY, small) == store.get(toy_ref("ball")) != toys.keep(small)
        assert store.kept(TOY, toys.toy("kite", "low")), "also what belongs into none"


def test_watches_of_one_stream_share_what_is_kept() -> None:
    also = replace(toys.TOYS_OF_SHELVES, indexes={"name": lambda toy: [toy["metadata"]["name"]]})
    store = Store([also, TOYS])
    store.put(TOY, toys.toy("bear", "low"))
    assert store.refs_by(TOY, "name", "bear") == store.refs_by(TOY, BY_SHELF, "low")


@pytest.mark.parametrize(
    ("watches", "said"),
    [
        ([TOYS, replace(TOYS, keep=dict)], "2 watches of Toy with the selector ''"),
        ([toys.TOYS_OF_SHELVES], "0 watches of Toy with the selector ''"),
        ([TOYS, replace(TOYS, keep=None, indexes={BY_SHELF: str})], "have an index 'shelf'"),
        ([TOYS, replace(TOYS, keep=None, metadata_only=True)], "differ in `metadata_only`"),
        ([replace(RED, metadata_only=True), RED], "'colour=red' differ in `metadata_only`"),
    ],
    ids=[
        "two say what is kept",
        "nobody says what is kept",
        "two indexes of one name",
        "one of metadata and one of all",
        "one of metadata and one of all, with a selector",
    ],
)
def test_watches_that_contradict_each_other_are_refused(watches: list[Watch], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Store(watches)


def test_other_objects_of_a_kind_may_be_watched_whole() -> None:
    store = Store([TOYS, replace(RED, metadata_only=True, indexes={})])
    assert store.watches(TOY)


# --- metadata only --------------------------------------------------------------------------------

WHOLE = replace(TOYS, keep=dict, indexes={})
ONLY = replace(WHOLE, metadata_only=True)


def forms(version: int, **labels: str) -> list[Any]:
    """An object as a LIST and as an event has it, and as a server does that knows neither form."""
    bear = toys.toy("bear", "low", version, **labels)
    metadata = {"metadata": bear["metadata"]}
    partial = {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata"}
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "x"}, TOO_LARGE: {"bytes": 9}}
    return [metadata, metadata | partial, metadata | whole]


@pytest.mark.parametrize("form", range(3))
def test_of_an_object_of_metadata_nothing_else_is_kept_whatever_the_server_says(form: int) -> None:
    store = Store([ONLY])
    assert store.take(ONLY.source, forms(1)[form]) is not None
    assert store.get(toy_ref("bear")) == {"metadata": toys.toy("bear", "low", 1)["metadata"]}
    assert store.put(TOY, forms(2)[form]) == {"metadata": toys.toy("bear", "low", 2)["metadata"]}, (
        "nor of the answer to a write"
    )


def test_any_new_version_of_an_object_of_metadata_is_news() -> None:
    """What else has changed in it does not show: a ConfigMap has no generation."""
    for watch, news in ((ONLY, True), (WHOLE, False)):
        store = Store([watch])
        found = [store.take(watch.source, forms(version)[0]) for version in (1, 1, 2, 1)]
        assert [change is not None for change in found] == [True, False, news, False]


@pytest.mark.parametrize(
    ("annotation", "fields", "told"),
    [
        ("ä" * (OBJECT_BYTES // 2), 9, "metadata.annotations"),
        ("ä" * (OBJECT_BYTES // 3), OBJECT_BYTES, ""),
        ("", OBJECT_BYTES, ""),
    ],
)
def test_of_an_object_of_metadata_only_that_may_be_too_large(
    annotation: str, fields: int, told: str
) -> None:
    """The data, and the names of its fields in `managedFields`, are nothing that is taken in."""
    watch, named = replace(ONLY, keep=toys.keep), {"f": "x" * fields}
    bear = toys.toy("bear", "low") | {"data": named}
    bear["metadata"] |= {"annotations": {"a": annotation}, "managedFields": [named]}
    marked(bear, len(json.dumps(bear, ensure_ascii=False).encode()))
    kept = Store([watch]).reduced(watch.source, bear)
    assert TOO_LARGE in bear
    assert raw.text(kept, TOO_LARGE, "field") == told
    assert (TOO_LARGE in kept) is bool(told)


# --- selectors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "labels", "covered"),
    [
        ("", {}, True),
        ("a", {"a": ""}, True),
        ("a", {"b": "a"}, False),
        ("a=1", {"a": "1"}, True),
        ("a=1", {"a": "2"}, False),
        ("a=", {"a": ""}, True),
        ("a=", {"a": "1"}, False),
        ("a,b=2", {"a": "1", "b": "2"}, True),
        ("a,b=2", {"b": "2"}, False),
    ],
)
def test_what_a_selector_covers(selector: str, labels: dict[str, str], covered: bool) -> None:
    assert selects(selector, {"metadata": {"labels": labels}}) is covered


@pytest.mark.parametrize("selector", ["a!=1", "!a", "a in (b)", "a==b", "a,,b", "a, b"])
def test_a_selector_that_the_store_cannot_judge_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="write each term as `label` or `label=value`"):
        replace(TOYS, selector=selector)
