"""What becomes of a database with `spec.source`, pass by pass."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from daap_operator.api.reasons import InventoryReason
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Outage
from daap_operator.kinds import known, recovery_log
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.recovery_log import words
from daap_operator.kube.words import HIDDEN
from daap_operator.mirror import MetadataError
from tests.unit.fakes import Killed, refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import CLUSTER, KEY, Stage, setting

Object = dict[str, Any]

COPY = ref("shop", "copy")
STORE = "backups"
WINDOW = {
    "firstRecoverabilityPoint": "2026-02-20T09:01:00Z",
    "lastSuccessfulBackupTime": "2026-03-01T03:12:30Z",
}
AT = "2026-03-01T04:00:00+01:00"


async def backed_up(**spec: Any) -> Stage:
    """A stage on which the database `orders` has an archive with a base backup."""
    stage = Stage()
    stage.object_store(STORE)
    stage.order(backup={"store": STORE}, storage={"size": "20Gi"}, **spec)
    await stage.settle()
    told(stage)
    await stage.settle()
    stage.kube.requests.clear()
    assert stage.status()["backup"]["lastSuccessful"]
    return stage


def told(stage: Stage) -> None:
    """The plugin tells of the archive of `orders`."""
    windows = {archive_of(stage): WINDOW}
    stage.kube.change(
        known.BARMAN_STORE, STORE, setting("status", {"serverRecoveryWindow": windows})
    )


def archive_of(stage: Stage, key: Ref = KEY) -> str:
    """The name of a database's archive."""
    return str(stage.status(key)["backup"]["archive"])


def copy(stage: Stage, *, storage: str = "20Gi", spec: Object | None = None, **source: Any) -> None:
    """Somebody creates the database `copy` from `orders`, unless told otherwise."""
    asked = source if "archive" in source else {"database": "orders"} | source
    stage.order("copy", source=asked, storage={"size": storage}, **(spec or {}))


def bootstrap(stage: Stage, cluster: str = "daap-copy") -> Object:
    """What a Cluster is told of its beginning."""
    spec = stage.kube.one(known.CLUSTER, cluster)["spec"]
    return {part: spec.get(part) for part in ("bootstrap", "externalClusters")}


def recovery(stage: Stage, **target: Any) -> Object:
    """What it is to be told when it is restored from the archive of `orders`."""
    made: Object = {"source": "source", "database": "orders", "owner": "orders"}
    parameters = {"barmanObjectName": STORE, "serverName": archive_of(stage)}
    plugin: Object = {"name": "barman-cloud.cloudnative-pg.io", "parameters": parameters}
    plugin |= {"enabled": True, "isWALArchiver": False}
    return {
        "bootstrap": {"recovery": made | ({"recoveryTarget": target} if target else {})},
        "externalClusters": [{"name": "source", "plugin": plugin}],
    }


# --- noted, then made -----------------------------------------------------------------------------


async def test_a_source_is_noted_before_the_cluster_is_made_from_it() -> None:
    stage = await backed_up()
    copy(stage, at=AT, spec={"backup": {"store": STORE}})
    await stage.look(COPY)
    requests = stage.kube.requests
    noted = requests.index("status of DaapDatabase copy")
    assert noted < requests.index("create Cluster daap-copy")
    assert bootstrap(stage) == recovery(stage, targetTime="2026-03-01T03:00:00Z")
    status = stage.status(COPY)
    assert status["source"] == {
        "database": "orders",
        "namespace": "shop",
        "archive": archive_of(stage),
        "store": STORE,
        "at": "2026-03-01T03:00:00Z",
        "databaseName": "orders",
    }
    assert (status["databaseName"], status["postgresVersion"]) == ("orders", 17)
    assert status["locale"] == stage.status()["locale"]
    assert archive_of(stage, COPY) != archive_of(stage)
    await stage.settle()
    assert kstatus(stage.database(COPY)) == "Current"
    assert stage.status(COPY)["username"] == "orders"


async def test_the_source_is_read_once() -> None:
    """Neither the source's end nor another window, nor a new process changes what was noted."""
    stage = await backed_up()
    copy(stage, at=AT)
    await stage.settle()
    before = bootstrap(stage), stage.status(COPY)["source"]
    stage.kube.delete_object(known.DATABASE, "orders")
    stage.kube.delete_object(known.BARMAN_STORE, STORE)
    await stage.settle()
    await stage.restart()
    stage.kube.requests.clear()
    await stage.look(COPY)
    assert [each for each in stage.kube.requests if "copy" in each] == []
    assert (bootstrap(stage), stage.status(COPY)["source"]) == before


