"""Deletion ends, or says what it waits for; what is to stay stays."""

import pytest

from tests.standin.cnpg import StandIn
from tests.support.api import Api, Object
from tests.support.databases import Databases, condition, phase
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows


async def ready(databases: Databases, **spec: object) -> Object:
    await databases.create("orders", **spec)
    return await databases.ready("orders")


async def remains(databases: Databases) -> set[str]:
    """What there is in the namespace, as plural/name."""
    left = set()
    for plural in ("clusters", "poolers", "deployments", "secrets", "persistentvolumeclaims"):
        for obj in await databases.api.list(plural, databases.namespace):
            left.add(f"{plural}/{obj['metadata']['name']}")
    return left


async def test_nothing_is_left_but_the_row(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await ready(databases)
    await databases.delete("orders")
    await databases.gone("orders")
    row = await rows.becomes("orders", status="deleted")
    assert row["deleted_at"] is not None
    assert row["secret_name"] == "daap-orders-connection"
    await eventually(lambda: remains(databases), lambda left: left == set())


async def test_the_row_says_deleting_while_it_lasts(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await ready(databases)
    await databases.api.patch(
        "clusters",
        databases.namespace,
        "daap-orders",
        {"metadata": {"finalizers": ["example.com/hold"]}},
    )
    await databases.delete("orders")
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: "example.com/hold" in condition(obj, "Reconciling").get("message", ""),
    )
    assert phase(found) == "Deleting"
    assert condition(found, "Ready")["status"] == "False"
    assert "daap-orders" in condition(found, "Ready")["message"]
    await rows.becomes("orders", status="deleting")
    assert await databases.child("secrets", "daap-orders-connection")
    await databases.api.patch(
        "clusters", databases.namespace, "daap-orders", {"metadata": {"finalizers": None}}
    )
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")


async def test_a_protected_database_is_held_and_goes_on_serving(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await ready(databases, deletionProtection=True)
    await databases.delete("orders")
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "Reconciling").get("reason") == "DeletionProtected",
    )
    assert "set it to false" in condition(found, "Reconciling")["message"]
    assert {"clusters/daap-orders", "poolers/daap-orders-pooler"} <= await remains(databases)
    await databases.edit("orders", deletionProtection=False)
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")


async def test_what_is_retained_stays_and_is_owned_by_nobody(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await ready(databases, deletionPolicy="Retain")
    before = await remains(databases)
    await databases.delete("orders")
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")
    assert await remains(databases) == before
    for plural, name in (
        ("clusters", "daap-orders"),
        ("poolers", "daap-orders-pooler"),
        ("secrets", "daap-orders-connection"),
    ):
        child = await databases.child(plural, name)
        assert child
        assert not child["metadata"].get("ownerReferences")


async def test_retention_asked_for_together_with_the_deletion_is_honoured(
    databases: Databases, operators: Operators
) -> None:
    """The operator was away when both came: the children still have their owner."""
    operator = await operators.start()
    await ready(databases)
    await operator.stop()
    await databases.edit("orders", deletionPolicy="Retain")
    await databases.delete("orders")
    await operators.start()
    await databases.gone("orders")
    assert {
        "clusters/daap-orders",
        "poolers/daap-orders-pooler",
        "secrets/daap-orders-connection",
    } <= await remains(databases)


async def test_a_new_database_does_not_take_over_what_was_retained(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await ready(databases, deletionPolicy="Retain")
    await databases.delete("orders")
    await databases.gone("orders")
    await databases.create("orders")
    found = await databases.stalled("orders", "ObjectConflict")
    assert "Cluster daap-orders" in condition(found, "Stalled")["message"]
    await databases.delete("orders")
    await databases.gone("orders")
    assert "clusters/daap-orders" in await remains(databases)


@pytest.mark.parametrize("gone", ["clusters", "poolers", "secrets", "all"])
async def test_children_may_be_gone_already(
    gone: str, databases: Databases, operators: Operators, rows: Rows
) -> None:
    operator = await operators.start()
    await ready(databases)
    await operator.stop()
    for plural, name in (
        ("clusters", "daap-orders"),
        ("poolers", "daap-orders-pooler"),
        ("secrets", "daap-orders-connection"),
    ):
        if gone in (plural, "all"):
            await databases.api.delete(plural, databases.namespace, name)
    await databases.delete("orders")
    await operators.start()
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")
    await eventually(lambda: remains(databases), lambda left: left == set())


async def test_a_lost_status_does_not_keep_the_children(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    """As after a restore from a backup, which has no status."""
    operator = await operators.start()
    await ready(databases)
    await operator.stop()
    nothing = dict.fromkeys((await databases.get("orders") or {})["status"])
    await databases.api.patch(
        "daapdatabases", databases.namespace, "orders", {"status": nothing}, "status"
    )
    await databases.delete("orders")
    await operators.start()
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")
    await eventually(lambda: remains(databases), lambda left: left == set())


async def test_an_object_deleted_before_it_was_looked_at_is_simply_gone(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await databases.create("orders")
    await databases.delete("orders")
    await operators.start()
    await databases.gone("orders")
    assert await rows.named("orders") == []


async def test_a_deletion_in_mid_creation_leaves_nothing(
    databases: Databases, operators: Operators, standin: StandIn, rows: Rows
) -> None:
    await operators.start()
    standin.stop_at(databases.namespace, "daap-orders", 3)
    await databases.create("orders")
    await eventually(lambda: databases.child("poolers", "daap-orders-pooler"))
    await databases.delete("orders")
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")
    await eventually(lambda: remains(databases), lambda left: left == set())
    standin.go_on(databases.namespace, "daap-orders")


async def test_a_sleeping_cloudnativepg_holds_up_no_deletion(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    await operators.start()
    await ready(databases)
    standin.sleep()
    await databases.delete("orders")
    await databases.gone("orders")


async def test_a_namespace_goes_with_its_databases(
    api: Api, databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await ready(databases)
    await databases.create("protected", deletionProtection=True)
    await databases.ready("protected")
    await api.delete("namespaces", "", databases.namespace)
    await databases.namespace_gone()
    await rows.becomes("orders", status="deleted")
    await rows.becomes("protected", status="deleted")


@pytest.mark.parametrize("propagation", ["Foreground", "Orphan"])
async def test_propagation_policies(
    propagation: str, databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await ready(databases)
    await databases.delete("orders", {"propagationPolicy": propagation})
    await databases.gone("orders")
    if propagation == "Foreground":
        await eventually(lambda: remains(databases), lambda left: left == set())
