"""What was seen is told: row, status and Events, each only when it differs."""

from collections.abc import Callable
from typing import Any

import pytest

from daap_operator.api.reasons import InventoryReason
from daap_operator.api.v1alpha1 import DaapDatabaseStatus
from daap_operator.engine.announce import Announcement
from daap_operator.engine.tell import PROGRESS_SECONDS, latest, tell
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.seen import Children
from daap_operator.kinds.database.status import first_status, observed_status, refused_status
from daap_operator.kinds.database.subject import DatabaseSubject, subject
from daap_operator.kube import ApiError
from daap_operator.mirror import MetadataError
from tests.unit import builders, fakes
from tests.unit.stage import KEY, Stage, ready

Object = dict[str, Any]

WRITE = "status of DaapDatabase orders"
RESOLVED = builders.resolved()


def begun() -> tuple[Stage, DatabaseSubject]:
    """A database that nobody has looked at yet."""
    stage = Stage()
    stage.order()
    stage.watch()
    return stage, looked_at(stage)


def looked_at(stage: Stage) -> DatabaseSubject:
    seen = stage.store.get(KEY)
    assert seen is not None
    return subject(seen)


def first(stage: Stage) -> DaapDatabaseStatus:
    return first_status(looked_at(stage).moment(stage.clock.now()), RESOLVED)


def progress(stage: Stage, phase: str, *, served: bool = False) -> DaapDatabaseStatus:
    """The status while CloudNativePG is in that phase."""
    cluster = builders.cluster({"phase": phase, "instancesStatus": {"healthy": []}})
    observed = observe(Children(cluster), instances=1, poolers=1, image=RESOLVED.image)
    moment = looked_at(stage).moment(stage.clock.now())
    return observed_status(moment, RESOLVED, observed, None, None)


async def test_a_status_is_told_to_the_object_the_inventory_and_in_events() -> None:
    stage, before = begun()
    assert await tell(stage.shared, stage.controller, before, first(stage)) == 0.0
    assert stage.kube.requests == [WRITE]
    assert stage.status()["phase"] == "Provisioning"
    assert stage.condition("MetadataSynced") == ("True", "Synced")
    assert [row.status for row in stage.mirror.rows.values()] == ["provisioning"]
    assert [one.reason for one in stage.announcer.announced] == ["Provisioning"]


async def test_what_was_told_is_known_before_any_event_tells() -> None:
    stage, before = begun()
    await tell(stage.shared, stage.controller, before, first(stage))
    assert latest(stage.shared, before).status.cluster_name == "daap-orders"
    await tell(stage.shared, stage.controller, looked_at(stage), first(stage))
    assert stage.kube.requests == [WRITE]


async def test_nothing_new_is_not_told() -> None:
    stage = await ready()
    again = looked_at(stage).status.model_copy(update={"conditions": no_inventory(stage)})
    assert await tell(stage.shared, stage.controller, looked_at(stage), again) == 0.0
    assert stage.kube.requests == []
    assert stage.announcer.announced == []


def no_inventory(stage: Stage) -> list[Any]:
    return [c for c in looked_at(stage).status.conditions if c.type != "MetadataSynced"]


async def test_a_field_that_is_told_no_more_is_removed() -> None:
    stage, _ = begun()
    stage.kube.change(known.DATABASE, "orders", with_newer_field)
    stage.watch()
    await tell(stage.shared, stage.controller, looked_at(stage), first(stage))
    assert "newer" not in stage.status()


def with_newer_field(obj: Object) -> None:
    obj["status"]["newer"] = {"a": 1}


# --- progress -------------------------------------------------------------------------------------


async def test_progress_is_told_after_two_seconds_at_the_earliest() -> None:
    stage, before = begun()
    await tell(stage.shared, stage.controller, before, first(stage))
    stage.clock.advance(0.5)
    held = await tell(
        stage.shared, stage.controller, looked_at(stage), progress(stage, "Setting up primary")
    )
    assert held == PROGRESS_SECONDS - 0.5
    assert stage.kube.requests == [WRITE]
    stage.clock.advance(held)
    assert (
        await tell(
            stage.shared,
            stage.controller,
            looked_at(stage),
            progress(stage, "Creating a new replica"),
        )
        == 0
    )
    assert stage.kube.requests == [WRITE, WRITE]
    assert stage.condition("Ready") == ("False", "CreatingReplica")


