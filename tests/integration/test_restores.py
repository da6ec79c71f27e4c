"""DaapRestores on a real API server, with a real garbage collection and a real inventory."""

import asyncio
import base64
from collections import Counter

import pytest

from daap_operator.kinds import known
from tests.support.api import Api, ApiError, Object
from tests.support.daapbackups import played
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.restores import Restores, restore
from tests.support.rows import Rows

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def restores(api: Api, namespace: str) -> Restores:
    return Restores(api, namespace)


async def cluster(restores: Restores) -> Object:
    found = await restores.api.get(known.CLUSTER, restores.namespace, "daap-orders")
    assert found
    return found


async def password(restores: Restores, name: str) -> str:
    found = await restores.api.get(known.SECRET, restores.namespace, name)
    assert found
    return base64.b64decode(found["data"]["password"]).decode()


async def test_the_life_of_a_restore(
    databases: Databases, restores: Restores, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    at = await restores.recoverable()
    before = await databases.ready("orders")
    old = await cluster(restores)
    secret = await password(restores, "daap-orders-connection")
    async with played(restores.api):
        await restores.create("back", at=at)
        done = await restores.is_in("back", "Completed", "Failed")
    assert is_ready(done), done["status"]
    new, after = await cluster(restores), await databases.ready("orders")
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    assert new["spec"]["bootstrap"]["recovery"]["recoveryTarget"] == {"targetTime": at}
    was, now = (each["spec"]["plugins"][0]["parameters"]["serverName"] for each in (old, new))
    assert new["spec"]["externalClusters"][0]["plugin"]["parameters"]["serverName"] == was
    assert now == after["status"]["backup"]["archive"] == f"{was}-2"
    for field in ("host", "secretName", "username", "clusterName"):
        assert after["status"][field] == before["status"][field]
    assert await password(restores, "daap-orders-connection") == secret
    assert await password(restores, "daap-orders-app") == secret
    (row,) = await rows.execute(
        "SELECT * FROM restores WHERE name = 'back' AND namespace = %s", restores.namespace
    )
    assert (row["status"], row["archive"], row["database_name"]) == ("completed", was, "orders")
    assert row["safety_backup"] == done["status"]["safetyBackup"]["name"]
    assert row["completed_at"]
    await restores.delete("back")
    await restores.gone("back")
    (row,) = await rows.execute(
        "SELECT * FROM restores WHERE name = 'back' AND namespace = %s", restores.namespace
    )
    assert row["status"] == "deleted"
    kept = await restores.api.list(known.DAAP_BACKUP, restores.namespace)
    assert [each["status"]["phase"] for each in kept] == ["Completed"]
    # What was kept for the Cluster goes with the database
    await databases.delete("orders")
    await databases.gone("orders")
    assert await databases.child("secrets", "daap-orders-app") is None


PHASES = ("BackingUp", "Replacing", "Restoring")


@pytest.mark.parametrize("phase", PHASES)
async def test_an_operator_that_is_killed_replaces_one_cluster_once(
    phase: str, restores: Restores, operators: Operators
) -> None:
    first = await operators.start()
    at = await restores.recoverable()
    old = (await cluster(restores))["metadata"]["uid"]
    uids: list[str] = []

    async def watched() -> None:
        async for event, obj in restores.api.watch(known.CLUSTER):
            if obj["metadata"]["namespace"] == restores.namespace and event != "DELETED":
                begun = "".join(obj["spec"]["bootstrap"])
                if (uid := f"{begun} {obj['metadata']['uid']}") not in uids:
                    uids.append(uid)

    watching = asyncio.create_task(watched())
    try:
        async with played(restores.api):
            await restores.create("back", at=at)
            await restores.is_in("back", *PHASES[PHASES.index(phase) :], "Completed")
            await first.kill()
            await operators.start()
            done = await restores.is_in("back", "Completed", "Failed")
        assert is_ready(done), done["status"]
    finally:
        watching.cancel()
    there = (await cluster(restores))["metadata"]["uid"]
    assert uids == [f"initdb {old}", f"recovery {there}"]


async def test_of_two_at_once_one_is_carried_out(restores: Restores, operators: Operators) -> None:
    await operators.start()
    at = await restores.recoverable()
    async with played(restores.api):
        for name in ("one", "two"):
            await restores.create(name, at=at)
        found = [await restores.is_in(name, "Completed", "Failed") for name in ("one", "two")]
    assert Counter(each["status"]["phase"] for each in found) == {"Completed": 1, "Failed": 1}
    (failed,) = [each for each in found if each["status"]["phase"] == "Failed"]
    assert condition(failed, "Stalled")["reason"] in ("ClusterNewer", "ClusterReplaced")
    assert "Nothing was replaced" in condition(failed, "Stalled")["message"]


async def test_of_several_instances_all_are_replaced_and_none_begins_on_an_old_volume(
    databases: Databases, restores: Restores, operators: Operators
) -> None:
    await operators.start()
    at = await restores.recoverable(instances=3)
    before = await _volumes(restores)
    assert len(before) == 3
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    place = known.CLAIM, restores.namespace, "daap-orders-3"
    await restores.api.patch(*place, hold)
    async with played(restores.api):
        await restores.create("back", at=at)
        told = await eventually(
            lambda: databases.get("orders"),
            lambda obj: "daap-orders-3" in condition(obj, "Reconciling").get("message", ""),
        )
        assert condition(told, "Reconciling")["reason"] == "ReplacingCluster"
        assert await restores.api.list(known.CLUSTER, restores.namespace) == []
        await restores.api.patch(*place, {"metadata": {"finalizers": None}})
        done = await restores.is_in("back", "Completed", "Failed")
    assert is_ready(done), done["status"]
    found = await databases.ready("orders")
    assert (found["status"]["instances"], found["status"]["readyInstances"]) == (3, 3)
    after = await _volumes(restores)
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    secret = await databases.child("secrets", found["status"]["secretName"])
    assert secret
    assert "ro-uri" in secret["data"]


async def _volumes(restores: Restores) -> dict[str, str]:
    """The uids of the volume claims by their names."""
    found = await restores.api.list(known.CLAIM, restores.namespace)
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found}