async def test_a_lost_status_is_read_off_the_cluster() -> None:
    stage = await backed_up()
    copy(stage, at=AT)
    await stage.settle()
    before = bootstrap(stage)
    stage.kube.change(known.DATABASE, "copy", setting("status", {}))
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.restart()
    await stage.settle()
    assert bootstrap(stage) == before
    status = stage.status(COPY)
    assert status["databaseName"] == status["source"]["databaseName"] == "orders"
    assert status["source"]["at"] == "2026-03-01T03:00:00Z"
    assert "locale" not in status
    assert kstatus(stage.database(COPY)) == "Current"


async def test_a_process_that_dies_after_the_note_goes_on_with_what_was_noted() -> None:
    stage = await backed_up()
    copy(stage, at=AT)

    def die() -> None:
        if stage.kube.requests[-1] == "status of DaapDatabase copy":
            raise Killed

    stage.kube.after_write = die
    with pytest.raises(Killed):
        await stage.look(COPY)
    stage.kube.after_write = lambda: None
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.restart()
    await stage.settle()
    assert bootstrap(stage)["bootstrap"]["recovery"]["recoveryTarget"] == {
        "targetTime": "2026-03-01T03:00:00Z"
    }


# --- waited for, and refused ----------------------------------------------------------------------


async def test_a_store_that_is_missing_is_waited_for_and_nothing_is_made() -> None:
    stage = await backed_up()
    stage.kube.delete_object(known.BARMAN_STORE, STORE)
    copy(stage)
    await stage.settle()
    assert stage.condition("Ready", COPY) == ("False", "StoreMissing")
    assert stage.condition("Reconciling", COPY) == ("True", "StoreMissing")
    assert "spec.source.store" in stage.message("Ready", COPY)
    assert "clusterName" not in stage.status(COPY)
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]
    stage.object_store(STORE)  # it tells of nothing: the status of the source knows of a backup
    await stage.settle()
    assert bootstrap(stage) == recovery(stage)


async def test_what_is_named_itself_is_not_waited_for() -> None:
    """An ObjectStore that was created again tells of nothing, whatever is in the bucket."""
    stage = await backed_up()
    stage.kube.delete_object(known.BARMAN_STORE, STORE)
    stage.object_store(STORE)
    named = {"database": "orders", "backup": "20260301T031207"}
    stage.order("one", source=named, storage={"size": "20Gi"})
    archive = archive_of(stage)
    stage.order("two", source={"archive": archive}, postgresVersion=17, backup={"store": STORE})
    await stage.settle()
    target = bootstrap(stage, "daap-one")["bootstrap"]["recovery"]["recoveryTarget"]
    assert target == {"backupID": "20260301T031207", "targetImmediate": True}
    assert bootstrap(stage, "daap-two")["bootstrap"]["recovery"]["database"] == "two"
    assert "locale" not in stage.status(ref("shop", "two"))


async def test_a_moment_that_cannot_be_restored_is_refused_and_can_be_corrected() -> None:
    stage = await backed_up()
    copy(stage, at="2026-02-20T09:00:59Z")
    await stage.settle()
    assert stage.condition("Stalled", COPY) == ("True", "SourceNotRecoverable")
    assert "2026-02-20T09:01:00Z" in stage.message("Ready", COPY)
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]
    stage.kube.change(
        known.DATABASE,
        "copy",
        lambda obj: obj["spec"].update(source={"database": "orders", "at": "2026-02-20T09:01:00Z"}),
    )
    await stage.settle()
    assert bootstrap(stage) == recovery(stage, targetTime="2026-02-20T09:01:00Z")


async def test_one_that_is_waited_for_or_refused_goes_at_once() -> None:
    for source in ({"database": "nothing"}, {"database": "orders", "store": "none"}):
        stage = await backed_up()
        stage.order("copy", source=source, storage={"size": "20Gi"})
        await stage.settle()
        assert "clusterName" not in stage.status(COPY)
        stage.kube.delete_object(known.DATABASE, "copy")
        await stage.settle()
        assert stage.kube.there(known.DATABASE) == ["orders"]


