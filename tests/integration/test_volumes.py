"""Volumes: what they really have, what cannot be had, and the way back from a mistake."""

from typing import Any

import pytest

from tests.standin.cnpg import FIXED, StandIn
from tests.support.api import Object
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators

SETTLED = {"Reconciling", "Stalled"}


async def storage(databases: Databases) -> Object:
    """What the Cluster says of its volumes."""
    found = await databases.child("clusters", "daap-orders")
    assert found
    made: Object = found["spec"]["storage"]
    return made


async def claims(databases: Databases) -> list[Object]:
    """The claims there are."""
    return await databases.api.list("persistentvolumeclaims", databases.namespace)


async def told(databases: Databases, kind: str, reason: str) -> str:
    """Wait until a condition has that reason; its message."""
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, kind).get("reason") == reason,
    )
    return str(condition(found, kind)["message"])


async def settled(databases: Databases, size: str) -> Object:
    """Wait until nothing is under way, and nothing wrong, with volumes of that size."""

    def holds(found: Any) -> bool:
        return bool(
            condition(found, "Ready").get("status") == "True"
            and found["status"]["observedGeneration"] == found["metadata"]["generation"]
            and not any(condition(found, kind) for kind in SETTLED)
            and found["status"].get("storage") == size
        )

    found: Object | None = await eventually(lambda: databases.get("orders"), holds)
    assert found
    return found


async def test_volumes_grow_and_the_status_follows_them(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await databases.create("orders", storage={"size": "1Gi"})
    await settled(databases, "1Gi")
    await databases.edit("orders", storage={"size": "2Gi"})
    await settled(databases, "2Gi")
    assert (await storage(databases))["size"] == "2Gi"


async def test_the_volume_of_an_instance_that_is_gone_is_not_waited_for(
    databases: Databases, operators: Operators
) -> None:
    """CloudNativePG deletes its claim, and a larger size concerns those that are left."""
    await operators.start()
    await databases.create("orders", instances=2, storage={"size": "1Gi"})
    await settled(databases, "1Gi")
    await databases.edit("orders", instances=1)
    await settled(databases, "1Gi")
    await databases.edit("orders", storage={"size": "2Gi"})
    await settled(databases, "2Gi")
    assert [c["metadata"]["name"] for c in await claims(databases)] == ["daap-orders-1"]


async def test_a_size_that_cannot_be_had_is_held_back_and_can_be_taken_back(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await databases.create("orders", storage={"size": "1Gi", "storageClass": FIXED})
    await settled(databases, "1Gi")
    before = await databases.child("clusters", "daap-orders")
    await databases.edit("orders", storage={"size": "100Gi"})
    said = await told(databases, "Stalled", "VolumesCannotGrow")
    for text in ("'100Gi'", "have 1Gi", f"StorageClass {FIXED}", "Set it back to '1Gi'"):
        assert text in said
    found = await databases.get("orders")
    assert found
    assert found["status"]["storage"] == "1Gi"
    await databases.edit("orders", storage={"size": "1024Mi"})
    await settled(databases, "1Gi")
    after = await databases.child("clusters", "daap-orders")
    assert before
    assert after
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


async def test_volumes_that_do_not_become_larger_are_told_of_and_given_up(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    """Their class promises that they can."""
    await operators.start()
    standin.stiffen(databases.namespace)
    await databases.create("orders", storage={"size": "1Gi"})
    await settled(databases, "1Gi")
    await databases.edit("orders", storage={"size": "2Gi"})
    assert "from 1Gi to 2Gi" in await told(databases, "Reconciling", "VolumeResizing")
    failure = {"type": "ControllerResizeError", "status": "True", "message": "no space left"}
    status = {
        "conditions": [failure],
        "allocatedResources": {"storage": "2Gi"},
        "allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"},
    }
    claim = "daap-orders-1"
    await databases.api.patch(
        "persistentvolumeclaims", databases.namespace, claim, {"status": status}, "status"
    )
    said = await told(databases, "Stalled", "VolumeResizeFailed")
    for text in ("'2Gi'", "have 1Gi", claim, "no space left", "Set it back to '1Gi'"):
        assert text in said
    await databases.edit("orders", storage={"size": "1Gi"})
    await settled(databases, "1Gi")


@pytest.mark.parametrize("size", ["1Gi", "100Gi"], ids=["taken back meanwhile", "still asked for"])
async def test_a_cluster_that_is_stuck_from_before_is_freed(
    size: str, databases: Databases, operators: Operators, standin: StandIn
) -> None:
    """As an operator that did not know left it: CloudNativePG tries to resize, and nothing else."""
    operator = await operators.start()
    await databases.create("orders", storage={"size": "1Gi", "storageClass": FIXED})
    await settled(databases, "1Gi")
    await operator.stop()
    await databases.api.patch(
        "clusters", databases.namespace, "daap-orders", {"spec": {"storage": {"size": "100Gi"}}}
    )
    await databases.edit("orders", storage={"size": size})
    await operators.start()
    freed = await eventually(
        lambda: storage(databases), lambda found: found.get("resizeInUseVolumes") is False
    )
    assert freed["size"] == "100Gi"
    if size == "100Gi":
        await told(databases, "Stalled", "VolumesCannotGrow")
    else:
        await settled(databases, "1Gi")
    await databases.edit("orders", storage={"size": "1Gi"}, instances=2)
    await eventually(
        lambda: databases.get("orders"),
        lambda found: found and found["status"].get("readyInstances") == 2,
    )


async def test_a_version_that_is_not_reached_can_be_taken_back(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    await operators.start()
    await databases.create("orders", postgresVersion=17)
    await databases.ready("orders")
    standin.take_over(databases.namespace, "daap-orders")
    await databases.edit("orders", postgresVersion=18)
    cluster = await eventually(
        lambda: databases.child("clusters", "daap-orders"),
        lambda found: found and ":18-" in found["spec"]["imageName"],
    )
    assert cluster
    status = {
        "phase": "Upgrading Postgres major version",
        "image": cluster["spec"]["imageName"],
        "instancesStatus": {"healthy": []},
    }
    await databases.api.patch(
        "clusters", databases.namespace, "daap-orders", {"status": status}, "status"
    )
    said = await told(databases, "Reconciling", "MajorUpgrade")
    for text in ("PostgreSQL 17", cluster["spec"]["imageName"], "set spec.postgresVersion to 17"):
        assert text in said
    await databases.edit("orders", postgresVersion=17)
    await eventually(
        lambda: databases.child("clusters", "daap-orders"),
        lambda found: found and ":17-" in found["spec"]["imageName"],
    )
    standin.go_on(databases.namespace, "daap-orders")
    assert (await databases.ready("orders"))["status"]["postgresVersion"] == 17


async def test_a_namespace_that_goes_says_what_holds_it(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    """Kubernetes asks for pods before all else: this object is not asked to go for a long time."""
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    standin.take_over(databases.namespace, "daap-orders")
    status = {
        "phase": "Unable to create required cluster objects",
        "phaseReason": 'secrets "daap-orders-app" is forbidden: unable to create new content in '
        "namespace shop because it is being terminated",
        "instancesStatus": {"healthy": []},
    }
    await databases.api.patch(
        "clusters", databases.namespace, "daap-orders", {"status": status}, "status"
    )
    said = await told(databases, "Reconciling", "NamespaceTerminating")
    for text in (
        databases.namespace,
        "daap-orders-1",
        "up to 180 seconds after it is told to stop",
    ):
        assert text in said
