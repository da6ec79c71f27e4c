"""A pass: the requests it takes, when to look again, and that it may be cut short anywhere."""

import json
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from daap_operator import names
from daap_operator.api.reasons import InventoryReason
from daap_operator.engine.kinds import Ref
from daap_operator.engine.loop import ROW_SECONDS, TRIES_BEFORE_TELLING
from daap_operator.engine.ownership import owner_labels
from daap_operator.errors import Outage
from daap_operator.kinds import known
from daap_operator.kinds.database import children
from daap_operator.kinds.database.again import STALLED_SECONDS
from daap_operator.kinds.database.children import SETTLE_SECONDS
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.mark import is_marked, unmarked
from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.naming import ref
from daap_operator.kube import ApiError, Unreachable
from daap_operator.mirror import MetadataError
from tests.unit import builders
from tests.unit.fakes import Killed, refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import (
    CLUSTER,
    KEY,
    POOLER,
    SECRET,
    SOURCES,
    Stage,
    play,
    play_cluster,
    play_endpoints,
    play_pooler,
    ready,
    setting,
)

Object = dict[str, Any]

FINALIZER = "finalizers of DaapDatabase orders"
STATUS = "status of DaapDatabase orders"

# --- from nothing to ready ------------------------------------------------------------------------


async def test_a_database_is_ready_after_eight_requests_in_this_order() -> None:
    stage = Stage()
    stage.order()
    await stage.look()
    assert stage.kube.requests == [
        FINALIZER,
        STATUS,
        f"create Cluster {CLUSTER}",
        f"create Pooler {POOLER}",
    ]
    assert stage.condition("Ready") == ("False", "ClusterPending")
    play(stage.kube)
    await stage.look()
    assert stage.kube.requests[4:] == [
        f"get Secret {CLUSTER}-app",
        f"get Secret {CLUSTER}-ca",
        f"create Secret {SECRET}",
        STATUS,
    ]
    assert stage.condition("Ready") == ("True", "Ready")
    assert [row.status for row in stage.mirror.saved] == ["provisioning", "ready"]
    assert [one.reason for one in stage.announcer.announced] == ["Provisioning", "Ready"]
    assert kstatus(stage.database()) == "Current"


async def test_progress_on_the_way_is_told_at_most_every_two_seconds() -> None:
    stage = Stage()
    stage.order()
    told: list[float] = []

    def note() -> None:
        if stage.kube.requests[-1] == STATUS:
            told.append(stage.clock.seconds)

    stage.kube.after_write = note
    await stage.look()
    for _ in range(10):
        for phase in ("Setting up primary", "Waiting for the instances to become active"):
            play_cluster(stage.kube, "shop", CLUSTER, phase=phase, currentPrimary="")
            stage.clock.advance(0.5)
            await stage.look()
    assert len(told) >= 4
    assert all(later - earlier >= 2 for earlier, later in pairwise(told))


async def test_an_unchanged_healthy_database_costs_no_request() -> None:
    stage = await ready()
    for _ in range(3):
        await stage.look()
        await stage.relist()
    assert stage.kube.requests == []
    assert len(stage.mirror.saved) == 2
    assert stage.announcer.announced == []


async def test_a_restart_writes_nothing() -> None:
    stage = await ready()
    await stage.restart()
    await stage.settle()
    assert stage.kube.requests == []


async def test_the_finalizers_of_others_are_kept() -> None:
    stage = Stage()
    stage.order()
    stage.kube.change(
        known.DATABASE, "orders", lambda obj: obj["metadata"].update(finalizers=["a.b/c"])
    )
    await stage.look()
    assert stage.database()["metadata"]["finalizers"] == ["a.b/c", names.FINALIZER]


# --- a change -------------------------------------------------------------------------------------


async def test_a_change_is_ready_only_when_its_effects_are_there() -> None:
    stage = await ready()
    stage.edit(instances=2)
    await stage.look()
    assert kstatus(stage.database()) == "InProgress"
    assert stage.status()["observedGeneration"] == 2
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Reconciling") == ("True", "Updating")
    await stage.settle()
    assert kstatus(stage.database()) == "Current"
    assert stage.status()["instances"] == 2


