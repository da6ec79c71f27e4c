"""The store: the newest state wins in whatever order it arrives."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daap_operator.engine import cache
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.database import trim
from daap_operator.kinds.database.naming import NAME, ref
from daap_operator.kinds.database.watched import WATCHES
from tests.unit import builders, strategies
from tests.unit.stage import SOURCES

Object = dict[str, Any]


def database(version: int, *, uid: str = "u", **more: Any) -> Object:
    """A DaapDatabase at a resource version."""
    return builders.database(
        more.pop("spec", None),
        more.pop("status", None),
        uid=uid,
        resourceVersion=str(version),
        **more,
    )


KEY = ref("shop", "orders")

# --- what is new ----------------------------------------------------------------------------------


def test_what_was_put_is_found_trimmed() -> None:
    store = Store(WATCHES)
    full = database(1, labels={"a": "b"})
    kept = store.put(known.DATABASE, full)
    assert kept == trim.database(full)
    assert store.get(KEY) == store.get(Ref(known.DATABASE, "shop", "orders")) == kept
    assert store.refs(known.DATABASE) == [KEY]
    assert store.get(Ref(known.CLUSTER, "shop", "orders")) is None


def test_only_what_tells_something_new_is_given_back() -> None:
    store = Store(WATCHES)
    assert store.put(known.DATABASE, database(2)) is not None
    assert store.put(known.DATABASE, database(2)) is None
    assert store.put(known.DATABASE, database(1, spec={"instances": 9})) is None
    assert store.put(known.DATABASE, database(3)) is None, "only the resource version moved"
    assert store.put(known.DATABASE, database(4, labels={"a": "b"})) is None, "nothing we keep"
    assert store.put(known.DATABASE, database(5, spec={"instances": 2})) is not None
    kept = store.get(KEY)
    assert kept is not None
    assert kept["metadata"]["resourceVersion"] == "5"


def test_a_version_without_news_is_kept_all_the_same() -> None:
    store = Store(WATCHES)
    store.put(known.DATABASE, database(2))
    store.put(known.DATABASE, database(7))
    assert (store.get(KEY) or {})["metadata"]["resourceVersion"] == "7"


def test_a_deleted_object_is_forgotten_and_stays_so() -> None:
    store = Store(WATCHES)
    store.put(known.DATABASE, database(2))
    assert store.remove(known.DATABASE, database(3)) is not None
    assert store.remove(known.DATABASE, database(3)) is None
    assert store.put(known.DATABASE, database(2)) is None
    assert store.refs(known.DATABASE) == []
    assert store.put(known.DATABASE, database(4, uid="another")) is not None


def test_the_deletion_of_another_object_of_the_name_changes_nothing() -> None:
    store = Store(WATCHES)
    store.put(known.DATABASE, database(5, uid="new"))
    assert store.remove(known.DATABASE, database(4, uid="old")) is None
    assert store.refs(known.DATABASE) == [KEY]


def test_an_object_that_left_the_watch_and_came_back_stays() -> None:
    store = Store(WATCHES)
    store.put(known.DATABASE, database(5))
    assert store.remove(known.DATABASE, database(4)) is None
    assert store.refs(known.DATABASE) == [KEY]


def test_a_list_forgets_what_it_does_not_have() -> None:
    store = Store(WATCHES)
    for version, name in ((2, "one"), (3, "two"), (9, "new")):
        store.put(known.DATABASE, database(version, uid=name, name=name))
    gone = store.prune(SOURCES[known.DATABASE], {ref("shop", "two")}, version=5)
    assert [Ref.of(known.DATABASE, obj).name for obj in gone] == ["one"]
    assert sorted(key.name for key in store.refs(known.DATABASE)) == ["new", "two"]
    assert store.put(known.DATABASE, database(4, uid="one", name="one")) is None


def test_a_list_of_one_namespace_leaves_the_others_alone() -> None:
    store = Store(WATCHES)
    for namespace in ("a", "b"):
        store.put(known.DATABASE, database(1, uid=namespace, namespace=namespace))
    store.prune(SOURCES[known.DATABASE], set(), version=5, namespace="a")
    assert store.refs(known.DATABASE) == [ref("b", "orders")]


def test_deletions_are_not_remembered_for_ever() -> None:
    store = Store(WATCHES)
    for number in range(cache.TOMBSTONES + 1):
        store.remove(known.DATABASE, database(2, uid=f"u{number}"))
    assert store.put(known.DATABASE, database(1, uid="u1")) is None
    assert store.put(known.DATABASE, database(1, uid="u0")) is not None


def test_the_kinds_are_kept_apart() -> None:
    store = Store(WATCHES)
    for kind in SOURCES:
        store.put(kind, database(1, uid=kind.name))
    store.prune(SOURCES[known.POOLER], set(), version=5)
    kept = [kind for kind in SOURCES if store.get(Ref(kind, KEY.namespace, KEY.name))]
    assert kept == [kind for kind in SOURCES if kind is not known.POOLER]


# --- any order ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Something that happened to the object of a name."""

    key: Ref
    uid: str
    version: int
    gone: bool

    def object(self) -> Object:
        return database(
            self.version, uid=self.uid, namespace=self.key.namespace, spec={"purpose": self.version}
        )


