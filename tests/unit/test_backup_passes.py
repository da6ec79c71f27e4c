"""What becomes of a DaapBackup, pass by pass."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Outage
from daap_operator.kinds import known
from daap_operator.kinds.archiver import Archiver, plugins
from daap_operator.kinds.backup.controller import BEGIN_SECONDS, DOUBT_SECONDS, UNSEEN_SECONDS
from tests.support.daapbackups import DONE
from tests.unit.backup_stage import (
    ARCHIVE,
    NOW,
    STORE,
    BackupStage,
    archiving,
    completed,
    running,
)
from tests.unit.fakes import refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import KEY, setting

Object = dict[str, Any]

HOLD, TELL = "finalizers of DaapBackup now", "status of DaapBackup now"
FAILED: Object = {"phase": "failed", "error": "can't connect\nto the\x1b[2J store"}


# --- made -----------------------------------------------------------------------------------------


async def test_a_backup_is_held_noted_made_and_told_in_this_order() -> None:
    stage = await archiving()
    stage.ask()
    assert await stage.look(NOW) == BEGIN_SECONDS
    (name,) = stage.made
    assert stage.kube.requests == [HOLD, TELL, f"create Backup {name}", TELL]
    assert stage.told() == {
        "Ready": ("False", "BackupRunning"),
        "Reconciling": ("True", "BackupRunning"),
    }
    assert kstatus(stage.backup()) == "InProgress"
    status = stage.backup()["status"]
    assert (status["backupName"], status["store"], status["archive"]) == (name, STORE, ARCHIVE)
    stage.backs_up(phase="running", startedAt=DONE["startedAt"])
    assert stage.watch() == [NOW]
    await stage.look(NOW)
    assert stage.backup()["status"]["startedAt"] == DONE["startedAt"]
    stage.backs_up(**DONE)
    assert stage.watch() == [NOW]
    await stage.look(NOW)
    assert stage.kube.requests[4:] == [TELL, TELL]
    assert kstatus(stage.backup()) == "Current"
    assert [one.reason for one in stage.announcer.announced] == ["Running", "Completed"]


async def test_what_is_completed_says_what_a_restore_needs() -> None:
    stage = await completed()
    status = stage.backup()["status"]
    facts = {field: status[field] for field in status if field != "conditions"}
    assert facts == {
        "observedGeneration": 1,
        "phase": "Completed",
        "backupName": stage.made[0],
        "backupId": DONE["backupId"],
        "store": STORE,
        "archive": ARCHIVE,
        "beginWal": DONE["beginWal"],
        "endWal": DONE["endWal"],
        "startedAt": DONE["startedAt"],
        "stoppedAt": DONE["stoppedAt"],
        "postgresVersion": 17,
    }
    assert stage.told() == {"Ready": ("True", "BackupCompleted")}
    for word in (DONE["backupId"], ARCHIVE, STORE, "orders"):
        assert word in stage.says()


async def test_the_backup_is_one_of_the_plugin_and_of_this_object() -> None:
    stage = await running()
    made = stage.kube.one(known.BACKUP, stage.made[0])
    assert made["spec"] == {
        "cluster": {"name": "daap-orders"},
        "method": "plugin",
        "pluginConfiguration": {"name": names.BACKUP_PLUGIN},
    }
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("DaapBackup", "now")
    assert made["metadata"]["labels"]["daap.io/backup-uid"] == owner["uid"]


async def test_what_moves_meanwhile_costs_nothing() -> None:
    stage = await running()
    for phase in ("pending", "started", "running", "finalizing", "of a later CloudNativePG"):
        stage.backs_up(phase=phase)
        await stage.look(NOW)
    assert stage.kube.requests == []


@pytest.mark.parametrize("served", [running, completed])
async def test_a_backup_costs_no_request(served: Any) -> None:
    stage = await served()
    await stage.look(NOW)
    await stage.restart()
    await stage.look(NOW)
    assert stage.kube.requests == []
    assert stage.announcer.announced == []


async def test_two_of_one_database_are_both_made() -> None:
    stage = await running()
    other = Ref(known.DAAP_BACKUP, "shop", "again")
    stage.ask(other)
    await stage.look(other)
    first, second = sorted(stage.made, reverse=True)
    assert first != second
    for name in (first, second):
        stage.backs_up(name, **DONE)
    for key in (NOW, other):
        await stage.look(key)
        assert stage.phase(key) == "Completed"


# --- waiting --------------------------------------------------------------------------------------


async def test_a_database_that_comes_later_is_waited_for() -> None:
    stage = BackupStage()
    stage.ask()
    await stage.look(NOW)
    assert stage.told()["Reconciling"] == ("True", "DatabaseMissing")
    assert stage.phase() == "Pending"
    stage.order(backup={"store": STORE})
    assert NOW in stage.watch()
    await stage.look(NOW)
    assert stage.told()["Reconciling"] == ("True", "DatabaseNotReady")
    await stage.settle()
    await stage.look(NOW)
    assert stage.told()["Stalled"] == ("True", "StoreMissing")
    assert stage.made == []
    stage.archive()
    assert NOW in stage.watch()
    await stage.settle()
    await stage.look(NOW)
    assert stage.phase() == "Running"


async def test_it_proceeds_when_its_database_says_that_the_store_is_there() -> None:
    """What the operator itself writes into the database's status comes with no event."""
    stage = BackupStage()
    stage.order(backup={"store": STORE})
    stage.ask()
    await stage.settle()
    await stage.look(NOW)
    assert stage.told()["Stalled"] == ("True", "StoreMissing")
    stage.object_store(STORE)
    await stage.look(KEY)
    assert stage.condition("BackupHealthy") != ("False", "StoreMissing")
    assert NOW in stage.queue.taken()
    await stage.look(NOW)
    assert stage.phase() == "Running"


