"""A new authority reaches the pooler, and Ready says when it has not."""

from typing import Any

from daap_operator import names
from tests.standin.cnpg import StandIn
from tests.support.api import Object
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators

CLUSTER, POOLER = "daap-orders", "daap-orders-pooler"


async def made_anew(databases: Databases) -> Object:
    """CloudNativePG makes the Secrets again, and nothing tells the pooler of it."""
    for name in (f"{CLUSTER}-ca", f"{CLUSTER}-server"):
        await databases.api.delete("secrets", databases.namespace, name)
    touched = {"metadata": {"annotations": {"touched": "yes"}}}
    await databases.api.patch("clusters", databases.namespace, CLUSTER, touched)
    return await authority(databases)


async def authority(databases: Databases) -> Object:
    made = await eventually(lambda: databases.child("secrets", f"{CLUSTER}-ca"))
    assert made
    return made


def told(pooler: Object | None) -> Any:
    return ((pooler or {}).get("status") or {}).get("secrets", {}).get("serverCA", {})


async def test_the_pooler_is_told_of_a_new_authority_and_ready_comes_back(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    before = await databases.child("poolers", POOLER)
    assert before
    assert names.CERTIFICATES not in before["metadata"].get("annotations", {})
    made = await made_anew(databases)
    version = made["metadata"]["resourceVersion"]
    after = await eventually(
        lambda: databases.child("poolers", POOLER),
        lambda found: told(found).get("version") == version,
    )
    assert after
    assert after["metadata"]["annotations"][names.CERTIFICATES].startswith(f"{version}.")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]  # no pod is replaced
    await databases.ready("orders")


async def test_ready_says_so_while_the_pooler_serves_the_certificate_before(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    standin.sleep(databases.namespace)
    versions = {"secretsResourceVersion": {"serverCaSecretVersion": "new"}}
    await databases.api.patch(
        "clusters", databases.namespace, CLUSTER, {"status": versions}, "status"
    )
    found = await eventually(
        lambda: databases.get("orders"),
        lambda found: condition(found, "Ready").get("status") == "False",
    )
    assert "does not serve the new certificate" in condition(found, "Ready")["message"]
    assert condition(found, "Reconciling")["reason"] == "CertificatePending"
    standin.wake(databases.namespace)
    await databases.ready("orders")