MORE: dict[str, dict[str, Any]] = {
    "memory": {"resources": {"limits": {"memory": "2Gi"}}},
    "clients": {"pooler": {"maxClientConnections": 77}},
    "mode": {"pooler": {"mode": "Session"}},
    "instances": {"instances": 2},
    "poolers": {"pooler": {"instances": 3}},
    "version": {"postgresVersion": 18},
    "all": {"instances": 3, "resources": {"requests": {"cpu": "1"}}},
}
"""Edits of the spec, one for each way to the children."""


@pytest.mark.parametrize("edit", MORE.values(), ids=MORE)
async def test_a_change_is_under_way_until_cloudnativepg_has_taken_it_up(
    edit: dict[str, Any],
) -> None:
    """However long that takes: CloudNativePG's status looks settled all the time."""
    stage = await ready()
    stage.edit(**edit)
    for _ in range(10):
        await stage.look()
        assert kstatus(stage.database()) == "InProgress"
        assert stage.condition("Ready") == ("True", "Ready")
        stage.clock.advance(60)
    await stage.settle()
    assert kstatus(stage.database()) == "Current"


async def test_marks_come_with_the_next_change_and_not_with_the_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An upgrade writes nothing to a database that is as its spec says."""
    with monkeypatch.context() as before:
        before.setattr(children, "cluster", lambda of: unmarked(cluster(of)))
        before.setattr(children, "pooler", lambda of, **how: unmarked(pooler(of, **how)))
        stage = await ready()
    await stage.restart()
    await stage.look()
    assert stage.kube.writes == []
    assert kstatus(stage.database()) == "Current"
    stage.edit(pooler={"maxClientConnections": 77}, instances=2)
    for _ in range(3):
        await stage.look()
        assert kstatus(stage.database()) == "InProgress"
        stage.clock.advance(60)
    await stage.settle()
    assert kstatus(stage.database()) == "Current"
    for resource, name in ((known.CLUSTER, CLUSTER), (known.POOLER, POOLER)):
        assert is_marked(stage.kube.one(resource, name))


async def test_settings_have_a_while_after_cloudnativepg_has_taken_up_the_change() -> None:
    stage = await ready()
    stage.edit(resources={"limits": {"memory": "2Gi"}})
    assert await stage.look() == SETTLE_SECONDS
    play(stage.kube)
    stage.clock.advance(SETTLE_SECONDS - 1)
    assert await stage.look() == 1.0
    assert stage.message("Reconciling") == "PostgreSQL is applying its settings"
    stage.clock.advance(1)
    await stage.look()
    assert kstatus(stage.database()) == "Current"


async def test_a_change_taken_back_before_it_was_taken_up_is_done_at_once() -> None:
    stage = await ready()
    stage.edit(pooler={"maxClientConnections": 77})
    await stage.look()
    stage.edit(pooler=None)
    await stage.look()
    assert kstatus(stage.database()) == "Current"


async def test_a_database_that_stops_serving_is_an_error_until_it_serves_again() -> None:
    stage = await ready()
    play_pooler(stage.kube, "shop", POOLER, available=0)
    await stage.look()
    assert (stage.status()["phase"], stage.condition("Ready")) == ("Error", ("False", "NotServing"))
    assert stage.condition("Reconciling") == ("True", "PoolerStarting")
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert [row.status for row in stage.mirror.saved][-2:] == ["error", "ready"]
    assert stage.mirror.saved[-2].error_message == stage.announcer.announced[-2].note


async def test_a_primary_that_takes_no_connections_is_told_of_though_its_cluster_is_well() -> None:
    stage = await ready()
    play_endpoints(stage.kube, stage.kube.one(known.CLUSTER, CLUSTER), ready=False)
    await stage.look()
    assert (stage.status()["phase"], stage.condition("Ready")) == ("Error", ("False", "NotServing"))
    assert stage.condition("Reconciling") == ("True", "PrimaryDown")
    stage.kube.delete_object(known.ENDPOINTS, f"{CLUSTER}-rw-abcde")
    await stage.settle(playing=False)
    assert stage.status()["phase"] == "Ready", "what is not told counts for nothing"


async def test_a_database_is_not_ready_before_its_primary_takes_connections() -> None:
    stage = Stage()
    stage.order()
    await stage.settle(playing=False)
    play(stage.kube)
    play_endpoints(stage.kube, stage.kube.one(known.CLUSTER, CLUSTER), ready=False)
    await stage.settle(playing=False)
    assert stage.status()["phase"] == "Provisioning"
    assert stage.condition("Ready") == ("False", "PrimaryDown")
    assert (known.SECRET, "shop", SECRET) not in stage.kube.objects
    await stage.settle()
    assert stage.status()["phase"] == "Ready"


async def test_a_secret_that_is_taken_stalls_a_database_that_is_otherwise_well() -> None:
    stage = Stage()
    stage.kube.add(known.SECRET, {"metadata": {"name": SECRET}, "data": {}})
    stage.order()
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "SecretNameTaken")
    stage.kube.delete_object(known.SECRET, SECRET)
    await stage.settle()
    assert stage.status()["phase"] == "Ready"


# --- what cannot be served ------------------------------------------------------------------------


async def test_a_spec_that_breaks_the_rules_is_told_and_nothing_is_touched() -> None:
    stage = await ready()
    stage.edit(instances=0)
    assert await stage.look() == 600
    assert stage.condition("Stalled") == ("True", "InvalidSpec")
    assert "spec.instances '0'" in stage.message("Stalled")
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.kube.writes == [STATUS]
    assert kstatus(stage.database()) == "Failed"
    row = stage.mirror.saved[-1]
    assert (row.status, row.error_message) == ("ready", stage.message("Stalled"))
    assert stage.announcer.announced[-1].reason == "InvalidSpec"
    stage.edit(instances=1)
    await stage.settle()
    assert stage.status()["phase"] == "Ready"


def invalid(stage: Stage) -> None:
    stage.edit(instances=0)


def rejected(stage: Stage) -> None:
    stage.edit(instances=2)
    stage.kube.refusals[f"apply Cluster {CLUSTER}"] = refused(422, "no")


def secret_taken(stage: Stage) -> None:
    stage.kube.add(known.SECRET, {"metadata": {"name": "mine"}, "data": {}})
    stage.edit(connectionSecretName="mine")


def over_quota(stage: Stage) -> None:
    stage.edit(instances=2)
    stage.kube.refusals[f"apply Cluster {CLUSTER}"] = refused(403, "exceeded quota")


def primary_down(stage: Stage) -> None:
    play_cluster(stage.kube, "shop", CLUSTER, instancesStatus={"healthy": []})


def cut_off(stage: Stage) -> None:
    """Only Kubernetes says so yet."""
    play_endpoints(stage.kube, stage.kube.one(known.CLUSTER, CLUSTER), ready=False)


def no_pooler(stage: Stage) -> None:
    play_pooler(stage.kube, "shop", POOLER, available=0)


REFUSALS = {
    "InvalidSpec": invalid,
    "Rejected": rejected,
    "SecretNameTaken": secret_taken,
    "QuotaExceeded": over_quota,
}


@pytest.mark.parametrize("fail", [primary_down, cut_off, no_pooler])
@pytest.mark.parametrize(("reason", "refuse"), REFUSALS.items(), ids=REFUSALS)
async def test_whether_it_serves_is_looked_at_while_it_is_stalled(
    reason: str, refuse: Callable[[Stage], None], fail: Callable[[Stage], None]
) -> None:
    stage = await ready()
    refuse(stage)
    await stage.look()
    assert stage.condition("Stalled") == ("True", reason)
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.status()["phase"] == "Ready"
    refusal = stage.message("Stalled")
    row = stage.mirror.saved[-1]
    assert (row.status, row.error_message) == ("ready", refusal)
    fail(stage)
    assert KEY in stage.watch()
    await stage.look()
    assert stage.condition("Stalled") == ("True", reason)
    assert stage.condition("Ready") == ("False", "NotServing")
    assert stage.status()["phase"] == "Error"
    assert kstatus(stage.database()) == "Failed"
    row = stage.mirror.saved[-1]
    assert (row.status, row.error_message) == ("error", f"{stage.message()}; {refusal}")
    announced = [one.reason for one in stage.announcer.announced]
    assert announced == [reason, "NotServing"]
    play(stage.kube)
    await stage.look()
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Stalled") == ("True", reason)


@pytest.mark.parametrize(("reason", "refuse"), REFUSALS.items(), ids=REFUSALS)
async def test_the_end_of_a_refusal_is_an_event(
    reason: str, refuse: Callable[[Stage], None]
) -> None:
    stage = await ready()
    refuse(stage)
    await stage.look()
    stage.kube.refusals.clear()
    stage.edit(instances=1, connectionSecretName=None)
    await stage.settle()
    assert kstatus(stage.database()) == "Current"
    assert [one.reason for one in stage.announcer.announced] == [reason, "Ready"]
    assert [one.warning for one in stage.announcer.announced] == [True, False]
    assert stage.mirror.saved[-1].error_message is None


async def test_two_of_a_name_that_both_serve_are_both_told_of() -> None:
    """As after a restore: the older one has the name, and the other's clients are served, too."""
    stage = await ready()
    status = stage.status() | {"conditions": []}

    def restored(obj: Object) -> None:
        obj["status"] = status
        obj["metadata"]["finalizers"] = [names.FINALIZER]
        obj["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"

    uid = stage.order(namespace="billing")["metadata"]["uid"]
    stage.kube.change(known.DATABASE, "orders", restored, "billing")
    labels = owner_labels(known.DATABASE, uid)
    stage.kube.add(
        known.CLUSTER, {"metadata": {"name": CLUSTER, "namespace": "billing", "labels": labels}}
    )
    await stage.restart()  # the process before had promised it to the other
    await stage.look()
    assert stage.condition("Stalled") == ("True", "NameTaken")
    assert stage.condition("Ready") == ("True", "Ready")


async def test_a_spec_that_was_never_right_creates_nothing() -> None:
    stage = Stage()
    stage.order(ownerTeam=" ")
    await stage.look()
    assert stage.kube.writes == [STATUS]
    assert stage.mirror.rows == {}


BILLING = ref("billing", "orders")


async def test_a_name_that_is_taken_is_told_without_whose_it_is_and_creates_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = await ready()
    stage.order(namespace="billing")
    with caplog.at_level(logging.INFO):
        assert await stage.look(BILLING) == 600
        assert await stage.look(BILLING) == 600
    assert stage.condition("Stalled", BILLING) == ("True", "NameTaken")
    assert "taken in another namespace" in stage.message(key=BILLING)
    told = [stage.message(kind, BILLING) for kind in ("Ready", "Stalled")]
    told += [one.note for one in stage.announcer.announced]
    assert not [text for text in told if "shop" in text]
    (line,) = [vars(each) for each in caplog.records if each.getMessage() == "Name taken"]
    assert (line["key"], line["holder"]) == (BILLING, "shop/orders")
    assert stage.kube.writes == [STATUS]
    assert "finalizers" not in stage.database(BILLING)["metadata"]
    assert len(stage.mirror.rows) == 1


async def test_a_name_is_taken_over_when_its_holder_is_gone() -> None:
    stage = await ready()
    stage.order(namespace="billing")
    await stage.look(BILLING)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert stage.status(BILLING)["phase"] == "Ready"
    assert [row.namespace for row in stage.mirror.rows.values()] == ["billing"]


async def test_of_two_that_come_at_once_one_gets_the_name_for_good() -> None:
    stage = Stage()
    stage.order()
    stage.order(namespace="billing")
    stage.watch()
    await stage.loop.reconcile(BILLING, 0)
    await stage.loop.reconcile(KEY, 0)
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]
    phases = {key.namespace: stage.status(key)["phase"] for key in (KEY, BILLING)}
    assert sorted(phases.values()) == ["Error", "Provisioning"]


