"""The last backup before a database's data is deleted, on the real plugin."""

import asyncio

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from tests.e2e.test_source import RECOVERED, SMALL, Server, backed_up
from tests.scenarios.lifecycle import SLOW
from tests.support.api import Object
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.nightly import nightly

pytestmark = pytest.mark.timeout(1200)

COUNT = "SELECT count(*) FROM lines"


@nightly("e2e-nightly")
@pytest.mark.parametrize("cascade", ["background", "foreground"])
async def test_the_data_goes_once_one_more_backup_of_it_is_in_the_store(
    cascade: str, shop: Databases, real_cluster: KindCluster
) -> None:
    orders = await backed_up(shop, real_cluster)
    await shop.edit("orders", backup={"onDelete": "FinalBackup"})
    ready = await shop.ready("orders", seconds=SLOW)
    archive = ready["status"]["backup"]["archive"]
    await eventually(
        lambda: shop.child("clusters", "daap-orders"),
        lambda found: found and not found["metadata"].get("ownerReferences"),
    )
    await orders.write(10_001, 10_007)
    watching = asyncio.create_task(last_seen(shop))
    await shop.delete("orders", {"propagationPolicy": cascade.capitalize()})
    await shop.gone("orders", seconds=SLOW)
    assert await shop.child("clusters", "daap-orders") is None
    assert await shop.api.list(known.BACKUP, shop.namespace) == []
    async with asyncio.timeout(SLOW):
        made = (await watching)["status"]
    assert made["phase"] == "completed"
    assert made["endWal"] >= made["beginWal"]

    source = {"archive": archive, "store": "backups", "backup": made["backupId"]}
    await shop.create("again", databaseName="orders", postgresVersion=17, source=source, **SMALL)
    await shop.ready("again", seconds=RECOVERED)
    assert await Server(real_cluster, shop, "again").says(COUNT) == "10007"


async def last_seen(shop: Databases) -> Object:
    """The last Backup of the database, as it was when the operator deleted it."""
    async for event, obj in shop.api.watch(known.BACKUP):
        metadata = obj["metadata"]
        ours = metadata["namespace"] == shop.namespace and "-final-" in metadata["name"]
        if ours and event == "DELETED":
            return obj
    raise AssertionError("a watch does not end")
