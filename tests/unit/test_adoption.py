"""What was retained is taken over on proof only, whole, and wherever the process dies."""

from contextlib import suppress
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import known
from daap_operator.kinds.database.adoption import major_version, objections, was_retained
from daap_operator.kinds.database.children import SETTLE_SECONDS
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kube import Kind
from tests.unit import builders
from tests.unit.fakes import Killed, refused
from tests.unit.stage import CLUSTER, KEY, POOLER, SECRET, Stage, ready, setting

Object = dict[str, Any]

RETAIN: Object = {"deletionPolicy": "Retain"}
CHILDREN = ((known.CLUSTER, CLUSTER), (known.POOLER, POOLER), (known.SECRET, SECRET))


async def retained(**spec: Any) -> Stage:
    """A database was deleted, and what it had was retained."""
    stage = await ready(**RETAIN | spec)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert not stage.kube.there(known.DATABASE)
    stage.kube.requests.clear()
    stage.announcer.announced.clear()
    return stage


def owners(stage: Stage) -> set[str]:
    """The uids on the children's labels."""
    made = (stage.kube.one(resource, name)["metadata"] for resource, name in CHILDREN)
    return {metadata["labels"][known.DATABASE.uid_label] for metadata in made}


# --- taken over -----------------------------------------------------------------------------------


async def test_the_same_order_again_takes_everything_over() -> None:
    stage = await retained()
    before = [stage.kube.one(resource, name) for resource, name in CHILDREN]
    uid = stage.order(**RETAIN)["metadata"]["uid"]
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert owners(stage) == {uid}
    after = [stage.kube.one(resource, name) for resource, name in CHILDREN]
    for old, new in zip(before, after, strict=True):
        assert new["metadata"]["uid"] == old["metadata"]["uid"]
        assert "ownerReferences" not in new["metadata"]
    assert after[0]["spec"] == before[0]["spec"]
    assert after[2]["data"] == before[2]["data"]
    assert [row.status for row in stage.mirror.rows.values()] == ["ready"]
    assert [one.reason for one in stage.announcer.announced].count("Adopted") == 1


async def test_a_cluster_that_is_changed_as_it_is_taken_over_settles_for_a_while() -> None:
    for instances, settles in ((1, 0.0), (2, SETTLE_SECONDS)):
        stage = await retained()
        stage.order(**RETAIN, instances=instances)
        await stage.look()
        assert f"apply Cluster {CLUSTER}" in stage.kube.writes
        until = stage.clock.monotonic() + settles if settles else 0.0
        assert stage.world.notes_of(KEY).settling_until == until


async def test_what_was_taken_over_is_owned_only_once_that_is_asked_for() -> None:
    stage = await retained()
    uid = stage.order(**RETAIN)["metadata"]["uid"]
    await stage.settle()
    stage.edit(deletionPolicy="Delete")
    await stage.settle()
    for resource, name in CHILDREN:
        references = stage.kube.one(resource, name)["metadata"]["ownerReferences"]
        assert [reference["uid"] for reference in references] == [uid]
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert stage.kube.objects == {}


async def test_generations_of_owners_follow_each_other() -> None:
    stage = await retained()
    for _ in range(3):
        stage.order(**RETAIN)
        await stage.settle()
        assert stage.status()["phase"] == "Ready"
        stage.kube.delete_object(known.DATABASE, "orders")
        await stage.settle()
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]


async def test_a_finalizer_removed_by_force_leaves_what_can_be_taken_over() -> None:
    stage = await ready(**RETAIN)
    del stage.kube.objects[known.DATABASE, "shop", "orders"]
    await stage.restart()
    uid = stage.order(**RETAIN)["metadata"]["uid"]
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert owners(stage) == {uid}


async def test_the_version_is_the_clusters_unless_it_is_asked_for() -> None:
    stage = await retained(postgresVersion=15)
    stage.order(**RETAIN)
    await stage.settle()
    assert stage.status()["postgresVersion"] == 15
    assert stage.status()["phase"] == "Ready"


async def test_the_next_of_the_name_may_come_before_the_event_about_what_was_retained() -> None:
    """Each kind has a watch of its own. What was allotted then would never fit the Cluster."""
    stage = Stage()
    stage.order(postgresVersion=15, locale={"provider": "libc", "locale": "C"})
    stage.kube.change(known.DATABASE, "orders", older)
    await stage.settle()
    stage.edit(**RETAIN)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.look()
    stage.order(**RETAIN)
    late = [change for change in stage.kube.changes if change[0] is not known.DATABASE]
    stage.kube.changes[:] = [change for change in stage.kube.changes if change not in late]
    await stage.look()
    stage.kube.changes += late
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert (stage.status()["postgresVersion"], stage.status()["locale"]) == (15, "libc/C")
    assert "defaultsRevision" not in stage.status()


