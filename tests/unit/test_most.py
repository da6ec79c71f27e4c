"""Whoever has most is found without looking at all, and what was freed is given to somebody."""

import ctypes
import json
from sys import getsizeof
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import work
from daap_operator.engine import bounds, shares
from daap_operator.engine.bounds import footprint, more_taken, taken
from daap_operator.engine.keeping import Listener
from daap_operator.engine.kinds import Kept
from daap_operator.engine.most import SPARE, Most
from daap_operator.engine.shares import OBJECT_BYTES, Shares, Unit
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.database.watched import WATCHES
from tests.unit import builders
from tests.unit.stage import SOURCES
from tests.unit.test_keeping import FEW, database
from tests.unit.test_work import made

__all__ = ["made"]

texts = st.text("abcäж", max_size=9)
below = st.recursive(
    texts | st.none(),
    lambda one: st.lists(one, max_size=4) | st.dictionaries(texts, one),
    max_leaves=9,
)
objects = st.dictionaries(texts, below).map(lambda one: json.loads(json.dumps(one)))
"""As they come: what equals has the same size."""

changes = st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 50), st.booleans()))


class One:
    """Somebody who has a rank."""

    reads = 0

    def __init__(self, rank: int) -> None:
        self._rank = rank

    @property
    def rank(self) -> int:
        One.reads += 1
        return self._rank


@given(changes)
def test_it_is_whoever_has_most_now(made: list[tuple[int, int, bool]]) -> None:
    those: dict[int, One] = {}
    most = Most(those)
    for number, (key, rank, asked) in enumerate(made):
        if rank < 0:
            those.pop(key, None)
        else:
            those[key] = One(rank * 1000 + number)
            most.changed(key)
        if asked and those:
            assert those[most.first()].rank == max(one.rank for one in those.values())
        if most._heap is not None:
            assert 2 * len(most._heap) <= 3 * (len(those) + 10) + SPARE + 2
    most.forget()
    assert most._heap is None


def unit(number: int, namespace: str = "greedy") -> Unit:
    return Unit(namespace, known.DATABASE, number)


def test_each_that_gives_way_costs_few_steps_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    rank = shares._Use.rank

    def counted(use: Any) -> int:
        nonlocal asked
        asked += 1
        found: int = rank.fget(use)  # type: ignore[attr-defined]
        return found

    monkeypatch.setattr(shares._Use, "rank", property(counted))
    many = Shares(0)
    for number in range(20_000):
        many.charge(unit(number), 10_000)
    assert asked == 0, "as long as there is room it costs nothing"
    for number in range(1000):
        many.charge(unit(number), 5000 + number)
        assert many.largest() == unit(number)
        many.put_out(unit(number))
        many.charge(unit(number), -15_000 - number + 500)
    assert asked < 20_000 + 1000 * 8


def test_one_that_was_put_out_is_the_largest_only_where_all_were() -> None:
    some = Shares(100)
    some.charge(unit(1), 50_000)
    some.charge(unit(2), 20_000)
    some.charge(unit(3, "modest"), 30_000)
    some.put_out(unit(1))
    assert some.largest() == unit(2)
    some.put_out(unit(2))
    assert some.largest() == unit(1)


def test_there_is_room_at_the_cost_of_one_with_more_and_no_other() -> None:
    some = Shares(100_000)
    some.charge(unit(1), 80_000)
    some.charge(unit(2, "modest"), 20_000)
    assert some.has_room("modest", 10_000)
    assert some.has_room("new", 10_000)
    assert not some.has_room("greedy", 10_000)
    assert not some.has_room("modest", 61_000)


# --- what counts ----------------------------------------------------------------------------------


@given(objects, objects)
def test_a_change_counts_as_the_whole_does(before: Any, now: Any) -> None:
    assert taken(now) >= footprint(now)
    assert more_taken(before, now) == taken(now) - taken(before)


def test_a_text_counts_the_same_whoever_has_looked_at_it() -> None:
    """Else each change would give back more than it took."""
    text = json.loads(f'{{"a": "{"ж" * 1000}"}}')
    before, alone = taken(text), getsizeof(text["a"])
    ctypes.pythonapi.PyUnicode_AsUTF8(ctypes.py_object(text["a"]))
    assert getsizeof(text["a"]) > alone, "Python keeps what it was in UTF-8"
    assert taken(text) == before > getsizeof(text["a"])


def test_of_a_change_only_what_changed_is_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[object] = []
    count = footprint

    def watched(value: object) -> int:
        gone.append(value)
        return count(value)

    monkeypatch.setattr(bounds, "footprint", watched)
    store = Store(WATCHES)
    store.take(SOURCES[known.DATABASE], builders.database(finalizers=["a/b"]))
    gone.clear()
    for version in range(2, 60):
        changed = builders.database(
            resourceVersion=str(100 + version), generation=version, finalizers=["a/b"]
        )
        store.take(SOURCES[known.DATABASE], changed)
        if version == 5:
            assert {type(one) for one in gone} <= {str, int}
    assert any(isinstance(one, dict | list) for one in gone), "now and then all of it"
    (kept,) = (store.get(one) for one in store.refs(known.DATABASE))
    assert isinstance(kept, Kept)
    assert store.weight == max(kept.weight + OBJECT_BYTES, shares.UNIT_BYTES)


# --- room again -----------------------------------------------------------------------------------


def test_whoever_was_refused_is_asked_for_again_once_there_is_room() -> None:
    store = Store(WATCHES, most=FEW)
    rooms: list[int] = []
    store.tell(Listener(room=lambda: rooms.append(store.weight)))
    for number in range(100):
        store.take(SOURCES[known.DATABASE], database(number, begun=False))
    assert store.over()
    assert not rooms
    for number in range(20):
        store.drop(SOURCES[known.DATABASE], database(number, begun=False))
    assert len(rooms) == 1, "once"
    assert rooms[0] < FEW - 2 * FEW // shares.HEADROOM


def test_nothing_is_asked_for_again_where_nothing_was_refused() -> None:
    store = Store(WATCHES, most=FEW)
    rooms: list[int] = []
    store.tell(Listener(room=lambda: rooms.append(store.weight)))
    for number in range(30):
        store.take(SOURCES[known.DATABASE], database(number, begun=False))
    for number in range(30):
        store.drop(SOURCES[known.DATABASE], database(number, begun=False))
    assert not rooms


async def test_everything_is_listed_again_when_there_is_room_but_seldom(
    made: work.Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "ROOM_SECONDS", 0.0)
    made.store._keeping.listener.room()
    waiting = made._room
    assert waiting is not None
    made.store._keeping.listener.room()
    assert made._room is waiting, "one is enough"
    await made._gap.wait()
    made._no_room()
    assert made._room is None
