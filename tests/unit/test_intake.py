"""From what was seen to what is looked at."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.watched import children_of
from daap_operator.kube import ApiError, Kind
from tests.unit import builders
from tests.unit.fakes import refused
from tests.unit.stage import KEY, SOURCES, Stage, play, ready

Object = dict[str, Any]

CLUSTER, POOLER = builders.cluster(), builders.pooler()


def woken(stage: Stage, kind: Kind, event: str | None, obj: Object) -> list[Ref]:
    stage.intake.event(SOURCES[kind], event, obj)
    return stage.queue.taken()


def ordered() -> Stage:
    """A database has been seen: what belongs to one that has not is not kept."""
    stage = Stage()
    woken(stage, known.DATABASE, None, builders.database())
    return stage


# --- events ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [None, "ADDED", "MODIFIED"])
@pytest.mark.parametrize(
    ("kind", "obj"),
    [(known.DATABASE, builders.database()), (known.CLUSTER, CLUSTER), (known.POOLER, POOLER)],
    ids=["DaapDatabase", "Cluster", "Pooler"],
)
def test_an_object_that_is_new_wakes_its_owner_once(
    kind: Kind, obj: Object, event: str | None
) -> None:
    stage = Stage() if kind == known.DATABASE else ordered()
    assert woken(stage, kind, event, obj) == [KEY]
    assert woken(stage, kind, event, obj) == []


def test_a_change_of_nothing_that_is_read_wakes_nobody() -> None:
    stage = Stage()
    woken(stage, known.CLUSTER, None, CLUSTER)
    annotations = CLUSTER["metadata"]["annotations"] | {"a": "b"}
    other = builders.cluster({"topology": {}}, resourceVersion="2", annotations=annotations)
    assert woken(stage, known.CLUSTER, "MODIFIED", other) == []


def test_a_deployment_wakes_the_owner_of_its_pooler() -> None:
    stage = ordered()
    deployment = builders.deployment()
    assert woken(stage, known.DEPLOYMENT, "ADDED", deployment) == []
    assert woken(stage, known.POOLER, "ADDED", POOLER) == [KEY]
    changed = builders.deployment({"availableReplicas": 0}, resourceVersion="2")
    assert woken(stage, known.DEPLOYMENT, "MODIFIED", changed) == [KEY]
    gone = builders.deployment(resourceVersion="3")
    assert woken(stage, known.DEPLOYMENT, "DELETED", gone) == [KEY]


def test_endpoints_wake_the_database_when_a_pod_takes_connections_or_does_not() -> None:
    stage = ordered()
    assert woken(stage, known.ENDPOINTS, "ADDED", builders.endpoints(True)) == [KEY]
    moved = builders.endpoints(True, resourceVersion="2", annotations={"trigger-time": "now"})
    assert woken(stage, known.ENDPOINTS, "MODIFIED", moved) == []
    unready = builders.endpoints(False, resourceVersion="3")
    assert woken(stage, known.ENDPOINTS, "MODIFIED", unready) == [KEY]
    assert woken(stage, known.ENDPOINTS, "DELETED", builders.endpoints(resourceVersion="4")) == [
        KEY
    ]


def test_a_childs_end_wakes_its_owner() -> None:
    stage = ordered()
    woken(stage, known.CLUSTER, None, CLUSTER)
    assert woken(stage, known.CLUSTER, "DELETED", builders.cluster(resourceVersion="2")) == [KEY]
    assert stage.gone == []


def test_the_end_of_what_was_never_seen_wakes_nobody() -> None:
    stage = Stage()
    assert woken(stage, known.DATABASE, "DELETED", builders.database()) == []
    assert stage.gone == []


def test_a_database_that_goes_is_told_and_wakes_its_namesakes() -> None:
    stage = Stage()
    namesake = builders.database(uid="other", namespace="billing")
    for obj in (builders.database(), namesake):
        woken(stage, known.DATABASE, None, obj)
    gone = builders.database(resourceVersion="2")
    assert set(woken(stage, known.DATABASE, "DELETED", gone)) == {KEY, ref("billing", "orders")}
    assert stage.gone == [builders.UID]


def test_a_database_that_changes_wakes_its_namesakes() -> None:
    stage = Stage()
    woken(stage, known.DATABASE, None, builders.database(uid="other", namespace="billing"))
    woken(stage, known.DATABASE, None, builders.database(name="payments", uid="third"))
    keys = woken(stage, known.DATABASE, "ADDED", builders.database())
    assert set(keys) == {KEY, ref("billing", "orders")}


# --- LISTs ----------------------------------------------------------------------------------------


async def test_a_list_fills_the_cache_and_wakes_everybody() -> None:
    stage = await ready()
    stage.order("payments")
    await stage.restart()
    assert set(stage.queue.taken()) == {KEY, ref("shop", "payments")}
    children = children_of(stage.store, "shop", "daap-orders")
    assert children.cluster
    assert children.pooler
    assert children.deployment
    assert len(children.endpoints) == 1


async def test_a_list_of_what_is_known_wakes_nobody() -> None:
    stage = await ready()
    await stage.relist()
    assert stage.queue.taken() == []


async def test_owners_are_listed_before_what_they_own() -> None:
    stage = Stage()
    await stage.intake.list_all(stage.kube, ())
    assert stage.kube.requests == [
        "list DaapDatabase",
        "list ScheduledBackup",
        "list Backup",
        "list DaapRestore",
        "list DaapDrill",
        "list ObjectStore",
        "list Cluster",
        "list Pooler",
        "list Deployment",
        "list EndpointSlice",
        "list Pod",
        "list ServiceAccount",
        "list PersistentVolumeClaim",
    ]
    assert list(SOURCES) == [
        *(known.DATABASE, known.CLUSTER, known.POOLER),
        *(known.DEPLOYMENT, known.ENDPOINTS, known.POD, known.ACCOUNT, known.CLAIM),
        *(known.SCHEDULED_BACKUP, known.BACKUP, known.DAAP_RESTORE, known.DAAP_DRILL),
        known.BARMAN_STORE,
    ]


async def test_only_our_children_and_what_is_made_of_them_are_listed() -> None:
    stage = Stage()
    foreign = {"metadata": {"name": "foreign"}, "spec": {}, "status": {}}
    other_service = {"labels": {names.SERVICE_LABEL: "foreign"}}
    for resource in (known.CLUSTER, known.POOLER, known.DEPLOYMENT):
        stage.kube.add(resource, foreign)
    stage.kube.add(known.ENDPOINTS, foreign | {"metadata": foreign["metadata"] | other_service})
    await stage.relist()
    for kind in SOURCES:
        assert stage.store.get(Ref(kind, "shop", "foreign")) is None
    managed = f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}"
    assert [source.selector for source in SOURCES.values()] == [
        "",
        managed,
        managed,
        "cnpg.io/poolerName",
        "daap.io/database,kubernetes.io/service-name",
        "cnpg.io/cluster",
        "cnpg.io/cluster,daap.io/database",
        "cnpg.io/cluster",
        managed,
        "cnpg.io/cluster",
        "",
        "",
        "",
    ]


async def test_a_long_list_comes_in_pages() -> None:
    stage = Stage()
    for number in range(7):
        stage.order(f"orders-{number}")
    stage.kube.page = 3
    await stage.relist()
    assert len(stage.store.refs(known.DATABASE)) == 7


async def test_a_list_mends_what_a_watch_has_lost() -> None:
    stage = await ready()
    stage.order("payments")
    await stage.look(ref("shop", "payments"))
    del stage.kube.objects[known.DATABASE, "shop", "payments"]
    del stage.kube.objects[known.CLUSTER, "shop", "daap-orders"]
    stage.order("new")
    stage.kube.changes.clear()
    stage.queue.taken()
    await stage.relist()
    assert set(stage.queue.taken()) >= {ref("shop", "payments"), KEY, ref("shop", "new")}
    assert set(stage.store.refs(known.DATABASE)) == {KEY, ref("shop", "new")}
    assert len(stage.gone) == 1


async def test_only_the_namespaces_that_are_served_are_listed() -> None:
    stage = Stage()
    for namespace in ("a", "b", "c"):
        stage.order(namespace=namespace)
    await stage.intake.list_all(stage.kube, ("a", "b"))
    assert {key.namespace for key in stage.store.refs(known.DATABASE)} == {"a", "b"}
    asked = [request for request in stage.kube.requests if "DaapDatabase" in request]
    assert asked == ["list DaapDatabase a", "list DaapDatabase b"]
    del stage.kube.objects[known.DATABASE, "b", "orders"]
    await stage.intake.list_all(stage.kube, ("a", "b"))
    assert {key.namespace for key in stage.store.refs(known.DATABASE)} == {"a"}


async def test_a_kind_that_is_not_installed_is_told_and_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.order()
    stage.kube.missing = {known.CLUSTER, known.POOLER}
    await stage.intake.list_all(stage.kube, ())
    assert stage.store.refs(known.DATABASE) == [KEY]
    told = [(r.getMessage(), vars(r)["kind"]) for r in caplog.records]
    assert told == [("Kind unknown to the API server", kind) for kind in ("cluster", "pooler")]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ("list DaapDatabase", refused(404)),
        ("list Cluster", refused(410, "too old", "Expired")),
        ("list Deployment", refused(403)),
    ],
    ids=["our own kind is missing", "expired", "forbidden"],
)
async def test_a_list_that_fails_is_an_outage_and_forgets_nothing(
    request_: str, error: ApiError
) -> None:
    stage = await ready()
    play(stage.kube)
    stage.kube.refusals[request_] = error
    with pytest.raises(ApiError) as raised:
        await stage.intake.list_all(stage.kube, ())
    assert raised.value is error
    assert stage.store.refs(known.DATABASE) == [KEY]
