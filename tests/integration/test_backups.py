"""DaapBackups on a real API server, with a real inventory; CloudNativePG's part is the test's."""

import asyncio
from collections import Counter

import pytest

from daap_operator.kinds import known
from daap_operator.kinds.backup import controller
from dev.cluster import ControlPlane
from tests.support.api import Api, ApiError, Object
from tests.support.audit import Audit
from tests.support.backups import STORE
from tests.support.daapbackups import DONE, ON, Backups
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Row, Rows


@pytest.fixture
def backups(api: Api, namespace: str) -> Backups:
    return Backups(api, namespace)


async def archiving(databases: Databases, backups: Backups) -> str:
    """The database `orders`, ready, with an archive and a schedule: the archive's name."""
    await databases.create("orders", backup=ON)
    await databases.ready("orders")
    archive = await backups.archive()
    await eventually(lambda: databases.child(known.SCHEDULED_BACKUP.plural, "daap-orders"))
    return archive


async def rows_of(rows: Rows, obj: Object) -> list[Row]:
    uid = obj["metadata"]["uid"]
    return await rows.execute("SELECT * FROM backups WHERE id = %s::uuid", uid)


# --- lives ----------------------------------------------------------------------------------------


async def test_the_life_of_a_backup(
    databases: Databases,
    backups: Backups,
    operators: Operators,
    rows: Rows,
    control_plane: ControlPlane,
) -> None:
    await operators.start()
    archive = await archiving(databases, backups)
    await backups.create("now")
    running = await backups.is_in("now", "Running")
    name = running["status"]["backupName"]
    made = (await backups.made())[name]
    assert made["spec"]["cluster"] == {"name": "daap-orders"}
    assert made["spec"]["method"] == "plugin"
    wait = ("wait", "--for=condition=Ready", "daapbackup/now", "-n", backups.namespace)
    waiting = asyncio.create_task(asyncio.to_thread(control_plane.kubectl, *wait, "--timeout=60s"))
    await backups.backs_up("now", **DONE)
    assert "condition met" in await waiting
    done = await backups.completed("now")
    wanted = {field: DONE[field] for field in ("backupId", "beginWal", "endWal", "startedAt")}
    assert wanted.items() <= done["status"].items()
    assert (done["status"]["store"], done["status"]["archive"]) == (STORE, archive)
    await eventually(lambda: backups.events("now"), {"Running", "Completed"}.issubset)
    (row,) = await rows_of(rows, done)
    assert (row["status"], row["backup_id"], row["archive"]) == (
        "completed",
        DONE["backupId"],
        archive,
    )
    listed = ("get", "daapbkp", "-n", backups.namespace, "-o", "wide", "--no-headers")
    printed = (await asyncio.to_thread(control_plane.kubectl, *listed)).split()
    assert printed[:4] == ["now", "orders", "Completed", DONE["backupId"]]
    await backups.delete("now")
    await backups.gone("now")
    assert await backups.made() == {}
    (row,) = await rows_of(rows, done)
    assert (row["status"], row["deleted_at"] is None) == ("deleted", False)


async def test_a_backup_waits_for_the_database_that_comes_with_it(
    databases: Databases, backups: Backups, operators: Operators
) -> None:
    await operators.start()
    await backups.create("now")
    await backups.says("now", "DatabaseMissing", "Reconciling")
    await archiving(databases, backups)
    await backups.is_in("now", "Running")
    await backups.backs_up("now", **DONE)
    await backups.completed("now")


