"""The loop serves kinds that it has never heard of: finalizer, status, row, Events, the end."""

from collections.abc import Callable
from typing import Any

import pytest

from daap_operator.api.reasons import InventoryReason
from daap_operator.engine import announce
from daap_operator.engine.kinds import Ref
from daap_operator.engine.loop import ROW_SECONDS, TRIES_BEFORE_TELLING, TRIES_OF_A_DELETION
from daap_operator.engine.sweep import swept
from daap_operator.engine.tell import PROGRESS_SECONDS
from daap_operator.errors import Outage
from daap_operator.kinds import known
from daap_operator.mirror import MetadataError
from tests.toys.task import JOB, POLL_SECONDS, TASK, TaskController
from tests.toys.team import TEAM, TEAMS, TeamController, TeamRow
from tests.unit import builders
from tests.unit.fakes import refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import KEY, Stage, setting

Object = dict[str, Any]

PACK, CHECKOUT, WORK = Ref(TASK, "shop", "pack"), Ref(TEAM, "", "checkout"), "pack-task"
HOLD_TASK, TELL_TASK = "finalizers of DaapTask pack", "status of DaapTask pack"
HOLD_TEAM = "finalizers of DaapTeam checkout"


class Tasks(TaskController):
    """They tell what they were asked to forget."""

    def __init__(self) -> None:
        self.forgotten: list[Ref] = []

    def forget(self, key: Ref) -> None:
        self.forgotten.append(key)


class ToyStage(Stage):
    """A stage on which tasks and teams are served beside databases."""

    def __init__(self) -> None:
        self.tasks, self.teams = Tasks(), TeamController()
        super().__init__(also=(self.tasks, self.teams))

    def create(self, key: Ref, **spec: Any) -> None:
        """Somebody creates a toy."""
        place = {"namespace": key.namespace} if key.namespace else {}
        self.kube.add(key.kind, {"metadata": {"name": key.name, **place}, "spec": spec})

    def work(self, done: int) -> None:
        """So many pods of the Job have succeeded."""
        self.kube.change(JOB, WORK, setting("status", {"succeeded": done}))

    def toy(self, key: Ref) -> Object:
        """A toy as it is."""
        return self.kube.one(key.kind, key.name, key.namespace)

    def edit_toy(self, key: Ref, **spec: Any) -> None:
        """Somebody edits a toy."""
        self.kube.change(key.kind, key.name, setting("spec", spec), key.namespace)

    def delete_toy(self, key: Ref) -> None:
        """Somebody deletes a toy."""
        self.kube.delete_object(key.kind, key.name, key.namespace)

    def forget_requests(self) -> None:
        """Nothing was asked or announced until now."""
        self.kube.requests.clear()
        self.announcer.announced.clear()

    def told(self, key: Ref) -> dict[str, tuple[str, str]]:
        """Status and reason of a toy's conditions by their types."""
        return {
            c["type"]: (c["status"], c["reason"]) for c in self.toy(key)["status"]["conditions"]
        }


async def served(key: Ref, **spec: Any) -> ToyStage:
    """A stage with a toy that has been served."""
    stage = ToyStage()
    stage.create(key, **spec)
    await stage.look(key)
    if stage.kube.there(JOB):
        stage.work(spec["steps"])
        await stage.look(key)
    stage.forget_requests()
    return stage


# --- served ---------------------------------------------------------------------------------------


async def test_a_task_is_held_noted_served_and_told_in_this_order() -> None:
    stage = ToyStage()
    stage.create(PACK, steps=3)
    assert await stage.look(PACK) == 600
    assert stage.kube.requests == [HOLD_TASK, TELL_TASK, f"create Job {WORK}", TELL_TASK]
    assert kstatus(stage.toy(PACK)) == "InProgress"
    stage.work(3)
    assert stage.watch() == [PACK]
    assert await stage.look(PACK) == 600
    assert stage.told(PACK) == {"Ready": ("True", "Ready")}
    assert kstatus(stage.toy(PACK)) == "Current"
    assert [one.reason for one in stage.announcer.announced] == ["Working", "Ready"]
    assert stage.mirror.saved == []


