"""Databases made from the archives of others, on the real plugin and the real PostgreSQL.

`make e2e` makes one such copy, in test_backup.py.
"""

import asyncio
from typing import Any

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from dev.cluster import object_store
from tests.e2e.documented import apply
from tests.e2e.test_backup import create_store
from tests.scenarios.lifecycle import SLOW
from tests.support.clients import Clients
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.nightly import nightly

pytestmark = pytest.mark.timeout(1200)

RECOVERED = 300.0
"""Seconds for a base backup to be fetched and the log to be replayed."""

SMALL: dict[str, Any] = {"storage": {"size": "1Gi"}, "backup": {"store": "backups"}}

TABLES = """
CREATE TABLE lines (id int, item text);
CREATE TABLE invoices (id serial PRIMARY KEY, amount numeric, made timestamptz DEFAULT now());
ALTER TABLE lines OWNER TO orders;
ALTER TABLE invoices OWNER TO orders
"""

CONTENT = """
SELECT string_agg(format('%s: %s', c.oid::regclass, md5(query_to_xml(format(
'SELECT count(*), md5(string_agg(t::text, '''' ORDER BY t::text)) FROM %s t', c.oid::regclass),
false, true, '')::text)), ', ' ORDER BY c.relname)
FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
"""A checksum of each table: how many rows it has, and what is in them."""

READ = f"""
with psycopg.connect(entry("uri"), **VERIFIED) as connection:
    tell(connection.execute({CONTENT!r}).fetchone())
"""


class Server:
    """PostgreSQL in an instance of a database's Cluster, asked as its administrator."""

    def __init__(self, cluster: KindCluster, shop: Databases, name: str, number: int = 1) -> None:
        self._cluster = cluster
        self._shop = shop
        self._pod = f"daap-{name}-{number}"

    async def says(self, command: str) -> str:
        """What a statement gives, without decoration."""
        psql = ("psql", "--dbname=orders", "--tuples-only", "--no-align", f"--command={command}")
        place = (f"--namespace={self._shop.namespace}", self._pod, "--container=postgres")
        said = await asyncio.to_thread(self._cluster.kubectl, *("exec", *place, "--", *psql))
        return str(said).strip()

    async def write(self, first: int, last: int) -> str:
        """Add lines and an invoice of them in one transaction, and give back the content."""
        await self.says(
            f"INSERT INTO lines SELECT g, md5(g::text) FROM generate_series({first}, {last}) g;"
            f" INSERT INTO invoices (amount) VALUES ({last} / 7.0)"
        )
        return await self.says(CONTENT)

    async def now(self) -> str:
        """The moment, in RFC 3339 and UTC, with nothing committed until it has passed."""
        await self.says("SELECT pg_sleep(1)")
        return (
            await self.says("SELECT to_json(clock_timestamp() AT TIME ZONE 'UTC') #>> '{}'") + "Z"
        )

    async def archived(self) -> None:
        """Wait until all that is written is in the archive."""
        switched = await self.says("SELECT pg_walfile_name(pg_switch_wal())")
        await eventually(
            lambda: self.says("SELECT last_archived_wal FROM pg_stat_archiver"),
            lambda last: last >= switched,
            seconds=SLOW,
            every=1.0,
        )


async def backed_up(
    shop: Databases, cluster: KindCluster, *, bucket: str = object_store.BUCKET, **spec: Any
) -> Server:
    """The database `orders` with a table, after its first base backup."""
    await create_store(shop, bucket)
    await shop.create("orders", **(SMALL | spec))
    await shop.ready("orders", seconds=SLOW)
    orders = Server(cluster, shop, "orders")
    await orders.says(TABLES)
    await orders.write(1, 10_000)
    await eventually(lambda: shop.get("orders"), _healthy, seconds=SLOW)
    return orders


def _healthy(found: Any) -> bool:
    return condition(found, "BackupHealthy").get("status") == "True"


@nightly("e2e-nightly")
async def test_data_comes_back_from_the_archive_of_another_of_a_deleted_and_of_a_lost_one(
    shop: Databases, clients: Clients, real_cluster: KindCluster
) -> None:
    orders = await backed_up(shop, real_cluster)
    expected = await orders.write(10_001, 11_000)
    between = await orders.now()
    everything = await orders.write(11_001, 12_000)
    await orders.archived()
    original = await shop.get("orders")
    assert original

    name = "orders-before-the-import"
    await apply(shop, known.DATABASE, name, source={"at": between}, storage={"size": "1Gi"})
    copy = await shop.ready(name, seconds=RECOVERED)
    assert await Server(real_cluster, shop, name).says(CONTENT) == expected
    status = copy["status"]
    assert status["databaseName"] == status["username"] == "orders"
    assert status["source"]["archive"] == original["status"]["backup"]["archive"]
    await shop.delete(name)

    late = await orders.now()  # nothing is changed after that
    await shop.create("late", source={"database": "orders", "at": late}, **SMALL)
    told = await eventually(
        lambda: shop.get("late"),
        lambda obj: condition(obj, "Ready").get("reason") == "RestoreFailing",
        seconds=RECOVERED,
    )
    message = condition(told, "Ready")["message"]
    assert "recovery ended before configured recovery target was reached" in message
    await shop.delete("late")

    await shop.delete("orders")
    await shop.gone("orders", seconds=SLOW)
    await apply(shop, known.DATABASE, "orders", source={}, storage={"size": "1Gi"})
    back = await shop.ready("orders", seconds=RECOVERED)
    assert await orders.says(CONTENT) == everything
    assert back["status"]["source"]["archive"] == original["status"]["backup"]["archive"]
    assert back["status"]["backup"]["archive"] != original["status"]["backup"]["archive"]
    secret = await shop.child("secrets", back["status"]["secretName"])
    assert secret
    assert "|".join(map(str, await clients.run(READ, secret))) == everything

    await eventually(lambda: shop.get("orders"), _healthy, seconds=SLOW)
    last = await orders.write(12_001, 12_500)
    await orders.archived()
    own = back["status"]["backup"]["archive"]
    await shop.api.delete(known.CLUSTER, shop.namespace, "daap-orders")
    await eventually(
        lambda: shop.get("orders"),
        lambda obj: condition(obj, "Ready").get("reason") == "NotServing",
        seconds=SLOW,
    )
    found = await shop.ready("orders", seconds=RECOVERED)
    assert found["status"]["source"]["archive"] == own
    assert await orders.says(CONTENT) == last


EACH_MINUTE = "* * * * *"


@nightly("e2e-nightly")
async def test_a_backup_is_made_when_its_schedule_says_so(
    shop: Databases, real_cluster: KindCluster
) -> None:
    """The first one follows the creation; the next ones nobody asks for."""
    await backed_up(shop, real_cluster)
    await shop.edit("orders", backup={"schedule": EACH_MINUTE})
    for _ in range(2):
        first = _latest(await shop.get("orders"))
        await eventually(
            lambda: shop.get("orders"),
            lambda obj, first=first: _latest(obj) > first,  # type: ignore[misc]
            seconds=SLOW,
        )
    made = await shop.api.list(known.BACKUP, shop.namespace)
    assert len([each for each in made if each["status"].get("phase") == "completed"]) >= 3
    assert _healthy(await shop.get("orders"))


def _latest(found: Any) -> str:
    return str(found["status"]["backup"]["lastSuccessful"])
