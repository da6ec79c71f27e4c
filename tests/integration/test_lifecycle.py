"""The scenarios of `tests/scenarios` on the stand-in for CloudNativePG."""

import pytest

from tests.scenarios import lifecycle
from tests.support.api import Api
from tests.support.databases import Databases
from tests.support.operator import Operators
from tests.support.rows import Rows


async def test_a_life(databases: Databases, operators: Operators, rows: Rows) -> None:
    await operators.start()
    await lifecycle.life(databases, rows, "orders")


async def test_rivals_for_a_name(
    api: Api, databases: Databases, other_namespace: str, operators: Operators
) -> None:
    await operators.start()
    await lifecycle.rivals(databases, Databases(api, other_namespace), "orders")


LONGEST = f"a{'b' * 61}c"


@pytest.mark.parametrize("name", [LONGEST, "orders-pooler", "orders-primary", "a-1"])
async def test_names_that_need_care(
    name: str, databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.create(name)
    found = await databases.ready(name)
    await databases.ready("orders")
    cluster = found["status"]["clusterName"]
    assert len(cluster) <= 37
    assert not cluster.endswith(("-pooler", "-primary"))
    assert found["status"]["databaseName"] == name.replace("-", "_")
    await rows.becomes(name, status="ready", cluster_name=cluster)
    await databases.delete(name)
    await databases.gone(name)
    await databases.ready("orders")
