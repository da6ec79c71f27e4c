"""What a client in another namespace can do with the Secret, and what it cannot."""

import asyncio

import pytest

from tests.scenarios.lifecycle import SLOW
from tests.support.api import Object
from tests.support.clients import Clients, entries
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.first_second import AtOnce
from tests.support.slowness import slowness

pytestmark = pytest.mark.timeout(600)

FIRST_SECONDS = 1.0
"""Within which a client past the pooler is served once the database is Ready: docs/clients.md."""


async def secret_of(shop: Databases, name: str) -> Object:
    found = await shop.ready(name, seconds=SLOW)
    secret = await shop.child("secrets", found["status"]["secretName"])
    assert secret
    return secret


EVERYTHING = """
seen = {}
with psycopg.connect(entry("uri")) as first:
    first.execute("CREATE TABLE words (word text)")
    first.execute("INSERT INTO words VALUES (%s)", ["hello"])
with psycopg.connect(entry("uri"), **VERIFIED) as second:
    seen["verified"] = second.execute("SELECT word FROM words").fetchone()
with psycopg.connect(entry("direct-uri"), **VERIFIED) as direct:
    seen["direct"] = direct.execute("SELECT word FROM words").fetchone()
    direct.execute("LISTEN news")
with psycopg.connect(
    host=entry("host"), port=entry("port"), dbname=entry("database"),
    user=entry("username"), password=entry("password"), **VERIFIED,
) as single:
    seen["entries"] = single.execute("SELECT current_user, current_database()").fetchone()
with psycopg.connect(entry("uri"), prepare_threshold=0) as prepared:
    for number in range(20):
        prepared.execute("SELECT %s::int", [number])
        prepared.commit()
    seen["prepared"] = prepared.execute("SELECT %s::int", [21]).fetchone()
for key in ("uri", "direct-uri"):
    try:
        psycopg.connect(entry(key), sslmode="disable", connect_timeout=30).close()
        seen[f"plain {key}"] = "accepted"
    except psycopg.OperationalError as error:
        seen[f"plain {key}"] = str(error)
try:
    psycopg.connect(entry("uri"), password="wrong", connect_timeout=30).close()
    seen["wrong password"] = "accepted"
except psycopg.OperationalError:
    seen["wrong password"] = "refused"
tell(seen)
"""


async def test_every_way_in_and_no_other(shop: Databases, clients: Clients, elsewhere: str) -> None:
    at_once = AtOnce(shop, clients)
    await at_once.wait(elsewhere)
    before = slowness()
    await shop.create("orders")
    secret = await secret_of(shop, "orders")
    told = await at_once.connected()
    assert told["seconds"] <= FIRST_SECONDS * max(before, slowness()), told
    assert entries(secret)["type"] == "postgresql"
    seen = await clients.run(EVERYTHING, secret)
    assert seen["verified"] == seen["direct"] == ["hello"]
    assert seen["entries"] == ["orders", "orders"]
    assert seen["prepared"] == [21]
    assert "SSL required" in seen["plain uri"]
    assert "pg_hba.conf rejects connection" in seen["plain direct-uri"]
    assert seen["wrong password"] == "refused"
    await a_new_password_works_once_the_secret_has_it(shop, clients, secret)


PASSWORD = """
with psycopg.connect(entry("uri"), **VERIFIED) as connection:
    tell(connection.execute("SELECT 1").fetchone())
"""


async def a_new_password_works_once_the_secret_has_it(
    shop: Databases, clients: Clients, secret: Object
) -> None:
    new = {"stringData": {"password": "new/pass@word"}}
    await shop.api.patch("secrets", shop.namespace, "daap-orders-app", new)
    changed = await eventually(
        lambda: shop.child("secrets", "daap-orders-connection"),
        lambda found: found and entries(found)["password"] == "new/pass@word",
    )
    assert changed
    assert changed != secret

    async def connects() -> bool:
        try:
            return bool(await clients.run(PASSWORD, changed) == [1])
        except AssertionError:
            return False

    await eventually(connects)


READ_ONLY = """
import time

# Ready speaks of the pooler's host. The replica's Service may come a little later
give_up = time.monotonic() + 60
while True:
    try:
        with psycopg.connect(entry("ro-uri"), **VERIFIED) as replica:
            tell(replica.execute("SELECT pg_is_in_recovery()").fetchone())
        break
    except psycopg.OperationalError:
        if time.monotonic() > give_up:
            raise
        time.sleep(0.2)
"""


async def test_a_replica_answers_and_session_pooling_keeps_the_session(
    shop: Databases, clients: Clients
) -> None:
    """Two databases, made at once, which is sooner done."""
    await asyncio.gather(
        a_replica_answers_through_the_read_only_host(shop, clients),
        session_pooling_keeps_the_session(shop, clients),
    )


async def a_replica_answers_through_the_read_only_host(shop: Databases, clients: Clients) -> None:
    await shop.create("orders", instances=2)
    secret = await secret_of(shop, "orders")
    assert await clients.run(READ_ONLY, secret) == [True]


SESSION = """
with psycopg.connect(entry("uri"), autocommit=True) as connection:
    connection.execute("CREATE TEMPORARY TABLE mine (word text)")
    connection.execute("SET search_path = pg_temp")
    connection.execute("INSERT INTO mine VALUES ('kept')")
    tell(connection.execute("SELECT word FROM mine").fetchone())
"""


async def session_pooling_keeps_the_session(shop: Databases, clients: Clients) -> None:
    await shop.create(
        "ticketing",
        databaseName="tickets",
        connectionSecretName="ticketing-postgres",
        pooler={"mode": "Session"},
    )
    secret = await secret_of(shop, "ticketing")
    assert secret["metadata"]["name"] == "ticketing-postgres"
    assert await clients.run(SESSION, secret) == ["kept"]