async def test_backups_that_are_off_are_told_and_followed_once_they_are_on() -> None:
    stage = await archiving()
    stage.edit(backup={"enabled": False})
    stage.ask()
    await stage.look(NOW)
    assert stage.told()["Stalled"] == ("True", "BackupsOff")
    assert "set spec.backup.enabled of DaapDatabase orders to true" in stage.says()
    assert kstatus(stage.backup()) == "Failed"
    assert stage.phase() == "Pending"
    stage.edit(backup={"store": STORE})
    assert NOW in stage.watch()
    await stage.look(NOW)
    assert stage.phase() == "Running"


@pytest.mark.parametrize(
    ("resolved", "phase"), [({"schedule": "7 12 3 * * *"}, "Running"), ({}, "Pending")]
)
async def test_of_a_database_that_does_not_say_the_status_says_what_the_platform_wants(
    resolved: Object, phase: str
) -> None:
    stage = await archiving()
    stage.edit(backup=None)
    told = stage.status() | {"backup": resolved}
    stage.kube.change(known.DATABASE, "orders", setting("status", told))
    stage.ask()
    await stage.look(NOW)
    assert stage.phase() == phase


async def test_a_finished_backup_is_not_woken_by_its_database() -> None:
    stage = await completed()
    stage.edit(purpose="Something else")
    assert NOW not in stage.watch()


async def test_what_waits_is_looked_at_less_and_less_often() -> None:
    stage = BackupStage()
    stage.ask()
    pauses = []
    for _ in range(4):
        pauses.append(again := await stage.look(NOW) or 0.0)
        stage.clock.advance(again)
        stage.forget_requests()
    assert pauses[0] == 5
    assert pauses == sorted(pauses)
    assert stage.kube.requests == []


@pytest.mark.parametrize("phase", ["", "pending"])
async def test_a_backup_that_is_not_begun_says_so_once_that_has_lasted(phase: str) -> None:
    stage = await running()
    stage.backs_up(phase=phase)
    assert await stage.look(NOW) == BEGIN_SECONDS
    assert stage.told()["Reconciling"] == ("True", "BackupRunning")
    stage.clock.advance(BEGIN_SECONDS)
    await stage.look(NOW)
    assert stage.told()["Reconciling"] == ("True", "BackupPending")
    assert "the platform team must find out why" in stage.says()
    stage.backs_up(phase="started")
    await stage.look(NOW)
    assert stage.told()["Reconciling"] == ("True", "BackupRunning")


