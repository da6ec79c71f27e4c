"""What becomes of a DaapRestore and of its database, pass by pass."""

import base64
from contextlib import suppress
from typing import Any

import pytest

from daap_operator.engine.kinds import Ref
from daap_operator.errors import Outage
from daap_operator.kinds import known
from daap_operator.kube import Unreachable
from tests.support.daapbackups import DONE
from tests.unit.backup_stage import STORE
from tests.unit.fakes import Killed, refused
from tests.unit.kstatus import kstatus
from tests.unit.restore_stage import ARCHIVE, BACK, NEXT, RestoreStage, recoverable
from tests.unit.stage import CLUSTER, KEY, SECRET, play, setting

Object = dict[str, Any]

HOLD, TELL = "finalizers of DaapRestore back", "status of DaapRestore back"
DATABASE = "status of DaapDatabase orders"
SAFETY = "back-00000000"
AGAIN = Ref(known.DAAP_RESTORE, "shop", "again")


def uid(obj: Object) -> str:
    found: str = obj["metadata"]["uid"]
    return found


def password(stage: RestoreStage, name: str) -> str:
    data = stage.kube.one(known.SECRET, name)["data"]
    return base64.b64decode(data["password"]).decode()


async def asked(**spec: Any) -> RestoreStage:
    """A database that can be restored, and a DaapRestore of it."""
    stage = await recoverable()
    stage.restore(**spec)
    return stage


async def restored(**spec: Any) -> RestoreStage:
    """The same, completed."""
    stage = await asked(**spec)
    await stage.carry_on(until="Completed")
    await stage.carry_on()
    stage.forget_requests()
    return stage


# --- carried out ----------------------------------------------------------------------------------


async def test_a_restore_costs_these_requests_in_this_order() -> None:
    stage = await asked()
    await stage.carry_on(until="Completed")
    of_the_backup = [r for r in stage.kube.requests if SAFETY in r]
    assert of_the_backup == [
        f"create DaapBackup {SAFETY}",
        f"finalizers of DaapBackup {SAFETY}",
        f"status of DaapBackup {SAFETY}",
        f"create Backup {SAFETY}-00000000",
        f"status of DaapBackup {SAFETY}",
        f"status of DaapBackup {SAFETY}",
    ]
    assert [r for r in stage.kube.requests if SAFETY not in r] == [
        HOLD,
        TELL,  # what is restored, from what, and instead of which Cluster
        TELL,  # BackingUp
        TELL,  # Replacing
        f"get Cluster {CLUSTER}",
        DATABASE,  # the same, where the Cluster is made from it
        f"get Cluster {CLUSTER}",
        f"delete ScheduledBackup {CLUSTER}",
        f"delete Cluster {CLUSTER}",
        DATABASE,
        TELL,  # Restoring
        f"get Cluster {CLUSTER}",
        "list PersistentVolumeClaim shop",
        f"get Secret {CLUSTER}-ca",
        f"get Secret {CLUSTER}-app",
        f"get Secret {SECRET}",
        f"create Secret {CLUSTER}-app",
        f"create Cluster {CLUSTER}",
        DATABASE,
        f"get Secret {CLUSTER}-app",
        f"get Secret {CLUSTER}-ca",
        f"get Secret {SECRET}",
        f"create ScheduledBackup {CLUSTER}",
        DATABASE,
        TELL,  # Completed
    ]


async def test_the_cluster_is_another_one_from_the_archive_and_writes_to_the_next_one() -> None:
    stage = await asked()
    before = uid(stage.cluster)
    at = stage.backup()["spec"]["at"]
    await stage.carry_on(until="Completed")
    assert uid(stage.cluster) != before
    spec = stage.cluster["spec"]
    assert spec["bootstrap"]["recovery"]["recoveryTarget"] == {"targetTime": at}
    (source,) = spec["externalClusters"]
    assert source["plugin"]["parameters"]["serverName"] == ARCHIVE
    assert spec["plugins"][0]["parameters"]["serverName"] == NEXT
    status = stage.status()
    assert status["backup"]["archive"] == NEXT
    assert status["restore"]["clusterUid"] == uid(stage.cluster)
    assert status["restore"]["replacedClusterUid"] == before


