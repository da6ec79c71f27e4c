"""The end of a database: in order, never stuck on what is not ours, never sooner than allowed."""

from collections.abc import Callable
from typing import Any

import pytest

from daap_operator import names
from daap_operator.api.reasons import InventoryReason
from daap_operator.engine.bounds import weight
from daap_operator.engine.ownership import owner_labels
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.removal import LIST_SECONDS, MOST_NAMED, _listed
from daap_operator.kube import ApiError, Kind
from daap_operator.mirror import MetadataError
from tests.unit.fakes import refused
from tests.unit.life import Life
from tests.unit.stage import CLUSTER, KEY, POOLER, SECRET, Stage, ready, setting

Object = dict[str, Any]

FINALIZER = "finalizers of DaapDatabase orders"
STATUS = "status of DaapDatabase orders"
FIRST = [STATUS, f"delete Pooler {POOLER}", f"delete Cluster {CLUSTER}"]
CLAIMS = [f"get Cluster {CLUSTER}"]
CHILDREN = [f"get Pooler {POOLER}", f"get Cluster {CLUSTER}", "list PersistentVolumeClaim shop"]
LAST = [f"get Secret {SECRET}", f"delete Secret {SECRET}", "get DaapDatabase orders", FINALIZER]


async def deleting(**spec: Any) -> Stage:
    """A ready database of which the deletion was just asked for."""
    stage = await ready(**spec)
    stage.kube.delete_object(known.DATABASE, "orders")
    return stage


def gone(stage: Stage) -> bool:
    return not stage.kube.there(known.DATABASE)


def left_over(stage: Stage) -> list[str]:
    return sorted(f"{resource.name} {name}" for resource, _, name in stage.kube.objects)


# --- in order -------------------------------------------------------------------------------------


async def test_children_go_then_volumes_secret_row_and_at_last_the_object() -> None:
    stage = await deleting()
    uid = stage.database()["metadata"]["uid"]
    assert await stage.look() == 1.0
    assert stage.kube.requests == [*FIRST, *CLAIMS, STATUS]
    assert stage.status()["phase"] == "Deleting"
    assert stage.message() == f"Waiting for PersistentVolumeClaim {CLUSTER}-1 to be gone"
    assert [row.status for row in stage.mirror.rows.values()] == ["deleting"]
    stage.kube.requests.clear()
    stage.kube.collect_garbage()
    assert await stage.look() is None
    assert stage.kube.requests == [*CHILDREN, *LAST]
    assert stage.kube.objects == {}
    assert stage.mirror.deleted == {uid}
    assert [one.reason for one in stage.announcer.announced] == ["Deleting"]


async def test_an_object_that_is_gone_leaves_nothing_behind() -> None:
    stage = await deleting()
    await stage.settle()
    assert await stage.look() is None
    assert stage.world.notes == {}
    assert stage.shared.notes == {}
    assert stage.shared.unsynced == set()
    assert stage.gone == ["00000000-0000-4000-8000-000000000001"]


async def test_children_of_another_naming_go_by_the_names_in_the_status() -> None:
    stage = Stage()
    stage.order()
    allotted = {"clusterName": "legacy", "databaseName": "legacy"}
    stage.kube.change(known.DATABASE, "orders", setting("status", allotted))
    await stage.settle()
    assert stage.kube.there(known.CLUSTER) == ["legacy"]
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.look()
    assert "delete Cluster legacy" in stage.kube.requests
    await stage.settle()
    assert stage.kube.objects == {}


async def test_an_object_without_our_finalizer_is_left_alone() -> None:
    stage = Stage()
    obj = stage.order("orders")
    stage.kube.change(known.DATABASE, "orders", finalized("example.org/other"))
    stage.kube.delete_object(known.DATABASE, obj["metadata"]["name"])
    assert await stage.look() is None
    assert stage.kube.requests == []