async def test_a_backup_that_is_not_begun_says_what_its_cluster_waits_for() -> None:
    stage = await running()
    words = {"phase": "Cluster cannot proceed", "phaseReason": "no plugin"}
    stage.kube.change(known.CLUSTER, "daap-orders", setting("status", words))
    assert NOW in stage.watch()
    await stage.look(NOW)
    assert stage.told()["Reconciling"] == ("True", "BackupPending")
    assert "Cluster cannot proceed: no plugin" in stage.says()


# --- failed ---------------------------------------------------------------------------------------


async def test_a_failure_is_for_good_once_it_has_lasted() -> None:
    stage = await running()
    stage.backs_up(**FAILED)
    assert await stage.look(NOW) == DOUBT_SECONDS
    assert stage.told()["Reconciling"] == ("True", "BackupFailing")
    stage.clock.advance(DOUBT_SECONDS - 1)
    assert await stage.look(NOW) == 1
    assert stage.phase() == "Running"
    stage.clock.advance(1)
    await stage.look(NOW)
    assert stage.phase() == "Failed"
    assert stage.told() == {"Ready": ("False", "BackupFailed"), "Stalled": ("True", "BackupFailed")}
    assert kstatus(stage.backup()) == "Failed"
    error = stage.backup()["status"]["error"]
    assert error == "can't connect to the\N{REPLACEMENT CHARACTER}[2J store"
    assert error in stage.says()


async def test_a_failure_that_passes_leaves_nothing() -> None:
    stage = await running()
    stage.backs_up(**FAILED)
    await stage.look(NOW)
    stage.clock.advance(DOUBT_SECONDS - 1)
    stage.backs_up(phase="running")
    await stage.look(NOW)
    stage.backs_up(**FAILED)
    assert await stage.look(NOW) == DOUBT_SECONDS
    stage.backs_up(**DONE)
    await stage.look(NOW)
    assert stage.phase() == "Completed"
    assert "error" not in stage.backup()["status"]


async def test_a_database_that_goes_meanwhile_ends_it_once_that_has_lasted() -> None:
    stage = await running()
    stage.kube.delete_object(known.CLUSTER, "daap-orders")
    stage.kube.change(known.DATABASE, "orders", lambda obj: obj["metadata"].pop("finalizers"))
    stage.kube.delete_object(known.DATABASE, "orders")
    assert NOW in stage.watch()
    assert await stage.look(NOW) == DOUBT_SECONDS
    assert stage.told()["Reconciling"] == ("True", "DatabaseMissing")
    stage.clock.advance(DOUBT_SECONDS)
    await stage.look(NOW)
    assert stage.phase() == "Failed"
    assert "orders is gone" in stage.says()


async def test_a_backup_that_is_refused_is_told() -> None:
    stage = await archiving()
    made = stage.ask()
    name = f"now-{made['metadata']['uid'][:8]}"
    stage.kube.refusals[f"create Backup {name}"] = refused(422)
    again = await stage.look(NOW)
    assert stage.told()["Stalled"] == ("True", "Rejected")
    assert again == 60
    stage.kube.refusals.clear()
    await stage.look(NOW)
    assert stage.phase() == "Running"


@pytest.mark.parametrize("seen", [True, False])
async def test_a_backup_of_somebody_else_is_in_the_way_and_left_alone(seen: bool) -> None:
    stage = await archiving()
    name = f"now-{stage.ask()['metadata']['uid'][:8]}"
    labels = {"labels": {"cnpg.io/cluster": "daap-orders"}} if seen else {}
    stage.kube.add(known.BACKUP, {"metadata": {"name": name, **labels}, "spec": {}})
    assert await stage.look(NOW) == 60
    assert stage.told()["Stalled"] == ("True", "ObjectConflict")
    stage.kube.delete_object(known.DAAP_BACKUP, "now")
    await stage.look(NOW)
    assert stage.made == [name]


