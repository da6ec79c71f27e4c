"""The scenarios of `tests/scenarios` on the real CloudNativePG, and what a client sees of them."""

import asyncio
from datetime import datetime

import pytest

from tests.fix_e2e import cleared
from tests.scenarios import lifecycle
from tests.support.clients import Clients
from tests.support.databases import Databases, condition
from tests.support.rows import Rows
from tests.support.slowness import slowness

pytestmark = pytest.mark.timeout(600)

READY_SECONDS = 60.0
"""README promises half a minute, on a cluster that has the images."""


async def test_a_life(shop: Databases, real_rows: Rows) -> None:
    before = slowness()
    await lifecycle.birth(shop, real_rows, "orders")
    found = await shop.get("orders")
    assert found
    born = datetime.fromisoformat(found["metadata"]["creationTimestamp"])
    ready = datetime.fromisoformat(condition(found, "Ready")["lastTransitionTime"])
    took = (ready - born).total_seconds()
    assert took <= READY_SECONDS * max(before, slowness())
    await lifecycle.from_birth_to_death(shop, real_rows, "orders")


async def test_rivals_names_that_need_care_and_what_was_retained(
    shop: Databases, clients: Clients, elsewhere: str
) -> None:
    """Databases that have nothing to do with each other, made at once, which is sooner done."""
    other = Databases(shop.api, elsewhere)
    await asyncio.gather(
        lifecycle.rivals(shop, other, "wanted-by-two"),
        names_that_need_care_become_working_databases(shop, clients),
        what_was_retained_is_taken_over_with_its_data_and_its_clients(shop, clients),
    )
    await cleared(other)


WRITE_AND_READ = """
with psycopg.connect(entry("uri"), **VERIFIED) as writer:
    writer.execute("CREATE TABLE IF NOT EXISTS words (word text)")
    writer.execute("INSERT INTO words VALUES ('hello')")
with psycopg.connect(entry("direct-uri"), **VERIFIED) as reader:
    tell(reader.execute("SELECT current_database(), word FROM words").fetchone())
"""


NAMES = (f"a{'b' * 61}c", "orders-pooler")
"""The longest there may be, and one that reads like a Pooler's."""


async def names_that_need_care_become_working_databases(shop: Databases, clients: Clients) -> None:
    async def works(name: str) -> None:
        await shop.create(name)
        found = await shop.ready(name, seconds=lifecycle.SLOW)
        secret = await shop.child("secrets", found["status"]["secretName"])
        assert secret
        assert await clients.run(WRITE_AND_READ, secret) == [name.replace("-", "_"), "hello"]

    await asyncio.gather(*map(works, NAMES))


WRITE = """
with psycopg.connect(entry("uri"), **VERIFIED) as writer:
    writer.execute("CREATE TABLE kept (word text)")
    writer.execute("INSERT INTO kept VALUES ('hello')")
tell("written")
"""
READ_AND_WRITE = """
with psycopg.connect(entry("uri"), **VERIFIED) as client:
    client.execute("INSERT INTO kept VALUES ('again')")
    tell([word for word, in client.execute("SELECT word FROM kept")])
"""


async def what_was_retained_is_taken_over_with_its_data_and_its_clients(
    shop: Databases, clients: Clients
) -> None:
    """With the Secret of before: it serves while nobody looks after it, and afterwards, too."""
    spec = {"deletionPolicy": "Retain", "ownerTeam": "checkout"}
    await shop.create("orders", **spec)
    old = await shop.ready("orders", seconds=lifecycle.SLOW)
    cluster = await shop.child("clusters", "daap-orders")
    secret = await shop.child("secrets", old["status"]["secretName"])
    assert cluster
    assert secret
    assert await clients.run(WRITE, secret) == "written"
    await shop.delete("orders")
    await shop.gone("orders")
    assert await clients.run(READ_AND_WRITE, secret) == ["hello", "again"]
    await shop.create("orders", **spec)
    new = await shop.ready("orders", seconds=lifecycle.SLOW)
    assert new["status"]["host"] == old["status"]["host"]
    assert await clients.run(READ_AND_WRITE, secret) == ["hello", "again", "again"]
    after = await shop.child("secrets", new["status"]["secretName"])
    assert after
    assert after["data"] == secret["data"]
    kept = await shop.child("clusters", "daap-orders")
    assert kept
    assert kept["metadata"]["uid"] == cluster["metadata"]["uid"]
    await shop.edit("orders", deletionPolicy="Delete")
    await shop.ready("orders")
