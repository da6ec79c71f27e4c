"""Whether the primary takes connections, as Kubernetes tells it while CloudNativePG is silent."""

from typing import Any

import pytest

from tests.support.api import Object
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators, RunningOperator
from tests.support.rows import Rows

SLICE = "daap-orders-rw-abcde"


@pytest.fixture
async def operator(operators: Operators) -> RunningOperator:
    return await operators.start()


@pytest.fixture
async def endpoints(databases: Databases, operator: RunningOperator) -> "Endpoints":
    """Those of a database that is Ready."""
    assert operator.alive
    await databases.create("orders")
    await databases.ready("orders")
    made = Endpoints(databases)
    await made.create(ready=True)
    return made


class Endpoints:
    """The EndpointSlice of a primary's Service, written in the place of Kubernetes' controller."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def create(self, **conditions: bool) -> None:
        """As the controller makes it, with the labels of CloudNativePG's Service."""
        labels = {
            "cnpg.io/cluster": "daap-orders",
            "daap.io/database": "orders",
            "kubernetes.io/service-name": "daap-orders-rw",
        }
        metadata = {"name": SLICE, "namespace": self._databases.namespace, "labels": labels}
        body = {"metadata": metadata, "addressType": "IPv4", "endpoints": one(**conditions)}
        await self._databases.api.create("endpointslices", body)

    async def become(self, found: list[Object]) -> None:
        """Have other pods behind the Service."""
        await self._databases.api.patch(
            "endpointslices", self._databases.namespace, SLICE, {"endpoints": found}
        )

    async def delete(self) -> None:
        """As it goes with its Service."""
        await self._databases.api.delete("endpointslices", self._databases.namespace, SLICE)


def one(**conditions: bool) -> list[Object]:
    """One pod."""
    return [{"addresses": ["10.0.0.1"], "conditions": conditions}]


async def not_serving(databases: Databases) -> None:
    def told(obj: Any) -> bool:
        assert condition(obj, "Ready").get("reason") == "NotServing"
        assert condition(obj, "Reconciling").get("reason") == "PrimaryDown"
        return "make sure that CloudNativePG is running" in condition(obj, "Ready")["message"]

    await eventually(lambda: databases.get("orders"), told)


@pytest.mark.parametrize(
    "found", [[], one(ready=False)], ids=["there is no pod", "its pod is not ready"]
)
async def test_a_primary_that_takes_no_connections_is_told_of_though_its_cluster_is_well(
    found: list[Object], endpoints: Endpoints, databases: Databases, rows: Rows
) -> None:
    await endpoints.become(found)
    await not_serving(databases)
    row = await rows.becomes("orders", status="error")
    assert "takes connections" in row["error_message"]
    await endpoints.become(one(ready=True))
    await databases.ready("orders")


async def test_what_is_not_told_counts_for_nothing(
    endpoints: Endpoints, databases: Databases
) -> None:
    await endpoints.become([])
    await not_serving(databases)
    await endpoints.delete()
    await databases.ready("orders")


async def test_it_is_seen_by_an_operator_that_starts_later(
    endpoints: Endpoints, databases: Databases, operator: RunningOperator, operators: Operators
) -> None:
    await operator.stop()
    await endpoints.become([])
    await operators.start(DAAP_WATCH_NAMESPACES=databases.namespace)
    await not_serving(databases)