async def test_host_secret_and_password_stay() -> None:
    stage = await recoverable()
    first = base64.b64encode(b"first").decode()
    for name in (f"{CLUSTER}-app", SECRET):
        data = stage.kube.one(known.SECRET, name)["data"]
        stage.kube.change(known.SECRET, name, setting("data", data | {"password": first}))
    before = stage.status()
    stage.restore()
    await stage.carry_on(until="Completed")
    assert password(stage, SECRET) == password(stage, f"{CLUSTER}-app") == "first"
    for field in ("host", "secretName", "username", "databaseName", "clusterName"):
        assert stage.status()[field] == before[field]
    kept = stage.kube.one(known.SECRET, f"{CLUSTER}-app")
    (owner,) = kept["metadata"]["ownerReferences"]
    assert owner["kind"] == "DaapDatabase"
    # CloudNativePG follows a later change of it
    assert kept["metadata"]["labels"]["cnpg.io/reload"] == "true"


async def test_it_says_before_and_after_which_moment_and_the_way_back() -> None:
    stage = await asked()
    at = stage.backup()["spec"]["at"]
    for phase in ("BackingUp", "Replacing", "Restoring", "Completed"):
        await stage.carry_on(until=phase)
        assert at in stage.says(key=BACK), phase
        assert SAFETY in stage.says(key=BACK), phase
    assert kstatus(stage.backup()) == "Current"
    safety = stage.backup()["status"]["safetyBackup"]
    assert safety == {
        "name": SAFETY,
        "archive": ARCHIVE,
        "backupId": DONE["backupId"],
        "stoppedAt": DONE["stoppedAt"],
    }


@pytest.mark.parametrize("again", ["pass", "restart", "lost status"])
async def test_what_is_completed_is_never_done_again(again: str) -> None:
    stage = await restored()
    before = uid(stage.cluster)
    if again == "lost status":
        stage.kube.change(known.DAAP_RESTORE, "back", setting("status", {}))
    if again == "restart":
        await stage.restart()
    await stage.carry_on()
    assert uid(stage.cluster) == before
    if again == "lost status":
        assert stage.told(BACK)["Stalled"] == ("True", "ClusterNewer")
        assert "Nothing was replaced" in stage.says(key=BACK)
    else:
        assert stage.kube.requests == []


async def test_one_that_is_created_again_beside_its_database_replaces_nothing() -> None:
    """As manifests that are applied to another cluster, or objects that are restored there."""
    stage = RestoreStage()
    stage.order(backup={"store": STORE})
    stage.object_store(STORE)
    stage.restore(at=stage.ago(60))
    await stage.carry_on()
    assert stage.told(BACK)["Stalled"][1] in ("DatabaseMissing", "ClusterNewer")
    assert stage.phase(BACK) == "Failed"
    assert not [r for r in stage.kube.requests if r.startswith("delete")]


async def test_it_can_be_a_backup_by_its_name_which_knows_its_archive() -> None:
    stage = await restored()
    stage.covers(NEXT)
    stage.restore(AGAIN, backup=SAFETY)
    before = uid(stage.cluster)
    for _ in range(20):
        await stage.carry_on()
    assert stage.phase(AGAIN) == "Completed", stage.backup(AGAIN)
    assert uid(stage.cluster) != before
    spec = stage.cluster["spec"]
    target = {"backupID": DONE["backupId"], "targetImmediate": True}
    assert spec["bootstrap"]["recovery"]["recoveryTarget"] == target
    assert spec["externalClusters"][0]["plugin"]["parameters"]["serverName"] == ARCHIVE
    assert spec["plugins"][0]["parameters"]["serverName"] == f"{ARCHIVE}-3"


