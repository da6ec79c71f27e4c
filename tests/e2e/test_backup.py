"""Backups on the real plugin: made on schedule and now, told of, and restored as the docs say."""

import asyncio
import time
from typing import Any

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from dev.cluster import object_store
from tests.e2e.documented import of_kind
from tests.scenarios.lifecycle import SLOW
from tests.support.api import Object
from tests.support.clients import Clients
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually

pytestmark = pytest.mark.timeout(900)

RECOVERED = 300.0
"""Seconds for a base backup to be fetched and the log to be replayed."""

REMEMBERED = 10.0
"""Seconds for which the plugin goes by the ObjectStore as it once read it.

Where two backups end within them, its second write of the status conflicts and is left out, until
the next of its half-hourly looks.
"""

WRITE = """
with psycopg.connect(entry("uri"), autocommit=True, **VERIFIED) as connection:
    connection.execute("CREATE TABLE lines AS SELECT g id, md5(g::text) item"
                       " FROM generate_series(1, 10000) g")
    tell(connection.execute("SELECT count(*), md5(string_agg(item, '' ORDER BY id))"
                            " FROM lines").fetchone())
"""
READ = "SELECT count(*), md5(string_agg(item, '' ORDER BY id)) FROM lines"


async def create_store(shop: Databases, bucket: str = object_store.BUCKET) -> None:
    """The Secret and the ObjectStore of the docs, for a bucket in this cluster's S3 server."""
    secret, store = of_kind("Secret"), of_kind("ObjectStore")
    for obj in (secret, store):
        obj["metadata"]["namespace"] = shop.namespace
    keys = (object_store.ACCESS_KEY, object_store.SECRET_KEY)
    secret["stringData"] = dict(zip(secret["stringData"], keys, strict=True))
    configuration = store["spec"]["configuration"]
    del configuration["endpointCA"]
    configuration["endpointURL"] = object_store.ENDPOINT
    configuration["destinationPath"] = f"s3://{bucket}/{shop.namespace}/"
    await shop.api.create(known.SECRET, secret)
    await shop.api.create(known.BARMAN_STORE, store)


async def backup_now(shop: Databases) -> Object:
    """The DaapBackup of the docs, completed."""
    asked = of_kind("DaapBackup")
    asked["metadata"]["namespace"] = shop.namespace
    await shop.api.create(known.DAAP_BACKUP, asked)
    name = asked["metadata"]["name"]
    done = await eventually(
        lambda: shop.api.get(known.DAAP_BACKUP, shop.namespace, name), is_ready, seconds=SLOW
    )
    assert done
    return done


async def restore(shop: Databases) -> str:
    """The copy of the docs, as of the end of their DaapBackup; the name of its Cluster."""
    copy = of_kind("DaapDatabase", "orders-before-the-import", source=True)
    copy["metadata"]["namespace"] = shop.namespace
    copy["spec"]["storage"] = {"size": "1Gi"}
    del copy["spec"]["source"]["at"]
    copy["spec"]["source"]["backup"] = of_kind("DaapBackup")["metadata"]["name"]
    await shop.api.create(known.DATABASE, copy)
    name: str = copy["metadata"]["name"]
    found = await shop.ready(name, seconds=RECOVERED)
    return str(found["status"]["clusterName"])


def _healthy(found: Any) -> bool:
    return condition(found, "BackupHealthy").get("status") == "True"


async def _passed(seconds: float) -> None:
    """So long has gone by: nothing that can be seen tells what the plugin remembers."""
    over = time.monotonic() + seconds
    await eventually(_monotonic, lambda at: at > over, seconds=seconds * 2, every=1.0)


async def _monotonic() -> float:
    return time.monotonic()


async def test_a_database_is_backed_up_and_restored_as_the_docs_say(
    shop: Databases, clients: Clients, real_cluster: KindCluster
) -> None:
    await create_store(shop)
    await shop.create(
        "orders",
        storage={"size": "1Gi"},
        backup=of_kind("DaapDatabase", "orders")["spec"]["backup"],
    )
    found = await shop.ready("orders", seconds=SLOW)
    secret = await shop.child("secrets", found["status"]["secretName"])
    assert secret
    written = await clients.run(WRITE, secret)
    told = await eventually(lambda: shop.get("orders"), _healthy, seconds=SLOW)
    assert told
    first = told["status"]["backup"]["lastSuccessful"]
    assert told["status"]["backup"]["firstRecoverable"] <= first
    await _passed(REMEMBERED + 2)

    done = await backup_now(shop)
    assert done["status"]["archive"] == told["status"]["backup"]["archive"]
    assert done["status"]["backupId"]
    assert done["status"]["endWal"] >= done["status"]["beginWal"]
    await eventually(
        lambda: shop.get("orders"),
        lambda obj: obj and obj["status"]["backup"]["lastSuccessful"] > first,
        seconds=SLOW,
    )

    async def psql(cluster: str, command: str) -> str:
        place = (f"--namespace={shop.namespace}", f"{cluster}-1", "--container=postgres")
        asked = ("psql", "--dbname=orders", "--tuples-only", "--no-align", f"--command={command}")
        said = await asyncio.to_thread(real_cluster.kubectl, *("exec", *place, "--", *asked))
        return str(said).strip()

    await psql("daap-orders", "INSERT INTO lines VALUES (0, 'after the backup')")
    copy = await restore(shop)
    assert (await psql(copy, READ)).split("|") == [str(value) for value in written]
    still = await shop.get("orders")
    assert still
    assert is_ready(still)
    assert _healthy(still)