async def test_the_finalizers_of_others_stay() -> None:
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", finalized("example.org/other", names.FINALIZER))
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert stage.database()["metadata"]["finalizers"] == ["example.org/other"]
    assert left_over(stage) == ["DaapDatabase orders"]
    seen = stage.store.get(KEY)
    assert seen is not None
    assert seen["metadata"]["finalizers"] == ["example.org/other"]
    requests = len(stage.kube.requests)
    assert await stage.look() is None
    assert len(stage.kube.requests) == requests
    assert stage.condition("Reconciling") == ("True", "DeletionBlocked")
    assert stage.message() == (
        "The operator is done, and the finalizers example.org/other hold this object: whoever "
        "added them must finish, or the platform team must remove them"
    )
    assert stage.mirror.deleted == {stage.database()["metadata"]["uid"]}


async def test_garbage_collection_is_not_told_of_as_holding_the_object() -> None:
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", finalized("foregroundDeletion", names.FINALIZER))
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert stage.condition("Reconciling") == ("True", "Deleting")


@pytest.mark.parametrize(
    ("policy", "told"),
    [("Delete", "is being removed"), ("Retain", "is retained and keeps running, owned by nothing")],
)
async def test_the_event_says_whether_the_data_goes_or_stays(policy: str, told: str) -> None:
    stage = await deleting(deletionPolicy=policy)
    await stage.settle()
    (event,) = [one for one in stage.announcer.announced if one.reason == "Deleting"]
    assert event.note.startswith(f"What this DaapDatabase owns {told}")


async def test_the_answer_to_the_last_write_is_kept_before_any_event() -> None:
    """The next pass would do all of it again."""
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", finalized("example.org/other", names.FINALIZER))
    stage.kube.delete_object(known.DATABASE, "orders")
    while stage.database()["metadata"]["finalizers"] != ["example.org/other"]:
        await stage.look()
        stage.kube.collect_garbage()
    requests = len(stage.kube.requests)
    assert await stage.loop.reconcile(KEY, 0) is None
    assert len(stage.kube.requests) == requests


def finalized(*finalizers: str) -> Callable[[Object], None]:
    def edit(obj: Object) -> None:
        obj["metadata"]["finalizers"] = list(finalizers)

    return edit


# --- blockers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "name", "kind"),
    [(known.CLUSTER, CLUSTER, "Cluster"), (known.POOLER, POOLER, "Pooler")],
    ids=["Cluster", "Pooler"],
)
async def test_a_child_that_is_held_is_named_with_who_holds_it(
    resource: Kind, name: str, kind: str
) -> None:
    stage = await ready()
    stage.kube.change(resource, name, finalized("example.org/b", "example.org/a"))
    stage.kube.delete_object(known.DATABASE, "orders")
    assert await stage.look() == 1.0
    assert stage.message() == (
        f"Waiting for {kind} {name} (held by the finalizers example.org/a, example.org/b) "
        "to be gone"
    )
    assert stage.condition("Reconciling") == ("True", "Deleting")
    deletes = stage.kube.requests.count(f"delete {kind} {name}")
    await stage.look()
    assert stage.kube.requests.count(f"delete {kind} {name}") == deletes == 1
    stage.kube.change(resource, name, finalized())
    await stage.settle()
    assert gone(stage)


async def test_after_a_while_it_is_said_who_must_act_and_once_by_an_event() -> None:
    stage = await ready()
    stage.kube.change(known.CLUSTER, CLUSTER, finalized("example.org/a"))
    stage.kube.delete_object(known.DATABASE, "orders")
    stage.clock.advance(19)
    await stage.look()
    assert stage.condition("Reconciling") == ("True", "Deleting")
    stage.clock.advance(1)
    await stage.look()
    assert stage.condition("Reconciling") == ("True", "DeletionBlocked")
    assert f"whoever put example.org/a on Cluster {CLUSTER} must finish" in stage.message()
    stage.clock.advance(100)
    await stage.look()
    told = [(one.warning, one.reason) for one in stage.announcer.announced]
    assert told == [(False, "Deleting"), (True, "DeletionBlocked")]
    stage.kube.change(known.CLUSTER, CLUSTER, finalized())
    await stage.settle()
    assert gone(stage)