# --- once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["completed", "failed"])
async def test_what_is_over_stays_so_whatever_becomes_of_the_backup(phase: str) -> None:
    stage = await running()
    stage.backs_up(**(DONE if phase == "completed" else FAILED))
    await stage.look(NOW)
    stage.clock.advance(DOUBT_SECONDS)
    await stage.look(NOW)
    before = stage.backup()
    assert before["status"]["phase"].lower() == phase
    stage.forget_requests()
    stage.backs_up(phase="running")
    await stage.look(NOW)
    stage.kube.delete_object(known.BACKUP, stage.made[0])
    for _ in range(2):
        await stage.look(NOW)
        await stage.restart()
    assert stage.backup() == before
    assert stage.kube.writes == []
    assert stage.made == []


async def test_a_backup_that_vanishes_is_failed_and_not_made_again() -> None:
    stage = await running()
    stage.kube.delete_object(known.BACKUP, stage.made[0])
    assert stage.watch() == [NOW]
    await stage.look(NOW)
    assert stage.told()["Stalled"] == ("True", "BackupDeleted")
    assert stage.phase() == "Failed"
    await stage.look(NOW)
    assert stage.made == []


@pytest.mark.parametrize(
    ("began", "archive"),
    [("2026-03-01T12:01:00Z", f"{ARCHIVE}-2"), ("2026-03-01T11:01:00Z", ARCHIVE)],
    ids=["of the new Cluster", "of the one before"],
)
async def test_a_backup_is_where_the_cluster_archived_that_it_was_made_of(
    began: str, archive: str
) -> None:
    """It waited until the Cluster had been replaced by another one, or ended just before."""
    stage = await running()

    def replaced(cluster: Object) -> None:
        cluster["metadata"] |= {"uid": "another", "creationTimestamp": "2026-03-01T12:00:30Z"}
        cluster["spec"]["plugins"] = plugins(Archiver(STORE, f"{ARCHIVE}-2"))

    stage.kube.change(known.CLUSTER, "daap-orders", replaced)
    stage.watch()
    stage.backs_up(**DONE | {"startedAt": began})
    await stage.look(NOW)
    assert stage.phase() == "Completed"
    assert stage.backup()["status"]["archive"] == archive
    assert archive in stage.says()


async def test_a_backup_that_only_lost_its_label_is_still_followed() -> None:
    stage = await running()

    def strip(obj: Object) -> None:
        obj["metadata"]["labels"] = {}

    stage.kube.change(known.BACKUP, stage.made[0], strip)
    assert stage.watch() == [NOW]
    assert await stage.look(NOW) == UNSEEN_SECONDS
    assert stage.phase() == "Running"
    stage.backs_up(**DONE)
    assert stage.watch() == []
    await stage.look(NOW)
    assert stage.phase() == "Completed"


async def test_a_pass_that_ends_after_the_note_is_taken_up_where_it_was() -> None:
    stage = await archiving()
    name = f"now-{stage.ask()['metadata']['uid'][:8]}"
    stage.kube.refusals[f"create Backup {name}"] = refused(500)
    with pytest.raises(Outage):
        await stage.look(NOW)
    noted = stage.backup()["status"]
    assert (noted["backupName"], noted["conditions"]) == (name, [])
    await stage.restart()
    stage.kube.refusals.clear()
    stage.forget_requests()
    await stage.look(NOW)
    assert stage.kube.requests == [f"create Backup {name}", TELL]


async def test_a_pass_that_ends_after_the_backup_was_made_makes_no_other() -> None:
    stage = await archiving()
    stage.ask()
    stage.kube.after_write = lambda: _refuse_status_after_creation(stage)
    with pytest.raises(Outage):
        await stage.look(NOW)
    stage.kube.after_write = lambda: None
    stage.kube.refusals.clear()
    stage.forget_requests()
    await stage.restart()
    await stage.look(NOW)
    assert stage.kube.requests == [TELL]
    assert len(stage.made) == 1