def older(obj: Object) -> None:
    """As an operator left it that knew no revisions of the defaults."""
    obj["status"] = {"clusterName": CLUSTER, "databaseName": "orders", "postgresVersion": 15}


async def test_a_pooler_and_a_secret_without_their_cluster_serve_the_new_one() -> None:
    """Somebody removed the Cluster to begin empty."""
    stage = await retained()
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.kube.collect_garbage()
    uid = stage.order()["metadata"]["uid"]
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert owners(stage) == {uid}
    assert "Adopted" not in [one.reason for one in stage.announcer.announced]


@pytest.mark.parametrize("after", range(9))
async def test_a_process_that_dies_while_it_retains_or_takes_over_is_followed_by_one_that_ends_it(
    after: int,
) -> None:
    stage = await ready()
    stage.edit(**RETAIN)
    stage.kube.delete_object(known.DATABASE, "orders")
    await dying(stage, after)
    assert not stage.kube.there(known.DATABASE)
    uid = stage.order(**RETAIN)["metadata"]["uid"]
    await dying(stage, after)
    assert stage.status()["phase"] == "Ready"
    assert owners(stage) == {uid}
    assert not [request for request in stage.kube.requests if request.startswith("delete")]


async def dying(stage: Stage, after: int) -> None:
    """The process dies after so many writes; the next one lives."""
    left = after

    def written() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    stage.kube.after_write = written
    with suppress(Killed):
        await stage.settle()
    stage.kube.after_write = lambda: None
    await stage.restart()
    await stage.settle()


async def test_a_deletion_in_mid_adoption_leaves_all_of_it_to_the_next() -> None:
    stage = await retained()
    stage.order(**RETAIN)
    stage.kube.refusals[f"apply Pooler {POOLER}"] = refused(409)
    await stage.look()
    assert len(owners(stage)) == 2
    stage.kube.refusals.clear()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    uid = stage.order(**RETAIN)["metadata"]["uid"]
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert owners(stage) == {uid}


async def test_a_cluster_that_changes_under_our_hands_is_judged_again() -> None:
    stage = await retained()
    stage.order(**RETAIN)
    stage.watch()
    asked = stage.kube.get

    async def changed(kind: Kind, namespace: str, name: str) -> Object | None:
        found = await asked(kind, namespace, name)
        if kind is known.CLUSTER:
            stage.kube.change(kind, name, other_team)
        return found

    stage.kube.get = changed  # type: ignore[method-assign]
    await stage.look()
    del stage.kube.get
    assert (
        stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]["labels"][known.DATABASE.uid_label]
        != stage.database()["metadata"]["uid"]
    )
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "ObjectConflict")


def other_team(obj: Object) -> None:
    obj["metadata"]["annotations"][names.RETAINED_TEAM] = "payments"


async def test_a_retained_cluster_that_is_being_deleted_is_waited_for() -> None:
    stage = await retained()
    stage.kube.change(known.CLUSTER, CLUSTER, hold)
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.order(**RETAIN)
    await stage.settle(playing=False)
    assert stage.condition("Reconciling") == ("True", "ClusterDeleted")
    stage.kube.change(known.CLUSTER, CLUSTER, release)
    stage.kube.collect_garbage()
    await stage.settle()
    assert stage.status()["phase"] == "Ready"


def hold(obj: Object) -> None:
    obj["metadata"]["finalizers"] = ["example.org/hold"]


def release(obj: Object) -> None:
    obj["metadata"]["finalizers"] = []


# --- not taken over -------------------------------------------------------------------------------

UNFIT: dict[str, tuple[Object, str]] = {
    "to be deleted one day": ({"deletionPolicy": "Delete"}, "set it to 'Retain'"),
    "another team": ({"ownerTeam": "payments"}, "the team 'checkout' that kept it"),
    "another database": ({"databaseName": "other"}, "create it with 'orders'"),
    "a newer version": ({"postgresVersion": 18}, "create it with 17"),
    "an older version": ({"postgresVersion": 16}, "create it with 17"),
    "smaller volumes": ({"storage": {"size": "9Gi"}}, "volumes have 10Gi"),
    "another class": ({"storage": {"size": "10Gi", "storageClass": "fast"}}, "create it without"),
}


