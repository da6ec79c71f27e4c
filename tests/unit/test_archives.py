"""Backups in passes: named before there is a Cluster, attached when they can be, scheduled."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.backup import BackupDefaults
from daap_operator.kube import ApiError
from tests.unit.fakes import Killed, refused
from tests.unit.stage import CLUSTER, KEY, PLATFORM, Stage, play

Object = dict[str, Any]

BACKUP = {"store": "backups", "schedule": "30 2 * * *"}
SCHEDULE = "ScheduledBackup daap-orders"
STATUS, APPLY = "status of DaapDatabase orders", f"apply Cluster {CLUSTER}"


def schedule(stage: Stage) -> Object | None:
    """The spec of the ScheduledBackup."""
    there = stage.kube.there(known.SCHEDULED_BACKUP)
    return stage.kube.one(known.SCHEDULED_BACKUP, CLUSTER)["spec"] if there else None


def told(stage: Stage) -> Object | None:
    """What the plugin in the Cluster is told; None without it."""
    plugins = stage.kube.one(known.CLUSTER, CLUSTER)["spec"].get("plugins")
    return plugins[0]["parameters"] if plugins else None


def archive(stage: Stage) -> str:
    """The name for the first Cluster."""
    return f"{CLUSTER}-{stage.database()['metadata']['uid'][:8]}"


async def backed_up(stage: Stage | None = None, **spec: Any) -> Stage:
    """A stage with a database that has backups, settled."""
    made = stage or Stage()
    made.object_store()
    made.order(**({"backup": BACKUP} | spec))
    await made.settle()
    made.kube.requests.clear()
    assert schedule(made)
    return made


async def test_the_archive_is_named_before_there_is_a_cluster() -> None:
    stage = Stage()
    stage.object_store()
    stage.order(backup=BACKUP)
    seen: list[str | None] = []

    def note() -> None:
        if stage.kube.there(known.CLUSTER) and not seen:
            seen.append(stage.status()["backup"]["archive"])

    stage.kube.after_write = note
    await stage.settle()
    assert seen == [archive(stage)]
    assert told(stage) == {"barmanObjectName": "backups", "serverName": archive(stage)}
    assert stage.status()["phase"] == "Ready"


async def test_backups_cost_one_write_more() -> None:
    writes = []
    asked: tuple[Object, ...] = ({}, {"backup": BACKUP})
    for spec in asked:
        stage = Stage()
        stage.object_store()
        stage.order(**spec)
        await stage.settle()
        writes.append(sorted(stage.kube.requests))
    without, with_backups = writes
    assert sorted([*without, f"create {SCHEDULE}"]) == with_backups


async def test_a_healthy_database_with_backups_asks_nothing() -> None:
    stage = await backed_up(Stage(secret_check=timedelta(0)))
    for _ in range(3):
        stage.clock.advance(600)
        await stage.relist()
        await stage.look()
    assert stage.kube.requests == [
        "get Secret daap-orders-app",
        "get Secret daap-orders-ca",
    ] * 0 or (all(each.startswith("get Secret") for each in stage.kube.requests))


async def test_the_schedule_is_the_databases_own() -> None:
    stage = await backed_up()
    made = schedule(stage)
    assert made
    assert made["schedule"] == stage.status()["backup"]["schedule"]
    assert made | {"schedule": ""} == {
        "schedule": "",
        "cluster": {"name": CLUSTER},
        "method": "plugin",
        "pluginConfiguration": {"name": names.BACKUP_PLUGIN},
        "backupOwnerReference": "cluster",
        "immediate": True,
        "suspend": False,
    }


async def test_nothing_is_scheduled_before_clients_were_served() -> None:
    stage = Stage()
    stage.object_store()
    stage.order(backup=BACKUP)
    await stage.settle(playing=False)
    assert told(stage)
    assert schedule(stage) is None
    await stage.settle()
    assert schedule(stage)


# --- edits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        ({"schedule": "30 5 * * *"}, [f"apply {SCHEDULE}", STATUS]),
        ({"store": "others"}, [APPLY, STATUS]),
        ({"enabled": False}, [APPLY, f"delete {SCHEDULE}", STATUS]),
        ({"retention": "30d"}, [STATUS]),
    ],
    ids=lambda case: str(case)[:24],
)
async def test_an_edit_is_one_write_to_what_it_concerns(change: Object, writes: list[str]) -> None:
    stage = await backed_up()
    stage.object_store("others")
    stage.edit(backup=BACKUP | change)
    await stage.look()
    assert stage.kube.writes == writes


async def test_backups_can_be_switched_on_later_and_off_and_on_again() -> None:
    stage = Stage()
    stage.object_store()
    stage.order()
    await stage.settle()
    assert "backup" not in stage.status()
    stage.edit(backup=BACKUP)
    await stage.settle()
    first = stage.status()["backup"]["archive"]
    assert told(stage) == {"barmanObjectName": "backups", "serverName": first}
    assert schedule(stage)
    stage.edit(backup={"enabled": False})
    await stage.settle()
    assert told(stage) is None
    assert schedule(stage) is None
    assert stage.status()["backup"] == {"store": "backups", "archive": first}
    stage.edit(backup=BACKUP)
    await stage.settle()
    assert told(stage) == {"barmanObjectName": "backups", "serverName": first}


async def test_nothing_is_scheduled_while_the_plugin_is_on_its_way_into_the_instances() -> None:
    stage = Stage()
    stage.object_store()
    stage.order()
    await stage.settle()
    stage.edit(backup=BACKUP)
    await stage.look()
    assert told(stage)
    assert schedule(stage) is None
    await stage.settle()
    assert schedule(stage)


async def test_backups_may_be_the_platforms_default() -> None:
    defaults = BackupDefaults(enabled=True, store="platforms", schedule="0 4 * * *")
    stage = Stage(platform=replace(PLATFORM, backup=defaults))
    stage.object_store("platforms")
    stage.order()
    await stage.settle()
    assert told(stage) == {"barmanObjectName": "platforms", "serverName": archive(stage)}
    assert "backup" not in stage.database()["spec"]
    assert stage.status()["backup"]["store"] == "platforms"


# --- stores that are not there --------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["backups", None])
async def test_a_database_does_not_wait_for_its_store(asked: str | None) -> None:
    stage = Stage()
    stage.order(backup={"store": asked} if asked else {})
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert told(stage) is None
    assert schedule(stage) is None


async def test_a_store_that_appears_wakes_those_that_wait_for_it() -> None:
    stage = Stage()
    stage.order(backup=BACKUP)
    await stage.settle()
    stage.watch()
    stage.object_store()
    assert KEY in stage.watch()
    await stage.settle()
    assert told(stage)
    assert schedule(stage)


async def test_a_store_that_vanishes_detaches_nobody() -> None:
    stage = await backed_up()
    stage.kube.delete_object(known.BARMAN_STORE, "backups")
    await stage.settle()
    assert stage.kube.writes == [STATUS]
    stage.edit(backup=BACKUP | {"store": "missing"})
    await stage.settle()
    assert told(stage) == {"barmanObjectName": "backups", "serverName": archive(stage)}
    stage.edit(backup={"enabled": False})
    await stage.settle()
    assert told(stage) is None


# --- Clusters that come and go --------------------------------------------------------------------


async def test_a_cluster_that_is_created_again_begins_another_archive() -> None:
    stage = await backed_up()
    first = archive(stage)
    for number in (2, 3):
        stage.kube.delete_object(known.CLUSTER, CLUSTER)
        stage.kube.collect_garbage()
        await stage.settle()
        assert told(stage) == {"barmanObjectName": "backups", "serverName": f"{first}-{number}"}
        assert stage.status()["backup"]["archive"] == f"{first}-{number}"


async def test_so_it_does_after_a_restart_and_while_it_is_refused() -> None:
    stage = await backed_up()
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.kube.collect_garbage()
    await stage.restart()
    stage.kube.refusals[f"create Cluster {CLUSTER}"] = refused(503)
    for failures in range(3):
        with suppress(ApiError):
            await stage.look(failures=failures)
    stage.kube.refusals.clear()
    await stage.settle()
    assert stage.status()["backup"]["archive"] == f"{archive(stage)}-2"


async def test_a_cluster_that_came_and_went_while_no_operator_ran_keeps_its_archive() -> None:
    """It may have begun it, and the plugin mixes no two histories."""
    stage = Stage()
    stage.object_store()
    stage.order(backup=BACKUP)

    def die() -> None:
        if stage.kube.there(known.CLUSTER):
            raise Killed

    stage.kube.after_write = die
    with pytest.raises(Killed):
        await stage.settle()
    stage.kube.after_write = lambda: None
    assert "host" not in stage.status()
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.kube.collect_garbage()
    await stage.restart()
    await stage.settle()
    assert told(stage) == {"barmanObjectName": "backups", "serverName": f"{archive(stage)}-2"}
    assert stage.status()["backup"]["archive"] == f"{archive(stage)}-2"


async def test_a_status_that_was_lost_gets_the_clusters_own_archive_back() -> None:
    stage = await backed_up()

    def lose(obj: Object) -> None:
        obj["status"] = {"observedGeneration": -1}

    def rename(obj: Object) -> None:
        obj["spec"]["plugins"][0]["parameters"]["serverName"] = "of-another-time"

    stage.kube.change(known.CLUSTER, CLUSTER, rename)
    stage.kube.change(known.DATABASE, KEY.name, lose)
    await stage.settle()
    assert stage.status()["backup"]["archive"] == "of-another-time"
    assert told(stage) == {"barmanObjectName": "backups", "serverName": "of-another-time"}


async def test_what_was_retained_goes_on_under_its_name() -> None:
    stage = await backed_up(deletionPolicy="Retain")
    before, writes = "of-an-earlier-uid", stage.kube.one(known.SCHEDULED_BACKUP, CLUSTER)
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    kept = stage.kube.one(known.SCHEDULED_BACKUP, CLUSTER)
    assert not kept["metadata"].get("ownerReferences")
    assert kept["spec"] == writes["spec"]

    def rename(obj: Object) -> None:
        obj["spec"]["plugins"][0]["parameters"]["serverName"] = before

    stage.kube.change(known.CLUSTER, CLUSTER, rename)
    stage.order(deletionPolicy="Retain", backup=BACKUP)
    await stage.settle()
    assert told(stage) == {"barmanObjectName": "backups", "serverName": before}
    assert stage.status()["backup"]["archive"] == before
    uid = stage.database()["metadata"]["uid"]
    labels = stage.kube.one(known.SCHEDULED_BACKUP, CLUSTER)["metadata"]["labels"]
    assert labels[known.DATABASE.uid_label] == uid


async def test_what_was_retained_and_is_taken_over_without_backups_makes_none() -> None:
    stage = await backed_up(deletionPolicy="Retain")
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    stage.order(deletionPolicy="Retain")
    await stage.settle()
    assert stage.status()["phase"] == "Ready"
    assert told(stage) is None
    assert schedule(stage) is None


async def test_a_deletion_takes_the_schedule_first() -> None:
    stage = await backed_up()
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    assert stage.kube.there(known.SCHEDULED_BACKUP) == []
    deletions = [each for each in stage.kube.requests if each.startswith("delete ")]
    assert deletions[:3] == [
        f"delete {SCHEDULE}",
        "delete Pooler daap-orders-pooler",
        f"delete Cluster {CLUSTER}",
    ]


async def test_a_hibernated_database_makes_no_backups_until_it_is_awake() -> None:
    stage = await backed_up()

    def hibernate(obj: Object) -> None:
        obj["metadata"].setdefault("annotations", {})["cnpg.io/hibernation"] = "on"

    def wake(obj: Object) -> None:
        obj["metadata"]["annotations"]["cnpg.io/hibernation"] = "off"

    for change, suspended in ((hibernate, True), (wake, False)):
        stage.kube.change(known.CLUSTER, CLUSTER, change)
        await stage.settle()
        made = schedule(stage)
        assert made
        assert made["suspend"] is suspended


async def test_somebody_elses_schedule_is_not_touched() -> None:
    stage = Stage()
    stage.object_store()
    theirs = {"metadata": {"name": CLUSTER}, "spec": {"schedule": "0 0 0 * * *"}}
    stage.kube.add(known.SCHEDULED_BACKUP, theirs)
    stage.order(backup=BACKUP)
    await stage.settle()
    assert schedule(stage) == theirs["spec"]
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    assert stage.condition("Ready") == ("True", "Ready")


async def test_vandalism_on_the_schedule_is_repaired() -> None:
    stage = await backed_up()

    def suspend(obj: Object) -> None:
        obj["spec"]["suspend"] = True

    stage.kube.change(known.SCHEDULED_BACKUP, CLUSTER, suspend)
    await stage.settle()
    made = schedule(stage)
    assert made
    assert made["suspend"] is False
    stage.kube.delete_object(known.SCHEDULED_BACKUP, CLUSTER)
    play(stage.kube)
    await stage.settle()
    assert schedule(stage)