async def test_what_is_more_than_progress_is_told_at_once() -> None:
    stage, before = begun()
    await tell(stage.shared, stage.controller, before, first(stage))
    stalled = progress(stage, "Not enough disk space")
    assert await tell(stage.shared, stage.controller, looked_at(stage), stalled) == 0.0
    assert stage.condition("Stalled") == ("True", "DiskFull")
    recovered = progress(stage, "Setting up primary")
    assert await tell(stage.shared, stage.controller, looked_at(stage), recovered) == 0.0
    assert stage.kube.requests == [WRITE] * 3


async def test_a_condition_that_was_missing_is_told_at_once() -> None:
    stage, before = begun()
    await tell(stage.shared, stage.controller, before, first(stage))
    stage.kube.change(known.DATABASE, "orders", without_inventory)
    stage.watch()
    assert (
        await tell(
            stage.shared, stage.controller, looked_at(stage), progress(stage, "Setting up primary")
        )
        == 0
    )
    assert stage.condition("MetadataSynced") == ("True", "Synced")


def without_inventory(obj: Object) -> None:
    conditions = obj["status"]["conditions"]
    obj["status"]["conditions"] = [c for c in conditions if c["type"] != "MetadataSynced"]


async def test_progress_of_a_new_generation_is_told_at_once() -> None:
    stage, before = begun()
    await tell(stage.shared, stage.controller, before, first(stage))
    stage.edit(purpose="Other")
    stage.watch()
    assert (
        await tell(
            stage.shared, stage.controller, looked_at(stage), progress(stage, "Setting up primary")
        )
        == 0
    )
    assert stage.status()["observedGeneration"] == 2


# --- the inventory --------------------------------------------------------------------------------

AWAY = MetadataError(InventoryReason.UNREACHABLE, "The metadata database does not answer")


async def test_an_inventory_that_is_away_holds_up_nothing_and_is_told() -> None:
    stage, before = begun()
    stage.mirror.outage = AWAY
    await tell(stage.shared, stage.controller, before, first(stage))
    assert stage.status()["clusterName"] == "daap-orders"
    assert stage.condition("MetadataSynced") == ("False", "Unreachable")
    assert stage.shared.unsynced == {KEY}


async def test_an_object_that_has_no_row_any_more_waits_for_no_inventory() -> None:
    stage, before = begun()
    stage.mirror.outage = MetadataError(
        InventoryReason.ROW_REFUSED, "The metadata database refuses the row"
    )
    await tell(stage.shared, stage.controller, before, first(stage))
    assert stage.shared.notes_of(KEY).row_refused
    assert stage.shared.unsynced == {KEY}
    now = looked_at(stage)
    nothing = observe(Children(), instances=1, poolers=1, image=RESOLVED.image)
    taken = refused_status(
        now.moment(stage.clock.now()), nothing, Stalled(DatabaseReason.NAME_TAKEN, "It is taken")
    )
    await tell(stage.shared, stage.controller, now, taken)
    assert not stage.shared.notes_of(KEY).row_refused
    assert stage.shared.unsynced == set()


async def test_an_inventory_that_is_back_is_told_and_announced() -> None:
    stage = await ready()
    stage.mirror.outage = AWAY
    await stage.look()
    assert stage.condition("MetadataSynced") == ("False", "Unreachable")
    assert stage.condition("Ready") == ("True", "Ready")
    stage.mirror.outage = None
    await stage.look()
    assert stage.condition("MetadataSynced") == ("True", "Synced")
    assert stage.shared.unsynced == set()
    assert stage.announcer.announced == [
        Announcement(True, "MetadataNotSynced", AWAY.finding.message),
        Announcement(False, "MetadataSynced", "The inventory has this state"),
    ]


async def test_an_object_without_a_database_has_no_row() -> None:
    stage, before = begun()
    problem = Stalled(DatabaseReason.NAME_TAKEN, "taken")
    await tell(
        stage.shared,
        stage.controller,
        before,
        refused_status(
            before.moment(stage.clock.now()),
            observe(Children(), instances=0, poolers=0, image=""),
            problem,
        ),
    )
    assert stage.mirror.rows == {}
    assert stage.condition("MetadataSynced") is None
    assert stage.condition("Stalled") == ("True", "NameTaken")


# --- races ----------------------------------------------------------------------------------------


