"""A database from before the revisions: kept as it is, moved on, and saved from a bad edit."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fix_e2e import OperatorProcess
from tests.scenarios.lifecycle import SLOW
from tests.support.api import Object
from tests.support.clients import IMAGE, PRELUDE, Clients
from tests.support.databases import Databases, condition, database, is_ready
from tests.support.eventually import eventually
from tests.support.failures import PROMISED_SECONDS
from tests.support.nightly import nightly
from tests.support.observer import Client, Watched, asking, now, watching
from tests.support.promise import longest
from tests.support.slowness import slowness

pytestmark = pytest.mark.timeout(900)

CLUSTER, POOLER = "daap-orders", "daap-orders-pooler"
DOMAIN = "corp.example"
KEPT: Object = {"words": ["hello"], "locale": ["c", "C", "C"]}


@nightly("e2e-nightly")
async def test_an_older_database_moves_on_when_it_is_asked_to(
    shop: Databases,
    clients: Clients,
    real_operator: OperatorProcess,
    request: pytest.FixtureRequest,
) -> None:
    await made_by_an_older_operator(shop, real_operator)
    await look(shop, clients, "CREATE TABLE kept AS SELECT 'hello' AS word")
    directory: Path = request.config.rootpath / ".artifacts" / request.node.name
    async with watching(shop, "orders") as watched, asking(watched, clients, directory) as client:
        await the_second_revision(shop, watched, client)
    assert await look(shop, clients) == KEPT
    await an_upgrade_without_its_image_is_called_off(shop)
    assert await look(shop, clients) == KEPT
    await another_cluster_domain(shop, clients, real_operator)


async def made_by_an_older_operator(shop: Databases, operator: OperatorProcess) -> None:
    """One that has a Cluster, and whose status says no more, was made before the revisions."""
    operator.stop()
    spec: Object = {"instances": 2, "postgresVersion": 17}
    await shop.api.create("daapdatabases", database(shop.namespace, "orders", **spec))
    status = {"status": {"clusterName": CLUSTER}}
    await shop.api.patch("daapdatabases", shop.namespace, "orders", status, "status")
    operator.start()
    made = await shop.ready("orders", seconds=SLOW)
    assert "defaultsRevision" not in made["status"]
    assert made["status"]["locale"] == "libc/C"
    assert [limits(pod) for pod in (await pods(shop)).values()] == [{}] * 3


LOOK = """
with psycopg.connect(entry("uri"), **VERIFIED) as connection:
    if BEFORE:
        connection.execute(BEFORE)
    locale = connection.execute(
        "SELECT datlocprovider::text, datcollate, datctype FROM pg_database"
        " WHERE datname = current_database()"
    ).fetchone()
    words = [word for word, in connection.execute("SELECT word FROM kept")]
tell({"words": words, "locale": locale})
"""


async def look(shop: Databases, clients: Clients, before: str = "") -> Any:
    """What a client reads, after the statement."""
    return await clients.run(f"BEFORE = {before!r}\n{LOOK}", await secret_of(shop))


async def secret_of(shop: Databases) -> Object:
    found = await shop.ready("orders", seconds=SLOW)
    secret = await shop.child("secrets", found["status"]["secretName"])
    assert secret
    return secret


async def pods(shop: Databases) -> dict[str, Object]:
    """The pods of instances and pooler that are to stay, by uid."""
    found = await shop.api.list("pods", shop.namespace)
    return {
        pod["metadata"]["uid"]: pod
        for pod in found
        if pod["metadata"]["labels"].get("cnpg.io/podRole") in ("instance", "pooler")
        and "deletionTimestamp" not in pod["metadata"]
    }


def limits(pod: Object) -> Object:
    made: Object = pod["spec"]["containers"][0]["resources"].get("limits", {})
    return made


# --- another revision -----------------------------------------------------------------------------


async def the_second_revision(shop: Databases, watched: Watched, client: Client) -> None:
    """Every pod is replaced once, and Ready is what the client sees meanwhile."""
    slow, before, began = slowness(), await pods(shop), now()
    annotations = {"daap.io/defaults-revision": "3"}
    await shop.api.patch(
        "daapdatabases", shop.namespace, "orders", {"metadata": {"annotations": annotations}}
    )

    async def moved() -> bool:
        found = await shop.get("orders")
        assert found
        if found["status"].get("defaultsRevision") != 3 or not is_ready(found):
            return False
        there = await pods(shop)
        assert not there.keys() & before.keys()
        assert len(there) == 3
        assert all(limits(pod).keys() == {"cpu", "memory"} for pod in there.values())
        return True

    await eventually(moved, seconds=2 * SLOW)
    told = [obj for obj in watched.since(began) if obj["status"].get("defaultsRevision") == 3]
    assert condition(told[0], "Reconciling").get("status") == "True"
    await client.is_answered()
    compared = await client.compare(watched, began)
    assert longest(compared.wrongly_ready) <= PROMISED_SECONDS * max(slow, slowness()), compared


# --- an upgrade whose image is nowhere ------------------------------------------------------------


async def an_upgrade_without_its_image_is_called_off(shop: Databases) -> None:
    await shop.edit("orders", postgresVersion=18)

    def told(found: Any) -> bool:
        ready = condition(found, "Ready")
        assert (ready.get("status"), ready.get("reason")) == ("False", "NotServing")
        assert "cannot pull the image" in ready["message"]
        return "set spec.postgresVersion to 17" in ready["message"]

    found = await eventually(lambda: shop.get("orders"), told, seconds=SLOW)
    assert found
    assert found["status"]["postgresVersion"] == 17
    assert condition(found, "Reconciling").get("status") == "True"
    await shop.edit("orders", postgresVersion=17)
    await shop.ready("orders", seconds=SLOW)


# --- another domain -------------------------------------------------------------------------------


HOSTS = """
import socket

told = {}
for key in ("uri", "direct-uri", "ro-uri"):
    host = psycopg.conninfo.conninfo_to_dict(entry(key))["host"]
    service = host.removesuffix("DOMAIN") + "cluster.local"
    where = {"hostaddr": socket.gethostbyname(service), "connect_timeout": 5}
    with psycopg.connect(entry(key), **where, **VERIFIED) as connection:
        told[host] = connection.execute("SELECT 1").fetchone()[0]
tell(told)
"""


async def another_cluster_domain(
    shop: Databases, clients: Clients, operator: OperatorProcess
) -> None:
    """All published hosts are in the certificate, whatever CloudNativePG takes the domain for."""
    operator.stop()
    operator.start(DAAP_CLUSTER_DOMAIN=DOMAIN)
    hosts = [
        f"{name}.{shop.namespace}.svc.{DOMAIN}"
        for name in (POOLER, f"{CLUSTER}-rw", f"{CLUSTER}-ro")
    ]

    def published(found: Any) -> bool:
        return is_ready(found) and found["status"]["host"] == hosts[0]

    await eventually(lambda: shop.get("orders"), published, seconds=SLOW)
    script = PRELUDE + HOSTS.replace("DOMAIN", DOMAIN)
    said = await clients.output(["python", "-c", script], await secret_of(shop), IMAGE)
    assert json.loads(said) == dict.fromkeys(hosts, 1)
