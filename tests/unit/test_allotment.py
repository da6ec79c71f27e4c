"""A name is held only by what has, or can have, a database."""

from contextlib import suppress
from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.patience import LONGEST_SECONDS
from daap_operator.kinds import known
from daap_operator.kinds.database import ownership
from daap_operator.kinds.database.allotment import RETRY_SECONDS
from daap_operator.kinds.database.naming import ref
from daap_operator.kube import ApiError
from daap_operator.kube.sizes import TOO_LARGE
from tests.unit.fakes import Killed, refused
from tests.unit.life import Life
from tests.unit.stage import CLUSTER, KEY, Stage, play, ready, setting

Object = dict[str, Any]

BILLING = ref("billing", "orders")
STATUS = "status of DaapDatabase orders"
CREATE, FOUND = f"create Cluster {CLUSTER}", f"get Cluster {CLUSTER}"
TRY = [STATUS, CREATE, FOUND, STATUS]
"""What another try costs that is refused again."""
HELD = {"clusterName", "poolerName", "databaseName", "postgresVersion", "locale", "pendingSecret"}


def holders(stage: Stage) -> list[str]:
    """The namespaces of all objects whose status names a Cluster."""
    return sorted(
        namespace
        for (kind, namespace, _), obj in stage.kube.objects.items()
        if kind == known.DATABASE and obj["status"].get("clusterName")
    )


async def squatting(*others: str) -> Stage:
    """An object that a quota allows no Cluster, and younger ones that want its name."""
    stage = Stage()
    stage.kube.without_quota = {"shop"}
    for namespace in ("shop", *others):
        stage.order(namespace=namespace)
        stage.clock.advance(1)
    return stage


async def no_class(stage: Stage) -> None:
    stage.kube.refusals[CREATE] = refused(422, "admission webhook denied the request: no class")


async def no_permission(stage: Stage) -> None:
    stage.kube.refusals[CREATE] = refused(403, "is forbidden: User daap-operator cannot create")


async def no_kind(stage: Stage) -> None:
    stage.kube.missing = {known.CLUSTER}


async def no_quota(stage: Stage) -> None:
    stage.kube.without_quota = {"shop"}


async def in_the_way(stage: Stage) -> None:
    stage.kube.add(known.CLUSTER, {"metadata": {"name": CLUSTER}, "spec": {"instances": 1}})


REFUSED = {
    "QuotaExceeded": no_quota,
    "Forbidden": no_permission,
    "Rejected": no_class,
    "CloudNativePGMissing": no_kind,
    "ObjectConflict": in_the_way,
}


@pytest.mark.parametrize("reason", REFUSED)
async def test_what_gets_no_cluster_gives_its_name_back(reason: str) -> None:
    stage = Stage()
    uid = stage.order()["metadata"]["uid"]
    await REFUSED[reason](stage)
    assert await stage.look() == RETRY_SECONDS
    assert stage.condition("Stalled") == ("True", reason)
    assert stage.condition("MetadataSynced") is None
    assert not HELD & stage.status().keys()
    assert stage.mirror.rows == {}
    assert stage.mirror.deleted == {uid}
    assert stage.kube.requests[-2:] == TRY[-2:]


async def test_an_edit_that_is_refused_before_there_is_a_cluster_gives_it_back_too() -> None:
    """The process has died between name and Cluster, and the spec has become an invalid one."""
    stage = Stage()
    stage.order()
    stage.kube.change(known.DATABASE, "orders", setting("status", {"clusterName": CLUSTER}))
    stage.edit(ownerTeam=" ")
    await stage.look()
    assert stage.condition("Stalled") == ("True", "InvalidSpec")
    assert holders(stage) == []


@pytest.mark.parametrize("begun", [False, True], ids=["not begun", "begun"])
async def test_a_promise_ends_when_the_spec_becomes_an_invalid_one(begun: bool) -> None:
    """Between the promise and the status that would make it known, the object has changed."""
    stage = Stage()
    stage.order()
    if begun:
        stage.kube.change(known.DATABASE, "orders", forged)
    stage.clock.advance(1)
    stage.order(namespace="billing")
    request = STATUS if begun else "finalizers of DaapDatabase orders"
    stage.kube.refusals[request] = refused(409, "the object has been modified", "Conflict")
    await stage.look()
    stage.kube.refusals.clear()
    stage.edit(ownerTeam=" ")
    await stage.look()
    assert BILLING in stage.queue.taken()
    await stage.look(BILLING)
    assert holders(stage) == ["billing"]