async def test_what_cannot_be_restored_is_touched_in_no_way(
    restores: Restores, operators: Operators
) -> None:
    await operators.start()
    await restores.create("nobody", "nobody", at="2026-01-01T00:00:00Z")
    await restores.says("nobody", "DatabaseMissing", "Stalled")
    await restores.recoverable()
    before = await cluster(restores)
    await restores.create("early", at="2020-01-01T00:00:00Z")
    found = await restores.says("early", "MomentNotCovered", "Stalled")
    assert found["status"]["phase"] == "Failed"
    assert (await cluster(restores))["metadata"]["uid"] == before["metadata"]["uid"]
    assert await restores.api.list(known.DAAP_BACKUP, restores.namespace) == []


async def test_the_api_server_refuses_what_was_not_meant(restores: Restores, api: Api) -> None:
    place, at = restores.namespace, "2026-11-28T03:00:00Z"

    async def said(**spec: object) -> str:
        with pytest.raises(ApiError) as raised:
            await api.create(known.DAAP_RESTORE, restore(place, "x", "orders", **spec))
        return str(raised.value)

    for words in ("spec.confirm", "'order'", "'orders'", "is replaced"):
        assert words in await said(at=at, confirm="order")
    assert "either 'at' or 'backup'" in await said()
    assert "either 'at' or 'backup'" in await said(at=at, backup="x")
    assert "time zone" in await said(at="2026-11-28T03:00:00")
    await restores.create("back", at=at)
    change = {"spec": {"at": "2026-11-28T04:00:00Z"}}
    with pytest.raises(ApiError, match="create a new DaapRestore"):
        await api.patch(known.DAAP_RESTORE, place, "back", change)
    await restores.delete("back")


async def test_a_restore_is_reported_at_once_when_the_database_serves(
    restores: Restores, operators: Operators
) -> None:
    """Its own statuses wake nobody: it looks every few seconds."""
    await operators.start()
    at = await restores.recoverable()
    await restores.create("back", at=at, safetyBackup="Skip")
    await restores.is_in("back", "Completed")
    again = await eventually(lambda: restores.get("back"), is_ready)
    assert again
    assert "was not backed up" in condition(again, "Ready")["message"]
