"""Passes that have drills made on a schedule: when, which, and what that costs."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from tests.unit import backups
from tests.unit.fakes import Killed, refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import CLUSTER, KEY, Stage, setting

Object = dict[str, Any]

QUERIES = [{"name": "orders", "sql": "SELECT count(*) > 0 FROM orders", "expect": "t"}]
SPEC: Object = {
    "backup": {"store": "backups", "verify": {"schedule": "0 5 * * *", "queries": QUERIES}}
}
STATUS = "status of DaapDatabase orders"


class DrillStage(Stage):
    """A stage on which somebody carries out the drills; the connection Secret is left alone."""

    def __init__(self) -> None:
        super().__init__(secret_check=timedelta(0))

    def keep(self, **changed: str) -> None:
        """The store tells of a backup of a moment ago."""
        archive = self.status()["backup"]["archive"]
        last = self.text(self.clock.now() - timedelta(minutes=1))
        windows = {archive: backups.window(last, "2026-03-01T11:00:00Z")}
        told = {"serverRecoveryWindow": windows}
        self.kube.change(known.BARMAN_STORE, "backups", setting("status", told))

    def text(self, moment: datetime) -> str:
        return moment.isoformat().replace("+00:00", "Z")

    @property
    def drills(self) -> list[str]:
        return self.kube.there(known.DAAP_DRILL)

    @property
    def slot(self) -> datetime:
        """The next time of the schedule, with its second."""
        second, minute, hour = map(int, self.status()["backup"]["verifySchedule"].split()[:3])
        now = self.clock.now()
        due = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return due if due > now else due + timedelta(days=1)

    def until(self, moment: datetime) -> None:
        self.clock.advance((moment - self.clock.now()).total_seconds())

    def ends(self, name: str, phase: str = "Passed", **status: Any) -> None:
        """A drill comes to its end."""
        archive = self.status()["backup"]["archive"]
        database = {"name": "orders", "uid": self.database()["metadata"]["uid"]}
        told = {"phase": phase, "completedAt": self.text(self.clock.now()), "archive": archive}
        told |= {"backupId": "20260301T031200", "restoreSeconds": {"total": 77}}
        told |= {"database": database} | status
        self.kube.change(known.DAAP_DRILL, name, setting("status", told))

    async def drilled(self, phase: str = "Passed", **status: Any) -> str:
        """The next drill of the schedule is made, and comes to its end."""
        before = set(self.drills)
        self.until(self.slot)
        await self.settle()
        (made,) = set(self.drills) - before
        self.ends(made, phase, **status)
        await self.settle()
        return made


async def backed_up(**spec: Any) -> DrillStage:
    """A database with a backup and a schedule of drills, settled."""
    stage = DrillStage()
    stage.object_store()
    stage.order(**(SPEC | spec))
    await stage.settle()
    stage.keep()
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")
    stage.kube.requests.clear()
    return stage


async def run(stage: DrillStage, until: datetime) -> int:
    """Pass when it is asked for, until a moment; how many passes that took."""
    passes = 0
    while stage.clock.now() < until:
        again = await stage.look()
        passes += 1
        assert again
        stage.clock.advance(min(again, (until - stage.clock.now()).total_seconds()))
    return passes


# --- a time of the schedule -----------------------------------------------------------------------


async def test_until_a_drill_is_due_nothing_is_asked_and_then_one_is_made() -> None:
    stage = await backed_up()
    slot = stage.slot
    await run(stage, slot)
    assert stage.kube.requests == []
    assert stage.clock.now() == slot
    await stage.look()
    name = f"orders-{slot:%Y%m%d%H%M}"
    assert stage.kube.requests == [f"create DaapDrill {name}"]
    assert stage.drills == [name]
    assert stage.queue.taken() == [Ref(known.DAAP_DRILL, "shop", name)]
    made = stage.kube.one(known.DAAP_DRILL, name)
    assert made["spec"] == {"databaseRef": {"name": "orders"}, "queries": QUERIES}
    assert made["metadata"]["labels"][names.SCHEDULED_LABEL] == "true"
    assert made["metadata"]["labels"][names.DATABASE_LABEL] == "orders"
    (owner,) = made["metadata"]["ownerReferences"]
    assert owner["uid"] == stage.database()["metadata"]["uid"]


async def test_each_time_has_one_drill_and_costs_it_and_a_status() -> None:
    stage = await backed_up()
    for day in range(4):
        slot = stage.slot
        await run(stage, slot + timedelta(seconds=1))
        (made,) = [name for name in stage.drills if name.endswith(f"{slot:%Y%m%d%H%M}")]
        first = stage.drills[0]
        stage.queue.taken()
        stage.ends(made)
        stage.keep()
        stage.kube.requests.clear()
        assert stage.watch() == [KEY]
        await run(stage, slot + timedelta(hours=2))
        assert stage.kube.requests == (
            [STATUS] if day < 3 else [f"delete DaapDrill {first}", STATUS]
        )
        stage.kube.requests.clear()


async def test_the_time_is_the_databases_own_and_not_that_of_its_backup() -> None:
    stage = await backed_up(backup={"store": "backups", "verify": {"schedule": "@daily"}})
    told = stage.status()["backup"]
    assert len(told["schedule"].split()) == len(told["verifySchedule"].split()) == 6
    assert told["schedule"].split()[:3] != told["verifySchedule"].split()[:3]


async def test_times_that_were_missed_are_made_up_for_once() -> None:
    stage = await backed_up()
    stage.until(stage.slot + timedelta(days=9, seconds=30))
    await stage.restart()
    await stage.settle()
    slot = stage.slot - timedelta(days=1)
    assert stage.drills == [f"orders-{slot:%Y%m%d%H%M}"]
    stage.ends(stage.drills[0])
    await run(stage, stage.slot - timedelta(minutes=1))
    assert len(stage.drills) == 1


async def test_a_drill_under_way_is_waited_for_whoever_ordered_it() -> None:
    stage = await backed_up()
    by_hand: Object = {"metadata": {"name": "now", "namespace": "shop"}}
    by_hand["spec"] = {"databaseRef": {"name": "orders"}}
    stage.kube.add(known.DAAP_DRILL, by_hand)
    assert stage.watch() == []
    stage.until(stage.slot)
    await stage.settle()
    assert stage.drills == ["now"]
    stage.ends("now")
    assert stage.watch() == [KEY]
    await stage.settle()
    assert stage.drills == ["now"]  # it counts for the time that has passed meanwhile
    stage.until(stage.slot)
    await stage.settle()
    assert len(stage.drills) == 2
    stage.until(stage.slot)
    await stage.settle()
    assert len(stage.drills) == 2  # that of yesterday is still under way


async def test_one_that_is_deleted_under_way_makes_room() -> None:
    stage = await backed_up()
    stage.until(stage.slot)
    await stage.settle()
    (first,) = stage.drills
    stage.until(stage.slot)
    await stage.settle()
    stage.kube.delete_object(known.DAAP_DRILL, first)
    assert stage.watch() == [KEY]
    await stage.settle()
    assert len(stage.drills) == 1
    assert stage.drills != [first]


async def test_to_delete_a_drill_orders_none() -> None:
    stage = await backed_up()
    for phase in ("Passed", "Failed"):
        stage.kube.delete_object(known.DAAP_DRILL, await stage.drilled(phase))
        assert stage.watch() == [KEY]
        await stage.settle()
        assert stage.drills == []
        stage.keep()


async def test_a_new_database_waits_for_its_first_backup() -> None:
    stage = DrillStage()
    stage.object_store()
    stage.order(**SPEC)
    await stage.settle()
    stage.until(stage.slot + timedelta(days=2))
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "NeverBackedUp")
    assert stage.drills == []
    stage.keep()
    await stage.settle()
    assert len(stage.drills) == 1


def hibernate(stage: Stage, *, on: bool = True) -> None:
    def change(obj: Object) -> None:
        obj["metadata"]["annotations"] = {"cnpg.io/hibernation": "on" if on else "off"}

    stage.kube.change(known.CLUSTER, CLUSTER, change)


async def test_while_the_database_is_hibernated_none_is_made() -> None:
    stage = await backed_up()
    hibernate(stage)
    await stage.settle()
    stage.until(stage.slot + timedelta(days=3))
    await stage.settle()
    assert stage.drills == []
    hibernate(stage, on=False)
    stage.keep()
    await stage.settle()
    assert len(stage.drills) == 1


async def test_while_it_is_being_deleted_none_is_made() -> None:
    stage = await backed_up(deletionProtection=True)
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    stage.until(stage.slot + timedelta(days=1))
    stage.keep()
    await stage.settle()
    assert stage.condition("Ready") == ("False", "DeletionProtected")
    assert stage.drills == []


async def test_while_it_is_being_restored_none_is_made() -> None:
    stage = await backed_up()
    noted = {"name": "back", "uid": "x", "replacedClusterUid": "y"}

    def replace(obj: Object) -> None:
        obj["status"]["restore"] = noted

    stage.kube.change(known.DATABASE, KEY.name, replace)
    stage.until(stage.slot)
    await stage.look()
    assert stage.drills == []


@pytest.mark.parametrize(
    "backup", [{"store": "backups"}, {"enabled": False}], ids=["no drills", "no backups"]
)
async def test_no_schedule_makes_none_and_what_was_shown_stays(backup: Object) -> None:
    stage = await backed_up()
    await stage.drilled()
    stage.edit(backup=backup)
    await stage.settle()
    stage.until(stage.clock.now() + timedelta(days=30))
    stage.keep()
    await stage.settle()
    assert len(stage.drills) == 1
    told = stage.status()["backup"]
    assert "verifySchedule" not in told
    assert told["lastVerified"]
    assert stage.condition("BackupHealthy") in (None, ("True", "Recoverable"))


async def test_the_drills_go_with_their_database() -> None:
    stage = await backed_up()
    await stage.drilled()
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    assert stage.kube.there(known.DATABASE) == stage.drills == []


# --- what is told ---------------------------------------------------------------------------------


async def test_a_drill_that_passes_is_told() -> None:
    stage = await backed_up()
    await stage.drilled()
    told = stage.status()["backup"]
    assert told["measuredRestoreSeconds"] == 77
    assert told["verifiedBackup"] == "20260301T031200"
    assert told["lastVerified"]
    assert "lastVerificationFailed" not in told
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")


async def test_a_drill_that_fails_is_told_and_never_makes_it_less_ready() -> None:
    stage = await backed_up()
    name = await stage.drilled("Failed", error="relation orders is corrupt")
    assert stage.condition("BackupHealthy") == ("False", "VerificationFailed")
    assert f"DaapDrill {name}: relation orders is corrupt" in stage.message("BackupHealthy")
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Stalled") is stage.condition("Reconciling") is None
    assert kstatus(stage.database()) == "Current"
    stage.kube.delete_object(known.DAAP_DRILL, name)
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "VerificationFailed")
    stage.keep()
    await stage.drilled()
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")
    told = stage.status()["backup"]
    assert told["lastVerificationFailed"]
    assert "verificationError" not in told


async def test_drills_that_do_not_end_are_told_of_when_they_are_missed() -> None:
    stage = await backed_up()
    stage.until(stage.slot)
    await stage.settle()
    ordered = stage.clock.now()
    stage.keep()
    while stage.clock.now() < ordered + timedelta(days=2, hours=7):
        await run(stage, stage.clock.now() + timedelta(hours=12))
        stage.keep()
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "VerificationTooOld")
    assert len(stage.drills) == 1


# --- what is in the way ---------------------------------------------------------------------------


async def refused_drill(error: Exception) -> tuple[DrillStage, str]:
    stage = await backed_up()
    slot = stage.slot
    request = f"create DaapDrill orders-{slot:%Y%m%d%H%M}"
    stage.kube.refusals[request] = error
    await run(stage, slot)
    return stage, request


async def test_what_refuses_a_drill_is_told_and_tried_again() -> None:
    quota = refused(403, 'daapdrills "x" is forbidden: exceeded quota: objects')
    stage, request = await refused_drill(quota)
    await stage.look()
    assert stage.condition("BackupHealthy") == ("False", "VerificationBlocked")
    assert "A ResourceQuota of the namespace forbids" in stage.message("BackupHealthy")
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Stalled") is None
    stage.kube.requests.clear()
    began = stage.clock.now()
    await run(stage, began + timedelta(hours=1))
    assert set(stage.kube.requests) == {request}
    assert len(stage.kube.requests) <= 12
    stage.kube.refusals.clear()
    await run(stage, stage.clock.now() + timedelta(minutes=16))
    assert len(stage.drills) == 1
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")


async def test_an_api_server_that_fails_for_a_while_is_not_told() -> None:
    stage, request = await refused_drill(refused(500))
    await run(stage, stage.clock.now() + timedelta(seconds=30))
    assert set(stage.kube.requests) == {request}
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")
    await run(stage, stage.clock.now() + timedelta(seconds=90))
    assert stage.condition("BackupHealthy") == ("False", "VerificationBlocked")
    assert "cannot be made: request: 500" in stage.message("BackupHealthy")
    stage.kube.refusals.clear()
    await run(stage, stage.clock.now() + timedelta(minutes=5))
    assert len(stage.drills) == 1
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")


async def test_somebody_elses_drill_of_that_name_is_left_alone_and_told() -> None:
    stage = await backed_up()
    name = f"orders-{stage.slot:%Y%m%d%H%M}"
    theirs: Object = {"metadata": {"name": name, "namespace": "shop"}}
    theirs |= {"spec": {"databaseRef": {"name": "other"}}}
    stage.kube.add(known.DAAP_DRILL, theirs)
    stage.until(stage.slot)
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "VerificationBlocked")
    assert "was not created for this DaapDatabase" in stage.message("BackupHealthy")
    assert stage.kube.one(known.DAAP_DRILL, name)["spec"] == theirs["spec"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_process_that_dies_at_it_makes_it_once(when: str) -> None:
    stage = await backed_up()
    slot = stage.slot
    await run(stage, slot)
    request = f"create DaapDrill orders-{slot:%Y%m%d%H%M}"

    def die() -> None:
        raise Killed

    if when == "before":
        stage.kube.refusals[request] = Killed()  # type: ignore[assignment]
    else:
        stage.kube.after_write = die
    with pytest.raises(Killed):
        await stage.look()
    stage.kube.refusals.clear()
    stage.kube.after_write = lambda: None
    stage.kube.requests.clear()
    await stage.restart()
    await stage.settle()
    assert len(stage.drills) == 1
    assert (request in stage.kube.requests) == (when == "before")


async def test_an_answer_that_was_lost_is_found_again() -> None:
    stage = await backed_up()
    slot = stage.slot
    await run(stage, slot)

    def lose() -> None:
        stage.kube.after_write = lambda: None
        raise refused(504)

    stage.kube.after_write = lose
    await run(stage, slot + timedelta(minutes=2))
    assert stage.drills == [f"orders-{slot:%Y%m%d%H%M}"]
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")


# --- the history ----------------------------------------------------------------------------------


async def test_of_each_result_the_last_three_stay() -> None:
    stage = await backed_up()
    made = []
    for number in range(10):
        made.append(await stage.drilled("Failed" if number % 2 else "Passed"))
        stage.keep()
    assert stage.drills == made[4:]


async def test_one_that_was_made_by_hand_stays() -> None:
    stage = await backed_up()
    by_hand: Object = {"metadata": {"name": "a", "namespace": "shop"}}
    by_hand["spec"] = {"databaseRef": {"name": "orders"}}
    stage.kube.add(known.DAAP_DRILL, by_hand)
    stage.ends("a")
    for _ in range(5):
        await stage.drilled()
        stage.keep()
    assert stage.drills[0] == "a"
    assert len(stage.drills) == 4


async def test_what_refuses_a_deletion_stands_in_nobodys_way() -> None:
    stage = await backed_up()
    for _ in range(3):
        await stage.drilled()
        stage.keep()
    oldest = stage.drills[0]
    stage.kube.refusals[f"delete DaapDrill {oldest}"] = refused(403, "is forbidden: User x")
    await stage.drilled()
    assert len(stage.drills) == 4
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")
    again = await stage.look()
    assert again
    assert again < 60
    stage.kube.refusals.clear()
    await stage.settle()
    assert len(stage.drills) == 3


async def test_one_that_is_deleted_is_told_so() -> None:
    """By no event: what this process writes is in its store before the watch brings it."""
    stage = await backed_up()
    for _ in range(3):
        await stage.drilled()
        stage.keep()
    oldest = stage.drills[0]
    stage.until(stage.slot)
    await stage.settle()
    stage.ends(stage.drills[-1])
    stage.watch()
    await stage.look()
    assert oldest not in stage.drills
    assert Ref(known.DAAP_DRILL, "shop", oldest) in stage.queue.taken()
