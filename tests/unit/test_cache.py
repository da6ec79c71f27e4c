"""The cache: the newest state wins in whatever order it arrives, and a name keeps its holder."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import names, trim
from daap_operator.cache import TOMBSTONES, Cache, Key, Kind, key_of
from tests.unit import builders, strategies

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


KEY = Key("shop", "orders")

# --- what is new ----------------------------------------------------------------------------------


def test_what_was_put_is_found_trimmed() -> None:
    cache = Cache()
    full = database(1, labels={"a": "b"})
    kept = cache.put(Kind.DATABASE, full)
    assert kept == trim.database(full)
    assert cache.database(KEY) == cache.get(Kind.DATABASE, "shop", "orders") == kept
    assert cache.databases() == [KEY]
    assert cache.get(Kind.CLUSTER, "shop", "orders") is None


def test_only_what_tells_something_new_is_given_back() -> None:
    cache = Cache()
    assert cache.put(Kind.DATABASE, database(2)) is not None
    assert cache.put(Kind.DATABASE, database(2)) is None
    assert cache.put(Kind.DATABASE, database(1, spec={"instances": 9})) is None
    assert cache.put(Kind.DATABASE, database(3)) is None, "only the resource version moved"
    assert cache.put(Kind.DATABASE, database(4, labels={"a": "b"})) is None, "nothing we keep"
    assert cache.put(Kind.DATABASE, database(5, spec={"instances": 2})) is not None
    kept = cache.database(KEY)
    assert kept is not None
    assert kept["metadata"]["resourceVersion"] == "5"


def test_a_version_without_news_is_kept_all_the_same() -> None:
    cache = Cache()
    cache.put(Kind.DATABASE, database(2))
    cache.put(Kind.DATABASE, database(7))
    assert (cache.database(KEY) or {})["metadata"]["resourceVersion"] == "7"


def test_a_deleted_object_is_forgotten_and_stays_so() -> None:
    cache = Cache()
    cache.put(Kind.DATABASE, database(2))
    assert cache.remove(Kind.DATABASE, database(3)) is not None
    assert cache.remove(Kind.DATABASE, database(3)) is None
    assert cache.put(Kind.DATABASE, database(2)) is None
    assert cache.databases() == []
    assert cache.put(Kind.DATABASE, database(4, uid="another")) is not None


def test_the_deletion_of_another_object_of_the_name_changes_nothing() -> None:
    cache = Cache()
    cache.put(Kind.DATABASE, database(5, uid="new"))
    assert cache.remove(Kind.DATABASE, database(4, uid="old")) is None
    assert cache.databases() == [KEY]


def test_an_object_that_left_the_watch_and_came_back_stays() -> None:
    cache = Cache()
    cache.put(Kind.DATABASE, database(5))
    assert cache.remove(Kind.DATABASE, database(4)) is None
    assert cache.databases() == [KEY]


def test_a_list_forgets_what_it_does_not_have() -> None:
    cache = Cache()
    for version, name in ((2, "one"), (3, "two"), (9, "new")):
        cache.put(Kind.DATABASE, database(version, uid=name, name=name))
    gone = cache.prune(Kind.DATABASE, {Key("shop", "two")}, version=5)
    assert [key_of(obj).name for obj in gone] == ["one"]
    assert sorted(key.name for key in cache.databases()) == ["new", "two"]
    assert cache.put(Kind.DATABASE, database(4, uid="one", name="one")) is None


def test_a_list_of_one_namespace_leaves_the_others_alone() -> None:
    cache = Cache()
    for namespace in ("a", "b"):
        cache.put(Kind.DATABASE, database(1, uid=namespace, namespace=namespace))
    cache.prune(Kind.DATABASE, set(), version=5, namespace="a")
    assert cache.databases() == [Key("b", "orders")]


def test_deletions_are_not_remembered_for_ever() -> None:
    cache = Cache()
    for number in range(TOMBSTONES + 1):
        cache.remove(Kind.DATABASE, database(2, uid=f"u{number}"))
    assert cache.put(Kind.DATABASE, database(1, uid="u1")) is None
    assert cache.put(Kind.DATABASE, database(1, uid="u0")) is not None


def test_the_kinds_are_kept_apart() -> None:
    cache = Cache()
    for kind in Kind:
        cache.put(kind, database(1, uid=kind.name))
    cache.prune(Kind.POOLER, set(), version=5)
    kept = [kind for kind in Kind if cache.get(kind, *KEY)]
    assert kept == [kind for kind in Kind if kind is not Kind.POOLER]


# --- any order ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Something that happened to the object of a name."""

    key: Key
    uid: str
    version: int
    gone: bool

    def object(self) -> Object:
        return database(
            self.version, uid=self.uid, namespace=self.key.namespace, spec={"purpose": self.version}
        )


