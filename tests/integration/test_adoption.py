"""What was retained is taken over when the same database is asked for again, and only then."""

import pytest

from tests.support.api import Object
from tests.support.databases import Databases, condition, phase
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows

FORCED: Object = {"metadata": {"finalizers": None}}


def identity(child: Object) -> tuple[str, int, object]:
    """What stays when a child is taken over: the object, what was asked of it, its content."""
    metadata = child["metadata"]
    return metadata["uid"], metadata.get("generation", 0), child.get("data")


async def children(databases: Databases, name: str) -> list[Object]:
    """Cluster, Pooler, Secret and CloudNativePG's credentials, which have to be there."""
    places = {
        f"daap-{name}": "clusters",
        f"daap-{name}-pooler": "poolers",
        f"daap-{name}-connection": "secrets",
        f"daap-{name}-app": "secrets",
    }
    found = [await databases.child(plural, child) for child, plural in places.items()]
    return [child for child in found if child]


@pytest.mark.parametrize("how", ["deleted", "finalizer removed by force"])
async def test_the_same_database_again_takes_over_what_was_retained(
    how: str, databases: Databases, operators: Operators, rows: Rows
) -> None:
    spec = {"deletionPolicy": "Retain", "postgresVersion": 16, "storage": {"size": "2Gi"}}
    operator = await operators.start()
    await databases.create("orders", **spec)
    old = await databases.ready("orders")
    before = await children(databases, "orders")
    if how != "deleted":
        await operator.stop()
        await databases.api.patch("daapdatabases", databases.namespace, "orders", FORCED)
    await databases.delete("orders")
    await databases.gone("orders")
    if how != "deleted":
        await operators.start()
    await rows.becomes("orders", status="deleted")
    del spec["postgresVersion"]
    await databases.create("orders", **spec)
    new = await databases.ready("orders")
    assert [identity(child) for child in await children(databases, "orders")] == [
        identity(child) for child in before
    ]
    assert new["status"]["postgresVersion"] == 16
    for field in ("host", "secretName", "clusterName", "databaseName", "username"):
        assert new["status"][field] == old["status"][field]
    await rows.becomes("orders", status="ready")
    assert [str(row["id"]) for row in await rows.named("orders")] == [
        old["metadata"]["uid"],
        new["metadata"]["uid"],
    ]
    await eventually(lambda: databases.events("orders"), lambda seen: "Adopted" in seen)
    await databases.edit("orders", deletionPolicy="Delete")
    await databases.ready("orders")
    await databases.delete("orders")
    await databases.gone("orders")
    await eventually(databases.remains, lambda left: left == set())


async def test_what_does_not_fit_is_left_alone_until_it_does(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await databases.create("orders", deletionPolicy="Retain", storage={"size": "20Gi"})
    await databases.ready("orders")
    await databases.delete("orders")
    await databases.gone("orders")
    # The last that CloudNativePG tells, and what nobody waits for who only looks at the database
    await eventually(
        lambda: databases.child("poolers", "daap-orders-pooler"),
        lambda obj: phase(obj) == "active",
    )
    before = await children(databases, "orders")
    await databases.create("orders", ownerTeam="payments", connectionSecretName="mine")
    found = await databases.stalled("orders", "ObjectConflict")
    said = condition(found, "Stalled")["message"]
    for remedy in ("spec.deletionPolicy", "spec.ownerTeam", "spec.storage.size"):
        assert remedy in said
    assert await children(databases, "orders") == before
    assert await databases.child("secrets", "mine") is None
    await databases.edit(
        "orders", ownerTeam="checkout", deletionPolicy="Retain", storage={"size": "20Gi"}
    )
    await databases.ready("orders")
    assert await databases.child("secrets", "mine")


async def test_a_process_killed_while_it_takes_over_is_followed_by_one_that_ends_it(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    operator = await operators.start()
    await databases.create("orders", deletionPolicy="Retain")
    await databases.ready("orders")
    before = await children(databases, "orders")
    await databases.delete("orders")
    await databases.gone("orders")
    await databases.create("orders", deletionPolicy="Retain")
    for _ in range(6):
        await operator.kill()
        operator = await operators.start()
    await databases.ready("orders")
    assert [identity(child) for child in await children(databases, "orders")] == [
        identity(child) for child in before
    ]
    await rows.becomes("orders", status="ready")


async def test_a_database_made_anew_with_another_secret_name_has_that_secret_alone(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await databases.create("orders", deletionPolicy="Retain", connectionSecretName="mine")
    await databases.ready("orders")
    old = await databases.child("secrets", "mine")
    assert old
    await databases.delete("orders")
    await databases.gone("orders")
    assert await databases.child("secrets", "mine")
    await databases.create("orders", deletionPolicy="Retain", connectionSecretName="yours")
    found = await databases.ready("orders")
    assert found["status"]["secretName"] == "yours"
    new = await databases.child("secrets", "yours")
    assert new
    assert new["data"] == old["data"]
    assert await databases.child("secrets", "mine") is None