async def test_a_retained_cluster_is_not_taken_over_by_one_that_asks_for_other_data() -> None:
    stage = await backed_up(deletionPolicy="Retain")
    stage.mirror.remembered["shop", "orders"] = GONE
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    undelete(stage, deletionPolicy="Retain", backup={"store": STORE})
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "ObjectConflict")
    assert "remove spec.source to take it over" in stage.message()
    stage.edit(source=None)
    await stage.settle()
    assert kstatus(stage.database()) == "Current"
    assert "source" not in stage.status()


# --- of what is deleted ---------------------------------------------------------------------------

GONE = {
    "archive": "daap-orders-5e1ec7ab",
    "store": STORE,
    "database_name": "shop_orders",
    "postgres_version": "16",
    "locale": "icu/und",
    "spec.storage.size": "20Gi",
}


def undelete(stage: Stage, **spec: Any) -> None:
    """Somebody creates `orders` from what is kept of the one before."""
    stage.order(source={"database": "orders"}, storage={"size": "20Gi"}, **spec)


async def test_a_deleted_database_comes_back_under_its_own_name() -> None:
    stage = Stage()
    stage.object_store(STORE)
    stage.mirror.remembered["shop", "orders"] = GONE
    undelete(stage)
    await stage.settle()
    assert stage.mirror.recalled == [("shop", "orders")]
    status = stage.status()
    assert status["source"]["archive"] == "daap-orders-5e1ec7ab"
    assert (status["databaseName"], status["postgresVersion"]) == ("shop_orders", 16)
    assert status["locale"] == "icu/und"
    assert bootstrap(stage, CLUSTER)["bootstrap"]["recovery"]["owner"] == "shop_orders"
    assert kstatus(stage.database()) == "Current"


async def test_an_inventory_that_does_not_answer_is_waited_for() -> None:
    stage = Stage()
    stage.object_store(STORE)
    stage.mirror.outage = MetadataError(InventoryReason.UNREACHABLE, "It is away")
    undelete(stage)
    await stage.settle()
    assert stage.condition("Reconciling") == ("True", "SourcePending")
    assert "It is away" in stage.message()
    assert stage.kube.there(known.CLUSTER) == []
    stage.mirror.outage = None
    stage.mirror.remembered["shop", "orders"] = GONE
    await stage.settle()
    assert kstatus(stage.database()) == "Current"


@pytest.mark.parametrize("row", [None, {}, GONE | {"archive": "../../another/bucket"}])
async def test_what_the_inventory_does_not_know_is_not_found(row: dict[str, str] | None) -> None:
    stage = Stage()
    stage.object_store(STORE)
    if row is not None:
        stage.mirror.remembered["shop", "orders"] = row
    undelete(stage)
    await stage.settle()
    assert stage.condition("Stalled") == ("True", "SourceNotFound")
    assert stage.kube.there(known.CLUSTER) == []


# --- while it is being restored -------------------------------------------------------------------

FATAL = "recovery ended before configured recovery target was reached"
LOG = "\n".join(
    json.dumps(entry)
    for entry in (
        {"level": "info", "msg": "Recovering existing backup"},
        {"record": {"error_severity": "LOG", "message": "redo starts at 0/4000028"}},
        {"record": {"error_severity": "FATAL", "message": FATAL}},
        {"level": "error", "msg": "restore error", "error": "while waiting: exit status 1"},
    )
)


PANIC = json.dumps({"record": {"error_severity": "PANIC", "message": "a\x1b[31mb"}})


async def restoring(**source: Any) -> Stage:
    """A stage on which the database `copy` is being restored."""
    stage = await backed_up()
    copy(stage, **source)
    await stage.settle(playing=False)
    phase = {"phase": "Setting up primary"}
    stage.kube.change(known.CLUSTER, "daap-copy", setting("status", phase))
    await stage.look(COPY)
    return stage


def try_fails(stage: Stage, number: int, log: str = LOG) -> None:
    """A pod of CloudNativePG's Job has failed."""
    name = f"daap-copy-1-full-recovery-{number}"
    labels = {"cnpg.io/cluster": "daap-copy", "cnpg.io/jobRole": "full-recovery"}
    metadata = {"name": name, "namespace": "shop", "labels": labels}
    stage.kube.add(known.POD, {"metadata": metadata, "status": {"phase": "Failed"}})
    stage.kube.logs["shop", name, "full-recovery"] = log