@pytest.mark.parametrize(("spec", "told"), UNFIT.values(), ids=UNFIT)
async def test_what_does_not_fit_is_left_alone_and_the_remedy_told(spec: Object, told: str) -> None:
    stage = await retained()
    before = {resource: stage.kube.one(resource, name) for resource, name in CHILDREN}
    stage.order(**RETAIN | spec)
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    assert told in stage.message()
    assert "To start empty, delete this DaapDatabase and the Cluster" in stage.message()
    assert {resource: stage.kube.one(resource, name) for resource, name in CHILDREN} == before
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert {resource: stage.kube.one(resource, name) for resource, name in CHILDREN} == before


async def test_what_can_be_changed_lets_it_through() -> None:
    stage = await retained()
    stage.order(ownerTeam="payments", storage={"size": "9Gi"})
    await stage.settle()
    assert stage.message().count(";") == 2
    stage.edit(ownerTeam="checkout", storage={"size": "20Gi"}, **RETAIN)
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    stage.edit(ownerTeam="payments")
    await stage.settle()
    annotations = stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]["annotations"]
    assert annotations[names.RETAINED_TEAM] == "payments"


async def test_credentials_of_what_is_not_taken_over_are_not_published() -> None:
    stage = await retained()
    stage.order(ownerTeam="payments", connectionSecretName="mine")
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    assert "mine" not in stage.kube.there(known.SECRET)
    assert "host" not in stage.status()


def unmarked(metadata: Object) -> None:
    del metadata["annotations"]


def of_another_name(metadata: Object) -> None:
    metadata["annotations"][names.RETAINED_FROM] = "shop/other"


def of_another_namespace(metadata: Object) -> None:
    metadata["annotations"][names.RETAINED_FROM] = "billing/orders"


def of_another_operator(metadata: Object) -> None:
    metadata["labels"][names.MANAGED_BY_LABEL] = "helm"


def owned(metadata: Object) -> None:
    metadata["ownerReferences"] = [{"kind": "App", "apiVersion": "v1", "name": "app", "uid": "app"}]


@pytest.mark.parametrize("change", [unmarked, of_another_name, of_another_namespace, owned])
async def test_what_is_not_proved_is_left_alone(change: Any) -> None:
    stage = await retained()
    stage.kube.add(known.CLAIM, {"metadata": {"name": "app"}})
    stage.kube.one(known.CLAIM, "app")["metadata"]["uid"] = "app"
    stage.kube.change(known.CLUSTER, CLUSTER, lambda obj: change(obj["metadata"]))
    before = stage.kube.one(known.CLUSTER, CLUSTER)
    stage.order(**RETAIN)
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    assert "was not created for this DaapDatabase" in stage.message()
    assert stage.kube.one(known.CLUSTER, CLUSTER) == before


@pytest.mark.parametrize(
    "change", [unmarked, of_another_name, of_another_namespace, of_another_operator, owned]
)
def test_each_part_of_the_proof_counts(change: Any) -> None:
    made = cluster(builders.resolved(RETAIN))
    assert was_retained(made, "shop", "orders")
    assert not was_retained(made, "shop", "other")
    change(made["metadata"])
    assert not was_retained(made, "shop", "orders")


def test_a_mark_from_another_namespace_is_no_proof_even_if_it_was_copied_along() -> None:
    made = cluster(builders.resolved(RETAIN))
    made["metadata"]["namespace"] = "billing"
    assert not was_retained(made, "shop", "orders")


IMAGES: dict[str, int | None] = {
    "ghcr.io/cloudnative-pg/postgresql:17-standard-trixie": 17,
    "registry.example:5000/postgresql:16": 16,
    "registry.example:5000/postgresql:16@sha256:11aa": 16,
    "registry.example:5000/postgresql": 14,
    "registry.example:5000/17:5000/postgresql:16-bookworm": 16,
    "registry.example/postgresql:trixie-17": 14,
    "registry.example/postgresql:20260301": 14,
    f"registry.example/postgresql:{'1' * 5000}": 14,
    "registry.example/postgresql:¹⁷": 14,
    "registry.example/postgresql@sha256:11aa": 14,
    "": 14,
}


