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
from tests.support.nightly import nightly

pytestmark = pytest.mark.timeout(600)

SECONDS = 300.0
TLS = ("require", "verify")
WAYS = ("pooler", "direct")
VERIFYING = (
    *(
        "psycopg",
        "asyncpg",
        "SQLAlchemy, psycopg",
        "node-postgres",
        "pgx",
        "lib/pq",
        "JDBC, HikariCP",
        "pgcli",
    ),
)
"""To whom the keys that end in -verify-full are enough."""
DONE = {"database": "orders", "prepared": 45, "unfinished": None}
"""What each program says: where it is, 0 + … + 9 by a prepared statement, and what was undone."""

WORKS = "works"
DIFFERENT = {
    "node-postgres, statement_timeout": "unsupported startup parameter: statement_timeout",
    "Django, cursors": 'portal "_django_curs_',
    "pgx, search_path": "unsupported startup parameter: search_path",
    "lib/pq, search_path": "unsupported startup parameter: search_path",
    "JDBC, currentSchema": "unsupported startup parameter: search_path",
    "asyncpg, jit": "unsupported startup parameter: jit",
    "asyncpg, lock_timeout": "unsupported startup parameter: lock_timeout",
    "asyncpg, work_mem": "unsupported startup parameter: work_mem",
    "channel_binding": "channel binding is required",
    "sslnegotiation": "timeout",
}
"""What is seen through the pooler where the page says that something works past it only."""

ALIKE = {
    "node-postgres": "SELF_SIGNED_CERT_IN_CHAIN",
    "node-postgres, ssl": "SELF_SIGNED_CERT_IN_CHAIN",
    "SQLAlchemy, asyncpg": "unexpected keyword argument 'sslmode'",
    "SQLAlchemy, pg8000": "unexpected keyword argument 'sslmode'",
    "asyncpg, tracked": WORKS,
    **{f"{name}, verify-full": WORKS for name in VERIFYING},
    "Postgres.js, verify-full": "SELF_SIGNED_CERT_IN_CHAIN",
}
"""What is seen both ways."""

LIMITS = {
    **{f"{case}, pooler": seen for case, seen in DIFFERENT.items()},
    **{f"{case}, direct": WORKS for case in DIFFERENT},
    **{f"{case}, {way}": seen for case, seen in ALIKE.items() for way in WAYS},
}

EVERY = """
import sys
sys.path.insert(0, "/clients")
import every
tell(every.every({cases}))
"""

CERTIFICATE = re.compile(r"certificate|CERT_|PKIX|altnames|host ?name", re.IGNORECASE)


@nightly("e2e-nightly")
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

    assert await psql_says(shop, clients, secret) == [DONE] * (len(TLS) + 2) * len(WAYS)

    async def limits(secret: Object, *words: str) -> dict[str, Any]:
        command = ["python", "/clients/limits.py", *words]
        seen: dict[str, Any] = json.loads(
            await clients.output(command, secret, libraries_image, SECONDS)
        )
        return seen

    seen = await limits(secret)
    assert set(seen) == set(LIMITS)
    others = {case: out for case, out in seen.items() if not is_as_said(out, LIMITS[case])}
    assert not others, json.dumps(others, indent=1)

    stranger = with_another_authority(secret, tmp_path)
    strangers = await asyncio.gather(
        said(secret, ("verify", "pooler", True)),
        said(stranger, ("verify", "direct", False)),
        limits(stranger, "verify-full"),
    )
    for refused in strangers:
        assert len(refused) >= 12
        accepted = {case: out for case, out in refused.items() if not is_refusal(out)}
        assert not accepted, f"takes a server that it should not: {json.dumps(accepted, indent=1)}"


def is_as_said(outcome: str, expected: str) -> bool:
    """Whether it works, or the driver said these words."""
    return outcome == expected or (expected != WORKS and expected in outcome)


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
cd /var/run/secrets/daap/orders
cp pgpass /tmp/pgpass
chmod 0400 /tmp/pgpass
for way in "" direct-; do
    for tls in require verify; do
        DATABASE_URL="$(cat ${way}uri)" sh -c "$1" psql.sh $tls
    done
    DATABASE_URL="$(cat ${way}uri-verify-full)" sh -c "$1" psql.sh require
    DATABASE_URL="postgresql://$(cat username)@$(cat ${way}host)/$(cat database)?sslmode=require" \
        PGPASSFILE=/tmp/pgpass sh -c "$1" psql.sh require
done
"""


async def psql_says(shop: Databases, clients: Clients, secret: Object) -> list[object]:
    """What psql's program says each time, in the image that the database itself runs from.

    By the lines of the page, by the key that verifies already, and with the password file.
    """
    pod = await shop.child("pods", "daap-orders-1")
    assert pod
    script = (SOURCE / "shell/psql.sh").read_text()
    image = pod["spec"]["containers"][0]["image"]
    said = await clients.output(["sh", "-c", PSQL, "sh", script], secret, image)
    return [json.loads(line) for line in said.splitlines()]
