"""From what was seen to what is looked at, for any kinds: 1→N, cluster-scoped, several watches."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from daap_operator.engine.intake import Intake
from daap_operator.engine.kinds import UID, Object, Of, Reader, Ref, Watch, nobody, uid
from daap_operator.engine.store import Store
from daap_operator.engine.workqueue import Workqueue
from daap_operator.kube import ApiError, Kind
from tests.unit import toys
from tests.unit.fake_kube import FakeKube
from tests.unit.fakes import Clock
from tests.unit.stage import Woken
from tests.unit.toys import BY_SHELF, SHELF, SHELVES, TOY, TOYS, shelf_ref, toy_ref

ALL = (SHELVES, TOYS, toys.TOYS_OF_SHELVES)


class Scene:
    """An intake for some watches, and the API server that it lists."""

    def __init__(self, watches: Sequence[Watch] = ALL) -> None:
        self.store = Store(watches)
        self.queue = Woken()
        self.gone: list[tuple[Kind, str]] = []
        self.kube = FakeKube(Clock())
        self.intake = Intake(self.store, self.queue, watches, on_gone=self._note)

    def _note(self, kind: Kind, obj: Object) -> None:
        self.gone.append((kind, obj["metadata"]["name"]))

    def woken(self, watch: Watch, event: str | None, obj: Object) -> set[Ref]:
        self.intake.event(watch.source, event, obj)
        return set(self.queue.taken())

    def add(self, kind: Kind, name: str, namespace: str = "", **spec: Any) -> None:
        self.kube.add(kind, {"metadata": {"name": name, "namespace": namespace}, "spec": spec})

    async def listed(self, *namespaces: str) -> list[str]:
        self.kube.requests.clear()
        await self.intake.list_all(self.kube, namespaces)
        return self.kube.requests


def test_one_object_wakes_many() -> None:
    scene = Scene()
    for name, namespace in (("bear", "shop"), ("ball", "shop"), ("bear", "bank")):
        scene.woken(TOYS, None, toys.toy(name, "low", namespace=namespace))
    on_it = {toy_ref("bear"), toy_ref("ball"), toy_ref("bear", "bank")}
    assert scene.woken(SHELVES, "ADDED", toys.shelf("low", 4)) == on_it | {shelf_ref("low")}
    assert scene.woken(SHELVES, "MODIFIED", toys.shelf("low", 5)) == set(), "no news"
    assert scene.woken(SHELVES, "MODIFIED", toys.shelf("low", 6, wide=2)) > on_it
    assert scene.woken(SHELVES, "DELETED", toys.shelf("low", 7)) > on_it
    assert scene.woken(SHELVES, "ADDED", toys.shelf("high", 8)) == {shelf_ref("high")}
    assert scene.gone == [(SHELF, "low")]


def test_two_kinds_with_one_name_are_two_items() -> None:
    scene = Scene()
    assert scene.woken(TOYS, None, toys.toy("low", "low")) == {toy_ref("low"), shelf_ref("low")}


def test_what_an_object_has_left_is_woken_too() -> None:
    scene = Scene()
    scene.woken(TOYS, None, toys.toy("bear", "low"))
    moved = toys.toy("bear", "high", 2)
    assert scene.woken(TOYS, "MODIFIED", moved) == {
        toy_ref("bear"),
        shelf_ref("low"),
        shelf_ref("high"),
    }


def test_an_object_that_has_left_one_stream_only_is_not_gone() -> None:
    red, small = (replace(TOYS, selector=selector) for selector in ("colour=red", "small"))
    scene = Scene((red, small))
    bear = toys.toy("bear", "low", 1, colour="red", small="")
    assert scene.woken(red, None, bear) == scene.woken(small, None, bear) == {toy_ref("bear")}
    assert scene.woken(red, "DELETED", toys.toy("bear", "low", 2, small="")) == {toy_ref("bear")}
    assert scene.gone == []
    scene.woken(small, "DELETED", toys.toy("bear", "low", 3))
    assert scene.gone == [(TOY, "bear")]


async def test_each_stream_is_listed_once_and_cluster_scoped_kinds_once_for_all() -> None:
    scene = Scene()
    scene.add(SHELF, "low")
    for namespace in ("shop", "bank", "elsewhere"):
        scene.add(TOY, "bear", namespace, shelf="low")
    assert await scene.listed() == ["list Shelf", "list Toy"]
    assert len(scene.store.refs(TOY)) == 3
    assert await scene.listed("shop", "bank") == ["list Shelf", "list Toy shop", "list Toy bank"]
    assert scene.store.refs(SHELF) == [shelf_ref("low")]


async def test_a_list_of_some_namespaces_finds_what_is_gone_in_them_and_in_none() -> None:
    scene = Scene()
    scene.add(SHELF, "low")
    for namespace in ("shop", "bank"):
        scene.add(TOY, "bear", namespace, shelf="low")
    await scene.listed("shop", "bank")
    scene.queue.taken()
    scene.kube.objects.clear()
    await scene.listed("shop")
    assert scene.gone == [(SHELF, "low"), (TOY, "bear")]
    assert set(scene.queue.taken()) == {toy_ref("bear"), toy_ref("bear", "bank"), shelf_ref("low")}
    assert scene.store.refs(TOY) == [toy_ref("bear", "bank")]


async def test_two_selectors_of_one_kind_are_two_lists() -> None:
    red, small = (replace(TOYS, selector=selector) for selector in ("colour=red", "small"))
    scene = Scene((red, small))
    for name, labels in (("bear", {"colour": "red"}), ("ball", {"small": ""}), ("kite", {})):
        scene.kube.add(TOY, {"metadata": {"name": name, "labels": labels}, "spec": {}})
    assert await scene.listed() == ["list Toy", "list Toy"]
    assert scene.store.refs(TOY) == [toy_ref("bear"), toy_ref("ball")]


async def test_a_stream_of_metadata_is_listed_as_that() -> None:
    only = replace(TOYS, keep=dict, indexes={}, metadata_only=True)
    scene = Scene((SHELVES, only))
    scene.add(TOY, "bear", "shop", shelf="low")
    assert await scene.listed() == ["list Shelf", "list metadata of Toy"]
    assert scene.store.refs(TOY) == [toy_ref("bear")]
    assert scene.queue.taken() == [toy_ref("bear")]


async def test_so_are_the_parts_of_an_object() -> None:
    """They came first, and were strangers then."""
    parts = replace(
        TOYS,
        keep=dict,
        selector="on",
        indexes={"on": _its_label},
        of=Of(SHELF, UID, "on"),
        metadata_only=True,
    )
    found = [(parts.source, "on=low")]
    whole = replace(SHELVES, wakes=nobody, indexes={UID: uid}, parts=lambda _: found)
    scene = Scene((whole, parts))
    bear = toys.toy("bear", "low", on="low")
    scene.kube.add(TOY, bear)
    assert scene.woken(parts, "ADDED", bear) == set()
    scene.woken(whole, "ADDED", toys.shelf("low"))
    await scene.intake.complete_lacking(scene.kube)
    assert scene.kube.requests == ["list metadata of Toy"]
    assert scene.store.refs(TOY) == [toy_ref("bear")]


@pytest.mark.parametrize("alike", [True, False])
async def test_parts_that_another_has_too_are_listed_once(alike: bool) -> None:
    """Whoever may create such objects would else decide how often all of them are listed."""
    parts = replace(
        TOYS, keep=dict, selector="on", indexes={"on": _its_label}, of=Of(SHELF, "place", "on")
    )
    whole = replace(
        SHELVES,
        wakes=nobody,
        indexes={"place": lambda _: ["here"]},
        parts=lambda shelf: [
            (parts.source, "on" if alike else f"on={shelf['metadata']['name']}"),
        ],
    )
    scene = Scene((whole, parts))
    bear = toys.toy("bear", "low", on="here")
    scene.kube.add(TOY, bear)
    assert scene.woken(parts, "ADDED", bear) == set()
    for name in ("low", "high", "top"):
        scene.woken(whole, "ADDED", toys.shelf(name))
    assert len(scene.store.lacking) == 3
    await scene.intake.complete_lacking(scene.kube)
    assert not scene.store.lacking
    assert len(scene.kube.requests) == (1 if alike else 3)
    assert set(scene.queue.taken()) >= {shelf_ref(name) for name in ("low", "high", "top")}
    scene.woken(whole, "ADDED", toys.shelf("later"))
    await scene.intake.complete_lacking(scene.kube)
    assert len(scene.kube.requests) == (1 if alike else 4)
    assert shelf_ref("later") in scene.queue.taken()


def _its_label(toy: Object) -> list[str]:
    return [toy["metadata"]["labels"]["on"]]


async def test_only_what_is_required_has_to_be_there() -> None:
    scene = Scene((replace(SHELVES, required=True), TOYS))
    scene.kube.missing = {TOY}
    await scene.listed()
    scene.kube.missing = {SHELF}
    with pytest.raises(ApiError):
        await scene.listed()


def test_the_queue_takes_references_of_any_kind() -> None:
    queue: Workqueue[Ref] = Workqueue(_never, workers=1)
    for ref in (toy_ref("a"), shelf_ref("a"), toy_ref("a")):
        queue.add(ref)
    assert len(queue) == 2


async def _never(ref: Ref, failures: int) -> None:
    raise AssertionError(ref, failures)


def test_a_status_of_ours_wakes_others_than_those_of_its_kind() -> None:
    """Its event brings nothing new any more: the store has it by then."""
    scene = Scene()
    for name in ("bear", "ball"):
        scene.woken(TOYS, None, toys.toy(name, "low"))
    for before, now in ((None, 4), (4, 5)):
        was = before and scene.store.get(shelf_ref("low"))
        kept = scene.store.put(SHELF, toys.shelf("low", now, wide=now))
        assert kept
        scene.intake.written(SHELF, was or None, kept)
        assert set(scene.queue.taken()) == {toy_ref("bear"), toy_ref("ball")}
    assert scene.woken(SHELVES, "MODIFIED", toys.shelf("low", 5, wide=5)) == set(), "no news"


# --- an object that many share --------------------------------------------------------------------


def narrower(before: Object | None, now: Object | None, store: Reader) -> Iterator[Ref]:
    """A shelf that has become narrower, or is gone, concerns the toys on it."""
    was, width = ((each or {"spec": {}})["spec"].get("wide", 0) for each in (before, now))
    if width < was:
        yield from store.refs_by(TOY, BY_SHELF, (now or before or {})["metadata"]["name"])


async def test_a_change_is_told_with_what_was_before() -> None:
    shared = replace(SHELVES, wakes=lambda *_: (), concerns=narrower)
    scene = Scene((shared, TOYS))
    scene.woken(TOYS, None, toys.toy("bear", "low"))
    assert scene.woken(shared, "ADDED", toys.shelf("low", 2, wide=2)) == set()
    assert scene.woken(shared, "MODIFIED", toys.shelf("low", 3, wide=3)) == set()
    assert scene.woken(shared, "MODIFIED", toys.shelf("low", 4, wide=1)) == {toy_ref("bear")}
    assert scene.woken(shared, "MODIFIED", toys.shelf("low", 4, wide=1)) == set(), "no news"
    assert scene.woken(shared, "DELETED", toys.shelf("low", 5)) == {toy_ref("bear")}


async def test_a_status_of_ours_is_told_with_what_was_before() -> None:
    shared = replace(SHELVES, wakes=lambda *_: (), concerns=narrower)
    scene = Scene((shared, TOYS))
    scene.woken(TOYS, None, toys.toy("bear", "low"))
    scene.woken(shared, "ADDED", toys.shelf("low", 2, wide=2))
    for version, wide, woken in ((3, 3, []), (4, 1, [toy_ref("bear")])):
        before = scene.store.get(shelf_ref("low"))
        kept = scene.store.put(SHELF, toys.shelf("low", version, wide=wide))
        assert kept
        scene.intake.written(SHELF, before, kept)
        assert scene.queue.taken() == woken


async def test_what_a_list_lacks_is_told_as_gone() -> None:
    shared = replace(SHELVES, wakes=lambda *_: (), concerns=narrower)
    scene = Scene((shared, TOYS))
    scene.add(SHELF, "low", wide=2)
    scene.woken(TOYS, None, toys.toy("bear", "low", 10**6))
    await scene.listed()
    scene.queue.taken()
    scene.kube.objects.clear()
    await scene.listed()
    assert scene.queue.taken() == [toy_ref("bear")]


async def test_a_kind_that_is_not_installed_is_known_to_be_missing() -> None:
    scene = Scene()
    assert scene.store.serves(TOY)
    scene.kube.missing = {TOY}
    await scene.listed()
    assert (scene.store.serves(TOY), scene.store.serves(SHELF)) == (False, True)
    scene.kube.missing = set()
    await scene.listed()
    assert scene.store.serves(TOY)
