"""Names are the platform's: who has one, who waits, and who gets it next."""

import pytest

from daap_operator import names
from tests.support.api import Api, Object
from tests.support.databases import Databases, condition
from tests.support.operator import Operators


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
    await databases.create("orders", deletionPolicy="Retain")
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
    after = await databases.ready("orders")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["metadata"]["creationTimestamp"] >= before["metadata"]["creationTimestamp"]
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
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
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