async def test_the_next_in_line_gets_the_name_at_once() -> None:
    stage = await squatting("billing")
    await Life(stage).live(5)
    play(stage.kube)
    await Life(stage).live(5)
    assert stage.status(BILLING)["phase"] == "Ready"
    assert stage.condition("Stalled") == ("True", "QuotaExceeded")
    await Life(stage).live(RETRY_SECONDS)
    stage.edit(purpose="try again")
    await Life(stage).live(RETRY_SECONDS)
    assert stage.condition("Stalled") == ("True", "NameTaken")
    assert holders(stage) == ["billing"]


async def test_whoever_has_waited_is_woken_not_found_at_a_resync() -> None:
    """The store tells nobody of our own write: the event about it is no news."""
    stage = await squatting("billing")
    stage.watch()
    stage.world.arbiter.promise("orders", stage.database()["metadata"]["uid"])
    await stage.loop.reconcile(BILLING, 0)
    assert stage.condition("Stalled", BILLING) == ("True", "NameTaken")
    stage.watch()
    await stage.loop.reconcile(KEY, 0)
    assert BILLING in stage.queue.taken()


async def test_whoever_waits_for_something_else_is_told_when_the_name_goes_to_another() -> None:
    """It held no name, so whoever got it took it from nobody."""
    stage = Stage()
    stage.order(source={"database": "nothing"})
    await stage.look()
    assert stage.condition("Stalled") == ("True", "SourceNotFound")
    stage.clock.advance(1)
    stage.order(namespace="billing")
    stage.watch()
    stage.queue.taken()
    await stage.loop.reconcile(BILLING, 0)
    assert holders(stage) == ["billing"]
    assert KEY in stage.queue.taken()
    await stage.look()
    assert stage.condition("Stalled") == ("True", "NameTaken")


async def test_until_the_next_try_nothing_is_asked_and_then_little() -> None:
    stage = await squatting()
    await stage.look()
    told = stage.status()
    stage.kube.requests.clear()
    stage.announcer.announced.clear()
    stage.clock.advance(RETRY_SECONDS - 1)
    assert await stage.look() == 1
    assert stage.kube.requests == []
    stage.clock.advance(1)
    assert await stage.look() == RETRY_SECONDS
    assert stage.kube.requests == TRY
    assert stage.status() == told
    assert stage.announcer.announced == []


@pytest.mark.parametrize("who", ["spec", "metadata"])
async def test_whoever_changes_the_object_has_it_tried_at_once(who: str) -> None:
    stage = await squatting()
    await stage.look()
    stage.kube.without_quota = set()
    if who == "spec":
        stage.edit(purpose="try again")
    else:
        stage.kube.change(known.DATABASE, "orders", labelled)
    await stage.look()
    assert holders(stage) == ["shop"]
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert stage.world.notes_of(KEY).refused is None


def labelled(obj: Object) -> None:
    obj["metadata"]["labels"] = {"touched": "yes"}


async def test_a_quota_that_was_raised_is_noticed() -> None:
    stage = await squatting()
    life = Life(stage)
    await life.live(3600)
    stage.kube.without_quota = set()
    await life.live(LONGEST_SECONDS)
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]


@pytest.mark.parametrize("hasty", [False, True], ids=["answer first", "event first"])
async def test_claimants_that_get_nothing_do_not_keep_each_other_busy(hasty: bool) -> None:
    """Each gives the name back and wakes the others: that must not go round and round."""
    stage = await squatting("billing", "crm")
    stage.kube.without_quota |= {"billing", "crm"}
    if hasty:  # the watch is faster than the answer to the write
        stage.kube.after_write = lambda: told_at_once(stage)
    life = Life(stage)
    await life.live(3600)
    stage.kube.requests.clear()
    await life.live(24 * 3600)
    tries = 3 * 24 * 3600 / LONGEST_SECONDS
    assert stage.kube.requests.count(CREATE) <= tries
    assert len(stage.kube.requests) <= 6 * tries  # a rival may be told of it meanwhile
    assert holders(stage) == []
    stage.kube.without_quota = {"shop", "billing"}
    await life.live(LONGEST_SECONDS)
    assert holders(stage) == ["crm"]


async def test_those_who_wait_for_a_name_do_not_wake_each_other() -> None:
    """Each has written our finalizer, and so counts as begun."""
    stage = await ready()
    for namespace in ("billing", "crm", "erp"):
        stage.order(namespace=namespace)
        stage.kube.change(known.DATABASE, "orders", forged, namespace)
    life = Life(stage)
    await life.live(3600)
    assert stage.condition("Stalled", BILLING) == ("True", "NameTaken")
    waiting = [count for key, count in life.passes.items() if key != KEY]
    assert len(waiting) == 3
    assert max(waiting) <= 12  # a resync every ten minutes, and the others' coming