KEYS = (Key("a", "orders"), Key("b", "orders"))


def history(happenings: list[tuple[int, bool]]) -> list[Step]:
    """What happened, from which key it happened to, and whether it was a deletion."""
    steps: list[Step] = []
    living: dict[Key, str] = {}
    for version, (number, deletion) in enumerate(happenings, start=1):
        key = KEYS[number]
        gone = deletion and key in living
        uid = living.pop(key) if gone else living.setdefault(key, f"born-at-{version}")
        steps.append(Step(key, uid, version, gone))
    return steps


def truth(steps: list[Step], version: int | None = None) -> dict[Key, Step]:
    """The objects that are there after the steps up to a version."""
    there: dict[Key, Step] = {}
    for step in steps:
        if version is None or step.version <= version:
            there.pop(step.key, None)
            if not step.gone:
                there[step.key] = step
    return there


def deliver(cache: Cache, seen: Step | int, steps: list[Step]) -> None:
    """Take in an event, or a LIST of all or of one namespace at a version."""
    if isinstance(seen, int):
        listed = truth(steps, seen)
        for step in listed.values():
            cache.put(Kind.DATABASE, step.object())
        cache.prune(Kind.DATABASE, set(listed), seen)
    elif seen.gone:
        cache.remove(Kind.DATABASE, seen.object())
    else:
        cache.put(Kind.DATABASE, seen.object())


def kept(cache: Cache) -> dict[Key, object]:
    return {key: (cache.database(key) or {})["spec"]["purpose"] for key in cache.databases()}


@given(strategies.happenings, st.data())
def test_all_events_in_any_order_end_in_the_newest_state(
    happened: list[tuple[int, bool]], data: st.DataObject
) -> None:
    steps = history(happened)
    lists = data.draw(st.lists(st.integers(1, len(steps)), max_size=2)) if steps else []
    cache = Cache()
    arrivals: list[Step | int] = [*steps, *steps, *lists]
    for seen in data.draw(st.permutations(arrivals)):
        deliver(cache, seen, steps)
    assert kept(cache) == {key: step.version for key, step in truth(steps).items()}


@given(strategies.happenings, st.data())
def test_a_list_mends_whatever_events_were_lost(
    happened: list[tuple[int, bool]], data: st.DataObject
) -> None:
    steps = history(happened)
    cache = Cache()
    for seen in data.draw(st.permutations(steps)):
        if data.draw(st.booleans()):
            deliver(cache, seen, steps)
    deliver(cache, len(steps), steps)
    assert kept(cache) == {key: step.version for key, step in truth(steps).items()}
    for key in KEYS:
        assert (key in cache.namesakes("orders")) == (key in truth(steps))


@given(strategies.happenings, st.data())
def test_a_later_state_is_never_replaced_by_an_earlier_one(
    happened: list[tuple[int, bool]], data: st.DataObject
) -> None:
    steps = history([(number, False) for number, _ in happened])
    cache = Cache()
    newest: dict[str, int] = {}
    for seen in data.draw(st.permutations(steps)):
        deliver(cache, seen, steps)
        for key in cache.databases():
            metadata = (cache.database(key) or {})["metadata"]
            uid, version = metadata["uid"], int(metadata["resourceVersion"])
            assert version >= newest.get(uid, 0)
            newest[uid] = version


# --- who has the name -----------------------------------------------------------------------------


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


