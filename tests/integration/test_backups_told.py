"""What is told of backups, by a real API server; the plugin's part is the test's."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from daap_operator.kinds import known
from dev.cluster import ControlPlane
from tests.support.api import Api, Object
from tests.support.backups import STORE, backup, tell_of_backup
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.operator import Operators

NAME, CLUSTER = "orders", "daap-orders"


async def healthy(databases: Databases, reason: str) -> Object:
    """The database once BackupHealthy has that reason; it is Ready all the time."""

    def holds(obj: Object | None) -> bool:
        return is_ready(obj) and condition(obj, "BackupHealthy").get("reason") == reason

    return await found(databases, holds)


async def found(databases: Databases, holds: Callable[[Object | None], object]) -> Object:
    """The database once that holds of it."""
    obj = await eventually(lambda: databases.get(NAME), holds)
    assert obj is not None
    return obj


async def test_backups_are_told_of_from_the_first_to_the_last(
    databases: Databases, operators: Operators, control_plane: ControlPlane, api: Api
) -> None:
    await operators.start()
    await databases.create(NAME, backup={"store": STORE, "retention": "30d"})
    await healthy(databases, "StoreMissing")

    await databases.object_store(retention="30d")
    await healthy(databases, "Recoverable")  # the stand-in makes the first backup
    last = await tell_of_backup(databases, NAME)
    told = last.strftime("%Y-%m-%dT%H:%M:%SZ")
    obj = await found(
        databases, lambda obj: obj and obj["status"]["backup"].get("lastSuccessful") == told
    )
    assert condition(obj, "BackupHealthy")["status"] == "True"

    wide = ("get", "daapdatabase", NAME, "-n", databases.namespace, "-o", "wide")
    printed = await asyncio.to_thread(control_plane.kubectl, *wide)
    assert "LAST-BACKUP" in printed

    await tell_of_backup(databases, NAME, ended=timedelta(days=3))
    await healthy(databases, "BackupTooOld")
    await tell_of_backup(databases, NAME)
    await healthy(databases, "Recoverable")

    shorter = {"spec": {"retentionPolicy": "7d"}}
    await api.patch(known.BARMAN_STORE, databases.namespace, STORE, shorter)
    await healthy(databases, "RetentionTooShort")

    failed = backup(databases.namespace, CLUSTER, f"{CLUSTER}-1")
    await api.create(known.BACKUP, failed)
    stopped = last + timedelta(hours=1)
    status = {"phase": "failed", "error": "no such bucket", "stoppedAt": stopped.isoformat()}
    await api.patch(known.BACKUP, databases.namespace, f"{CLUSTER}-1", {"status": status}, "status")
    obj = await healthy(databases, "BackupFailed")
    assert obj["status"]["backup"]["lastError"] == "no such bucket"

    await api.delete(known.BARMAN_STORE, databases.namespace, STORE)
    await healthy(databases, "StoreMissing")

    await databases.edit(NAME, backup={"enabled": False})
    obj = await found(databases, lambda obj: is_ready(obj) and not condition(obj, "BackupHealthy"))
    assert obj["status"]["backup"]["archive"]