async def test_other_work_is_done_by_another_job_once_the_one_before_is_gone() -> None:
    stage = await served(PACK, steps=3)
    stage.edit_toy(PACK, steps=2)
    assert await stage.look(PACK) == POLL_SECONDS
    assert stage.told(PACK) == {"Ready": ("False", "Working"), "Reconciling": ("True", "Working")}
    stage.kube.collect_garbage()
    stage.clock.advance(PROGRESS_SECONDS)
    await stage.look(PACK)
    assert stage.kube.one(JOB, WORK)["spec"]["completions"] == 2
    assert stage.kube.requests == [
        f"delete Job {WORK}",
        TELL_TASK,
        f"create Job {WORK}",
        TELL_TASK,
    ]


async def test_a_job_of_somebody_else_is_in_the_way() -> None:
    stage = ToyStage()
    stage.kube.add(JOB, {"metadata": {"name": WORK}})
    stage.create(PACK, steps=3)
    await stage.look(PACK)
    assert stage.told(PACK)["Stalled"] == ("True", "ObjectConflict")


@pytest.mark.parametrize(("key", "spec"), [(PACK, {"steps": 3}), (CHECKOUT, {})])
async def test_a_served_toy_costs_no_request(key: Ref, spec: Object) -> None:
    stage = await served(key, **spec)
    await stage.look(key)
    assert stage.kube.requests == []
    assert stage.announcer.announced == []


async def test_what_is_noted_is_there_when_the_pass_ends_after_it() -> None:
    stage = ToyStage()
    stage.create(PACK, steps=3)
    stage.kube.refusals[f"create Job {WORK}"] = refused(500)
    with pytest.raises(Outage):
        await stage.look(PACK)
    assert stage.toy(PACK)["status"] == {"conditions": [], "job": WORK}


async def test_a_spec_that_changes_while_a_note_is_written_ends_the_pass() -> None:
    stage = ToyStage()
    stage.create(PACK, steps=3)

    def edited() -> None:
        if stage.kube.requests[-1] == TELL_TASK:
            stage.kube.after_write = lambda: None
            stage.edit_toy(PACK, steps=4)
            stage.watch()

    stage.kube.after_write = edited
    assert await stage.look(PACK) == 0.0
    assert stage.toy(PACK)["status"]["conditions"] == []
    assert f"create Job {WORK}" not in stage.kube.requests


async def test_progress_is_held_back_and_told_when_it_may_be() -> None:
    stage = ToyStage()
    stage.create(PACK, steps=3)
    await stage.look(PACK)
    stage.clock.advance(PROGRESS_SECONDS)
    stage.work(1)
    await stage.look(PACK)
    stage.clock.advance(PROGRESS_SECONDS / 2)
    stage.work(2)
    assert await stage.look(PACK) == PROGRESS_SECONDS / 2
    assert stage.toy(PACK)["status"]["done"] == 1
    stage.work(3)
    await stage.look(PACK)
    assert stage.toy(PACK)["status"]["done"] == 3


async def test_of_a_kind_without_phases_the_log_says_whether_it_is_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    stage = await served(PACK, steps=3)
    await stage.look(PACK)
    record = caplog.records[-1]
    assert record.getMessage() == "Readiness changed"
    assert (vars(record)["key"], vars(record)["reason"]) == (PACK, "Ready")
    assert "phase" not in vars(record)


# --- refused --------------------------------------------------------------------------------------


async def test_a_spec_that_cannot_be_followed_is_told_and_followed_once_it_can() -> None:
    stage = await served(PACK, steps="many")
    assert stage.told(PACK) == {
        "Ready": ("False", "InvalidSpec"),
        "Stalled": ("True", "InvalidSpec"),
    }
    assert kstatus(stage.toy(PACK)) == "Failed"
    stage.edit_toy(PACK, steps=1)
    await stage.look(PACK)
    assert kstatus(stage.toy(PACK)) == "InProgress"


async def test_a_refusal_is_announced_once_as_a_warning() -> None:
    stage = ToyStage()
    stage.create(PACK, steps="many")
    for _ in range(2):
        await stage.look(PACK)
    assert [(one.warning, one.reason) for one in stage.announcer.announced] == [
        (True, "InvalidSpec")
    ]


async def test_what_is_not_admitted_gets_no_finalizer_and_a_phase_if_it_has_one() -> None:
    nobody = Ref(TEAM, "", "nobody")
    stage = await served(nobody)
    assert "finalizers" not in stage.toy(nobody)["metadata"]
    assert stage.told(nobody)["Stalled"] == ("True", "InvalidSpec")
    assert stage.toy(nobody)["status"]["phase"] == "Error"


# --- outages --------------------------------------------------------------------------------------