@pytest.mark.parametrize(("image", "version"), IMAGES.items())
def test_the_version_is_the_images_or_that_of_the_data(image: str, version: int) -> None:
    status = {"pgDataImageInfo": {"majorVersion": 14}}
    assert major_version({"spec": {"imageName": image}, "status": status}) == version


def test_a_cluster_that_tells_nothing_fits_nothing() -> None:
    assert major_version({}) is None
    assert len(objections({}, builders.resolved(RETAIN))) == 5


# --- the mark itself ------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["nothing", "the status"])
async def test_what_is_retained_at_the_last_moment_is_marked_with_the_loss_of_its_owner(
    lost: str,
) -> None:
    stage = await ready()
    stage.edit(**RETAIN)
    if lost == "the status":
        stage.kube.change(known.DATABASE, "orders", setting("status", {}))
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    for resource, name in CHILDREN:
        metadata = stage.kube.one(resource, name)["metadata"]
        assert "ownerReferences" not in metadata
        assert metadata["annotations"][names.RETAINED_FROM] == "shop/orders"
    team = stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]["annotations"]
    assert team[names.RETAINED_TEAM] == "checkout"


async def test_what_an_older_operator_retained_is_marked_before_its_object_goes() -> None:
    stage = await ready(**RETAIN)
    for resource, name in CHILDREN:
        stage.kube.change(resource, name, lambda obj: unmarked(obj["metadata"]))
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    for resource, name in CHILDREN:
        metadata = stage.kube.one(resource, name)["metadata"]
        assert metadata["annotations"][names.RETAINED_FROM] == "shop/orders"


async def test_a_mark_goes_with_the_policy() -> None:
    stage = await ready(**RETAIN)
    stage.edit(deletionPolicy="Delete")
    await stage.settle()
    for resource, name in CHILDREN:
        annotations = stage.kube.one(resource, name)["metadata"].get("annotations", {})
        assert not [each for each in annotations if each.startswith("daap.io/retained")]


# --- another Secret's name ------------------------------------------------------------------------


async def test_the_secret_of_before_goes_when_another_name_is_asked_for() -> None:
    stage = await retained()
    stage.order(**RETAIN, connectionSecretName="other")
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert stage.status()["secretName"] == "other"
    assert (known.SECRET, "shop", SECRET) not in stage.kube.objects
    writes = stage.kube.writes
    assert writes.index(f"delete Secret {SECRET}") > writes.index("create Secret other")


async def test_the_name_that_a_retained_secret_had_last_is_remembered() -> None:
    stage = await retained(connectionSecretName="first")
    stage.order(**RETAIN, connectionSecretName="second")
    await stage.settle()
    stage.edit(connectionSecretName="third")
    await stage.settle()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    stage.order(**RETAIN)
    await stage.settle()
    left = {name for kind, _, name in stage.kube.objects if kind is known.SECRET}
    assert left == {SECRET, f"{CLUSTER}-app", f"{CLUSTER}-ca"}


@pytest.mark.parametrize("part", ["retained-from", "managed-by", "another's"])
async def test_a_secret_of_that_name_that_proves_nothing_stays(part: str) -> None:
    stage = await retained()
    metadata = stage.kube.one(known.SECRET, SECRET)["metadata"]
    match part:
        case "retained-from":
            metadata["annotations"][names.RETAINED_FROM] = "shop/invoices"
        case "managed-by":
            metadata["labels"][names.MANAGED_BY_LABEL] = "somebody"
        case _:
            metadata["ownerReferences"] = [{"kind": "Deployment", "name": "web", "uid": "1"}]
    stage.order(**RETAIN, connectionSecretName="other")
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert f"delete Secret {SECRET}" not in stage.kube.writes


async def test_the_secret_of_a_cluster_that_does_not_fit_is_not_named() -> None:
    stage = await retained(storage={"size": "20Gi"})
    stage.order(**RETAIN, connectionSecretName="other")
    await stage.settle()
    assert stage.status()["phase"] == "Error"
    assert "secretName" not in stage.status()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert (known.SECRET, "shop", SECRET) in stage.kube.objects


@pytest.mark.parametrize("writes", range(8))
async def test_no_process_that_dies_in_between_forgets_the_secret_of_before(writes: int) -> None:
    stage = await retained()
    stage.order(**RETAIN, connectionSecretName="other")
    await dying(stage, writes)
    assert stage.status()["phase"] == "Ready"
    left = {name for kind, _, name in stage.kube.objects if kind is known.SECRET}
    assert left == {"other", f"{CLUSTER}-app", f"{CLUSTER}-ca"}