@pytest.mark.parametrize(
    ("used", "told"),
    [(False, "garbage collection has not removed it yet"), (True, "a pod still uses")],
)
async def test_volumes_that_do_not_go_are_blamed_on_whom_they_wait_for(
    used: bool, told: str
) -> None:
    stage = await deleting()
    if used:
        claim = f"{CLUSTER}-1"
        stage.kube.change(known.CLAIM, claim, finalized("kubernetes.io/pvc-protection"))
        stage.kube.delete_object(known.CLAIM, claim)
    stage.clock.advance(25)
    await stage.look()
    assert stage.condition("Ready") == ("False", "DeletionBlocked")
    assert told in stage.message()


async def test_both_children_are_named() -> None:
    stage = await ready()
    stage.kube.change(known.CLUSTER, CLUSTER, finalized("example.org/a"))
    stage.kube.change(known.POOLER, POOLER, finalized("example.org/b"))
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.look()
    assert f"Pooler {POOLER} (held" in stage.message()
    assert f" and Cluster {CLUSTER} (held" in stage.message()


@pytest.mark.parametrize(
    ("seconds", "again"), [(0, 1), (3, 1), (30, 10), (600, 200), (3600, 900), (86400, 900)]
)
async def test_what_is_blocked_is_looked_at_after_a_third_of_the_time_that_it_takes(
    seconds: float, again: float
) -> None:
    stage = await ready()
    stage.kube.change(known.CLUSTER, CLUSTER, finalized("example.org/a"))
    stage.kube.delete_object(known.DATABASE, "orders")
    stage.clock.advance(seconds)
    assert await stage.look() == again


async def test_volumes_that_do_not_go_are_not_listed_again_and_again() -> None:
    stage = await deleting()
    claim = f"{CLUSTER}-1"
    stage.kube.change(known.CLAIM, claim, finalized("example.org/hold"))
    stage.kube.collect_garbage()
    await Life(stage).live(3600)
    assert stage.condition("Reconciling") == ("True", "DeletionBlocked")
    stage.kube.requests.clear()
    await Life(stage).live(6 * 3600)
    assert len(stage.kube.requests) <= 6 * 4 * 5  # a look every 15 minutes


async def test_the_end_of_a_volume_wakes_whose_deletion_waits_for_it() -> None:
    """Its Cluster is gone by then: the claim's label alone tells whose it was."""
    stage = await deleting()
    claim = f"{CLUSTER}-1"
    stage.kube.change(known.CLAIM, claim, finalized("example.org/hold"))
    life = Life(stage)
    await life.live(1)
    stage.kube.collect_garbage()
    await life.live(6 * 3600)
    assert not gone(stage)
    stage.kube.change(known.CLAIM, claim, finalized())
    await life.live(1)
    assert gone(stage)


async def test_volumes_are_waited_for_by_name() -> None:
    stage = await deleting(instances=2)
    await stage.look()
    assert stage.message().endswith(f"PersistentVolumeClaim {CLUSTER}-1, {CLUSTER}-2 to be gone")


async def test_volumes_that_were_orphaned_are_not_waited_for() -> None:
    stage = await deleting()
    stage.kube.change(known.CLAIM, f"{CLUSTER}-1", without_owner)
    await stage.look()
    assert gone(stage)
    assert stage.kube.there(known.CLAIM) == [f"{CLUSTER}-1"]


def without_owner(obj: Object) -> None:
    del obj["metadata"]["ownerReferences"]