async def test_a_restore_without_a_safety_backup_makes_none() -> None:
    stage = await asked(safetyBackup="Skip")
    await stage.carry_on(until="Completed")
    assert stage.safety == []
    assert "was not backed up" in stage.says(key=BACK)


async def test_the_way_back_stays_when_the_restore_is_deleted() -> None:
    stage = await restored()
    stage.kube.delete_object(known.DAAP_RESTORE, "back")
    await stage.carry_on()
    assert stage.kube.there(known.DAAP_RESTORE) == []
    assert stage.safety == [SAFETY]
    assert len(stage.mirror.deleted) == 1


async def test_it_goes_with_the_database() -> None:
    stage = await restored()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.carry_on()
    assert stage.kube.there(known.SECRET) == []
    assert stage.kube.there(known.CLUSTER) == []
    assert stage.phase(BACK) == "Completed"


async def test_a_retained_database_keeps_its_credentials() -> None:
    stage = await recoverable(deletionPolicy="Retain")
    stage.restore()
    await stage.carry_on(until="Completed")
    await stage.carry_on()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.carry_on()
    kept = stage.kube.one(known.SECRET, f"{CLUSTER}-app")["metadata"]
    assert not kept.get("ownerReferences")
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]
    stage.order(backup={"store": STORE}, deletionPolicy="Retain")
    await stage.carry_on()
    assert stage.status()["phase"] == "Ready"
    stage.edit(deletionPolicy="Delete")
    await stage.carry_on()
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.carry_on()
    assert stage.kube.there(known.SECRET) == []


# --- not carried out ------------------------------------------------------------------------------


async def test_a_safety_backup_that_fails_leaves_everything_as_it_is() -> None:
    stage = await asked()
    before = uid(stage.cluster)
    await stage.carry_on(until="BackingUp")
    await stage.passes()
    (made,) = stage.made
    stage.backs_up(made, phase="failed", error="no space")
    for _ in range(20):
        stage.clock.advance(6)
        await stage.passes()
    assert stage.told(BACK)["Stalled"] == ("True", "SafetyBackupFailed")
    assert "no space" in stage.says(key=BACK)
    assert "Nothing was replaced" in stage.says(key=BACK)
    assert uid(stage.cluster) == before
    assert "restore" not in stage.status()


async def test_a_safety_backup_without_its_end_is_none() -> None:
    stage = await asked()
    await stage.carry_on(until="BackingUp")
    await stage.passes()
    (made,) = stage.made
    stage.backs_up(made, **{k: v for k, v in DONE.items() if k != "endWal"})
    for _ in range(3):
        await stage.passes()
    assert stage.told(BACK)["Stalled"] == ("True", "SafetyBackupFailed")
    assert "endWal" in stage.says(key=BACK)


async def test_a_safety_backup_that_cannot_be_made_says_what_to_do() -> None:
    stage = await asked()
    await stage.passes()
    healthy = {"type": "BackupHealthy", "status": "False", "reason": "StoreMissing"}
    stage.kube.delete_object(known.BARMAN_STORE, STORE)
    for _ in range(4):
        await stage.passes()
    assert healthy
    assert stage.phase(BACK) == "BackingUp"


async def test_one_that_waits_for_a_store_is_looked_at_when_the_store_comes() -> None:
    """The database archives into another one, and has nothing to say of it."""
    stage = await restored()
    status = stage.backup(Ref(known.DAAP_BACKUP, "shop", SAFETY))["status"] | {"store": "cold"}
    stage.kube.change(known.DAAP_BACKUP, SAFETY, setting("status", status))
    stage.clock.advance(60)
    stage.restore(AGAIN, backup=SAFETY)
    await stage.passes()
    assert stage.told(AGAIN)["Stalled"] == ("True", "StoreMissing")
    stage.watch()
    stage.object_store("cold")
    assert AGAIN in stage.watch()
    await stage.passes()
    assert "Stalled" not in stage.told(AGAIN)


