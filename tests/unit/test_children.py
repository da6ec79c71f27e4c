"""Cluster and Pooler made what they should be; nobody else's are touched."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database import ownership
from daap_operator.kinds.database.children import SETTLE_SECONDS, child_refusal, ensure_children
from daap_operator.kinds.database.desired import tuning
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.resolved import Resolved, resolve
from daap_operator.kinds.database.subject import database
from daap_operator.kube import ApiError, Kind, Unreachable
from tests.unit import builders
from tests.unit.fakes import refused
from tests.unit.stage import CLUSTER, KEY, PLATFORM, POOLER, Stage, play_cluster, ready, setting

Object = dict[str, Any]

CREATED = [f"create Cluster {CLUSTER}", f"create Pooler {POOLER}"]


def wanted(stage: Stage) -> Resolved:
    """The database as the passes resolve it."""
    return resolve(database(stage.database()), PLATFORM)


async def ensured(stage: Stage) -> Stalled | Waiting | None:
    stage.watch()
    return await ensure_children(stage.world, wanted(stage))


def first_defaults(stage: Stage) -> None:
    """The database was made before the defaults had revisions."""
    stage.kube.change(known.DATABASE, KEY.name, lambda obj: obj["status"].pop("defaultsRevision"))


# --- certificates ---------------------------------------------------------------------------------


async def test_a_pooler_with_an_earlier_certificate_is_touched_once() -> None:
    stage = await ready()
    versions = {"serverCaSecretVersion": "12", "serverSecretVersion": "13"}
    served = {
        "serverCA": {"name": f"{CLUSTER}-ca", "version": "12"},
        "clientTLS": {"name": f"{CLUSTER}-server", "version": "3"},
    }

    def renewed(obj: Object) -> None:
        obj["status"]["secretsResourceVersion"] |= versions

    def still(obj: Object) -> None:
        obj.setdefault("status", {})["secrets"] = served

    stage.kube.change(known.CLUSTER, CLUSTER, renewed)
    stage.kube.change(known.POOLER, POOLER, still)
    stage.kube.requests.clear()
    for _ in range(3):
        assert await ensured(stage) is None
    assert stage.kube.requests == [f"apply Pooler {POOLER}"]
    made = stage.kube.one(known.POOLER, POOLER)["metadata"]["annotations"]
    assert made == {names.CERTIFICATES: "12.13"}
    served["clientTLS"]["version"] = "13"
    stage.kube.change(known.POOLER, POOLER, still)
    assert await ensured(stage) is None
    assert stage.kube.requests == [f"apply Pooler {POOLER}"]


# --- create and mend ------------------------------------------------------------------------------


async def test_what_is_missing_is_created() -> None:
    stage = Stage()
    stage.order()
    assert await ensured(stage) is None
    assert stage.kube.requests == CREATED
    assert stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["instances"] == 1
    assert stage.kube.one(known.POOLER, POOLER)["spec"]["cluster"] == {"name": CLUSTER}


async def test_what_was_created_is_known_before_any_event_tells() -> None:
    stage = Stage()
    stage.order()
    stage.watch()
    for _ in range(3):
        assert await ensure_children(stage.world, wanted(stage)) is None
    assert stage.kube.requests == CREATED


async def test_children_as_they_should_be_cost_no_request() -> None:
    stage = await ready(instances=3, pooler={"instances": 2})
    assert await ensured(stage) is None
    assert stage.kube.requests == []


def scale(obj: Object) -> None:
    obj["spec"]["instances"] = 7


def unlabel(obj: Object) -> None:
    del obj["metadata"]["labels"][known.DATABASE.uid_label]


def disown(obj: Object) -> None:
    del obj["metadata"]["ownerReferences"]


def take_parameter(obj: Object) -> None:
    obj["spec"]["pgbouncer"]["parameters"]["client_tls_sslmode"] = "disable"


DRIFTS = {
    "a Cluster that was scaled": (known.CLUSTER, CLUSTER, scale),
    "a Cluster without our label": (known.CLUSTER, CLUSTER, unlabel),
    "a Cluster without its owner": (known.CLUSTER, CLUSTER, disown),
    "a Pooler that was scaled": (known.POOLER, POOLER, scale),
    "a Pooler that takes plain text": (known.POOLER, POOLER, take_parameter),
}


@pytest.mark.parametrize(("resource", "name", "edit"), DRIFTS.values(), ids=DRIFTS)
async def test_what_somebody_changed_is_mended_with_one_request(
    resource: Kind, name: str, edit: Any
) -> None:
    stage = await ready()
    before = stage.kube.one(resource, name)
    stage.kube.change(resource, name, edit)
    assert await ensured(stage) is None
    assert stage.kube.requests == [f"apply {before['kind']} {name}"]
    after = stage.kube.one(resource, name)
    assert after["spec"] == before["spec"]
    same = ("labels", "ownerReferences")
    assert [after["metadata"][f] for f in same] == [before["metadata"][f] for f in same]
    assert await ensured(stage) is None
    assert len(stage.kube.requests) == 1


async def test_what_others_add_stays() -> None:
    stage = await ready()

    def hibernate(obj: Object) -> None:
        obj["metadata"]["annotations"]["cnpg.io/hibernation"] = "on"
        obj["spec"]["postgresql"]["parameters"]["archive_mode"] = "on"

    stage.kube.change(known.CLUSTER, CLUSTER, hibernate)
    assert await ensured(stage) is None
    assert stage.kube.requests == []
    stage.edit(instances=2)
    assert await ensured(stage) is None
    live = stage.kube.one(known.CLUSTER, CLUSTER)
    assert live["metadata"]["annotations"]["cnpg.io/hibernation"] == "on"
    parameters = live["spec"]["postgresql"]["parameters"]
    assert parameters["archive_mode"] == "on"
    stage.edit(resources={"limits": {"memory": "2Gi"}})
    assert await ensured(stage) is None
    live = stage.kube.one(known.CLUSTER, CLUSTER)
    after = live["spec"]["postgresql"]["parameters"]
    assert after["archive_mode"] == "on"
    assert after["shared_buffers"] != parameters["shared_buffers"]


async def test_settings_put_there_before_they_followed_the_memory_stay() -> None:
    stage = await ready()
    first_defaults(stage)
    assert await ensured(stage) is None

    def tune(obj: Object) -> None:
        obj["spec"]["postgresql"]["parameters"] = {"random_page_cost": "1.1"}

    stage.kube.change(known.CLUSTER, CLUSTER, tune)
    stage.kube.change(
        known.DATABASE,
        "orders",
        lambda obj: obj["metadata"].update(annotations={names.DEFAULTS_REVISION: "2"}),
    )
    assert await ensured(stage) is None
    made = stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["postgresql"]["parameters"]
    assert made["random_page_cost"] == "1.1"
    assert made["shared_buffers"] == "256MB"


@pytest.mark.parametrize("name", tuning.NAMES)
async def test_a_setting_changed_by_hand_is_theirs_until_they_take_it_away(name: str) -> None:
    stage = await ready()

    def tune(obj: Object) -> None:
        obj["spec"]["postgresql"]["parameters"][name] = "77"

    stage.kube.change(known.CLUSTER, CLUSTER, tune)
    stage.edit(resources={"limits": {"memory": "2Gi"}})
    assert await ensured(stage) is None
    live = stage.kube.one(known.CLUSTER, CLUSTER)
    parameters = dict(live["spec"]["postgresql"]["parameters"])
    assert parameters.pop(name) == "77"
    wished = cluster(wanted(stage))["spec"]["postgresql"]["parameters"]
    assert parameters == {key: value for key, value in wished.items() if key != name}
    before = list(stage.kube.writes)
    assert await ensured(stage) is None
    assert stage.kube.writes == before
    stage.kube.change(
        known.CLUSTER, CLUSTER, lambda obj: obj["spec"]["postgresql"]["parameters"].pop(name)
    )
    assert await ensured(stage) is None
    made = stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["postgresql"]["parameters"]
    assert made[name] == wished[name]


async def test_what_is_no_longer_asked_for_goes() -> None:
    stage = await ready(resources={"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}})
    first_defaults(stage)
    stage.edit(resources={"limits": {"memory": "1Gi"}})
    assert await ensured(stage) is None
    assert stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["resources"] == {
        "limits": {"memory": "1Gi"}
    }
    stage.edit(resources=None)
    assert await ensured(stage) is None
    assert "limits" not in stage.kube.one(known.CLUSTER, CLUSTER)["spec"].get("resources", {})
    assert await ensured(stage) is None
    writes = [write for write in stage.kube.writes if "Cluster" in write]
    assert writes == [f"apply Cluster {CLUSTER}"] * 2


# --- a loss ---------------------------------------------------------------------------------------


async def test_a_cluster_that_has_to_be_made_again_is_said_aloud() -> None:
    stage = await ready()
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    assert await ensured(stage) is None
    (loss,) = stage.announcer.announced
    assert (loss.warning, loss.reason) == (True, "ClusterRecreated")
    assert f"Cluster {CLUSTER} was gone and has been created again. It is empty" in loss.note


async def test_the_first_cluster_and_a_new_pooler_are_no_loss() -> None:
    stage = Stage()
    stage.order()
    await ensured(stage)
    assert stage.announcer.announced == []
    stage = await ready()
    stage.kube.delete_object(known.POOLER, POOLER)
    await ensured(stage)
    assert stage.kube.writes == [f"create Pooler {POOLER}"]
    assert stage.announcer.announced == []


# --- settling -------------------------------------------------------------------------------------


async def test_a_changed_cluster_settles_for_a_while() -> None:
    stage = await ready()
    stage.edit(instances=2)
    await ensured(stage)
    assert stage.world.notes_of(KEY).settling_until == stage.clock.monotonic() + SETTLE_SECONDS


@pytest.mark.parametrize("change", ["labels", "pooler"])
async def test_a_change_that_leaves_the_clusters_spec_alone_settles_at_once(change: str) -> None:
    stage = await ready()
    if change == "labels":
        stage.kube.change(known.CLUSTER, CLUSTER, unlabel)
    else:
        stage.edit(pooler={"instances": 2})
    await ensured(stage)
    assert len(stage.kube.writes) == 1
    assert stage.world.notes_of(KEY).settling_until == 0.0


# --- what is in the way ---------------------------------------------------------------------------


def foreign(kind: str, **metadata: Any) -> Object:
    return {"kind": kind, "metadata": {"labels": {"a": "b"}} | metadata, "spec": {"mine": True}}


@pytest.mark.parametrize(
    ("resource", "name", "kind"),
    [(known.CLUSTER, CLUSTER, "Cluster"), (known.POOLER, POOLER, "Pooler")],
    ids=["Cluster", "Pooler"],
)
async def test_an_object_that_is_not_ours_is_never_touched(
    resource: Kind, name: str, kind: str
) -> None:
    stage = Stage()
    stage.order()
    before = stage.kube.add(resource, foreign(kind, name=name))
    problem = await ensured(stage)
    assert isinstance(problem, Stalled)
    assert problem.finding.reason == "ObjectConflict"
    assert problem.finding.message.startswith(
        f"{kind} {name} in namespace shop exists and was not created"
    )
    assert "remove or rename it" in problem.finding.message
    assert stage.kube.one(resource, name) == before
    stage.kube.delete_object(resource, name)
    assert await ensured(stage) is None


async def test_an_object_with_our_labels_of_another_database_is_never_touched() -> None:
    stage = Stage()
    stage.order()
    labels = ownership.labels("orders", "another-uid")
    before = stage.kube.add(known.CLUSTER, foreign("Cluster", name=CLUSTER, labels=labels))
    for _ in range(2):
        problem = await ensured(stage)
        assert isinstance(problem, Stalled)
        assert problem.finding.reason == "ObjectConflict"
    assert stage.kube.one(known.CLUSTER, CLUSTER) == before


async def test_a_child_of_another_groups_kind_of_our_name_is_a_conflict_and_no_leftover() -> None:
    stage = await ready()
    owner = {"apiVersion": "example.org/v1", "kind": "DaapDatabase", "name": "orders", "uid": "s-1"}

    def give_away(cluster: Object) -> None:
        cluster["metadata"]["ownerReferences"] = [owner]
        cluster["metadata"]["labels"][known.DATABASE.uid_label] = "s-1"

    stage.kube.change(known.CLUSTER, CLUSTER, give_away)
    await stage.look()
    problem = await ensured(stage)
    assert isinstance(problem, Stalled)
    assert problem.finding.reason == "ObjectConflict"
    assert stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]["ownerReferences"] == [owner]


async def test_children_of_an_earlier_database_are_waited_for() -> None:
    stage = await ready()
    for resource in (known.CLUSTER, known.POOLER):
        name = stage.kube.there(resource)[0]
        stage.kube.change(resource, name, setting("status", {}))
    del stage.kube.objects[known.DATABASE, "shop", "orders"]
    stage.order()
    problem = await ensured(stage)
    assert isinstance(problem, Waiting)
    assert problem.finding.reason == "LeftoverChildren"
    assert stage.kube.writes == []
    stage.kube.collect_garbage()
    assert await ensured(stage) is None
    assert stage.kube.writes == CREATED


async def test_a_child_that_is_being_deleted_is_waited_for_and_made_again() -> None:
    stage = await ready()
    stage.kube.change(known.CLUSTER, CLUSTER, hold)
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    problem = await ensured(stage)
    assert isinstance(problem, Waiting)
    assert problem.finding.reason == "ClusterDeleted"
    assert stage.kube.writes == []
    stage.kube.change(known.CLUSTER, CLUSTER, release)
    assert await ensured(stage) is None
    assert stage.kube.writes == [f"create Cluster {CLUSTER}"]


def hold(obj: Object) -> None:
    obj["metadata"]["finalizers"] = ["example.org/hold"]


def release(obj: Object) -> None:
    obj["metadata"]["finalizers"] = []


async def test_our_child_that_no_watch_told_of_is_found_and_mended() -> None:
    stage = await ready()
    stage.kube.change(known.CLUSTER, CLUSTER, without_labels)
    assert await ensured(stage) is None
    assert stage.kube.requests == [
        f"create Cluster {CLUSTER}",
        f"get Cluster {CLUSTER}",
        f"apply Cluster {CLUSTER}",
    ]
    labels = stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]["labels"]
    assert labels == wanted(stage).metadata("")["labels"]


def without_labels(obj: Object) -> None:
    obj["metadata"]["labels"] = {}


async def test_a_child_that_vanishes_between_two_requests_is_made_later() -> None:
    stage = Stage()
    stage.order()
    stage.kube.refusals[CREATED[0]] = refused(409)
    problem = await ensured(stage)
    assert isinstance(problem, Waiting)
    assert problem.finding.reason == "ClusterPending"
    assert problem.seconds == 1.0


async def test_a_child_that_was_replaced_under_our_hands_is_not_overwritten() -> None:
    stage = await ready()
    del stage.kube.objects[known.CLUSTER, "shop", CLUSTER]
    before = stage.kube.add(known.CLUSTER, foreign("Cluster", name=CLUSTER))
    stage.kube.changes.clear()  # the watch is late
    stage.edit(instances=2)
    problem = await ensured(stage)
    assert isinstance(problem, Waiting)
    assert problem.finding.reason == "ClusterPending"
    assert stage.kube.one(known.CLUSTER, CLUSTER) == before


# --- refusals -------------------------------------------------------------------------------------

MANIFEST = cluster(builders.resolved())

REFUSALS: dict[str, tuple[ApiError, type[Exception], str, str]] = {
    "invalid": (
        refused(422, "spec.storage.size: no", "Invalid"),
        Stalled,
        "Rejected",
        "CloudNativePG refuses the Cluster: spec.storage.size: no. Change the spec accordingly",
    ),
    "quota": (
        refused(403, 'exceeded quota: "small", requested: 1', "Forbidden"),
        Stalled,
        "QuotaExceeded",
        "A ResourceQuota of the namespace forbids the Cluster: exceeded quota",
    ),
    "forbidden": (
        refused(403, "cannot patch clusters", "Forbidden"),
        Stalled,
        "Forbidden",
        "The operator may not write the Cluster: cannot patch clusters",
    ),
    "no such kind": (
        refused(404),
        Stalled,
        "CloudNativePGMissing",
        "the platform team must install CloudNativePG",
    ),
    "namespace terminating": (
        refused(403, "no", "Forbidden", causes=[{"reason": "NamespaceTerminating"}]),
        Waiting,
        "NamespaceTerminating",
        "The namespace is being deleted",
    ),
    "conflict": (refused(409), Waiting, "ClusterPending", "Cluster daap-orders has just changed"),
    "another object": (
        refused(422, "no", "Invalid", causes=[{"field": "metadata.uid"}]),
        Waiting,
        "ClusterPending",
        "has just changed",
    ),
}


@pytest.mark.parametrize(("error", "kind", "reason", "told"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("verb", ["create", "apply"])
async def test_a_refusal_is_told_with_who_must_act(
    verb: str, error: ApiError, kind: type[Exception], reason: str, told: str
) -> None:
    stage = Stage() if verb == "create" else await ready()
    if verb == "create":
        stage.order()
    else:
        stage.edit(instances=2)
    stage.kube.refusals[f"{verb} Cluster {CLUSTER}"] = error
    problem = await ensured(stage)
    if verb == "create" and error.conflict:
        return  # it is there then: looked at above
    assert type(problem) is kind
    assert isinstance(problem, Stalled | Waiting)
    assert problem.finding.reason == reason
    assert told in problem.finding.message
    assert f"create Pooler {POOLER}" not in stage.kube.requests


@pytest.mark.parametrize(
    "error",
    [refused(500, "failed calling webhook"), refused(429), Unreachable("no answer")],
    ids=["webhook", "too many requests", "unreachable"],
)
@pytest.mark.parametrize("verb", ["create", "apply"])
async def test_an_outage_is_raised_to_be_tried_again(verb: str, error: Exception) -> None:
    stage = Stage() if verb == "create" else await ready()
    if verb == "create":
        stage.order()
    else:
        stage.edit(instances=2)
    stage.kube.refusals[f"{verb} Cluster {CLUSTER}"] = error
    with pytest.raises(type(error)) as raised:
        await ensured(stage)
    assert raised.value is error


def test_what_is_no_refusal_stays_an_outage() -> None:
    error = refused(503)
    assert child_refusal(error, MANIFEST) is error


async def test_a_refused_change_leaves_what_was_there() -> None:
    stage = await ready()
    before = stage.kube.one(known.CLUSTER, CLUSTER)
    stage.kube.refusals[f"apply Cluster {CLUSTER}"] = refused(422, "no")
    stage.edit(instances=2)
    await ensured(stage)
    assert stage.kube.one(known.CLUSTER, CLUSTER) == before


async def test_the_answer_to_a_write_is_not_older_than_the_cache() -> None:
    stage = await ready()
    stage.edit(instances=2)

    def overtake() -> None:
        stage.kube.after_write = lambda: None
        play_cluster(stage.kube, "shop", CLUSTER, phase="Creating a new replica")
        stage.watch()

    stage.kube.after_write = overtake
    assert await ensured(stage) is None
    kept = stage.store.get(Ref(known.CLUSTER, "shop", CLUSTER))
    assert kept is not None
    assert kept["status"]["phase"] == "Creating a new replica"


async def test_a_quantity_written_otherwise_is_not_written_again() -> None:
    amounts = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    stage = await ready(storage={"size": "1Gi"}, resources=amounts)
    same = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"memory": "2048Mi"}}
    stage.edit(storage={"size": "1024Mi"}, resources=same)
    await stage.settle()
    assert stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]["generation"] == 1
    assert f"apply Cluster {CLUSTER}" not in stage.kube.writes