async def test_a_foreign_cluster_and_its_volumes_are_neither_touched_nor_waited_for() -> None:
    stage = Stage()
    foreign = {"metadata": {"name": CLUSTER}, "kind": "Cluster", "apiVersion": "v1", "spec": {}}
    before = stage.kube.add(known.CLUSTER, foreign)
    owner = {"kind": "Cluster", "name": CLUSTER, "uid": before["metadata"]["uid"]}
    labels = {names.CNPG_CLUSTER_LABEL: CLUSTER}
    claim = {"name": f"{CLUSTER}-1", "labels": labels, "ownerReferences": [owner]}
    stage.kube.add(known.CLAIM, {"metadata": claim})
    stage.order()
    await stage.settle(playing=False)
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle(playing=False)
    assert gone(stage)
    assert stage.kube.one(known.CLUSTER, CLUSTER) == before
    assert stage.kube.there(known.CLAIM) == [f"{CLUSTER}-1"]


async def test_a_claim_that_no_cluster_owns_is_not_waited_for() -> None:
    """It bears CloudNativePG's label and belongs to somebody else."""
    stage = await ready()
    uid = stage.kube.add(known.SECRET, {"metadata": {"name": "a"}})["metadata"]["uid"]

    def give_away(claim: Object) -> None:
        owner = {"apiVersion": "example.org/v1", "kind": "Cluster", "name": CLUSTER, "uid": uid}
        claim["metadata"]["ownerReferences"] = [owner]

    stage.kube.change(known.CLAIM, f"{CLUSTER}-1", give_away)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert gone(stage)
    assert stage.kube.there(known.CLAIM) == [f"{CLUSTER}-1"]


async def test_of_the_claims_that_are_listed_a_few_names_are_kept() -> None:
    """Anybody may make claims with our label, any number of them, and each as large as can be."""
    stage = await ready()
    reference = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "uid": "u"}
    for number in range(100):
        owners = [reference | {"name": f"{CLUSTER}-{other}"} for other in range(300)]
        labels = {names.CNPG_CLUSTER_LABEL: CLUSTER}
        claim = {"name": f"mine-{number}", "labels": labels, "ownerReferences": owners}
        stage.kube.add(known.CLAIM, {"metadata": claim})
    found = await _listed(stage.world, KEY.namespace, CLUSTER)
    assert len(found) == MOST_NAMED
    assert weight(found, 100_000) < 20_000


async def test_a_foreign_secret_of_our_name_stays() -> None:
    stage = Stage()
    before = stage.kube.add(known.SECRET, {"metadata": {"name": SECRET}, "data": {}})
    stage.order()
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "SecretNameTaken")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert gone(stage)
    assert stage.kube.one(known.SECRET, SECRET) == before


# --- protection -----------------------------------------------------------------------------------


async def test_a_protected_database_is_kept_until_it_is_no_longer_protected() -> None:
    stage = await deleting(deletionProtection=True)
    assert await stage.look()
    assert stage.condition("Ready") == ("False", "DeletionProtected")
    assert "set it to false to let the deletion proceed" in stage.message()
    assert stage.kube.writes == [STATUS]
    assert await stage.look()
    assert stage.kube.writes == [STATUS]
    stage.edit(deletionProtection=False)
    await stage.settle()
    assert stage.kube.objects == {}


async def test_protection_ends_when_the_cluster_is_going_anyway() -> None:
    stage = await ready(deletionProtection=True)
    stage.kube.change(known.CLUSTER, CLUSTER, finalized("example.org/a"))
    stage.kube.delete_object(known.DATABASE, "orders")
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    await stage.look()
    assert f"delete Pooler {POOLER}" in stage.kube.requests
    stage.kube.change(known.CLUSTER, CLUSTER, finalized())
    await stage.settle()
    assert gone(stage)


async def test_protection_of_nothing_holds_nothing() -> None:
    stage = Stage()
    stage.kube.missing = {known.CLUSTER, known.POOLER}
    stage.order(deletionProtection=True)
    await stage.settle(playing=False)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle(playing=False)
    assert gone(stage)