async def test_an_object_that_has_changed_since_is_looked_at_again() -> None:
    stage, before = begun()
    stage.edit(instances=2)
    with pytest.raises(Waiting, match="has just changed") as waiting:
        await tell(stage.shared, stage.controller, before, first(stage))
    assert waiting.value.seconds == 1.0
    assert stage.status() == {"observedGeneration": -1}
    assert stage.announcer.announced == []


async def test_an_object_that_is_gone_is_looked_at_again() -> None:
    stage, before = begun()
    del stage.kube.objects[known.DATABASE, "shop", "orders"]
    with pytest.raises(Waiting):
        await tell(stage.shared, stage.controller, before, first(stage))


async def test_an_object_that_goes_while_its_row_is_saved_leaves_no_live_row() -> None:
    """A sweep that was made meanwhile has marked the row, which the late statement undid."""
    stage, before = begun()

    def vanish() -> None:
        stage.kube.objects.pop((known.DATABASE, "shop", "orders"), None)
        stage.store.remove(known.DATABASE, stage.store.get(KEY) or {})
        stage.mirror.after_write = lambda: None

    stage.mirror.after_write = vanish
    with pytest.raises(Waiting):
        await tell(stage.shared, stage.controller, before, first(stage))
    assert stage.mirror.rows == {}
    assert stage.mirror.deleted == {before.metadata.uid}


async def test_a_status_that_cannot_be_written_is_an_outage() -> None:
    stage, before = begun()
    error = fakes.refused(500)
    stage.kube.refusals[WRITE] = error
    with pytest.raises(ApiError) as raised:
        await tell(stage.shared, stage.controller, before, first(stage))
    assert raised.value is error
    assert stage.announcer.announced == []


async def test_the_latest_is_what_the_cache_has() -> None:
    stage, before = begun()
    assert latest(stage.shared, before) == before
    stage.kube.change(known.DATABASE, "orders", labelled)
    assert latest(stage.shared, before) == before
    stage.watch()
    assert (
        latest(stage.shared, before).metadata.resource_version
        == (stage.database()["metadata"]["resourceVersion"])
    )


def labelled(obj: Object) -> None:
    obj["metadata"]["labels"] = {"tier": "gold"}


def edited(stage: Stage) -> None:
    stage.edit(instances=2)


def deleted(stage: Stage) -> None:
    stage.kube.change(known.DATABASE, "orders", setting_finalizers("example.org/hold"))
    stage.kube.delete_object(known.DATABASE, "orders")


def gone(stage: Stage) -> None:
    stage.kube.delete_object(known.DATABASE, "orders")


def replaced(stage: Stage) -> None:
    gone(stage)
    stage.order()


def setting_finalizers(*finalizers: str) -> Callable[[Object], None]:
    def edit(obj: Object) -> None:
        obj["metadata"]["finalizers"] = list(finalizers)

    return edit


@pytest.mark.parametrize("change", [edited, deleted, gone, replaced])
async def test_a_pass_ends_when_its_object_is_another(change: Callable[[Stage], None]) -> None:
    stage, before = begun()
    change(stage)
    stage.watch()
    with pytest.raises(Waiting) as waiting:
        latest(stage.shared, before)
    assert waiting.value.seconds == 0.0


async def test_a_new_phase_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    stage, before = begun()
    await tell(stage.shared, stage.controller, before, first(stage))
    stage.clock.advance(10)
    await tell(
        stage.shared, stage.controller, looked_at(stage), progress(stage, "Setting up primary")
    )
    (record,) = caplog.records
    assert record.getMessage() == "Phase changed"
    fields = vars(record)
    assert (fields["key"], fields["generation"], fields["phase"]) == (KEY, 1, "Provisioning")
    assert fields["reason"] == "ClusterPending"


async def test_what_somebody_must_act_on_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    stage = await ready()
    caplog.set_level("INFO")
    observed = observe(Children(), instances=0, poolers=0, image="")
    for problem in (
        Stalled(DatabaseReason.REJECTED, "no"),
        Stalled(DatabaseReason.REJECTED, "no, it is 7 now"),
    ):
        before = looked_at(stage)
        moment = before.moment(stage.clock.now())
        await tell(
            stage.shared, stage.controller, before, refused_status(moment, observed, problem)
        )
    assert [record.getMessage() for record in caplog.records] == [
        "Phase changed",
        "Somebody must act",
    ]
    fields = vars(caplog.records[1])
    assert (fields["reason"], fields["told"]) == ("Rejected", "no")