def forged(obj: Object) -> None:
    obj["metadata"]["finalizers"] = [names.FINALIZER]


def told_at_once(stage: Stage) -> None:
    for key in stage.watch():
        stage.queue.add(key)


NOTHING_COMES: dict[str, Object] = {
    "StoreMissing": {"source": {"archive": "a", "store": "none"}, "postgresVersion": 17},
    "SourceNotFound": {"source": {"database": "nothing"}},
    "SourceForbidden": {"source": {"database": "orders", "namespace": "elsewhere"}},
    "VersionNotOffered": {"postgresVersion": 14},
}
"""What a spec may ask for that costs nothing, by the reason why it gets no database."""


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("reason", NOTHING_COMES)
async def test_a_name_is_not_held_by_what_waits_for_what_never_comes(
    reason: str, restarted: bool
) -> None:
    """Anybody could keep any name from everybody, with a source that there is not."""
    stage = Stage()
    stage.order(**NOTHING_COMES[reason])
    await Life(stage).live(5)
    if restarted:
        await stage.restart()
    stage.clock.advance(1)
    stage.order(namespace="billing")
    await Life(stage).live(5)
    assert holders(stage) == ["billing"]
    stage.edit(purpose="try again")
    await Life(stage).live(RETRY_SECONDS)
    assert holders(stage) == ["billing"]


async def test_who_waited_for_a_source_gets_the_name_with_it_if_it_is_free() -> None:
    stage = Stage()
    stage.order(**NOTHING_COMES["StoreMissing"])
    await Life(stage).live(5)
    stage.object_store("none")
    await Life(stage).live(5)
    assert holders(stage) == ["shop"]


@pytest.mark.parametrize("reason", NOTHING_COMES)
async def test_those_to_whom_nothing_comes_do_not_keep_each_other_busy(reason: str) -> None:
    stage = Stage()
    for namespace in ("shop", "billing", "third"):
        stage.order(namespace=namespace, **NOTHING_COMES[reason])
        stage.clock.advance(1)
    life = Life(stage)
    await life.live(600)
    stage.kube.requests.clear()
    life.passes.clear()
    await life.live(600)
    assert stage.kube.requests == []
    assert life.passes.total() <= 3 * 6
    assert holders(stage) == []


def held(obj: Object) -> None:
    """With a finalizer of somebody's own, which nobody removes."""
    obj["metadata"]["finalizers"] = [*obj["metadata"].get("finalizers", []), "example.com/hold"]


async def never_begun(stage: Stage) -> None:
    stage.kube.refusals["finalizers of DaapDatabase orders"] = refused(500, "away")
    with suppress(ApiError):
        await stage.look()  # the name is promised
    stage.kube.refusals.clear()


async def begun_in_vain(stage: Stage) -> None:
    stage.kube.without_quota = {"shop"}
    await Life(stage).live(5)


async def begun_and_served(stage: Stage) -> None:
    await stage.settle()
    assert stage.status()["phase"] == "Ready"


@pytest.mark.parametrize("first", [never_begun, begun_in_vain, begun_and_served])
async def test_a_name_is_not_held_by_what_somebody_keeps_from_going(first: Any) -> None:
    """A finalizer costs nothing: with one, names could be kept from everybody for ever."""
    stage = Stage()
    stage.order()
    stage.kube.change(known.DATABASE, "orders", held)
    await first(stage)
    stage.clock.advance(1)
    stage.order(namespace="billing")
    await Life(stage).live(5)
    stage.kube.delete_object(known.DATABASE, "orders")
    for _ in range(3):
        await Life(stage).live(5)
        stage.kube.collect_garbage()
    assert stage.database()["metadata"]["finalizers"] == ["example.com/hold"]
    assert holders_that_live(stage) == ["billing"]


async def test_a_name_is_not_held_by_what_is_too_large_to_be_taken_in() -> None:
    """Which field managers alone can make it, of which nothing bounds the number."""
    stage = Stage()
    large = {"bytes": 300_000, "field": "metadata.labels", "fieldBytes": 20}
    stage.order()
    stage.kube.change(known.DATABASE, "orders", lambda obj: obj.update({TOO_LARGE: large}))
    stage.clock.advance(1)
    stage.order(namespace="billing")
    await Life(stage).live(5)
    assert stage.condition("Stalled") == ("True", "ObjectTooLarge")
    assert holders(stage) == ["billing"]