STRANGERS: dict[str, Object] = {
    "of nobody": {},
    "of a kind of our name": {
        "ownerReferences": [
            {
                "apiVersion": "example.org/v1",
                "kind": known.DATABASE.name,
                "name": "orders",
                "uid": "s-1",
            }
        ]
    },
    "of an earlier database": {
        "labels": owner_labels(known.DATABASE, "earlier"),
    },
    "retained by an earlier database": {
        "labels": owner_labels(known.DATABASE, "earlier"),
        "annotations": names.retained_from("shop", "orders"),
    },
}


@pytest.mark.parametrize("metadata", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_protection_of_what_never_was_holds_nothing(metadata: Object, policy: str) -> None:
    """Another's Cluster was in the way from the start."""
    stage = Stage()
    foreign = {"apiVersion": "v1", "kind": "Cluster", "metadata": {"name": CLUSTER} | metadata}
    before = stage.kube.add(known.CLUSTER, foreign | {"spec": {}})
    stage.order(deletionProtection=True, deletionPolicy=policy)
    await stage.look()
    await stage.look()
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.look()
    await stage.look()
    assert gone(stage)
    assert stage.kube.one(known.CLUSTER, CLUSTER) == before
    assert "DeletionProtected" not in [one.reason for one in stage.announcer.announced]


# --- retained -------------------------------------------------------------------------------------

KEPT = [
    *("Cluster", "Deployment", "EndpointSlice", "EndpointSlice", "PersistentVolumeClaim"),
    *("Pod", "Pooler", "Secret", "Secret", "Secret", "ServiceAccount"),
]


@pytest.mark.parametrize(
    "late", [True, False], ids=["set at the last moment", "set from the start"]
)
async def test_retained_children_stay_and_belong_to_nobody(late: bool) -> None:
    stage = await ready(**({} if late else {"deletionPolicy": "Retain"}))
    if late:
        stage.edit(deletionPolicy="Retain")
    uid = stage.database()["metadata"]["uid"]
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert gone(stage)
    assert not [request for request in stage.kube.requests if request.startswith("delete")]
    assert sorted(resource.name for resource, _, _ in stage.kube.objects) == KEPT
    for resource, name in (
        (known.CLUSTER, CLUSTER),
        (known.POOLER, POOLER),
        (known.SECRET, SECRET),
    ):
        metadata = stage.kube.one(resource, name)["metadata"]
        assert "ownerReferences" not in metadata
        assert metadata["labels"][known.DATABASE.uid_label] == uid
    assert stage.mirror.deleted == {uid}


async def test_the_data_is_retained_first() -> None:
    stage = await ready()
    stage.edit(deletionPolicy="Retain")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.look()
    assert [request for request in stage.kube.requests if request.startswith("disown")] == [
        f"disown Cluster {CLUSTER}",
        f"disown Pooler {POOLER}",
        f"disown Secret {SECRET}",
    ]


async def test_children_that_were_retained_from_the_start_need_no_request_of_their_own() -> None:
    stage = await deleting(deletionPolicy="Retain")
    await stage.look()
    assert stage.kube.writes == [STATUS, FINALIZER]


async def test_other_owners_of_a_retained_child_stay() -> None:
    stage = await ready()
    other = {"kind": "App", "apiVersion": "v1", "name": "app", "uid": "app"}
    stage.kube.change(
        known.CLUSTER, CLUSTER, lambda obj: obj["metadata"]["ownerReferences"].append(other)
    )
    stage.edit(deletionPolicy="Retain")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.look()
    assert stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]["ownerReferences"] == [other]


async def test_a_new_database_does_not_take_retained_data_over() -> None:
    stage = await deleting(deletionPolicy="Retain")
    await stage.settle()
    kept = stage.kube.one(known.CLUSTER, CLUSTER)
    stage.order()
    await stage.settle(playing=False)
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle(playing=False)
    assert gone(stage)
    assert stage.kube.one(known.CLUSTER, CLUSTER) == kept