async def test_a_name_that_is_being_taken_is_not_lost_to_an_older_object() -> None:
    stage = Stage()
    stage.order()
    holders: list[Ref | None] = []

    def an_older_one_appears() -> None:
        older = builders.database(namespace="billing", uid="older")
        stage.intake.event(SOURCES[known.DATABASE], "ADDED", older)
        holders.append(stage.world.arbiter.holder("orders"))

    stage.kube.after_write = an_older_one_appears
    await stage.look()
    assert len(holders) == 4
    assert set(holders) == {KEY}


# --- when to look again ---------------------------------------------------------------------------


async def test_a_healthy_database_is_looked_at_again_about_every_resync() -> None:
    stage = await ready()
    stage.world.notes_of(KEY).secret_due = stage.clock.monotonic() + 10_000
    again = [await stage.look() for _ in range(20)]
    assert all(seconds is not None and 480 <= seconds <= 720 for seconds in again)
    assert len(set(again)) == 20


async def test_a_secret_that_is_due_is_looked_at_in_time() -> None:
    stage = await ready()
    stage.world.notes_of(KEY).secret_due = stage.clock.monotonic() + 100
    assert await stage.look() == 100
    stage.clock.advance(40)
    assert await stage.look() == 60


async def test_a_secret_that_is_due_by_the_end_of_the_pass_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An API server that is slow to answer takes longer than the interval."""
    stage = await ready()
    stage.world.secret_check = timedelta(seconds=1)
    stage.world.notes_of(KEY).secret_due = stage.clock.monotonic()
    get = stage.kube.get

    async def slow(*args: Any) -> Any:
        stage.clock.advance(2)
        return await get(*args)

    monkeypatch.setattr(stage.kube, "get", slow)
    assert await stage.look() == 1.0


@pytest.mark.parametrize("hindered", [False, True])
async def test_what_takes_longer_than_settings_do_keeps_no_worker_busy(hindered: bool) -> None:
    """A rolling restart, say, or one that a spec without right has come to on the way."""
    stage = await ready()
    stage.edit(resources={"limits": {"memory": "2Gi"}})
    await stage.look()
    if hindered:
        stage.kube.refusals[f"apply Cluster {CLUSTER}"] = refused(422, "no")
        stage.edit(resources={"limits": {"memory": "3Gi"}})
    stage.clock.advance(SETTLE_SECONDS + 1)
    again = [await stage.look() for _ in range(3)]
    assert all(seconds is not None and seconds >= 1.0 for seconds in again[1:])


async def test_a_secret_that_comes_due_in_a_pass_is_looked_at_at_once() -> None:
    """After the pass has thought of it: then nothing else would come before the resync."""
    stage = await ready()
    stage.world.notes_of(KEY).secret_due = stage.clock.monotonic() + 1
    stage.mirror.after_write = lambda: stage.clock.advance(2)
    stage.edit(purpose="told to the inventory, which takes its time")
    assert await stage.look() == 0.0
    await stage.look()
    assert stage.world.notes_of(KEY).secret_due == stage.clock.monotonic() + 600


async def test_a_secret_just_written_is_looked_at_in_an_interval() -> None:
    stage = await ready()
    stage.world.notes_of(KEY).secret_due = None
    stage.edit(connectionSecretName="other")
    await stage.look()
    assert stage.world.notes_of(KEY).secret_due == stage.clock.monotonic() + 600


async def test_a_secret_that_cannot_be_looked_at_asks_for_no_pass() -> None:
    stage = await ready()
    stage.world.notes_of(KEY).secret_due = stage.clock.monotonic() - 1
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.kube.refusals[f"create Cluster {CLUSTER}"] = refused(422, "no")
    assert await stage.look() == STALLED_SECONDS


async def test_what_is_stalled_is_looked_at_every_minute() -> None:
    stage = Stage()
    stage.order()
    stage.kube.refusals[f"create Cluster {CLUSTER}"] = refused(422, "no")
    assert await stage.look() == STALLED_SECONDS


async def test_what_is_waited_for_is_looked_at_soon() -> None:
    stage = await ready()
    del stage.kube.objects[known.SECRET, "shop", f"{CLUSTER}-ca"]
    stage.edit(instances=2)
    assert await stage.look() == 5.0
    assert stage.condition("Reconciling") == ("True", "CredentialsPending")


async def test_what_is_not_told_yet_is_told_in_time() -> None:
    stage = Stage()
    stage.order()
    await stage.look()
    play_cluster(stage.kube, "shop", CLUSTER, phase="Setting up primary", currentPrimary="")
    stage.clock.advance(1.5)
    assert await stage.look() == 0.5


@pytest.mark.parametrize("request_", [FINALIZER, STATUS])
@pytest.mark.parametrize("status", [404, 409])
async def test_an_object_that_has_just_changed_is_looked_at_in_a_second(
    request_: str, status: int
) -> None:
    stage = Stage()
    stage.order()
    stage.kube.refusals[request_] = refused(status)
    assert await stage.look() == 1.0
    assert stage.kube.there(known.CLUSTER) == []


async def test_nobody_is_looked_at_twice_who_is_gone() -> None:
    stage = Stage()
    stage.world.notes_of(KEY)
    stage.shared.notes_of(KEY)
    stage.shared.unsynced.add(KEY)
    assert await stage.look() is None
    assert stage.world.notes == {}
    assert stage.shared.notes == {}
    assert stage.shared.unsynced == set()


# --- outages --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message"), [(503, "overloaded"), (403, "failed calling webhook: it says no")]
)
def test_an_outage_without_a_known_remedy_names_none(status: int, message: str) -> None:
    assert refused(status, message).remedy == ""
    assert refused(500, f"{message}: failed calling webhook").remedy


async def test_an_outage_is_told_after_some_tries_and_forgotten_after_a_success() -> None:
    stage = await ready()
    stage.edit(instances=2)
    said = 'failed calling webhook "mcluster.cnpg.io": Post "https://cnpg.system.svc:443/mutate"'
    stage.kube.refusals[f"apply Cluster {CLUSTER}"] = refused(500, said)
    for failures in range(TRIES_BEFORE_TELLING):
        assert stage.condition("Reconciling") is None
        with pytest.raises(ApiError):
            await stage.look(KEY, failures)
    assert stage.condition("Reconciling") == ("True", "Retrying")
    assert stage.message("Reconciling").endswith(
        "the webhook mcluster.cnpg.io does not answer; trying again. The platform team must make "
        "sure that this webhook is served: CloudNativePG's operator serves those of cnpg.io"
    )
    assert stage.condition("Ready") == ("True", "Ready")
    stage.kube.refusals.clear()
    await stage.settle()
    assert kstatus(stage.database()) == "Current"


async def test_an_outage_before_the_first_status_is_only_raised() -> None:
    stage = Stage()
    stage.order()
    stage.kube.refusals[FINALIZER] = refused(500)
    for failures in range(5):
        with pytest.raises(ApiError):
            await stage.look(KEY, failures)
    assert stage.status() == {"observedGeneration": -1}


async def test_an_outage_that_keeps_even_the_status_from_being_told_is_raised_as_it_was() -> None:
    stage = await ready()
    stage.edit(instances=2)
    error = Unreachable("no answer")
    for request in (f"apply Cluster {CLUSTER}", STATUS):
        stage.kube.refusals[request] = error
    with pytest.raises(Unreachable) as raised:
        await stage.look(KEY, 9)
    assert raised.value is error


async def test_an_object_that_goes_during_an_outage_is_left_alone() -> None:
    stage = await ready()
    stage.edit(instances=2)

    def vanish() -> None:
        stage.store.remove(known.DATABASE, stage.database())
        raise Unreachable("lost")

    stage.kube.after_write = vanish
    with pytest.raises(Unreachable, match="lost"):
        await stage.look(KEY, 9)
    assert stage.kube.writes == [f"apply Cluster {CLUSTER}"]


async def test_an_inventory_that_is_away_holds_up_nothing() -> None:
    stage = Stage()
    stage.mirror.outage = MetadataError(InventoryReason.UNREACHABLE, "no answer")
    stage.order()
    await stage.settle()
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("MetadataSynced") == ("False", "Unreachable")
    stage.mirror.outage = None
    await stage.settle()
    assert [row.status for row in stage.mirror.rows.values()] == ["ready"]


async def test_a_lost_status_is_found_again() -> None:
    stage = await ready()
    before = end(stage)
    stage.kube.change(known.DATABASE, "orders", setting("status", {}))
    await stage.settle()
    assert end(stage) == before


# --- cut short anywhere ---------------------------------------------------------------------------


async def creation(stage: Stage) -> None:
    stage.order()


async def everything(stage: Stage) -> None:
    await creation(stage)
    await stage.settle()
    stage.edit(
        instances=3,
        pooler={"instances": 2},
        storage={"size": "20Gi"},
        connectionSecretName="mine",
        deletionPolicy="Retain",
    )


async def shrinking(stage: Stage) -> None:
    stage.order(instances=3, resources={"limits": {"memory": "1Gi"}})
    await stage.settle()
    stage.edit(instances=1, resources=None)


async def deletion(stage: Stage) -> None:
    await creation(stage)
    await stage.settle()
    stage.kube.delete_object(known.DATABASE, "orders")


async def retaining(stage: Stage) -> None:
    await creation(stage)
    await stage.settle()
    stage.edit(deletionPolicy="Retain")
    stage.kube.delete_object(known.DATABASE, "orders")


async def drift(stage: Stage) -> None:
    await creation(stage)
    await stage.settle()
    stage.kube.change(known.CLUSTER, CLUSTER, scale)
    stage.kube.delete_object(known.POOLER, POOLER)


async def succession(stage: Stage) -> None:
    await creation(stage)
    await stage.settle()
    stage.order(namespace="billing")
    await stage.settle()
    stage.kube.delete_object(known.DATABASE, "orders")


def scale(obj: Object) -> None:
    obj["spec"]["instances"] = 5


Scene = Callable[[Stage], Awaitable[None]]
SCENES: list[Scene] = [creation, everything, shrinking, deletion, retaining, drift, succession]


def end(stage: Stage) -> str:
    """All that is there, without what no two runs have in common: uids, versions, times."""
    told = {
        f"{kind.name} {space}/{name}": obj
        for (kind, space, name), obj in stage.kube.objects.items()
    }
    rows = {row.id: repr(row) for row in stage.mirror.rows.values()}
    text = json.dumps([told, rows], default=str, sort_keys=True, indent=1)
    for place, obj in told.items():
        text = text.replace(obj["metadata"]["uid"], place)
    varying = r'"(resourceVersion|generation|observedGeneration|\w*Time\w*|secretRevision)": .*'
    text = re.sub(rf"{varying}|.*SecretVersion.*", "", text)
    return re.sub(r"generation=\d+, created_at=.*", "", text)


class Fate:
    """What becomes of the n-th write: it takes effect, but the operator does not learn of it."""

    def __init__(self, number: int, trouble: BaseException | None) -> None:
        self._number = number
        self._trouble = trouble
        self.writes = 0

    def __call__(self) -> None:
        self.writes += 1
        if self.writes == self._number and self._trouble is not None:
            raise self._trouble


async def run(scene: Scene, fate: Fate, *, restart: bool = False) -> str:
    """Play a scene to its end, and go on after whatever cuts it short."""
    stage = Stage()
    await scene(stage)
    stage.kube.after_write = fate
    if restart:
        stage.mirror.after_write = fate
    try:
        await stage.settle()
    except (Killed, Outage):
        if restart:
            await stage.restart()
        await stage.settle()
    return end(stage)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_a_process_killed_after_any_write_ends_in_the_same_state(scene: Scene) -> None:
    whole = Fate(0, None)
    expected = await run(scene, whole, restart=True)
    assert whole.writes > 1
    for number in range(1, whole.writes + 1):
        assert await run(scene, Fate(number, Killed()), restart=True) == expected, number


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_an_answer_lost_after_any_write_ends_in_the_same_state(scene: Scene) -> None:
    whole = Fate(0, None)
    expected = await run(scene, whole)
    for number in range(1, whole.writes + 1):
        assert await run(scene, Fate(number, Unreachable("lost"))) == expected, number


async def test_a_row_that_is_held_is_tried_again_soon_and_one_of_a_lost_server_is_not() -> None:
    stage = await ready()
    stage.mirror.outage = MetadataError(InventoryReason.ROW_LOCKED, "somebody holds it")
    stage.edit(ownerTeam="payments")
    for _ in range(2):
        assert await stage.look() == ROW_SECONDS
        assert stage.condition("MetadataSynced") == ("False", "RowLocked")
    stage.mirror.outage = MetadataError(InventoryReason.UNREACHABLE, "no answer")
    again = await stage.look()
    assert again
    assert again > ROW_SECONDS
    stage.mirror.outage = None
    again = await stage.look()
    assert again
    assert again > ROW_SECONDS
    assert stage.condition("MetadataSynced") == ("True", "Synced")