async def test_a_store_that_comes_wakes_a_backup_that_waits_for_it(
    databases: Databases,
    backups: Backups,
    operators: Operators,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By what the operator itself writes into the database's status, of which no event tells."""
    monkeypatch.setattr(controller, "STALLED_SECONDS", 3600.0)  # it is not looked at by itself
    await operators.start()
    await databases.create("orders", backup=ON)
    await databases.ready("orders")
    await backups.create("now")
    await backups.says("now", "StoreMissing", "Stalled")
    await databases.object_store()
    await backups.is_in("now", "Running")
    await backups.backs_up("now", **DONE)
    await backups.completed("now")


async def test_two_backups_of_one_database_both_end(
    databases: Databases, backups: Backups, operators: Operators
) -> None:
    await operators.start()
    await archiving(databases, backups)
    for name in ("one", "two"):
        await backups.create(name)
        await backups.is_in(name, "Running")
    assert len(await backups.made()) == 2
    for name in ("one", "two"):
        await backups.backs_up(name, **DONE)
        await backups.completed(name)


async def test_backups_that_are_off_are_told_and_made_once_they_are_on(
    databases: Databases, backups: Backups, operators: Operators
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await backups.create("now")
    found = await backups.says("now", "BackupsOff", "Stalled")
    assert "spec.backup.enabled" in condition(found, "Stalled")["message"]
    await databases.edit("orders", backup=ON)
    await backups.archive()
    await backups.is_in("now", "Running")


async def test_a_backup_that_is_deleted_by_hand_has_failed_and_is_not_made_again(
    databases: Databases, backups: Backups, operators: Operators
) -> None:
    await operators.start()
    await archiving(databases, backups)
    await backups.create("now")
    running = await backups.is_in("now", "Running")
    name = running["status"]["backupName"]
    await backups.api.delete(known.BACKUP, backups.namespace, name)
    await backups.says("now", "BackupDeleted", "Stalled")
    assert await backups.made() == {}


async def test_a_backup_that_is_deleted_while_it_runs_takes_its_backup_along(
    databases: Databases, backups: Backups, operators: Operators
) -> None:
    await operators.start()
    await archiving(databases, backups)
    await backups.create("now")
    await backups.is_in("now", "Running")
    await backups.delete("now")
    await backups.gone("now")
    assert await backups.made() == {}
    await databases.ready("orders")


async def test_an_operator_that_starts_again_makes_nothing_anew(
    databases: Databases, backups: Backups, operators: Operators
) -> None:
    first = await operators.start()
    await archiving(databases, backups)
    for name in ("done", "underway"):
        await backups.create(name)
        await backups.is_in(name, "Running")
    await backups.backs_up("done", **DONE)
    await backups.completed("done")
    before = await backups.made()
    await first.stop()
    await backups.api.delete(known.BACKUP, backups.namespace, "done")
    await backups.backs_up("underway", **DONE)
    await operators.start()
    await backups.completed("underway")
    await backups.completed("done")
    assert (await backups.made()).keys() == before.keys()


# --- what is refused ------------------------------------------------------------------------------


async def test_the_spec_cannot_be_changed(backups: Backups) -> None:
    await backups.create("now")
    body = {"spec": {"databaseRef": {"name": "another"}}}
    with pytest.raises(ApiError) as caught:
        await backups.api.patch(known.DAAP_BACKUP, backups.namespace, "now", body)
    for words in ("spec.databaseRef.name", "'another'", "'orders'", "create a new DaapBackup"):
        assert words in caught.value.message


@pytest.mark.parametrize("name", ["Orders", "o", "orders.shop", "1orders", "x" * 64])
async def test_a_name_that_no_database_has_is_refused(backups: Backups, name: str) -> None:
    with pytest.raises(ApiError) as caught:
        await backups.create("now", name)
    assert "spec.databaseRef.name" in caught.value.message


# --- budgets --------------------------------------------------------------------------------------


async def test_a_backup_stays_in_its_budget(
    databases: Databases, backups: Backups, operators: Operators, audit: Audit
) -> None:
    first = await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await archiving(databases, backups)

    async def written() -> Counter[tuple[str, str]]:
        """What was written of the backup, the Lease and what is the database's aside."""
        seen = Counter((r.verb, r.resource) for r in audit.requests() if r.write)
        return Counter({k: n for k, n in seen.items() if "backup" in k[1] or k[1] == "events"})

    await eventually(lambda: databases.events("orders"), {"Ready"}.issubset)
    audit.forget()
    await backups.create("now")
    await backups.backs_up("now", phase="started", startedAt=DONE["startedAt"])
    await eventually(lambda: backups.get("now"), lambda obj: obj and "startedAt" in obj["status"])
    for phase in ("running", "finalizing"):
        await backups.backs_up("now", phase=phase)
    await backups.backs_up("now", **DONE)
    await backups.completed("now")
    made = await eventually(written, lambda seen: seen["create", "events"] >= 2)
    assert made == {
        ("patch", "daapbackups"): 1,  # the finalizer
        ("patch", "backups"): 1,
        ("patch", "daapbackups/status"): 4,  # its name; under way; since when; completed
        ("create", "events"): 2,
    }
    audit.forget()

    async def listings() -> int:
        return sum(r.resource == "daapbackups" for r in audit.requests())

    await eventually(listings, lambda count: count >= 3)  # so three resyncs have come and gone
    await first.stop()
    second = await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await eventually(listings, lambda count: count >= 7)
    await second.stop()
    assert await written() == Counter()