async def test_a_child_that_changes_while_it_is_disowned_is_disowned_later() -> None:
    stage = await ready()
    stage.edit(deletionPolicy="Retain")
    stage.kube.delete_object(known.DATABASE, "orders")
    stage.kube.refusals[f"disown Cluster {CLUSTER}"] = refused(409)
    assert await stage.look() == 1.0
    assert not gone(stage)
    stage.kube.refusals.clear()
    await stage.settle()
    assert "ownerReferences" not in stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]


async def test_retained_children_without_a_secret_are_disowned_too() -> None:
    stage = Stage()
    stage.order()
    await stage.look()
    stage.edit(deletionPolicy="Retain")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.look()
    assert gone(stage)
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]
    assert "ownerReferences" not in stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]


async def test_a_child_that_cannot_be_disowned_keeps_the_object() -> None:
    stage = await ready()
    stage.edit(deletionPolicy="Retain")
    stage.kube.delete_object(known.DATABASE, "orders")
    error = refused(500)
    stage.kube.refusals[f"disown Pooler {POOLER}"] = error
    with pytest.raises(ApiError) as raised:
        await stage.look()
    assert raised.value is error
    assert not gone(stage)


# --- whatever was lost ----------------------------------------------------------------------------


def lost_status(stage: Stage) -> None:
    stage.kube.change(known.DATABASE, "orders", setting("status", {}))


def broken_spec(stage: Stage) -> None:
    stage.kube.change(known.DATABASE, "orders", setting("spec", {"instances": "x"}))


def no_spec(stage: Stage) -> None:
    stage.kube.change(known.DATABASE, "orders", setting("spec", None))


def no_children(stage: Stage) -> None:
    for resource, namespace, name in list(stage.kube.objects):
        if resource is not known.DATABASE:
            del stage.kube.objects[resource, namespace, name]


def no_cloudnativepg(stage: Stage) -> None:
    no_children(stage)
    stage.kube.missing = {known.CLUSTER, known.POOLER}


def no_inventory(stage: Stage) -> None:
    stage.mirror.outage = MetadataError(InventoryReason.UNREACHABLE, "no answer")


def terminating(stage: Stage) -> None:
    stage.kube.terminating = {"shop"}


LOSSES = [lost_status, broken_spec, no_spec, no_children, no_cloudnativepg, no_inventory]


@pytest.mark.parametrize(
    "loss", [*LOSSES, terminating], ids=lambda loss: loss.__name__.replace("_", " ")
)
@pytest.mark.parametrize("restarted", [True, False], ids=["restarted", "same process"])
async def test_an_object_goes_whatever_was_lost(
    loss: Callable[[Stage], None], restarted: bool
) -> None:
    stage = await ready()
    loss(stage)
    stage.kube.delete_object(known.DATABASE, "orders")
    if restarted:
        await stage.restart()
    await stage.settle(playing=False)
    stage.clock.advance(LIST_SECONDS)
    await stage.settle(playing=False)  # no event has told of the claims
    assert stage.kube.objects == {}


async def test_an_object_whose_status_was_lost_takes_its_named_secret_along() -> None:
    stage = await ready(connectionSecretName="mine")
    lost_status(stage)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle(playing=False)
    assert stage.kube.objects == {}


