"""What passes tell of backups, when, and what that costs."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daap_operator.kinds import known
from tests.unit import backups
from tests.unit.kstatus import kstatus
from tests.unit.stage import CLUSTER, KEY, Stage, setting

Object = dict[str, Any]

STATUS = "status of DaapDatabase orders"
SPEC: Object = {"backup": {"store": "backups", "schedule": "30 2 * * *"}}
LAST = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)


def text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def keep(stage: Stage, last: datetime | None = LAST, **windows: Object) -> None:
    """The ObjectStore tells of a backup of the database; and of others."""
    archive = stage.status()["backup"]["archive"]
    if last is not None:
        windows[archive] = backups.window(text(last), "2026-03-01T11:00:00Z")
    told = {"serverRecoveryWindow": windows}
    stage.kube.change(known.BARMAN_STORE, "backups", setting("status", told))


async def settled(stage: Stage) -> list[str]:
    """What was asked of the API server until nothing changed."""
    stage.kube.requests.clear()
    await stage.settle()
    return stage.kube.requests


async def backed_up(**spec: Any) -> Stage:
    """A database with a backup, settled."""
    stage = Stage()
    stage.object_store()
    stage.order(**(SPEC | spec))
    await stage.settle()
    keep(stage)
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")
    stage.kube.requests.clear()
    return stage


async def test_a_database_tells_of_its_backups_from_the_beginning() -> None:
    stage = Stage()
    stage.object_store()
    stage.order(**SPEC)
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "NeverBackedUp")
    keep(stage)
    assert await settled(stage) == [STATUS]
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")
    told = stage.status()["backup"]
    assert told["lastSuccessful"] == "2026-03-01T11:30:00Z"
    assert told["firstRecoverable"] == "2026-03-01T11:00:00Z"
    assert await settled(stage) == []


async def test_a_database_without_backups_says_nothing_of_them() -> None:
    stage = Stage()
    stage.object_store()
    stage.order()
    await stage.settle()
    assert "backup" not in stage.status()
    assert stage.condition("BackupHealthy") is None


async def test_another_databases_backup_wakes_nobody() -> None:
    stage = await backed_up()
    keep(stage, other=backups.window())
    assert stage.watch() == []
    keep(stage, LAST + timedelta(minutes=5))
    assert stage.watch() == [KEY]


@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
async def test_a_store_that_is_missing_is_told_and_attached_once_it_is_there(named: bool) -> None:
    stage = Stage()
    stage.order(backup={"store": "backups"} if named else {})
    await stage.settle()
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("BackupHealthy") == ("False", "StoreMissing")
    stage.object_store()
    if not named:
        assert stage.watch() == [KEY]
        stage.edit(backup={"store": "backups"})
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "NeverBackedUp")


async def test_a_plugin_that_is_missing_is_told_until_it_is_there() -> None:
    stage = Stage()
    stage.kube.missing = {known.BARMAN_STORE}
    await stage.relist()
    stage.order(**SPEC)
    await stage.settle()
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("BackupHealthy") == ("False", "PluginMissing")
    stage.kube.missing.clear()
    stage.object_store()
    await stage.relist()
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "NeverBackedUp")


async def test_a_store_that_is_gone_is_told_and_so_is_its_return() -> None:
    stage = await backed_up()
    before = stage.status()["backup"]["lastSuccessful"]
    stage.kube.delete_object(known.BARMAN_STORE, "backups")
    assert await settled(stage) == [STATUS]
    assert stage.condition("BackupHealthy") == ("False", "StoreMissing")
    assert "fills the volume" in stage.message("BackupHealthy")
    assert stage.status()["backup"]["lastSuccessful"] == before
    assert "firstRecoverable" not in stage.status()["backup"]
    stage.object_store()
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "NeverBackedUp")
    assert "as one that was created again does" in stage.message("BackupHealthy")
    assert "2026-03-01 11:30 UTC" in stage.message("BackupHealthy")
    assert stage.status()["backup"]["lastSuccessful"] == before
    keep(stage)
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")


async def test_archiving_that_fails_is_told_and_never_makes_it_less_ready() -> None:
    stage = await backed_up()
    failing = {
        "type": "ContinuousArchiving",
        "status": "False",
        "message": "exit status 4",
        "lastTransitionTime": "2026-03-01T11:45:00Z",
    }

    def fail(obj: Object) -> None:
        obj["status"]["conditions"] = [failing]

    stage.kube.change(known.CLUSTER, CLUSTER, fail)
    stage.kube.requests.clear()
    await stage.settle(playing=False)
    assert stage.kube.requests == [STATUS]
    assert stage.condition("BackupHealthy") == ("False", "ArchivingFailing")
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Stalled") is stage.condition("Reconciling") is None
    assert kstatus(stage.database()) == "Current"


async def test_a_backup_that_fails_is_told_with_its_error() -> None:
    stage = await backed_up()
    failed = backups.backup("failed", stoppedAt="2026-03-01T11:50:00Z", error="no such bucket")
    for made in (backups.backup("running"), failed):
        place = {"metadata": {k: made["metadata"][k] for k in ("name", "namespace", "labels")}}
        if not stage.kube.there(known.BACKUP):
            stage.kube.add(known.BACKUP, made | place)
            assert stage.watch() == []
        else:
            stage.kube.change(
                known.BACKUP, made["metadata"]["name"], setting("status", made["status"])
            )
            assert stage.watch() == [KEY]
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "BackupFailed")
    assert stage.status()["backup"]["lastError"] == "no such bucket"
    keep(stage, LAST + timedelta(hours=1))
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")
    assert "lastError" not in stage.status()["backup"]


async def test_what_is_refused_is_still_told_of() -> None:
    stage = await backed_up()
    stage.edit(instances=0)
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "InvalidSpec")
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")
    stage.kube.delete_object(known.BARMAN_STORE, "backups")
    await stage.settle()
    assert stage.condition("BackupHealthy") == ("False", "StoreMissing")


async def test_of_backups_that_are_turned_off_it_is_told_where_they_are() -> None:
    stage = await backed_up()
    archive = stage.status()["backup"]["archive"]
    stage.edit(backup={"enabled": False})
    await stage.settle()
    assert stage.condition("BackupHealthy") is None
    told = stage.status()["backup"]
    assert (told["archive"], told["store"]) == (archive, "backups")
    assert "schedule" not in told
    assert told["lastSuccessful"] == "2026-03-01T11:30:00Z"


async def test_while_a_deletion_is_held_backups_are_told_of() -> None:
    stage = await backed_up(deletionProtection=True)
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    assert stage.condition("Ready") == ("False", "DeletionProtected")
    assert stage.condition("BackupHealthy") == ("True", "Recoverable")


# --- whatever happens -----------------------------------------------------------------------------


def lose_status(stage: Stage) -> None:
    stage.kube.change(known.DATABASE, KEY.name, setting("status", {"observedGeneration": -1}))


def lose_store(stage: Stage) -> None:
    if stage.kube.there(known.BARMAN_STORE):
        stage.kube.delete_object(known.BARMAN_STORE, "backups")


def find_store(stage: Stage) -> None:
    if not stage.kube.there(known.BARMAN_STORE):
        stage.object_store()


HAPPENINGS: dict[str, Callable[[Stage], None]] = {
    "on": lambda stage: stage.edit(**SPEC),
    "off": lambda stage: stage.edit(backup={"enabled": False}),
    "another store": lambda stage: stage.edit(backup={"store": "other"}),
    "no store": lambda stage: stage.edit(backup={}),
    "invalid": lambda stage: stage.edit(instances=0),
    "valid": lambda stage: stage.edit(instances=None),
    "the store goes": lose_store,
    "the store comes": find_store,
    "the status is lost": lose_status,
}


async def live_through(happenings: list[str]) -> None:
    stage = Stage()
    stage.order(**SPEC)
    await stage.settle()
    archives = set()
    for each in happenings:
        HAPPENINGS[each](stage)
        await stage.settle()
        for plugin in stage.kube.one(known.CLUSTER, CLUSTER)["spec"].get("plugins", ()):
            archives.add(plugin["parameters"]["serverName"])
            assert stage.status()["backup"]["archive"] in archives, each
        serves = stage.condition("Stalled") is None
        assert (stage.condition("Ready") == ("True", "Ready")) or not serves, each
    assert len(archives) <= 1


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(sorted(HAPPENINGS)), min_size=1, max_size=6))
def test_a_cluster_keeps_its_archive_and_no_backup_makes_it_less_ready(
    happenings: list[str],
) -> None:
    asyncio.run(live_through(happenings))


# --- time -----------------------------------------------------------------------------------------


async def until_written(stage: Stage, most: timedelta) -> tuple[timedelta, int]:
    """Pass when it is asked for, until something is written: after how long, after how many."""
    began, passes = stage.clock.now(), 0
    while stage.clock.now() - began < most:
        again = await stage.look()
        passes += 1
        if stage.kube.writes:
            return stage.clock.now() - began, passes
        assert again
        stage.clock.advance(again)
    raise AssertionError(f"nothing was written in {most}")


async def test_until_a_backup_is_too_old_nothing_is_asked_and_nothing_written() -> None:
    stage = Stage(secret_check=timedelta(0))
    stage.object_store()
    stage.order(**SPEC)
    await stage.settle()
    keep(stage)
    await stage.settle()
    stage.kube.requests.clear()
    waited, _ = await until_written(stage, timedelta(days=3))
    assert stage.kube.requests == [STATUS]
    assert stage.condition("BackupHealthy") == ("False", "BackupTooOld")
    second, minute = map(int, stage.status()["backup"]["schedule"].split()[:2])
    due = datetime(2026, 3, 3, 2, minute, second, tzinfo=UTC) + timedelta(hours=1)
    assert stage.clock.now() - due < timedelta(seconds=1)
    assert waited > timedelta(days=1)


async def test_until_a_first_backup_is_late_nothing_is_asked_and_nothing_written() -> None:
    stage = Stage(secret_check=timedelta(0))
    stage.object_store()
    stage.order(**SPEC)
    await stage.settle()
    before = stage.message("BackupHealthy")
    stage.kube.requests.clear()
    waited, _ = await until_written(stage, timedelta(hours=2))
    assert stage.kube.requests == [STATUS]
    assert timedelta(minutes=58) < waited < timedelta(minutes=61)
    assert stage.condition("BackupHealthy") == ("False", "NeverBackedUp")
    assert stage.message("BackupHealthy") != before
    assert stage.status()["phase"] == "Ready"