def holders_that_live(stage: Stage) -> list[str]:
    """The namespaces of those that are not being deleted."""
    going = {
        namespace
        for (kind, namespace, _), obj in stage.kube.objects.items()
        if kind == known.DATABASE and "deletionTimestamp" in obj["metadata"]
    }
    return [namespace for namespace in holders(stage) if namespace not in going]


async def test_the_deletion_of_what_has_no_name_tells_what_it_waits_for() -> None:
    stage = await squatting()
    await stage.look()
    stage.kube.delete_object(known.DATABASE, "orders")
    stage.kube.refusals[FOUND] = refused(500, "failed calling webhook")
    for failures in range(2):
        with suppress(ApiError):
            await stage.look(failures=failures)
    assert stage.condition("Reconciling") == ("True", "Retrying")
    stage.kube.refusals.clear()
    await stage.settle()
    assert stage.kube.there(known.DATABASE) == []


# --- what keeps its name --------------------------------------------------------------------------


async def test_a_cluster_whose_creation_was_answered_by_a_refusal_keeps_the_name() -> None:
    """The first answer was lost; what was asked again is refused, and the watch is behind."""
    stage = Stage()
    stage.order()
    await stage.look()
    stage.store.remove(known.CLUSTER, stage.kube.one(known.CLUSTER, CLUSTER) | later())
    stage.kube.refusals[CREATE] = refused(403, "exceeded quota")
    await stage.loop.reconcile(KEY, 0)
    assert holders(stage) == ["shop"]


def later() -> Object:
    return {"metadata": {"name": CLUSTER, "namespace": "shop", "resourceVersion": "100000"}}


async def test_a_database_that_has_served_keeps_its_name_even_without_a_cluster() -> None:
    """Its clients know of it."""
    stage = await ready()
    stage.kube.without_quota = {"shop"}
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    await stage.look()
    assert stage.condition("Stalled") == ("True", "QuotaExceeded")
    assert holders(stage) == ["shop"]


async def test_a_cluster_whose_volumes_never_come_keeps_the_name() -> None:
    """It is there: the namespace's quota counts it."""
    stage = await squatting("billing")
    stage.kube.without_quota = set()
    await Life(stage).live(24 * 3600)
    assert holders(stage) == ["shop"]
    assert stage.condition("Stalled", BILLING) == ("True", "NameTaken")


async def test_the_cluster_of_an_earlier_object_keeps_the_name() -> None:
    """As after a restore: it is in the way, and it has the data."""
    stage = Stage()
    stage.order()
    labels = ownership.labels("orders", "an-earlier-uid")
    stage.kube.add(known.CLUSTER, {"metadata": {"name": CLUSTER, "labels": labels}, "spec": {}})
    await stage.look()
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    assert holders(stage) == ["shop"]


# --- whenever the process dies --------------------------------------------------------------------


class Dying:
    """The process dies after one of its writes, of whatever kind."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.writes = 0

    def __call__(self) -> None:
        self.writes += 1
        if self.writes == self._number:
            raise Killed


async def told_of_a_death(number: int) -> tuple[Stage, int]:
    """A squatter and an honest claimant, after a process that died at a write, and another one."""
    stage = await squatting("billing")
    dying = Dying(number)
    stage.kube.after_write = stage.mirror.after_write = dying
    with suppress(Killed):
        await Life(stage).live(30)
    stage.kube.after_write = stage.mirror.after_write = lambda: None
    await stage.restart()
    life = Life(stage)
    for _ in range(3):
        assert len(holders(stage)) <= 1
        for key in (KEY, BILLING):
            stage.queue.add(key)
        await life.live(30)
        play(stage.kube)
    return stage, dying.writes


DEATHS = range(1, 25)


@pytest.mark.parametrize("number", DEATHS)
async def test_whenever_the_process_dies_the_name_has_one_holder_that_is_served(
    number: int,
) -> None:
    stage, _ = await told_of_a_death(number)
    assert holders(stage) == ["billing"]
    assert stage.status(BILLING)["phase"] == "Ready"
    assert stage.condition("Stalled") in (("True", "NameTaken"), ("True", "QuotaExceeded"))
    assert [row.namespace for row in stage.mirror.rows.values()] == ["billing"]


async def test_no_write_is_left_out() -> None:
    """Both together make fewer writes than there are deaths."""
    _, writes = await told_of_a_death(0)
    assert 10 < writes < len(DEATHS)