async def test_a_cluster_that_has_gone_meanwhile_is_not_replaced() -> None:
    stage = await asked()
    await stage.carry_on(until="BackingUp")
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.kube.collect_garbage()
    await stage.carry_on()
    assert stage.told(BACK)["Stalled"] == ("True", "ClusterReplaced")
    assert "restore" not in stage.status()
    assert "recoveryTarget" not in stage.cluster["spec"]["bootstrap"]["recovery"]


async def test_one_that_has_gone_just_before_is_not_replaced_either() -> None:
    """The database's controller asks once more; the DaapRestore finds out by itself."""
    stage = await asked()
    await stage.carry_on(until="Replacing")
    stage.kube.delete_object(known.CLUSTER, CLUSTER)
    stage.kube.collect_garbage()
    for _ in range(4):  # passes of the database alone: another Cluster comes, and stays
        await stage.look(KEY)
    there = uid(stage.cluster)
    await stage.carry_on()
    assert uid(stage.cluster) == there
    assert stage.told(BACK)["Stalled"] == ("True", "ClusterReplaced")
    assert "restore" not in stage.status()


async def test_two_of_one_database_take_turns_and_the_second_one_is_about_what_was() -> None:
    stage = await asked()
    stage.clock.advance(1)
    stage.restore(AGAIN)
    await stage.passes()
    assert stage.told(AGAIN)["Reconciling"] == ("True", "OtherRestoreUnderWay")
    assert "DaapRestore back" in stage.says(key=AGAIN)
    await stage.carry_on(until="Completed")
    await stage.carry_on()
    assert stage.told(AGAIN)["Stalled"] == ("True", "ClusterNewer")
    assert len([r for r in stage.kube.requests if r == f"delete Cluster {CLUSTER}"]) == 1


async def test_a_second_one_proceeds_when_the_first_is_deleted() -> None:
    stage = await asked()
    stage.clock.advance(1)
    stage.restore(AGAIN)
    await stage.passes()
    stage.kube.delete_object(known.DAAP_RESTORE, "back")
    for _ in range(3):
        await stage.carry_on()
    assert stage.phase(AGAIN) == "Completed"


async def test_a_restore_that_gets_no_further_says_why_and_another_one_overtakes_it() -> None:
    stage = await asked()
    await stage.carry_on(until="Replacing")
    await stage.passes()
    stage.kube.collect_garbage()
    await stage.passes()
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]
    stuck = {"phase": "Cluster is unrecoverable and needs manual intervention"}
    stage.kube.change(known.CLUSTER, CLUSTER, setting("status", stuck))
    for _ in range(3):
        await stage.passes()
    assert stage.told(BACK)["Stalled"] == ("True", "RestoreStalled")
    for word in (SAFETY, ARCHIVE, "CloudNativePG has given up"):
        assert word in stage.says(key=BACK)
    stage.clock.advance(60)
    stage.restore(AGAIN, backup=SAFETY, safetyBackup="Skip")
    for _ in range(3):
        await stage.passes()
        stage.kube.collect_garbage()
    for _ in range(3):
        await stage.carry_on()
    assert stage.phase(AGAIN) == "Completed", stage.backup(AGAIN)
    assert stage.told(BACK)["Stalled"] == ("True", "Superseded")
    assert "DaapRestore again" in stage.says(key=BACK)


async def test_a_database_that_is_deleted_meanwhile_is_not_restored() -> None:
    stage = await asked()
    await stage.carry_on(until="Restoring")
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.carry_on()
    assert stage.told(BACK)["Stalled"] == ("True", "DatabaseMissing")
    assert stage.kube.there(known.CLUSTER) == []


