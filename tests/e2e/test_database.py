"""What a database is like inside: its text, its memory, and the quota it fits into."""

from typing import Any

import pytest

from tests.scenarios.lifecycle import SLOW
from tests.support.clients import Clients
from tests.support.databases import Databases

pytestmark = pytest.mark.timeout(600)

LOOK = """
with psycopg.connect(entry("uri"), autocommit=True, **VERIFIED) as connection:
    def one(query):
        return connection.execute(query).fetchone()[0]

    seen = {
        "ilike": one("SELECT 'Ж' ILIKE 'ж'"),
        "upper": one("SELECT upper('straße é')"),
        "search": one("SELECT to_tsvector('Ärger') @@ to_tsquery('ärger')"),
        "search in simple": one("SELECT to_tsvector('simple', 'Ärger') @@ 'ärger'"),
        "order": one(
            "SELECT string_agg(w, ' ' ORDER BY w) FROM unnest(ARRAY['é', 'z', 'a', 'Z']) w"
        ),
        "german": one(
            "SELECT string_agg(w, ' ' ORDER BY w COLLATE \\"de-x-icu\\")"
            " FROM unnest(ARRAY['ä', 'z', 'a', 'Z']) w"
        ),
    }
    for name in ("max_connections", "shared_buffers", "work_mem"):
        seen[name] = one(f"SHOW {name}")
    connection.execute("CREATE TABLE a AS SELECT g id, md5(g::text) t, (random()*100000)::int k,"
                       " repeat(md5(random()::text), 4) pad FROM generate_series(1, 300000) g")
    connection.execute("CREATE TABLE b AS SELECT g id, md5((g*7)::text) t,"
                       " (random()*100000)::int k FROM generate_series(1, 300000) g")
    for index in ("a (id)", "a (k)", "a (t)", "b (k)", "b (t)"):
        connection.execute(f"CREATE INDEX ON {index}")
    seen["joined"] = one("SELECT count(*) > 0 FROM a JOIN b USING (k)")
    seen["sorted"] = one("SELECT count(*) FROM"
                         " (SELECT a.t, b.t FROM a JOIN b USING (id) ORDER BY a.pad, b.t DESC) x")
    tell(seen)
"""

QUOTA = {"limits.cpu": "16", "limits.memory": "8Gi", "requests.cpu": "8", "requests.memory": "8Gi"}


async def test_text_is_unicode_and_the_least_memory_survives_work_within_a_quota(
    shop: Databases, clients: Clients
) -> None:
    quota = {
        "metadata": {"name": "all", "namespace": shop.namespace},
        "spec": {"hard": QUOTA},
    }
    await shop.api.create("resourcequotas", quota)
    await shop.create("orders", resources={"limits": {"memory": "256Mi"}})
    found = await shop.ready("orders", seconds=SLOW)
    assert found["status"]["locale"] == "builtin/C.UTF-8"
    secret = await shop.child("secrets", found["status"]["secretName"])
    assert secret
    seen = await clients.run(LOOK, secret)
    told = {name: seen[name] for name in ("ilike", "upper", "search", "search in simple", "order")}
    assert told == {
        "ilike": True,
        "upper": "STRAßE É",
        "search": True,
        "search in simple": True,
        "order": "Z a z é",
    }
    assert seen["german"] == "a ä z Z"
    assert (seen["joined"], seen["sorted"]) == (True, 300000)
    assert (seen["max_connections"], seen["shared_buffers"]) == ("30", "64MB")
    await assert_it_never_died(shop)


async def assert_it_never_died(shop: Databases) -> None:
    pod: Any = await shop.child("pods", "daap-orders-1")
    (status,) = pod["status"]["containerStatuses"]
    assert status["restartCount"] == 0, status.get("lastState")