def reads(stage: Stage) -> list[str]:
    """The logs that were read."""
    return [each for each in stage.kube.requests if each.endswith(" log")]


async def test_a_restore_says_what_it_restores_and_to_when() -> None:
    stage = await restoring(at=AT)
    assert stage.condition("Ready", COPY) == ("False", "Restoring")
    assert stage.condition("Reconciling", COPY) == ("True", "Restoring")
    told = stage.message("Ready", COPY)
    assert archive_of(stage) in told
    assert "2026-03-01T03:00:00Z" in told
    assert stage.status(COPY)["phase"] == "Provisioning"
    assert reads(stage) == []


async def test_a_try_that_fails_is_told_in_the_words_of_postgresql_and_read_once() -> None:
    stage = await restoring(at=AT)
    try_fails(stage, 1)
    await stage.look(COPY)
    await stage.look(COPY)
    assert stage.condition("Ready", COPY) == ("False", "RestoreFailing")
    assert stage.condition("Reconciling", COPY) == ("True", "RestoreFailing")
    assert stage.status(COPY)["phase"] == "Error"
    assert FATAL in stage.message("Ready", COPY)
    assert "earlier moment" in stage.message("Ready", COPY)
    assert reads(stage) == ["get Pod daap-copy-1-full-recovery-1 log"]
    stage.clock.advance(20)
    try_fails(stage, 2, json.dumps({"level": "error", "error": "no target backup found"}))
    await stage.look(COPY)
    assert "no target backup found" in stage.message("Ready", COPY)
    assert len(reads(stage)) == 2
    await stage.settle()
    assert kstatus(stage.database(COPY)) == "Current"


async def test_when_cloudnativepg_has_given_up_somebody_has_to_act() -> None:
    stage = await restoring(at=AT)
    try_fails(stage, 1)
    phase = {"phase": "Cluster is unrecoverable and needs manual intervention"}
    stage.kube.change(known.CLUSTER, "daap-copy", setting("status", phase))
    await stage.look(COPY)
    assert stage.condition("Stalled", COPY) == ("True", "RestoreFailing")
    assert FATAL in stage.message("Stalled", COPY)


GIVEN_UP = {"phase": "Cluster is unrecoverable and needs manual intervention"}


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_a_copy_that_has_data_is_not_said_to_hold_none(restarted: bool) -> None:
    """Long after a try that failed; or somebody runs a pod that looks like one."""
    stage = await restoring(at=AT)
    try_fails(stage, 1)
    await stage.look(COPY)
    await stage.settle()
    assert kstatus(stage.database(COPY)) == "Current"
    if restarted:
        await stage.restart()
    healthy = stage.kube.one(known.CLUSTER, "daap-copy")["status"]
    stage.kube.change(known.CLUSTER, "daap-copy", setting("status", healthy | GIVEN_UP))
    stage.clock.advance(20)
    try_fails(stage, 2)
    await stage.look(COPY)
    assert stage.condition("Stalled", COPY) == ("True", "Unrecoverable")
    assert "delete" not in stage.message("Stalled", COPY)


async def test_nobody_is_told_to_delete_a_database_whose_cluster_was_lost() -> None:
    stage = await backed_up()
    archive = await lost(stage)
    await stage.settle(playing=False)
    stage.kube.change(known.CLUSTER, CLUSTER, setting("status", {"phase": "Setting up primary"}))
    name = f"{CLUSTER}-1-full-recovery-1"
    labels = {"cnpg.io/cluster": CLUSTER, "cnpg.io/jobRole": "full-recovery"}
    metadata = {"name": name, "namespace": "shop", "labels": labels}
    stage.kube.add(known.POD, {"metadata": metadata, "status": {"phase": "Failed"}})
    stage.kube.logs["shop", name, "full-recovery"] = LOG
    await stage.look()
    assert stage.condition("Reconciling") == ("True", "RestoreFailing")
    told = stage.message("Ready")
    assert FATAL in told
    assert "delete" not in told
    assert f"spec.source.archive '{archive}'" in told