async def test_nothing_is_created_while_anything_is_left() -> None:
    """Not the Cluster, nor what it owns: an instance must not begin on the volume of another."""
    stage = await asked()
    claim = f"{CLUSTER}-1"
    hold = {**stage.kube.one(known.CLAIM, claim)["metadata"], "finalizers": ["example.com/hold"]}
    stage.kube.change(known.CLAIM, claim, setting("metadata", hold))
    await stage.carry_on(until="Restoring")
    for _ in range(5):
        stage.kube.collect_garbage()
        stage.clock.advance(6)
        await stage.passes()
    assert f"create Cluster {CLUSTER}" not in stage.kube.requests
    assert stage.condition("Reconciling") == ("True", "ReplacingCluster")
    assert claim in stage.message("Reconciling") or CLUSTER in stage.message("Reconciling")

    def let_go(obj: Object) -> None:
        obj["metadata"]["finalizers"] = []

    stage.kube.change(known.CLAIM, claim, let_go)
    await stage.carry_on(until="Completed")


async def test_nothing_is_created_while_a_claim_is_left_of_a_cluster_that_is_gone() -> None:
    stage = await asked()
    claim = f"{CLUSTER}-1"
    hold = {**stage.kube.one(known.CLAIM, claim)["metadata"], "finalizers": ["example.com/hold"]}
    stage.kube.change(known.CLAIM, claim, setting("metadata", hold))
    await stage.carry_on(until="Restoring")

    def let_go(obj: Object) -> None:
        obj["metadata"]["finalizers"] = []

    stage.kube.change(known.CLUSTER, CLUSTER, let_go)
    for _ in range(3):
        stage.kube.collect_garbage()
        stage.clock.advance(6)
        await stage.passes()
    assert stage.kube.there(known.CLUSTER) == []
    assert claim in stage.message("Reconciling")
    stage.kube.change(known.CLAIM, claim, let_go)
    await stage.carry_on(until="Completed")


async def test_another_databases_cluster_is_never_deleted() -> None:
    stage = await asked()
    await stage.carry_on(until="Replacing")

    def given_away(obj: Object) -> None:
        obj["metadata"]["ownerReferences"] = []
        obj["metadata"]["labels"].pop("daap.io/database-uid")

    stage.kube.change(known.CLUSTER, CLUSTER, given_away)
    for _ in range(3):
        await stage.passes()
    assert f"delete Cluster {CLUSTER}" not in stage.kube.requests


# --- an operator that ends anywhere ---------------------------------------------------------------


class Fate:
    """Something that happens after one of the writes."""

    def __init__(self, number: int, what: BaseException | None) -> None:
        self.writes, self._number, self._what = 0, number, what

    def __call__(self) -> None:
        self.writes += 1
        if self.writes == self._number and self._what is not None:
            raise self._what


async def under(fate: Fate, *, restart: bool) -> RestoreStage:
    """A restore from beginning to end while that happens."""
    stage = await asked()
    stage.kube.after_write = fate
    for _ in range(12):
        try:
            await stage.carry_on()
        except Killed:
            await stage.restart()
        except Outage:
            if restart:
                await stage.restart()
        if stage.kube.objects[BACK].get("status", {}).get("phase") == "Completed":
            break
    await stage.carry_on()
    return stage


def begun(stage: RestoreStage) -> list[str]:
    return [
        r
        for r in stage.kube.requests
        if r in (f"delete Cluster {CLUSTER}", f"create Cluster {CLUSTER}")
    ]


@pytest.mark.parametrize("what", [Killed(), Unreachable("lost")], ids=["killed", "answer lost"])
async def test_whatever_ends_after_any_write_nothing_is_deleted_twice_or_empty(
    what: BaseException,
) -> None:
    whole = Fate(0, None)
    await under(whole, restart=False)
    assert whole.writes > 15
    for number in range(1, whole.writes + 1):
        stage = await under(Fate(number, what), restart=isinstance(what, Killed))
        assert stage.phase(BACK) == "Completed", number
        assert set(begun(stage)) == {f"delete Cluster {CLUSTER}", f"create Cluster {CLUSTER}"}
        assert begun(stage).index(f"create Cluster {CLUSTER}") == len(begun(stage)) - 1, number
        recovery = stage.cluster["spec"]["bootstrap"]["recovery"]
        at = stage.backup()["spec"]["at"]
        assert recovery["recoveryTarget"] == {"targetTime": at}, number
        (source,) = stage.cluster["spec"]["externalClusters"]
        assert source["plugin"]["parameters"]["serverName"] == ARCHIVE, number
        assert stage.status()["restore"]["clusterUid"] == uid(stage.cluster), number
        assert stage.status()["phase"] == "Ready", number
        archive = stage.cluster["spec"]["plugins"][0]["parameters"]["serverName"]
        assert archive != ARCHIVE
        assert archive == stage.status()["backup"]["archive"], number