HOLDERS: dict[str, tuple[list[Object], str | None]] = {
    "nobody": ([], None),
    "the only one": ([namesake("a")], "a"),
    "the oldest": ([namesake("a", 5), namesake("b", 3), namesake("c", 4)], "b"),
    "of one age, the one with the least uid": ([namesake("b", 3), namesake("a", 3)], "a"),
    "the one with a Cluster, however young": (
        [namesake("a", 1), namesake("b", 9, clusterName="daap-orders")],
        "b",
    ),
    "one that is being deleted has it until it is gone": (
        [going(namesake("a", 1)), namesake("b", 2)],
        "a",
    ),
}


@pytest.mark.parametrize(("objects", "namespace"), HOLDERS.values(), ids=HOLDERS)
def test_the_holder_of_a_name_is(objects: list[Object], namespace: str | None) -> None:
    cache = Cache()
    for obj in objects:
        cache.put(Kind.DATABASE, obj)
    assert cache.holder("orders") == (namespace and Key(namespace, "orders"))
    assert cache.namesakes("orders") == {key_of(obj) for obj in objects}
    assert cache.holder("payments") is None


def test_who_is_alone_with_a_name_is_not_judged() -> None:
    """Whether an object is qualified takes a validation of the whole of it."""
    judged: list[str] = []

    def qualified(obj: Object) -> bool:
        judged.append(obj["metadata"]["namespace"])
        return True

    cache = Cache()
    cache.put(Kind.DATABASE, namesake("a"))
    assert cache.holder("orders", qualified) == Key("a", "orders")
    assert judged == []
    cache.put(Kind.DATABASE, namesake("b"))
    assert cache.holder("orders", qualified) == Key("a", "orders")
    assert sorted(judged) == ["a", "b"]


def test_a_promise_is_kept_until_the_status_tells_it() -> None:
    cache = Cache()
    cache.put(Kind.DATABASE, namesake("young", 9))
    cache.claim("orders", "uid-young")
    cache.put(Kind.DATABASE, namesake("old", 1))
    assert cache.holder("orders") == Key("young", "orders")
    cache.put(Kind.DATABASE, namesake("young", 9, version=2, clusterName="daap-orders"))
    assert cache.holder("orders") == Key("young", "orders")


def test_a_promise_ends_with_its_object() -> None:
    cache = Cache()
    for obj in (namesake("young", 9), namesake("old", 1)):
        cache.put(Kind.DATABASE, obj)
    cache.claim("orders", "uid-young")
    cache.remove(Kind.DATABASE, namesake("young", version=2))
    assert cache.holder("orders") == Key("old", "orders")
    again = database(3, uid="another", namespace="young", creationTimestamp="2026-03-01T13:00:00Z")
    cache.put(Kind.DATABASE, again)
    assert cache.holder("orders") == Key("old", "orders")


actions = st.lists(
    st.tuples(
        st.sampled_from(["comes", "goes", "looks", "is told", "restarts"]), st.sampled_from("abc")
    ),
    max_size=20,
)


@given(actions, st.permutations([1, 2, 3]))
def test_the_holder_never_changes_while_it_lives(
    happened: list[tuple[str, str]], ages: list[int]
) -> None:
    """Whoever looks and finds itself the holder takes the name, and its status tells so later."""
    cache, there, decided = Cache(), dict[str, Object](), ""
    for version, (action, who) in enumerate(happened, start=1):
        if action == "comes" and who not in there:
            born = namesake(who, ages["abc".index(who)], version)
            born["metadata"]["uid"] = f"{who}-{version}"
            there[who] = born
            cache.put(Kind.DATABASE, born)
        elif action == "goes" and who in there:
            gone = there.pop(who)
            cache.remove(Kind.DATABASE, gone | {"metadata": later(gone, version)})
            decided = "" if decided == who else decided
        elif action == "looks" and who in there:
            if cache.holder("orders") == Key(who, "orders"):
                assert decided in ("", who)
                decided = who
                cache.claim("orders", there[who]["metadata"]["uid"])
        elif action == "is told" and who == decided:
            there[who] = there[who] | {
                "metadata": later(there[who], version),
                "status": {"clusterName": "daap-orders"},
            }
            cache.put(Kind.DATABASE, there[who])
        elif action == "restarts" and (not decided or there[decided]["status"]):
            cache = Cache()
            for obj in there.values():
                cache.put(Kind.DATABASE, obj)
        if decided:
            assert cache.holder("orders") == Key(decided, "orders")


