"""The operator killed, stopped and without its inventory, while the real CloudNativePG works."""

import asyncio
import random
import signal

import pytest

from dev.postgres import Postgres
from tests.fix_e2e import OperatorProcess
from tests.scenarios.lifecycle import SLOW
from tests.support.databases import Databases
from tests.support.rows import Rows

pytestmark = pytest.mark.timeout(600)

KILLS = 20


async def test_killed_twenty_times_during_a_creation_and_stopped_once_afterwards(
    shop: Databases, real_operator: OperatorProcess, real_rows: Rows
) -> None:
    """There is one of each, and a restart changes none of them."""
    chance = random.Random(2)
    await shop.create("orders")
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 1.6))  # the random moment is the test
        real_operator.stop(signal.SIGKILL)
        real_operator.start()
    found = await shop.ready("orders", seconds=SLOW)
    await real_rows.becomes("orders", status="ready", host=found["status"]["host"])
    labelled = "labelSelector=app.kubernetes.io/managed-by%3Ddaap-operator"
    for plural in ("clusters", "poolers", "secrets"):
        assert len(await shop.api.list(plural, shop.namespace, labelled)) == 1, plural
    assert len(await real_rows.named("orders")) == 1

    async def versions() -> dict[str, object]:
        """What only we write by resource version, and CloudNativePG's by what is asked of it."""
        seen: dict[str, object] = {}
        for plural, field in (
            ("daapdatabases", "resourceVersion"),
            ("secrets", "resourceVersion"),
            ("clusters", "generation"),
            ("poolers", "generation"),
            ("deployments", "generation"),
        ):
            for obj in await shop.api.list(plural, shop.namespace):
                seen[f"{plural}/{obj['metadata']['name']}"] = obj["metadata"].get(field)
        return seen

    before = await versions()
    real_operator.stop()
    real_operator.start()
    await shop.create("later")
    await shop.ready("later", seconds=SLOW)
    after = await versions()
    assert {key: after[key] for key in before} == before


@pytest.fixture
def migrated_database(own_migrated_postgres: Postgres) -> str:
    """The operator's inventory is on a server of the test's own."""
    return own_migrated_postgres.url


async def test_without_inventory_during_a_create_and_a_delete(
    shop: Databases, own_migrated_postgres: Postgres, real_rows: Rows
) -> None:
    """A create and a delete finish in Kubernetes, and the rows are right afterwards."""
    await shop.create("deleted")
    await shop.ready("deleted", seconds=SLOW)
    await real_rows.becomes("deleted", status="ready")
    own_migrated_postgres.stop(mode="immediate")
    await asyncio.gather(shop.create("created"), shop.delete("deleted"))
    await shop.gone("deleted", seconds=SLOW)
    await shop.ready("created", seconds=SLOW)
    own_migrated_postgres.restart()
    await real_rows.becomes("created", status="ready")
    await real_rows.becomes("deleted", status="deleted")