async def test_a_row_that_could_not_be_marked_is_left_to_the_sweep(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = await deleting()
    no_inventory(stage)
    await stage.settle()
    assert gone(stage)
    assert len(stage.mirror.rows) == 1
    assert "Row not marked" in [record.getMessage() for record in caplog.records]


async def test_an_object_that_never_had_a_child_just_goes() -> None:
    stage = Stage()
    stage.order()
    stage.kube.change(known.DATABASE, "orders", finalized(names.FINALIZER))
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle(playing=False)
    assert stage.kube.objects == {}
    assert stage.mirror.rows == {}


# --- races and refusals ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 409])
async def test_an_object_that_changes_under_our_hands_is_let_go_later(status: int) -> None:
    stage = await deleting()
    stage.kube.collect_garbage()
    stage.kube.refusals[FINALIZER] = refused(status)
    await stage.look()
    stage.kube.collect_garbage()
    assert await stage.look() == 1.0
    stage.kube.refusals.clear()
    await stage.settle()
    assert gone(stage)


async def test_a_new_object_of_the_name_is_not_let_go() -> None:
    stage = await deleting()
    await stage.look()
    stage.kube.collect_garbage()
    stage.watch()
    del stage.kube.objects[known.DATABASE, "shop", "orders"]
    stage.order()
    stage.kube.change(known.DATABASE, "orders", finalized(names.FINALIZER))
    stage.kube.changes.clear()  # the watch is late
    await stage.look()
    assert stage.database()["metadata"]["finalizers"] == [names.FINALIZER]


async def test_a_child_that_was_taken_over_since_it_was_seen_is_not_deleted() -> None:
    """A leader that was deposed in between, say: what it saw is no longer so."""
    stage = await deleting()
    stage.watch()
    stage.kube.change(known.CLUSTER, CLUSTER, taken_over)
    stage.kube.changes.clear()  # the watch is late
    assert await stage.loop.reconcile(KEY, 0) == 1.0
    assert await stage.loop.reconcile(KEY, 0) is None
    assert gone(stage)
    assert "deletionTimestamp" not in stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]


async def test_a_child_that_only_changed_is_deleted_although_no_watch_tells() -> None:
    stage = await deleting()
    stage.watch()
    stage.kube.change(known.CLUSTER, CLUSTER, setting("status", {"phase": "new"}))
    stage.kube.changes.clear()
    assert await stage.loop.reconcile(KEY, 0) == 1.0
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]
    await stage.loop.reconcile(KEY, 0)
    assert stage.kube.there(known.CLUSTER) == []


def taken_over(obj: Object) -> None:
    del obj["metadata"]["ownerReferences"]
    obj["metadata"]["labels"][known.DATABASE.uid_label] = "another"


REQUESTS = [*FIRST[1:], "list PersistentVolumeClaim shop", f"get Cluster {CLUSTER}", *LAST]


@pytest.mark.parametrize("request_", REQUESTS)
async def test_an_outage_ends_the_pass_and_a_later_one_goes_on(request_: str) -> None:
    stage = await deleting()
    error = refused(500, "no answer")
    stage.kube.refusals[request_] = error
    with pytest.raises(ApiError) as raised:
        await look_twice(stage)
    assert raised.value is error
    stage.kube.refusals.clear()
    await stage.settle()
    assert stage.kube.objects == {}


async def look_twice(stage: Stage) -> None:
    await stage.look()
    stage.kube.collect_garbage()
    await stage.look()


async def test_what_keeps_a_deletion_from_going_on_is_told() -> None:
    stage = await deleting()
    stage.kube.refusals[f"delete Cluster {CLUSTER}"] = refused(
        403, 'clusters "orders" is forbidden: User "daap" cannot delete it'
    )
    for failures in range(3):
        with pytest.raises(ApiError):
            await stage.look(KEY, failures)
        assert stage.status()["phase"] == "Deleting"
        reason = "Retrying" if failures >= 1 else "Deleting"
        assert stage.condition("Ready") == ("False", reason)
    assert "cannot delete it; trying again" in stage.message()
    assert "The platform team must correct the operator's permissions" in stage.message()


async def test_another_database_of_the_name_comes_to_its_turn() -> None:
    stage = await ready()
    other = ref("billing", "orders")
    stage.order(namespace="billing")
    await stage.settle()
    assert stage.condition("Stalled", other) == ("True", "NameTaken")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert stage.status(other)["phase"] == "Ready"