def later(obj: Object, version: int) -> Object:
    metadata: Object = obj["metadata"] | {"resourceVersion": str(version)}
    return metadata


# --- who is to look -------------------------------------------------------------------------------

OWNED = {"kind": names.KIND, "apiVersion": names.API_VERSION, "name": "orders", "uid": "u"}
LABELLED = {names.DATABASE_LABEL: "orders"}

OWNERS: dict[str, tuple[Object, Key | None]] = {
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


@pytest.mark.parametrize(("metadata", "owner"), OWNERS.values(), ids=OWNERS)
@pytest.mark.parametrize("kind", [Kind.CLUSTER, Kind.POOLER], ids=lambda kind: str(kind.name))
def test_a_childs_owner_is_found(kind: Kind, metadata: Object, owner: Key | None) -> None:
    child = {"metadata": {"name": "daap-orders", "namespace": "shop"} | metadata}
    assert Cache().owner(kind, child) == owner
    assert Cache().owner(kind, kind.trim(child)) == owner


def test_a_database_looks_at_itself() -> None:
    assert Cache().owner(Kind.DATABASE, database(1)) == KEY


def test_a_deployments_owner_is_its_poolers() -> None:
    cache, deployment = Cache(), trim.deployment(builders.deployment())
    assert cache.owner(Kind.DEPLOYMENT, deployment) is None
    cache.put(Kind.POOLER, builders.pooler())
    assert cache.owner(Kind.DEPLOYMENT, deployment) == KEY


def test_children_are_found_by_their_names_whoever_owns_them() -> None:
    cache = Cache()
    cluster = cache.put(Kind.CLUSTER, builders.cluster(ownerReferences=[]))
    assert cache.children("shop", "daap-orders").cluster == cluster
    pooler = cache.put(Kind.POOLER, builders.pooler())
    deployment = cache.put(Kind.DEPLOYMENT, builders.deployment())
    children = cache.children("shop", "daap-orders")
    assert (children.pooler, children.deployment) == (pooler, deployment)
    assert cache.children("other", "daap-orders").cluster is None


def test_endpoints_are_found_by_their_service_as_long_as_they_are_of_it() -> None:
    cache = Cache()

    def found(namespace: str = "shop") -> list[str]:
        children = cache.children(namespace, "daap-orders")
        return [key_of(each).name for each in children.endpoints]

    for name, service in (("four", "daap-orders-rw"), ("six", "daap-orders-rw"), ("ro", "other")):
        cache.put(Kind.ENDPOINTS, builders.endpoints(True, service=service, name=name, uid=name))
    assert found() == ["four", "six"]
    assert found("billing") == []
    moved = builders.endpoints(True, service="other", name="four", uid="four", resourceVersion="2")
    cache.put(Kind.ENDPOINTS, moved)
    assert found() == ["six"]
    cache.remove(Kind.ENDPOINTS, builders.endpoints(name="six", uid="six", resourceVersion="2"))
    assert found() == []
    cache.prune(Kind.ENDPOINTS, set(), version=9)
    cache.put(Kind.ENDPOINTS, builders.endpoints(True, name="six", uid="new", resourceVersion="10"))
    assert found() == ["six"]


def test_a_database_is_found_by_its_uid_while_it_is_the_one_at_its_place() -> None:
    cache = Cache()
    cache.put(Kind.DATABASE, database(1, uid="a"))
    assert cache.by_uid("a") == KEY
    cache.put(Kind.DATABASE, database(2, uid="b"))
    assert (cache.by_uid("a"), cache.by_uid("b")) == (None, KEY)
    assert list(cache.uids()) == ["b"]
    cache.remove(Kind.DATABASE, database(3, uid="b"))
    assert not cache.uids()
