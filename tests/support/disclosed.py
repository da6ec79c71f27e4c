"""What the operator told tenants of the platform's own servers: nothing, it should be."""

import re
from collections.abc import Iterator

from tests.support.api import Api, Object

SECRET = re.compile(
    r"\d+\.\d+\.\d+\.\d+|\[?::1|localhost|://|\bport \d|\brole\b|\bdatabase \"|\buser \"|pg_hba"
    r"|system:serviceaccount|test_[0-9a-f]{12}",
    re.IGNORECASE,
)
"""Addresses, ports, roles and names of databases, as PostgreSQL and the API server quote them."""

OURS = "refuses the operator's role"
"""The one sentence of our own that has such a word."""

CONDITIONS = {"MetadataSynced"}
REASONS = {"Retrying", "Forbidden", "MetadataNotSynced"}


def _told(obj: Object) -> Iterator[str]:
    for condition in obj.get("status", {}).get("conditions", ()):
        if condition["type"] in CONDITIONS or condition["reason"] in REASONS:
            yield condition["message"]


async def disclosed(api: Api, namespace: str) -> list[str]:
    """The messages of statuses and Events in a namespace that have anything of this."""
    statuses = [said for obj in await api.list("daapdatabases", namespace) for said in _told(obj)]
    events = [e["note"] for e in await api.list("events", namespace) if e["reason"] in REASONS]
    return [said for said in statuses + events if SECRET.search(said.replace(OURS, ""))]