async def test_a_log_that_cannot_be_read_ends_no_pass() -> None:
    stage = await restoring()
    stage.kube.refusals["get Pod daap-copy-1-full-recovery-1 log"] = refused(403)
    try_fails(stage, 1)
    await stage.look(COPY)
    assert stage.condition("Ready", COPY) == ("False", "RestoreFailing")
    assert "must grant it 'get' of pods/log" in stage.message("Ready", COPY)


CODE_ALONE = json.dumps({"level": "error", "error": "desc = Operation error (exit code 1)"})
MISSING = "[29] ERROR: Missing file shop/daap-orders-5e1ec7ab/base/1/data.* for server orders"
SIDECAR = json.dumps({"level": "info", "logger": "barman-cloud-restore", "msg": MISSING})


async def test_what_the_sidecar_says_is_told_where_cloudnativepg_has_but_an_exit_code() -> None:
    stage = await restoring()
    try_fails(stage, 1, CODE_ALONE)
    stage.kube.logs["shop", "daap-copy-1-full-recovery-1", "plugin-barman-cloud"] = SIDECAR
    await stage.look(COPY)
    await stage.look(COPY)
    told = stage.message("Ready", COPY)
    assert "Missing file shop/daap-orders-5e1ec7ab/base/1/data.* for server orders" in told
    assert "exit code" not in told
    assert "from another spec.source.backup" in told
    assert len(reads(stage)) == 2


async def test_an_exit_code_is_told_where_the_sidecar_says_no_more() -> None:
    stage = await restoring()
    try_fails(stage, 1, CODE_ALONE)
    await stage.look(COPY)
    assert "Operation error (exit code 1)" in stage.message("Ready", COPY)


async def test_a_log_that_says_nothing_is_told() -> None:
    stage = await restoring()
    try_fails(stage, 1, "")
    await stage.look(COPY)
    assert "does not say why" in stage.message("Ready", COPY)


async def test_a_log_is_asked_for_again_when_the_api_server_does_not_answer() -> None:
    stage = await restoring()
    asked = "get Pod daap-copy-1-full-recovery-1 log"
    stage.kube.refusals[asked] = Outage("away")
    try_fails(stage, 1)
    await stage.look(COPY)
    assert stage.condition("Ready", COPY) == ("False", "Restoring")
    stage.kube.refusals.clear()
    await stage.look(COPY)
    assert FATAL in stage.message("Ready", COPY)


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("", ""),
        ("not JSON\n{}\n[1]\n" + "[" * 100_000, ""),
        (LOG, FATAL),
        ('{"level": "error", "error": "exit status 4"}', "exit status 4"),
        ('{"level": "error", "error": "at https://s3.example:9000/x"}', f"at {HIDDEN}"),
        (
            '{"record": {"error_severity": "PANIC", "message": "a\\u001b[31mb"}}',
            "a\N{REPLACEMENT CHARACTER}[31mb",
        ),
    ],
)
def test_what_a_log_says_is_cleaned(log: str, told: str) -> None:
    assert words(log) == told


def test_of_a_long_message_the_beginning_is_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Word by word, which of a log as long as is read would keep the event loop from everybody."""
    gone_through: list[str] = []

    def noted(text: str) -> str:
        gone_through.append(text)
        return text

    monkeypatch.setattr(recovery_log, "quotable", noted)
    for word in ("a ", "10.20.30.40 "):
        message = word * (120_000 // len(word))
        words(json.dumps({"record": {"error_severity": "FATAL", "message": message}}))
        (text,) = gone_through
        assert set(text.split()) == {word.strip()}
        assert len(text) <= 4096
        gone_through.clear()
    monkeypatch.undo()
    for word, told in (("a ", "a a"), ("10.20.30.40 ", HIDDEN)):
        message = word * (120_000 // len(word))
        log = json.dumps({"record": {"error_severity": "FATAL", "message": message}})
        assert words(log).startswith(told)
        assert "10." not in words(log)
    whole = json.dumps({"level": "error", "error": "https://" + "x" * 100_000})
    assert words(whole) == ""


# --- a Cluster that is lost -----------------------------------------------------------------------


async def lost(stage: Stage) -> str:
    """The Cluster of `orders` is gone; its archive's name."""
    archive = archive_of(stage)
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.kube.collect_garbage()
    stage.announcer.announced.clear()
    return archive


