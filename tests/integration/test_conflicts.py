"""Objects of others that stand where ours should: never touched, always named."""

from typing import Any

import pytest

from tests.support.api import Object
from tests.support.databases import Databases, condition, phase
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows

FOREIGN: dict[str, Object] = {
    "clusters": {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {"name": "daap-orders"},
        "spec": {"instances": 1, "storage": {"size": "1Gi"}},
    },
    "poolers": {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Pooler",
        "metadata": {"name": "daap-orders-pooler"},
        "spec": {"cluster": {"name": "other"}, "instances": 1, "pgbouncer": {}},
    },
    "secrets": {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "daap-orders-connection"},
        "data": {"theirs": "MQ=="},
    },
}


def mine(obj: Object) -> Any:
    """What an owner of an object would not want changed."""
    metadata = obj["metadata"]
    kept = (metadata["uid"], metadata.get("labels"), metadata.get("ownerReferences"))
    return kept, obj.get("spec"), obj.get("data"), metadata.get("finalizers")


@pytest.mark.parametrize(
    ("plural", "reason"),
    [
        ("clusters", "ObjectConflict"),
        ("poolers", "ObjectConflict"),
        ("secrets", "SecretNameTaken"),
    ],
)
async def test_a_foreign_object_is_never_touched(
    plural: str, reason: str, databases: Databases, operators: Operators, rows: Rows
) -> None:
    body = FOREIGN[plural]
    metadata = {**body["metadata"], "namespace": databases.namespace}
    foreign = await databases.api.create(plural, {**body, "metadata": metadata})
    await operators.start()
    await databases.create("orders")
    found = await databases.stalled("orders", reason)
    name = body["metadata"]["name"]
    assert phase(found) == "Error"
    assert name in condition(found, "Stalled")["message"]
    if plural == "clusters":  # it never had a database, and has given its name back
        await rows.becomes("orders", status="deleted")
    else:
        row = await rows.becomes("orders", status="error")
        assert name in row["error_message"]
    await databases.delete("orders")
    await databases.gone("orders")
    after = await databases.child(plural, name)
    assert after
    assert mine(after) == mine(foreign)


async def test_protection_does_not_hold_what_never_was(
    databases: Databases, operators: Operators
) -> None:
    body = FOREIGN["clusters"]
    metadata = {**body["metadata"], "namespace": databases.namespace}
    foreign = await databases.api.create("clusters", {**body, "metadata": metadata})
    await operators.start()
    await databases.create("orders", deletionProtection=True)
    await databases.stalled("orders", "ObjectConflict")
    await databases.delete("orders")
    await databases.gone("orders")
    after = await databases.child("clusters", "daap-orders")
    assert after
    assert mine(after) == mine(foreign)


@pytest.mark.parametrize("plural", ["clusters", "poolers"])
async def test_a_foreign_object_out_of_the_way_lets_the_database_through(
    plural: str, databases: Databases, operators: Operators
) -> None:
    body = FOREIGN[plural]
    metadata = {**body["metadata"], "namespace": databases.namespace}
    await databases.api.create(plural, {**body, "metadata": metadata})
    await operators.start()
    await databases.create("orders")
    await databases.stalled("orders", "ObjectConflict")
    await databases.api.delete(plural, databases.namespace, body["metadata"]["name"])
    await databases.edit("orders", purpose="look again")
    await databases.ready("orders")


async def test_a_foreign_secret_of_the_chosen_name_is_kept_and_another_name_helps(
    databases: Databases, operators: Operators
) -> None:
    await databases.api.create(
        "secrets",
        {"metadata": {"name": "shop", "namespace": databases.namespace}, "data": {"a": "MQ=="}},
    )
    await operators.start()
    await databases.create("orders", connectionSecretName="shop")
    await databases.stalled("orders", "SecretNameTaken")
    await databases.edit("orders", connectionSecretName="shop-two")
    await databases.ready("orders")
    kept = await databases.child("secrets", "shop")
    assert kept
    assert kept["data"] == {"a": "MQ=="}


async def test_children_of_an_earlier_object_of_that_name_are_waited_for(
    databases: Databases, operators: Operators
) -> None:
    """Its finalizer was removed by force, and garbage collection has not come round yet."""
    operator = await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await operator.stop()
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    await databases.api.patch("clusters", databases.namespace, "daap-orders", held)
    await databases.api.patch(
        "daapdatabases", databases.namespace, "orders", {"metadata": {"finalizers": None}}
    )
    await databases.delete("orders")
    await databases.gone("orders")
    await databases.create("orders")
    await operators.start()
    await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "Reconciling").get("reason") == "LeftoverChildren",
    )
    free: Object = {"metadata": {"finalizers": None}}
    await databases.api.patch("clusters", databases.namespace, "daap-orders", free)
    await databases.ready("orders")