async def test_an_outage_is_told_after_some_tries() -> None:
    stage = ToyStage()
    stage.create(PACK, steps=3)
    stage.kube.refusals[f"create Job {WORK}"] = refused(500, "no disk")
    for failures in range(TRIES_BEFORE_TELLING):
        assert not stage.toy(PACK).get("status", {}).get("conditions")
        with pytest.raises(Outage):
            await stage.look(PACK, failures)
    assert stage.told(PACK) == {
        "Ready": ("False", "Retrying"),
        "Reconciling": ("True", "Retrying"),
    }
    stage.kube.refusals.clear()
    stage.clock.advance(PROGRESS_SECONDS)
    await stage.look(PACK)
    assert stage.told(PACK)["Reconciling"] == ("True", "Working")


async def test_an_outage_of_a_deletion_is_told_sooner() -> None:
    stage = await served(PACK, steps=3)
    stage.delete_toy(PACK)
    stage.kube.refusals[f"delete Job {WORK}"] = refused(500)
    for failures in range(TRIES_OF_A_DELETION):
        assert stage.told(PACK) == {"Ready": ("True", "Ready")}
        with pytest.raises(Outage):
            await stage.look(PACK, failures)
    assert stage.told(PACK)["Reconciling"] == ("True", "Retrying")


async def test_an_outage_of_a_deletion_has_the_phase_of_one() -> None:
    stage = await served(CHECKOUT)
    stage.delete_toy(CHECKOUT)
    stage.kube.refusals["get DaapTeam checkout"] = refused(500)
    with pytest.raises(Outage):
        await stage.look(CHECKOUT, TRIES_OF_A_DELETION)
    assert stage.toy(CHECKOUT)["status"]["phase"] == "Deleting"
    assert stage.told(CHECKOUT)["Ready"] == ("False", "Retrying")


# --- the inventory --------------------------------------------------------------------------------


async def test_a_kind_with_a_table_has_a_row_and_says_so() -> None:
    stage = await served(CHECKOUT)
    uid = stage.toy(CHECKOUT)["metadata"]["uid"]
    assert stage.mirror.tables[TEAMS.name] == {uid: TeamRow(uid, "checkout", 0, "ready")}
    assert stage.told(CHECKOUT)["MetadataSynced"] == ("True", "Synced")


@pytest.mark.parametrize(
    ("reason", "again"),
    [(InventoryReason.ROW_LOCKED, ROW_SECONDS), (InventoryReason.FORBIDDEN, 600)],
)
async def test_a_row_that_cannot_be_written_holds_up_nothing_and_is_written_later(
    reason: InventoryReason, again: float
) -> None:
    stage = ToyStage()
    stage.create(CHECKOUT)
    stage.mirror.outage = MetadataError(reason, "no")
    assert await stage.look(CHECKOUT) == again
    assert stage.told(CHECKOUT)["Ready"] == ("True", "Ready")
    assert stage.told(CHECKOUT)["MetadataSynced"] == ("False", reason)
    assert stage.shared.unsynced == {CHECKOUT}
    stage.mirror.outage = None
    await stage.look(CHECKOUT)
    assert stage.shared.unsynced == set()


async def test_a_kind_with_a_table_is_swept() -> None:
    stage = await served(CHECKOUT)
    uid, woken = stage.toy(CHECKOUT)["metadata"]["uid"], list[Ref]()
    sweep = swept(stage.teams, stage.store, woken.append)
    assert sweep.row(uid) == stage.mirror.tables[TEAMS.name][uid]
    assert list(sweep.uids()) == [uid]
    sweep.wake(uid)
    assert woken == [CHECKOUT]
    with pytest.raises(ValueError, match="DaapTask has no table"):
        swept(stage.tasks, stage.store, woken.append)


# --- the end --------------------------------------------------------------------------------------


async def test_a_task_goes_once_what_it_left_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    stage = await served(PACK, steps=3)
    stage.delete_toy(PACK)
    assert await stage.look(PACK) == POLL_SECONDS
    assert stage.told(PACK)["Reconciling"] == ("True", "Deleting")
    stage.kube.collect_garbage()
    assert await stage.look(PACK) is None
    assert stage.kube.requests == [
        f"delete Job {WORK}",
        TELL_TASK,
        f"get Job {WORK}",
        "get DaapTask pack",
        HOLD_TASK,
    ]
    assert stage.kube.objects == {}
    assert caplog.records[-1].getMessage() == "Task deleted"
    assert vars(caplog.records[-1])["key"] == PACK
    assert await stage.look(PACK) is None
    assert stage.shared.notes == {}
    assert stage.tasks.forgotten == [PACK]


