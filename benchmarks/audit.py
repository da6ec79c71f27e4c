"""What the operator asked of the API server, from its audit log as it grows."""

import json
from pathlib import Path
from typing import Any

from benchmarks.figures import Request

LEASES = "leases"
"""Renewed every two seconds, however many databases there are: not logged."""


def policy(user: str) -> str:
    """An audit policy that logs the requests of one user, and nothing else."""
    rules: list[dict[str, Any]] = [
        {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": [LEASES]}]},
        {"level": "Metadata", "users": [user], "omitManagedFields": True},
        {"level": "None"},
    ]
    stages = ["RequestReceived", "ResponseStarted", "Panic"]
    head = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": stages}
    return json.dumps(head | {"rules": rules})


def request(event: dict[str, Any]) -> Request | None:
    """The request of a log entry; None for one of no resource, such as discovery."""
    what = event.get("objectRef") or {}
    if not what.get("resource"):
        return None
    parts = (what["resource"], what.get("subresource", ""))
    resource = "/".join(part for part in parts if part)
    return Request(event["verb"], resource, event["responseStatus"]["code"])


class Audit:
    """The log, read from where it ended the last time."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = 0

    def read(self) -> list[Request]:
        """The requests since the last reading."""
        if not self._log.exists():
            return []
        with self._log.open("rb") as log:
            log.seek(self._offset)
            text = log.read()
        whole, newline, _ = text.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        made = (request(json.loads(line)) for line in whole.splitlines())
        return [one for one in made if one]
