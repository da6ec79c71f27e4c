"""Names are the platform's: who has one, who waits, and who gets it next."""

import pytest

from daap_operator import names
from daap_operator.kinds import known
from tests.support.api import Api, Object
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows
from tests.support.tried import new_cluster


async def without_finalizers(databases: Databases, name: str) -> None:
    """Let an object go without the operator."""
    free: Object = {"metadata": {"finalizers": None}}
    await databases.api.patch("daapdatabases", databases.namespace, name, free)


@pytest.mark.parametrize("first", ["daapdatabases", "clusters"])
async def test_after_a_restore_a_name_is_with_its_cluster_not_with_who_has_waited_longer(
    first: str, api: Api, databases: Databases, other_namespace: str, operators: Operators
) -> None:
    """A backup brings objects back with other uids and without their status, in any order.

    The one that has waited meanwhile is older then, and has written our finalizer into itself.
    """
    waiting = Databases(api, other_namespace)
    operator = await operators.start()
    await databases.create("orders")
    before = await databases.ready("orders")
    await waiting.create("orders")
    await waiting.stalled("orders", "NameTaken")
    await operator.stop()
    forged = {"metadata": {"finalizers": [names.FINALIZER]}}
    await api.patch("daapdatabases", other_namespace, "orders", forged)
    cluster = await databases.child("clusters", "daap-orders")
    assert cluster
    await without_finalizers(databases, "orders")
    await databases.delete("orders")
    await databases.gone("orders")
    if first == "daapdatabases":
        await restore_database(databases, before)
    await restore_cluster(databases, cluster)
    if first == "clusters":
        await restore_database(databases, before)
    await operators.start()
    after = await databases.stalled("orders", "ObjectConflict")  # of an earlier one: not touched
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["metadata"]["creationTimestamp"] >= before["metadata"]["creationTimestamp"]
    assert after["status"]["clusterName"] == "daap-orders"
    found = await waiting.stalled("orders", "NameTaken")
    assert "clusterName" not in found["status"]
    assert await waiting.child("clusters", "daap-orders") is None


async def restore_database(databases: Databases, backup: Object) -> None:
    """What a backup has of an object: no uid, no status."""
    kept = {key: backup["metadata"].get(key) for key in ("name", "namespace", "finalizers")}
    await databases.api.create("daapdatabases", {**backup, "metadata": kept, "status": None})


async def restore_cluster(databases: Databases, backup: Object) -> None:
    """The same of a Cluster that was lost; its labels and annotations come back with it."""
    metadata = backup["metadata"]
    await databases.api.delete("clusters", databases.namespace, metadata["name"])
    kept = {key: metadata.get(key) for key in ("name", "namespace", "labels", "annotations")}
    lost = {"status": None}
    await databases.api.create("clusters", {**backup, **lost, "metadata": kept})


async def test_who_writes_our_finalizer_does_not_get_ahead(
    api: Api, databases: Databases, other_namespace: str, operators: Operators
) -> None:
    """Of two that wait, the one that came first is next."""
    forging = Databases(api, other_namespace)
    body = {
        "apiVersion": known.DATABASE.api_version,
        "kind": known.DATABASE.name,
        "metadata": {
            "name": "orders",
            "namespace": other_namespace,
            "finalizers": [names.FINALIZER],
        },
        "spec": {"ownerTeam": "mallory"},
    }
    honest = await databases.create("orders")
    while True:  # times are whole seconds: a later one is younger for certain
        forged = await api.create("daapdatabases", body)
        if forged["metadata"]["creationTimestamp"] > honest["metadata"]["creationTimestamp"]:
            break
        await without_finalizers(forging, "orders")
        await forging.delete("orders")
        await forging.gone("orders")
    await operators.start()
    await databases.ready("orders")
    found = await forging.stalled("orders", "NameTaken")
    assert condition(found, "Ready")["status"] == "False"


async def test_a_name_cannot_be_held_without_a_database(
    api: Api, databases: Databases, other_namespace: str, operators: Operators, rows: Rows
) -> None:
    """A quota of no Clusters costs nothing, and used to hold any number of names."""
    squatting = Databases(api, other_namespace)
    await forbid_clusters(api, other_namespace)
    operator = await operators.start()
    await squatting.create("orders")
    found = await squatting.stalled("orders", "QuotaExceeded")
    assert "clusterName" not in found["status"]
    await databases.create("orders")
    await databases.ready("orders")
    await squatting.edit("orders", purpose="try again")
    await squatting.stalled("orders", "NameTaken")
    await operator.stop()
    await operators.start()
    await databases.ready("orders")
    await rows.becomes("orders", status="ready", namespace=databases.namespace)


async def hold(databases: Databases, name: str) -> None:
    """Somebody keeps an object from going, whatever the operator does."""
    held = {"metadata": {"finalizers": ["example.com/hold", names.FINALIZER]}}
    await databases.api.patch("daapdatabases", databases.namespace, name, held)


async def waiting_for_its_store(databases: Databases, name: str) -> None:
    """Wait until a database is told that there is no store to make it from."""

    async def reason() -> str:
        found = await databases.get(name)
        return condition(found, "Reconciling").get("reason", "") if found else ""

    await eventually(reason, lambda told: told == "StoreMissing")


async def test_a_name_cannot_be_held_by_waiting_for_a_source(
    api: Api, databases: Databases, other_namespace: str, operators: Operators
) -> None:
    """Nor by one that is deleted and that a finalizer of its tenant keeps from going."""
    squatting = Databases(api, other_namespace)
    await operators.start()
    nowhere = {"archive": "a", "store": "none"}
    for name in ("orders", "bills"):
        await squatting.create(name, source=nowhere, postgresVersion=17)
        await waiting_for_its_store(squatting, name)
        await hold(squatting, name)
    await squatting.delete("bills")
    for name in ("orders", "bills"):
        await databases.create(name)
        await databases.ready(name)
    await squatting.edit("orders", purpose="try again")
    await squatting.stalled("orders", "NameTaken")
    await without_finalizers(squatting, "bills")


async def test_who_waits_is_woken_when_a_name_is_let_go(
    api: Api, databases: Databases, other_namespace: str, operators: Operators
) -> None:
    holding = Databases(api, other_namespace)
    await operators.start()
    await holding.create("orders")
    await holding.ready("orders")
    await hold(holding, "orders")
    await databases.create("orders")
    await databases.stalled("orders", "NameTaken")
    await holding.delete("orders")
    await databases.ready("orders")
    await without_finalizers(holding, "orders")


async def test_who_waits_behind_a_squatter_is_served_at_once(
    api: Api, databases: Databases, other_namespace: str, operators: Operators
) -> None:
    """As after an upgrade: the squatter's status has named its Cluster for long."""
    squatting = Databases(api, other_namespace)
    await forbid_clusters(api, other_namespace)
    await squatting.create("orders")
    allotted = {"status": {"clusterName": "daap-orders", "databaseName": "orders"}}
    await api.patch("daapdatabases", other_namespace, "orders", allotted, "status")
    await databases.create("orders")
    await operators.start()
    await databases.ready("orders")
    found = await squatting.get("orders")
    assert "clusterName" not in (found or {})["status"]


async def forbid_clusters(api: Api, namespace: str) -> None:
    """A ResourceQuota under which a namespace may have no Cluster, once it holds."""
    quota = {
        "metadata": {"name": "none", "namespace": namespace},
        "spec": {"hard": {"count/clusters.postgresql.cnpg.io": "0"}},
    }
    await api.create("resourcequotas", quota)
    await eventually(lambda: new_cluster(api, namespace), lambda said: "exceeded quota" in said)
