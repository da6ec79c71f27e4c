"""What docs/clients.md shows, run with the real libraries against a real database."""

import asyncio
import json
import re
from base64 import b64encode
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dev.cluster.pki import Authority
from tests.support.api import Object
from tests.support.client_libraries import SOURCE
from tests.support.clients import Clients
from tests.support.databases import Databases

pytestmark = pytest.mark.timeout(600)

SECONDS = 300.0
TLS = ("require", "verify")
WAYS = ("pooler", "direct")
DONE = {"database": "orders", "prepared": 45, "unfinished": None}
"""What each program says: where it is, 0 + … + 9 by a prepared statement, and what was undone."""

LIMITS = {
    "node-postgres": "SELF_SIGNED_CERT_IN_CHAIN",
    "SQLAlchemy, asyncpg": "unexpected keyword argument 'sslmode'",
    "SQLAlchemy, pg8000": "unexpected keyword argument 'sslmode'",
    "channel_binding, pooler": "channel binding is required",
    "channel_binding, direct": "works",
    "sslnegotiation, pooler": "timeout",
    "sslnegotiation, direct": "works",
}
"""What is seen where the page says that something does not work."""

EVERY = """
import sys
sys.path.insert(0, "/clients")
import every
tell(every.every({cases}))
"""

CERTIFICATE = re.compile(r"certificate|CERT_|PKIX|altnames|host ?name", re.IGNORECASE)


async def test_each_library_connects_by_the_lines_of_the_docs_and_verifies_where_they_say_so(
    shop: Databases, clients: Clients, libraries_image: str, tmp_path: Path
) -> None:
    await shop.create("orders")
    found = await shop.ready("orders", seconds=120)
    secret = await shop.child("secrets", found["status"]["secretName"])
    assert secret

    async def said(secret: Object, *cases: tuple[str, str, bool]) -> dict[str, Any]:
        outcomes = await clients.run(EVERY.format(cases=cases), secret, libraries_image, SECONDS)
        return {f"{program}: {tls}, {way}": out for program, tls, way, out in outcomes}

    connected = await said(secret, *[(*case, False) for case in product(TLS, WAYS)])
    failed = {case: out for case, out in connected.items() if out != DONE}
    assert not failed, json.dumps(failed, indent=1)
    assert len(connected) >= 4 * 12

    assert await psql_says(shop, clients, secret) == [DONE] * len(TLS) * len(WAYS)

    limits = json.loads(
        await clients.output(["python", "/clients/limits.py"], secret, libraries_image)
    )
    assert set(limits) == set(LIMITS)
    assert all(seen in limits[case] for case, seen in LIMITS.items()), json.dumps(limits, indent=1)

    strangers = await asyncio.gather(
        said(secret, ("verify", "pooler", True)),
        said(with_another_authority(secret, tmp_path), ("verify", "direct", False)),
    )
    for refused in strangers:
        assert len(refused) >= 12
        accepted = {case: out for case, out in refused.items() if not is_refusal(out)}
        assert not accepted, f"takes a server that it should not: {json.dumps(accepted, indent=1)}"


def is_refusal(outcome: object) -> bool:
    """Whether a program failed, and for the certificate's sake."""
    return isinstance(outcome, str) and bool(CERTIFICATE.search(outcome))


def with_another_authority(secret: Object, directory: Path) -> Object:
    """The Secret with an authority that has not signed the server's certificate."""
    authority = Authority(directory / "authority")
    authority.create()
    other = b64encode((directory / "authority/ca.crt").read_bytes()).decode()
    return {**secret, "data": {**secret["data"], "ca.crt": other}}


PSQL = r"""
set -eu
for key in uri direct-uri; do
    for tls in require verify; do
        export DATABASE_URL="$(cat /var/run/secrets/daap/orders/$key)"
        sh -c "$1" psql.sh $tls
    done
done
"""


async def psql_says(shop: Databases, clients: Clients, secret: Object) -> list[object]:
    """What psql's program says each time, in the image that the database itself runs from."""
    pod = await shop.child("pods", "daap-orders-1")
    assert pod
    script = (SOURCE / "shell/psql.sh").read_text()
    image = pod["spec"]["containers"][0]["image"]
    said = await clients.output(["sh", "-c", PSQL, "sh", script], secret, image)
    return [json.loads(line) for line in said.splitlines()]
