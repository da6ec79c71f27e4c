"""A process killed anywhere: the next one ends in the same place."""

import asyncio
import os
import random
import signal
import time
from contextlib import suppress

import pytest

from tests.standin.cnpg import StandIn
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.process import operator_process
from tests.support.rows import Rows
from tests.support.slowness import slowness

KILLS = 20
STOP_SECONDS = 30.0
"""What the chart gives a pod to end, by the docs."""


@pytest.fixture
def environment(operator_environment: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **operator_environment, "DAAP_IDENTITY": "tests"}


async def one_of_each(databases: Databases, rows: Rows, name: str) -> None:
    """One Cluster, one Pooler, one Secret, one row, and nothing else of ours."""
    labelled = "labelSelector=app.kubernetes.io/managed-by%3Ddaap-operator"
    for plural in ("clusters", "poolers", "secrets"):
        found = await databases.api.list(plural, databases.namespace, labelled)
        assert len(found) == 1, plural
    assert [row["status"] for row in await rows.named(name)] == ["ready"]


@pytest.mark.parametrize("seed", [1])
async def test_killed_twenty_times_during_a_creation(
    seed: int,
    databases: Databases,
    standin: StandIn,
    environment: dict[str, str],
    operators: Operators,
    rows: Rows,
) -> None:
    """Moments from before the first request to after the last one, over a slow creation."""
    chance = random.Random(seed)
    standin.pace(1.0)
    await databases.create("orders")
    for _ in range(KILLS):
        async with operator_process(environment) as process:
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(0.5, 2.0)):
                    await process.wait()
    standin.pace(0)
    await operators.start()
    found = await databases.ready("orders")
    await rows.becomes("orders", status="ready", host=found["status"]["host"])
    await one_of_each(databases, rows, "orders")


async def test_cut_off_during_a_deletion(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    """The operator stops between any two steps and another one goes on."""
    operator = await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await databases.delete("orders")
    for _ in range(10):
        await operator.kill()
        operator = await operators.start()
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")


async def test_a_term_signal_ends_it_cleanly(
    databases: Databases, environment: dict[str, str]
) -> None:
    async with operator_process(environment) as process:
        await databases.create("orders")
        await eventually(
            lambda: databases.get("orders"),
            lambda obj: obj and obj["metadata"].get("finalizers"),
        )
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert await process.wait() == 0
        assert time.monotonic() - asked < STOP_SECONDS * slowness()
