"""Databases put back in place, on the real plugin and the real PostgreSQL, under a client."""

import signal

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from tests.e2e.documented import apply
from tests.e2e.test_source import CONTENT, RECOVERED, Server, backed_up
from tests.fix_e2e import OperatorProcess
from tests.scenarios.lifecycle import SLOW
from tests.support.api import Object
from tests.support.clients import Clients, entries
from tests.support.databases import Databases, is_ready, phase
from tests.support.eventually import eventually
from tests.support.nightly import nightly

pytestmark = pytest.mark.timeout(1500)

RECONNECTING = """
import time

while True:  # what a client does that was given its Secret once: the old host, the old password
    try:
        with psycopg.connect(entry("uri"), connect_timeout=3, autocommit=True) as connection:
            while True:
                tell(connection.execute("SELECT count(*) FROM lines").fetchone()[0])
                time.sleep(0.5)
    except psycopg.Error as error:
        tell(str(error)[:80])
        time.sleep(0.5)
"""

ONCE = """
with psycopg.connect(entry("uri"), autocommit=True) as connection:
    connection.execute("INSERT INTO lines VALUES (0, 'after')")
    tell(connection.execute("SELECT count(*) FROM lines").fetchone()[0])
"""


def restore(namespace: str, name: str, **spec: str) -> Object:
    """A DaapRestore of the database `orders`."""
    return {
        "apiVersion": known.DAAP_RESTORE.api_version,
        "kind": known.DAAP_RESTORE.name,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"databaseRef": {"name": "orders"}, "confirm": "orders"} | spec,
    }


async def reaches(shop: Databases, name: str, *wanted: str, seconds: float = SLOW) -> Object:
    """Wait until a DaapRestore is in one of some phases."""
    found = await eventually(
        lambda: shop.api.get(known.DAAP_RESTORE, shop.namespace, name),
        lambda obj: phase(obj) in wanted,
        seconds=seconds,
    )
    assert found
    return found


@nightly("e2e-nightly")
async def test_a_database_is_put_back_in_place_and_back_again(
    shop: Databases,
    clients: Clients,
    real_cluster: KindCluster,
    real_operator: OperatorProcess,
) -> None:
    orders = await backed_up(shop, real_cluster)
    expected = await orders.write(10_001, 11_000)
    between = await orders.now()
    latest = await orders.write(11_001, 12_000)
    await orders.archived()
    found = await shop.ready("orders", seconds=SLOW)
    secret = await shop.child("secrets", found["status"]["secretName"])
    assert secret
    client = await clients.start(RECONNECTING, secret)
    await eventually(lambda: clients.said(client), lambda said: "12000\n" in said, seconds=SLOW)

    name = "orders-before-the-drop"
    await apply(shop, known.DAAP_RESTORE, name, at=between)
    await reaches(shop, name, "Replacing", "Restoring", seconds=RECOVERED)
    real_operator.stop(signal.SIGKILL)
    real_operator.start()
    done = await reaches(shop, name, "Completed", "Failed", seconds=RECOVERED)
    assert is_ready(done), done["status"]

    assert await Server(real_cluster, shop, "orders").says(CONTENT) == expected
    await eventually(
        lambda: clients.said(client), lambda said: said.endswith("11000\n"), seconds=SLOW
    )
    after = await shop.ready("orders", seconds=SLOW)
    for field in ("host", "username", "secretName", "databaseName", "clusterName"):
        assert after["status"][field] == found["status"][field]
    there = await shop.child("secrets", found["status"]["secretName"])
    assert there
    assert entries(there)["password"] == entries(secret)["password"]
    assert there["metadata"]["uid"] == secret["metadata"]["uid"]
    assert await clients.run(ONCE, secret) == 11_001  # the Secret of before, a new connection
    assert after["status"]["backup"]["archive"] != found["status"]["backup"]["archive"]

    # The way back that its message tells, by its name alone
    safety = done["status"]["safetyBackup"]["name"]
    back = restore(shop.namespace, "back", backup=safety)
    await shop.api.create(known.DAAP_RESTORE, back)
    done = await reaches(shop, "back", "Completed", "Failed", seconds=2 * RECOVERED)
    assert is_ready(done), done["status"]
    assert await Server(real_cluster, shop, "orders").says(CONTENT) == latest
    await eventually(
        lambda: clients.said(client), lambda said: said.endswith("12000\n"), seconds=SLOW
    )


@nightly("e2e-nightly")
async def test_three_instances_are_put_back_in_place_together(
    shop: Databases, real_cluster: KindCluster
) -> None:
    orders = await backed_up(shop, real_cluster, instances=3)
    expected = await orders.write(10_001, 11_000)
    between = await orders.now()
    await orders.write(11_001, 12_000)
    await orders.archived()
    before = await volumes(shop)

    await shop.api.create(known.DAAP_RESTORE, restore(shop.namespace, "oops", at=between))
    done = await reaches(shop, "oops", "Completed", "Failed", seconds=2 * RECOVERED)
    assert is_ready(done), done["status"]

    found = await shop.ready("orders", seconds=RECOVERED)
    assert found["status"]["readyInstances"] == 3
    after = await volumes(shop)
    assert len(after) == 3
    assert not before & after
    for number in (1, 2, 3):
        instance = Server(real_cluster, shop, "orders", number)
        await eventually(
            lambda server=instance: server.says(CONTENT),  # type: ignore[misc]
            lambda said: said == expected,
            seconds=SLOW,
        )


async def volumes(shop: Databases) -> set[str]:
    """The uids of the volume claims of its database."""
    found = await shop.api.list(known.CLAIM, shop.namespace)
    return {each["metadata"]["uid"] for each in found}
