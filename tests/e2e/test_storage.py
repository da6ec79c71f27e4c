"""Sizes that the real storage does not give: the local class cannot grow, which is the trap."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fix_e2e import OperatorProcess
from tests.scenarios.lifecycle import SLOW
from tests.support.api import Object
from tests.support.clients import Clients
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.failures import AT_ONCE
from tests.support.observer import Client, asking, watching

pytestmark = pytest.mark.timeout(600)

CLUSTER, POD = "daap-orders", "daap-orders-1"


@dataclass
class Shelf:
    """A database of 1Gi on a class that cannot grow, and a client that asks all the time."""

    shop: Databases
    client: Client

    async def asked(self, size: str) -> None:
        """Somebody edits the size."""
        await self.shop.edit("orders", storage={"size": size})

    async def told(self) -> str:
        """Wait until it serves, and tells that the volumes cannot grow; the message."""

        def stalled(found: Any) -> bool:
            serves = condition(found, "Ready").get("status") == "True"
            return serves and condition(found, "Stalled").get("reason") == "VolumesCannotGrow"

        found = await eventually(lambda: self.shop.get("orders"), stalled, seconds=SLOW)
        assert found
        assert found["status"]["storage"] == "1Gi"
        return str(condition(found, "Stalled")["message"])

    async def settled(self) -> None:
        """Wait until nothing is under way, and nothing wrong."""

        def well(found: Any) -> bool:
            seen = found["status"]["observedGeneration"] == found["metadata"]["generation"]
            return bool(seen and is_ready(found) and not condition(found, "Reconciling"))

        await eventually(lambda: self.shop.get("orders"), well, seconds=SLOW)

    async def storage(self) -> Object:
        """What the Cluster says of its volumes."""
        found = await self.shop.child("clusters", CLUSTER)
        assert found
        made: Object = found["spec"]["storage"]
        return made

    async def lose_the_pod(self) -> str:
        """Delete the only instance's pod, as a drain does; its uid."""
        found = await self.shop.api.get("pods", self.shop.namespace, POD)
        assert found
        await self.shop.api.delete("pods", self.shop.namespace, POD, AT_ONCE)
        return str(found["metadata"]["uid"])

    async def serves_again(self, before: str) -> None:
        """Wait until another pod is there and answers the client."""
        await eventually(
            lambda: self.shop.api.get("pods", self.shop.namespace, POD),
            lambda pod: pod and pod["metadata"]["uid"] != before and _is_ready(pod),
            seconds=SLOW,
        )
        await self.client.is_answered()


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


@pytest.fixture
async def shelf(
    shop: Databases, clients: Clients, request: pytest.FixtureRequest
) -> AsyncIterator[Shelf]:
    directory: Path = request.config.rootpath / ".artifacts" / request.node.name
    await shop.create("orders", storage={"size": "1Gi"})
    await shop.ready("orders", seconds=SLOW)
    async with watching(shop, "orders") as watched, asking(watched, clients, directory) as client:
        yield Shelf(shop, client)


async def test_a_size_typed_wrong_takes_no_database_down(
    shelf: Shelf, real_operator: OperatorProcess
) -> None:
    await shelf.asked("100Gi")
    said = await shelf.told()
    assert "Set it back to '1Gi'" in said
    assert (await shelf.storage())["size"] == "1Gi"
    await shelf.client.is_answered()
    await shelf.serves_again(await shelf.lose_the_pod())
    await shelf.told()
    await shelf.asked("1Gi")
    await shelf.settled()
    await stuck(shelf, real_operator)


async def stuck(shelf: Shelf, operator: OperatorProcess) -> None:
    """CloudNativePG was told what cannot be had, by an operator that did not know; then a drain."""
    with operator.frozen():
        body = {"spec": {"storage": {"size": "100Gi"}}}
        await shelf.shop.api.patch("clusters", shelf.shop.namespace, CLUSTER, body)
        before = await shelf.lose_the_pod()
    await eventually(shelf.storage, lambda found: found["resizeInUseVolumes"] is False)
    await shelf.serves_again(before)
    await shelf.settled()