KEYS = (ref("a", "orders"), ref("b", "orders"))


def history(happenings: list[tuple[int, bool]]) -> list[Step]:
    """What happened, from which key it happened to, and whether it was a deletion."""
    steps: list[Step] = []
    living: dict[Ref, str] = {}
    for version, (number, deletion) in enumerate(happenings, start=1):
        key = KEYS[number]
        gone = deletion and key in living
        uid = living.pop(key) if gone else living.setdefault(key, f"born-at-{version}")
        steps.append(Step(key, uid, version, gone))
    return steps


def truth(steps: list[Step], version: int | None = None) -> dict[Ref, Step]:
    """The objects that are there after the steps up to a version."""
    there: dict[Ref, Step] = {}
    for step in steps:
        if version is None or step.version <= version:
            there.pop(step.key, None)
            if not step.gone:
                there[step.key] = step
    return there


def deliver(store: Store, seen: Step | int, steps: list[Step]) -> None:
    """Take in an event, or a LIST of all or of one namespace at a version."""
    if isinstance(seen, int):
        listed = truth(steps, seen)
        for step in listed.values():
            store.put(known.DATABASE, step.object())
        store.prune(SOURCES[known.DATABASE], set(listed), seen)
    elif seen.gone:
        store.remove(known.DATABASE, seen.object())
    else:
        store.put(known.DATABASE, seen.object())


def kept(store: Store) -> dict[Ref, object]:
    return {key: (store.get(key) or {})["spec"]["purpose"] for key in store.refs(known.DATABASE)}


@given(strategies.happenings, st.data())
def test_all_events_in_any_order_end_in_the_newest_state(
    happened: list[tuple[int, bool]], data: st.DataObject
) -> None:
    steps = history(happened)
    lists = data.draw(st.lists(st.integers(1, len(steps)), max_size=2)) if steps else []
    store = Store(WATCHES)
    arrivals: list[Step | int] = [*steps, *steps, *lists]
    for seen in data.draw(st.permutations(arrivals)):
        deliver(store, seen, steps)
    assert kept(store) == {key: step.version for key, step in truth(steps).items()}


@given(strategies.happenings, st.data())
def test_a_list_mends_whatever_events_were_lost(
    happened: list[tuple[int, bool]], data: st.DataObject
) -> None:
    steps = history(happened)
    store = Store(WATCHES)
    for seen in data.draw(st.permutations(steps)):
        if data.draw(st.booleans()):
            deliver(store, seen, steps)
    deliver(store, len(steps), steps)
    assert kept(store) == {key: step.version for key, step in truth(steps).items()}
    for key in KEYS:
        assert (key in store.refs_by(known.DATABASE, NAME, "orders")) == (key in truth(steps))


@given(strategies.happenings, st.data())
def test_a_later_state_is_never_replaced_by_an_earlier_one(
    happened: list[tuple[int, bool]], data: st.DataObject
) -> None:
    steps = history([(number, False) for number, _ in happened])
    store = Store(WATCHES)
    newest: dict[str, int] = {}
    for seen in data.draw(st.permutations(steps)):
        deliver(store, seen, steps)
        for key in store.refs(known.DATABASE):
            metadata = (store.get(key) or {})["metadata"]
            uid, version = metadata["uid"], int(metadata["resourceVersion"])
            assert version >= newest.get(uid, 0)
            newest[uid] = version