async def test_a_refused_deletion_is_tried_again() -> None:
    stage = await asked()
    stage.kube.refusals[f"delete Cluster {CLUSTER}"] = refused(503)
    await stage.carry_on(until="Replacing")
    for _ in range(4):
        with suppress(Outage):
            await stage.passes()
    assert uid(stage.cluster) == stage.status()["restore"]["replacedClusterUid"]
    stage.kube.refusals.clear()
    await stage.carry_on(until="Completed")


async def test_meanwhile_nobody_is_told_that_the_database_is_empty() -> None:
    stage = await restored()
    events = {one.reason for one in stage.announcer.announced}
    assert "ClusterRecreated" not in events
    play(stage.kube)
    assert stage.status()["phase"] == "Ready"
    assert stage.database(KEY)["status"]["restore"]["name"] == "back"


async def test_a_restore_goes_on_while_the_deletion_of_its_database_is_held() -> None:
    """The Cluster that is to be deleted is never repaired into the one that is to come."""
    stage = await recoverable(deletionProtection=True)
    stage.restore()
    await stage.carry_on(until="Replacing")
    stage.kube.refusals[f"delete Cluster {CLUSTER}"] = refused(503)
    for _ in range(2):
        with suppress(Outage):
            await stage.passes()
    assert stage.status()["restore"]["name"] == "back"
    stage.kube.delete_object(known.DATABASE, "orders")
    for _ in range(3):
        with suppress(Outage):
            await stage.passes()
    assert f"apply Cluster {CLUSTER}" not in stage.kube.requests
    assert "initdb" in stage.cluster["spec"]["bootstrap"]
    stage.kube.refusals.clear()
    await stage.carry_on()
    assert "recovery" in stage.cluster["spec"]["bootstrap"]
    assert stage.condition("Ready") == ("False", "DeletionProtected")
    stage.edit(deletionProtection=False)
    await stage.carry_on()
    assert stage.kube.there(known.DATABASE) == stage.kube.there(known.CLUSTER) == []


async def test_a_database_that_is_being_deleted_is_not_restored_any_more() -> None:
    """Held by its protection it stays, and so would a restore that waits for it."""
    stage = await recoverable(deletionProtection=True)
    stage.restore()
    await stage.carry_on(until="Replacing")
    before = uid(stage.cluster)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.carry_on()
    assert stage.phase(BACK) == "Failed"
    assert "DaapDatabase orders is being deleted" in stage.says(key=BACK)
    assert uid(stage.cluster) == before
    assert "restore" not in stage.status()


@pytest.mark.parametrize("secret", [True, False], ids=["with", "without"])
async def test_a_restore_holds_no_namespace(secret: bool) -> None:
    """Nothing can be created there: neither the credentials for the next Cluster, nor that."""
    stage = await recoverable(deletionProtection=True)
    stage.restore()
    await stage.carry_on(until="Replacing")
    await stage.passes()
    stage.kube.collect_garbage()
    assert stage.kube.there(known.CLUSTER) == []
    if not secret:
        stage.kube.delete_object(known.SECRET, "daap-orders-connection")
    stage.kube.terminating.add("shop")
    stage.kube.delete_object(known.DATABASE, "orders")
    for _ in range(6):
        stage.kube.collect_garbage()
        stage.clock.advance(40)
        with suppress(Outage):
            await stage.passes()
    assert stage.kube.there(known.DATABASE) == []