async def test_a_lost_cluster_is_restored_from_what_it_had_archived() -> None:
    stage = await backed_up()
    archive = await lost(stage)
    await stage.settle()
    (external,) = bootstrap(stage, CLUSTER)["externalClusters"]
    assert external["plugin"]["parameters"] == {"barmanObjectName": STORE, "serverName": archive}
    assert "recoveryTarget" not in bootstrap(stage, CLUSTER)["bootstrap"]["recovery"]
    assert stage.status()["source"] == {
        "archive": archive,
        "store": STORE,
        "databaseName": "orders",
    }
    assert archive_of(stage) == f"{archive}-2"
    assert kstatus(stage.database()) == "Current"
    (told,) = [e for e in stage.announcer.announced if e.reason == "ClusterRecreated"]
    assert f"restored from archive {archive} to the latest change" in told.note


async def test_the_archive_of_a_restored_cluster_begins_with_a_backup() -> None:
    """Until there is one, all that is written is lost with this Cluster, too."""
    stage = await backed_up()
    before = stage.kube.one(known.SCHEDULED_BACKUP, CLUSTER)
    await lost(stage)
    stage.kube.requests.clear()
    await stage.settle()
    after = stage.kube.one(known.SCHEDULED_BACKUP, CLUSTER)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"] == before["spec"]
    writes = [r for r in stage.kube.writes if CLUSTER in r and "Pooler" not in r]
    assert writes == [
        f"delete ScheduledBackup {CLUSTER}",
        f"create Cluster {CLUSTER}",
        f"create ScheduledBackup {CLUSTER}",
    ]


@pytest.mark.parametrize("write", range(1, 6))
async def test_wherever_a_process_dies_a_lost_cluster_is_never_created_empty(write: int) -> None:
    stage = await backed_up()
    archive = await lost(stage)
    left = [write]

    def die() -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed

    stage.kube.after_write = die
    with suppress(Killed):
        await stage.settle()
    stage.kube.after_write = lambda: None
    await stage.restart()
    await stage.settle()
    assert "initdb" not in bootstrap(stage, CLUSTER)["bootstrap"]
    assert stage.status()["source"]["archive"] == archive
    assert archive_of(stage) != archive


async def test_a_cluster_that_is_lost_again_comes_from_the_newest_archive_with_a_base_backup() -> (
    None
):
    stage = await backed_up()
    first = await lost(stage)
    await stage.settle()
    await lost(stage)  # before its own archive had a base backup
    await stage.settle()
    assert stage.status()["source"]["archive"] == first
    assert archive_of(stage) == f"{first}-3"
    windows = {first: WINDOW, f"{first}-3": WINDOW}
    status = setting("status", {"serverRecoveryWindow": windows})
    stage.kube.change(known.BARMAN_STORE, STORE, status)
    await stage.settle()
    await lost(stage)
    await stage.settle()
    assert stage.status()["source"]["archive"] == f"{first}-3"


async def test_a_lost_cluster_without_a_base_backup_is_created_empty_and_that_is_told() -> None:
    stage = Stage()
    stage.object_store(STORE)
    stage.order(backup={"store": STORE})
    await stage.settle()
    archive = await lost(stage)
    await stage.settle()
    assert "initdb" in bootstrap(stage, CLUSTER)["bootstrap"]
    assert "source" not in stage.status()
    assert archive_of(stage) == f"{archive}-2"
    (told,) = [e for e in stage.announcer.announced if e.reason == "ClusterRecreated"]
    assert "It is empty" in told.note


async def no_store(stage: Stage) -> None:
    """The ObjectStore is gone."""
    stage.kube.delete_object(known.BARMAN_STORE, STORE)