async def test_a_deletion_that_comes_while_the_note_is_written_ends_the_pass() -> None:
    stage = await archiving()
    stage.ask()

    def deleted() -> None:
        if stage.kube.requests[-1] == TELL:
            stage.kube.after_write = lambda: None
            stage.kube.delete_object(known.DAAP_BACKUP, "now")
            stage.watch()

    stage.kube.after_write = deleted
    assert await stage.look(NOW) == 0.0
    assert stage.backup()["status"]["conditions"] == []
    assert stage.made == []
    await stage.look(NOW)
    assert stage.kube.there(known.DAAP_BACKUP) == []


def _refuse_status_after_creation(stage: BackupStage) -> None:
    if stage.kube.requests[-1].startswith("create Backup"):
        stage.kube.refusals[TELL] = refused(500)


@pytest.mark.parametrize("status", [DONE, {"phase": "running"}])
async def test_a_status_that_was_lost_is_read_off_the_backup_that_is_there(status: Object) -> None:
    stage = await running()
    stage.backs_up(**status)
    stage.kube.change(known.DAAP_BACKUP, "now", setting("status", {"observedGeneration": -1}))
    await stage.look(NOW)
    assert len(stage.made) == 1
    assert stage.phase() == ("Completed" if status is DONE else "Running")
    assert "create" not in " ".join(stage.kube.requests)


async def test_so_is_one_that_cannot_be_seen_and_it_is_left_as_it_is() -> None:
    stage = await running()
    (name,) = stage.made
    before = stage.kube.one(known.BACKUP, name)["metadata"]["uid"]

    def strip(obj: Object) -> None:
        obj["metadata"]["labels"] = {}

    stage.kube.change(known.BACKUP, name, strip)
    stage.kube.change(known.DAAP_BACKUP, "now", setting("status", {"observedGeneration": -1}))
    await stage.look(NOW)
    assert stage.phase() == "Running"
    assert stage.kube.one(known.BACKUP, name)["metadata"]["uid"] == before
    asked = {request.split()[0] for request in stage.kube.requests if f"Backup {name}" in request}
    assert asked == {"create", "get"}


# --- deleted --------------------------------------------------------------------------------------


@pytest.mark.parametrize("served", [running, completed])
async def test_its_deletion_takes_the_backup_along_and_nothing_else(served: Any) -> None:
    stage = await served()
    (name,) = stage.made
    stage.kube.delete_object(known.DAAP_BACKUP, "now")
    assert NOW in stage.watch()
    await stage.look(NOW)
    assert stage.kube.writes == [f"delete Backup {name}", HOLD]
    assert stage.kube.there(known.DAAP_BACKUP) == stage.made == []
    assert stage.mirror.deleted == {stage.mirror.saved[-1].id}


async def test_one_that_was_never_begun_goes_at_once() -> None:
    stage = BackupStage()
    stage.ask()
    await stage.look(NOW)
    stage.kube.delete_object(known.DAAP_BACKUP, "now")
    await stage.look(NOW)
    assert stage.kube.there(known.DAAP_BACKUP) == []


async def test_a_deletion_that_is_held_says_by_whom() -> None:
    stage = await completed()

    def hold(obj: Object) -> None:
        obj["metadata"]["finalizers"] = ["example.com/hold"]

    stage.kube.change(known.BACKUP, stage.made[0], hold)
    stage.kube.delete_object(known.DAAP_BACKUP, "now")
    await stage.look(NOW)
    assert stage.told()["Reconciling"] == ("True", "Deleting")
    assert "example.com/hold" in stage.says()
    assert stage.phase() == "Completed"


async def test_the_row_follows() -> None:
    stage = await completed()
    row = stage.mirror.saved[-1]
    assert (row.status, row.database_name, row.archive) == ("completed", "orders", ARCHIVE)
    assert (row.backup_id, row.error_message) == (DONE["backupId"], None)
    assert row.completed_at.isoformat() == "2026-03-01T12:02:30+00:00"
    assert stage.database(KEY)["status"]["phase"] == "Ready"