async def test_a_team_is_held_while_it_has_databases_and_its_row_ends_with_it() -> None:
    stage = await served(CHECKOUT)
    stage.order()
    stage.delete_toy(CHECKOUT)
    assert await stage.look(CHECKOUT) == 600
    assert stage.told(CHECKOUT)["Ready"] == ("False", "DeletionBlocked")
    assert [(one.warning, one.reason) for one in stage.announcer.announced] == [
        (True, "DeletionBlocked")
    ]
    stage.kube.delete_object(known.DATABASE, KEY.name)
    uid = stage.toy(CHECKOUT)["metadata"]["uid"]
    assert await stage.look(CHECKOUT) is None
    assert stage.mirror.deleted == {uid}
    assert stage.kube.there(TEAM) == []


async def test_a_row_that_cannot_be_marked_keeps_nothing() -> None:
    stage = await served(CHECKOUT)
    stage.delete_toy(CHECKOUT)
    stage.mirror.outage = MetadataError(InventoryReason.UNREACHABLE, "no answer")
    assert await stage.look(CHECKOUT) is None
    assert stage.kube.there(TEAM) == []


async def test_the_finalizers_of_others_stay() -> None:
    stage = await served(CHECKOUT)

    def hold(obj: Object) -> None:
        obj["metadata"]["finalizers"].append("example.org/hold")

    stage.kube.change(TEAM, "checkout", hold, "")
    stage.delete_toy(CHECKOUT)
    assert await stage.look(CHECKOUT) is None
    assert stage.toy(CHECKOUT)["metadata"]["finalizers"] == ["example.org/hold"]
    stage.forget_requests()
    assert await stage.look(CHECKOUT) is None
    assert stage.kube.requests == []


async def test_another_object_of_the_name_is_not_let_go() -> None:
    stage = await served(CHECKOUT)
    stage.delete_toy(CHECKOUT)
    stage.watch()
    del stage.kube.objects[TEAM, "", "checkout"]
    stage.create(CHECKOUT)
    assert await stage.loop.reconcile(CHECKOUT, 0) is None
    assert HOLD_TEAM not in stage.kube.requests


async def test_a_kind_that_wants_no_finalizer_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tasks, "finalizer", False)
    stage = await served(PACK, steps=3)
    assert "finalizers" not in stage.toy(PACK)["metadata"]
    assert stage.told(PACK) == {"Ready": ("True", "Ready")}
    stage.delete_toy(PACK)
    assert await stage.look(PACK) is None


# --- beside databases -----------------------------------------------------------------------------


def ordered(stage: ToyStage) -> None:
    stage.order()


def handed_over(stage: ToyStage) -> None:
    stage.order()
    stage.watch()
    stage.edit(ownerTeam="payments")


@pytest.mark.parametrize(
    ("happens", "teams"), [(ordered, {"checkout"}), (handed_over, {"checkout", "payments"})]
)
async def test_a_database_wakes_its_teams(
    happens: Callable[[ToyStage], None], teams: set[str]
) -> None:
    stage = await served(CHECKOUT)
    happens(stage)
    assert {key.name for key in stage.watch() if key.kind == TEAM} == teams
    assert await stage.look(CHECKOUT) == 600


async def test_a_team_wakes_its_databases() -> None:
    stage = await served(CHECKOUT)
    stage.order()
    stage.order("stock", ownerTeam="payments")
    stage.watch()
    stage.edit_toy(CHECKOUT, quota=3)
    assert stage.watch() == [CHECKOUT, KEY]


async def test_a_database_is_served_as_ever_beside_other_kinds() -> None:
    stage = await served(CHECKOUT)
    stage.order()
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    await stage.look(CHECKOUT)
    assert stage.toy(CHECKOUT)["status"]["databases"] == 1


# --- Events ---------------------------------------------------------------------------------------


def test_an_event_about_an_object_in_no_namespace_is_in_the_default_one() -> None:
    metadata = builders.model(namespace="").metadata
    made = announce.event(
        TEAM, metadata, announce.Announcement(False, "Ready", ""), now=builders.NOW, number=1
    )
    assert made["metadata"]["namespace"] == "default"
    assert made["regarding"] == {
        "apiVersion": TEAM.api_version,
        "kind": "DaapTeam",
        "name": metadata.name,
        "uid": metadata.uid,
    }