async def no_plugin(stage: Stage) -> None:
    """The Barman Cloud plugin is gone, and all ObjectStores with it."""
    stage.kube.delete_object(known.BARMAN_STORE, STORE)
    stage.kube.missing = {known.BARMAN_STORE}
    await stage.relist()


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (no_store, "must create it again, with the same destinationPath"),
        (no_plugin, "without the Barman Cloud plugin: the platform team must install it"),
    ],
)
async def test_a_lost_cluster_waits_for_the_store_that_has_its_archive(
    gone: Callable[[Stage], Awaitable[None]], told: str, restarts: bool
) -> None:
    stage = await backed_up()
    await gone(stage)
    archive = await lost(stage)
    if restarts:
        await stage.restart()
    for _ in range(3):
        await stage.settle()
        assert stage.kube.there(known.CLUSTER) == []
    assert stage.condition("Stalled") == ("True", "StoreMissing")
    assert stage.condition("Ready") == ("False", "NotServing")
    for part in (archive, told, "To begin empty instead, delete this DaapDatabase"):
        assert part in stage.message("Stalled")
    assert (archive_of(stage), stage.status()["phase"]) == (archive, "Error")
    stage.kube.missing.clear()
    stage.object_store(STORE)  # created again, it tells of no backup
    await stage.relist()
    await stage.settle()
    (external,) = bootstrap(stage, CLUSTER)["externalClusters"]
    assert external["plugin"]["parameters"] == {"barmanObjectName": STORE, "serverName": archive}
    assert archive_of(stage) == f"{archive}-2"
    assert kstatus(stage.database()) == "Current"


async def test_another_store_that_is_asked_for_meanwhile_is_not_where_it_is_looked_for() -> None:
    stage = await backed_up()
    await no_store(stage)
    archive = await lost(stage)
    await stage.settle()
    stage.object_store("others")
    stage.edit(backup={"store": "others"})
    for _ in range(2):
        await stage.settle()
        assert stage.kube.there(known.CLUSTER) == []
        assert f"'{archive}' of ObjectStore '{STORE}'" in stage.message("Stalled")
    stage.object_store(STORE)
    await stage.settle()
    assert stage.status()["source"]["store"] == STORE
    assert stage.status()["backup"]["store"] == "others"


async def test_a_database_that_waits_for_its_store_can_be_deleted_and_begins_empty() -> None:
    stage = await backed_up(deletionProtection=True)
    await no_store(stage)
    await lost(stage)
    await stage.settle()
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    assert stage.kube.there(known.DATABASE) == []
    stage.order(backup={"store": STORE})
    await stage.settle()
    assert "initdb" in bootstrap(stage, CLUSTER)["bootstrap"]


async def test_what_never_archived_waits_for_no_store() -> None:
    stage = Stage()
    stage.order(backup={"store": STORE})
    await stage.settle()
    assert "archive" not in stage.status()["backup"]
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.kube.collect_garbage()
    await stage.settle()
    assert kstatus(stage.database()) == "Current"
    assert "initdb" in bootstrap(stage, CLUSTER)["bootstrap"]


async def test_a_cluster_that_is_lost_before_its_first_backup_comes_from_what_it_came_from() -> (
    None
):
    """To the same moment: what came after that was to be undone."""
    stage = await backed_up()
    first = archive_of(stage)
    source = {"archive": first, "store": STORE, "databaseName": "orders"}
    restored = {"at": "2026-03-01T03:00:00Z", "database": "orders", "namespace": "shop"}

    def put_back(obj: Object) -> None:
        obj["status"]["source"] = source | restored

    await lost(stage)
    stage.kube.change(known.DATABASE, KEY.name, put_back)
    stage.kube.change(known.DATABASE, KEY.name, _next_archive)
    await stage.restart()
    await stage.settle()
    target = bootstrap(stage, CLUSTER)["bootstrap"]["recovery"]["recoveryTarget"]
    assert target == {"targetTime": "2026-03-01T03:00:00Z"}
    assert stage.status()["source"]["archive"] == first
    assert archive_of(stage) == f"{first}-3"


def _next_archive(obj: Object) -> None:
    """As it is after a restore in place, before the first backup."""
    backup = obj["status"]["backup"]
    backup["archive"] += "-2"
    for field in ("lastSuccessful", "firstRecoverable"):
        backup.pop(field)


async def test_a_copy_that_is_lost_comes_from_its_own_archive() -> None:
    stage = await backed_up()
    copy(stage, at=AT, spec={"backup": {"store": STORE}})
    await stage.settle()
    own = archive_of(stage, COPY)
    windows = {archive_of(stage): WINDOW, own: WINDOW}
    status = setting("status", {"serverRecoveryWindow": windows})
    stage.kube.change(known.BARMAN_STORE, STORE, status)
    await stage.settle()
    stage.kube.delete_object(known.CLUSTER, "daap-copy")
    await stage.settle()
    assert stage.status(COPY)["source"] == {
        "archive": own,
        "store": STORE,
        "databaseName": "orders",
    }
    assert stage.status(COPY)["databaseName"] == "orders"
