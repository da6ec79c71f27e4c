"""The last backup before data is deleted: made where asked for, waited for, told of."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from daap_operator.api.v1alpha1 import OnDelete
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.backup import BackupDefaults, is_final_wanted
from daap_operator.kinds.database.final_backup import LONGEST_RETRY_SECONDS, RETRY_SECONDS
from daap_operator.kube import ApiError
from tests.unit.fakes import refused
from tests.unit.stage import CLUSTER, PLATFORM, Stage, setting

Object = dict[str, Any]

BACKUP = f"{CLUSTER}-final-"
STATUS = "status of DaapDatabase orders"
DONE: Object = {"phase": "completed", "startedAt": "2026-03-01T12:00:00Z", "endWal": "00000001"}
FINAL: Object = {"store": "backups", "onDelete": "FinalBackup"}
WITHOUT = "to delete the database without it, set spec.backup.onDelete to 'Keep'"


async def backed_up(platform: BackupDefaults | None = None, **spec: Any) -> Stage:
    """A ready database with an archive."""
    made = PLATFORM if platform is None else replace(PLATFORM, backup=platform)
    stage = Stage(platform=made)
    stage.object_store()
    stage.order(**({"backup": FINAL} | spec))
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    return stage


async def deleting(platform: BackupDefaults | None = None, **spec: Any) -> Stage:
    """The same, of which the deletion was just asked for."""
    stage = await backed_up(platform, **spec)
    stage.kube.requests.clear()
    stage.kube.delete_object(known.DATABASE, "orders")
    return stage


def made(stage: Stage) -> list[str]:
    return stage.kube.there(known.BACKUP)


def backs_up(stage: Stage, **status: Any) -> None:
    """CloudNativePG says something of the Backup."""
    (only,) = made(stage)
    stage.kube.change(known.BACKUP, only, setting("status", status))


def there(stage: Stage) -> bool:
    """Whether the data is."""
    return CLUSTER in stage.kube.there(known.CLUSTER)


async def gone(stage: Stage) -> bool:
    await stage.settle(playing=False)
    return not stage.kube.there(known.DATABASE) and not there(stage) and not made(stage)


async def test_the_data_stays_until_the_backup_is_complete_in_the_store() -> None:
    stage = await deleting()
    await stage.look()
    noted = stage.status()["backup"]["finalBackup"]
    assert noted == f"{BACKUP}{stage.database()['metadata']['uid'].replace('-', '')[:8]}"
    assert made(stage) == [noted]
    assert stage.kube.requests == [STATUS, f"create Backup {noted}", STATUS]
    assert stage.condition("Ready") == ("False", "Deleting")
    assert stage.message() == (
        f"Waiting for the final backup, Backup {noted}, to be complete; {WITHOUT}"
    )
    for status in ({"phase": "running"}, {"phase": "finalizing"}, {"phase": "completed"}):
        backs_up(stage, **status)
        await stage.settle()
        assert there(stage), status
    backs_up(stage, **DONE)
    assert await gone(stage)


async def test_what_becomes_of_it_wakes_the_database() -> None:
    stage = await deleting()
    await stage.look()
    stage.watch()
    backs_up(stage, phase="running")
    assert [key.name for key in stage.watch()] == ["orders"]


async def test_an_operator_that_was_cut_off_finds_it_again() -> None:
    stage = await deleting()
    name = f"{BACKUP}{stage.database()['metadata']['uid'].replace('-', '')[:8]}"
    stage.kube.refusals[f"create Backup {name}"] = refused(503)
    with pytest.raises(ApiError):
        await stage.look()
    noted = stage.status()["backup"]["finalBackup"]
    assert (made(stage), noted) == ([], name)
    stage.kube.refusals.clear()
    await stage.restart()
    await stage.look()
    assert made(stage) == [noted]
    await stage.restart()
    await stage.settle()
    assert made(stage) == [noted]
    assert there(stage)


async def test_it_goes_with_the_database_also_when_the_status_was_lost() -> None:
    stage = await deleting()
    await stage.look()
    backs_up(stage, **DONE)
    (name,) = made(stage)
    stage.kube.refusals[f"delete Backup {name}"] = refused(503)
    with pytest.raises(ApiError):
        await stage.look()
    assert (there(stage), made(stage)) == (False, [name])
    stage.kube.change(known.DATABASE, "orders", setting("status", {}))
    stage.kube.refusals.clear()
    assert await gone(stage)


async def test_meanwhile_the_database_is_looked_after_and_told_of() -> None:
    stage = await deleting()
    await stage.settle()
    assert stage.condition("BackupHealthy") is not None
    assert stage.status()["backup"]["finalBackup"] in made(stage)
    stage.edit(instances=3)
    await stage.settle()
    assert stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["instances"] == 3
    stage.kube.requests.clear()
    await stage.settle()
    assert stage.kube.requests == []  # waiting costs nothing


async def test_whoever_does_not_want_to_wait_says_so() -> None:
    stage = await deleting()
    await stage.settle()
    assert there(stage)
    stage.edit(backup=FINAL | {"onDelete": "Keep"})
    assert await gone(stage)


def uid_of_backup(stage: Stage) -> str:
    there = made(stage)
    return str(stage.kube.one(known.BACKUP, there[0])["metadata"]["uid"]) if there else ""


async def until_made_again(stage: Stage, failed: str) -> float:
    """Seconds until the next pass; 0 once there is another Backup."""
    pause = await stage.look() or 0.0
    return pause if uid_of_backup(stage) in (failed, "") else 0.0


async def test_one_that_fails_is_made_again_later_and_later() -> None:
    stage = await deleting()
    await stage.look()
    lasted = []
    for _ in range(8):
        backs_up(stage, phase="failed", error="no route to the store")
        failed, since = uid_of_backup(stage), stage.clock.monotonic()
        await stage.look()
        assert stage.condition("Reconciling") == ("True", "DeletionBlocked")
        assert "CloudNativePG says: no route to the store; or, " in stage.message()
        assert stage.message().endswith(WITHOUT)
        while pause := await until_made_again(stage, failed):
            stage.clock.advance(pause)
        lasted.append(stage.clock.monotonic() - since)
    expected = [RETRY_SECONDS * 2**times for times in range(8)]
    for found, least in zip(lasted, expected, strict=True):
        assert 0 <= found - min(least, LONGEST_RETRY_SECONDS) <= 60
    backs_up(stage, **DONE)
    assert await gone(stage)


def hibernate(stage: Stage) -> None:
    stage.kube.change(known.CLUSTER, CLUSTER, annotated("on"))


def annotated(state: str) -> Callable[[Object], None]:
    def change(obj: Object) -> None:
        obj["metadata"].setdefault("annotations", {})["cnpg.io/hibernation"] = state

    return change


def lose_store(stage: Stage) -> None:
    stage.kube.delete_object(known.BARMAN_STORE, "backups")


IMPOSSIBLE: dict[str, tuple[Callable[[Stage], object], str, Callable[[Stage], object]]] = {
    "hibernated": (
        hibernate,
        "the database is hibernated: wake it up",
        lambda stage: stage.kube.change(known.CLUSTER, CLUSTER, annotated("off")),
    ),
    "without its store": (
        lose_store,
        "ObjectStore 'backups' does not exist in this namespace",
        Stage.object_store,
    ),
}


@pytest.mark.parametrize("how", IMPOSSIBLE)
async def test_what_cannot_be_made_holds_the_deletion_and_says_what_to_do(how: str) -> None:
    bring, told, undo = IMPOSSIBLE[how]
    stage = await backed_up()
    bring(stage)
    await stage.settle()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert there(stage)
    assert made(stage) == []
    assert stage.condition("Reconciling") == ("True", "DeletionBlocked")
    assert told in stage.message()
    assert stage.message().endswith(f"; or, {WITHOUT}")
    undo(stage)
    await stage.settle()
    backs_up(stage, **DONE)
    assert await gone(stage)


async def test_a_cluster_that_never_archived_is_given_its_store_first() -> None:
    stage = Stage(platform=PLATFORM)
    stage.order(backup=FINAL)
    await stage.settle()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert there(stage)
    assert made(stage) == []
    assert "ObjectStore 'backups' does not exist in this namespace" in stage.message()
    stage.object_store()
    await stage.look()
    assert "its Cluster does not archive yet: this comes by itself" in stage.message()
    await stage.settle()
    backs_up(stage, **DONE)
    assert await gone(stage)


async def test_a_backup_that_is_refused_is_told_with_the_refusal() -> None:
    stage = await deleting()
    name = f"{BACKUP}{stage.database()['metadata']['uid'].replace('-', '')[:8]}"
    stage.kube.refusals[f"create Backup {name}"] = refused(403, "exceeded quota: few")
    await stage.look()
    assert there(stage)
    assert stage.condition("Reconciling") == ("True", "DeletionBlocked")
    assert "exceeded quota: few. Free some of it" in stage.message()
    assert stage.message().endswith(f"; or, {WITHOUT}")
    stage.kube.refusals.clear()
    await stage.settle()
    assert made(stage) == [name]


async def test_one_that_nothing_begins_is_told_of_after_a_minute() -> None:
    stage = await deleting()
    await stage.look()
    assert stage.condition("Reconciling") == ("True", "Deleting")
    stage.clock.advance(61)
    await stage.look()
    assert stage.condition("Reconciling") == ("True", "DeletionBlocked")
    assert "CloudNativePG has not begun Backup" in stage.message()


async def test_a_namespace_that_is_deleted_is_never_held() -> None:
    """Backups are refused there, and Cluster, store and credentials go at the same time."""
    stage = await deleting()
    stage.kube.terminating.add("shop")
    assert await gone(stage)


@pytest.mark.parametrize("going", [True, False], ids=["going", "gone"])
async def test_a_cluster_that_somebody_else_deletes_is_not_waited_for(going: bool) -> None:
    stage = await deleting()
    await stage.look()
    if going:
        stage.kube.change(
            known.CLUSTER, CLUSTER, lambda obj: obj["metadata"].update(finalizers=["a.b/c"])
        )
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    await stage.look()
    assert stage.condition("Reconciling") != ("True", "DeletionBlocked") or going
    assert "final backup" not in (stage.message() if stage.kube.there(known.DATABASE) else "")


async def test_another_ones_backup_of_the_name_is_not_touched() -> None:
    stage = await deleting()
    name = f"{BACKUP}{stage.database()['metadata']['uid'].replace('-', '')[:8]}"
    labels = {"cnpg.io/cluster": CLUSTER}
    stage.kube.add(
        known.BACKUP, {"metadata": {"name": name, "namespace": "shop", "labels": labels}}
    )
    await stage.settle()
    assert there(stage)
    assert "was not created for this DaapDatabase, so it is not touched" in stage.message()
    assert made(stage) == [name]


NOT_MADE: dict[str, Object] = {
    "Keep": {"backup": FINAL | {"onDelete": "Keep"}},
    "left out": {"backup": {"store": "backups"}},
    "no backups": {"backup": {"enabled": False, "onDelete": "FinalBackup"}},
    "retained": {"deletionPolicy": "Retain"},
}


@pytest.mark.parametrize("how", NOT_MADE)
async def test_where_it_was_not_asked_for_none_is_made(how: str) -> None:
    stage = await deleting(**NOT_MADE[how])
    await stage.settle(playing=False)
    assert not stage.kube.there(known.DATABASE)
    assert made(stage) == []
    assert not any(
        "Backup daap" in request for request in stage.kube.requests if "create" in request
    )


async def test_a_database_that_has_never_served_has_nothing_to_back_up() -> None:
    stage = Stage()
    stage.object_store()
    stage.order(backup=FINAL)
    await stage.look()
    await stage.look()
    assert there(stage)
    stage.kube.delete_object(known.DATABASE, "orders")
    assert await gone(stage)


ON_DELETE = BackupDefaults(enabled=True, store="backups", on_delete=OnDelete.FINAL_BACKUP)


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({}, True),
        ({"backup": {}}, True),
        ({"backup": {"onDelete": "Keep"}}, False),
        ({"backup": {"enabled": False}}, False),
        ({"deletionPolicy": "Retain"}, False),
    ],
)
def test_the_platform_says_what_goes_for_those_that_do_not(spec: Object, wanted: bool) -> None:
    assert is_final_wanted(spec, ON_DELETE) is wanted
    assert is_final_wanted(spec, BackupDefaults()) is False


async def test_a_foreground_deletion_cannot_come_before_it() -> None:
    """Garbage collection deletes at once what the object owns; so it owns nothing here."""
    stage = await backed_up()
    stage.kube.delete_object(known.DATABASE, "orders", propagation="Foreground")
    stage.kube.collect_garbage()
    await stage.settle()
    assert there(stage)
    backs_up(stage, **DONE)
    assert await gone(stage)
