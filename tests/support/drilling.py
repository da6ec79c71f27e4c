"""DaapDrills as tests write them and read them back, and what others do for them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from daap_operator import names
from daap_operator.kinds import known
from tests.support.api import Api, ApiError, Object
from tests.support.databases import condition, phase
from tests.support.eventually import eventually

FOUND: dict[str, Any] = {
    "relations": 310,
    "corrupt": 0,
    "corruption": "",
    "tables": 2,
    "rows": 7,
    "backup": "20260301T110000",
}
"""What the checks say of a database without damage."""

MADE = (known.CLUSTER, known.NETWORK_POLICY, known.JOB, known.POD, known.CLAIM, known.SECRET)


def drill(namespace: str, name: str, database: str, **spec: Any) -> Object:
    """A DaapDrill."""
    return {
        "apiVersion": known.DAAP_DRILL.api_version,
        "kind": known.DAAP_DRILL.name,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"databaseRef": {"name": database}} | spec,
    }


class Drills:
    """DaapDrills of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    async def create(self, name: str, database: str = "orders", **spec: Any) -> Object:
        """Create one."""
        return await self.api.create(
            known.DAAP_DRILL, drill(self.namespace, name, database, **spec)
        )

    async def get(self, name: str) -> Object | None:
        """As it is now."""
        return await self.api.get(known.DAAP_DRILL, self.namespace, name)

    async def delete(self, name: str) -> None:
        """Ask for its deletion."""
        await self.api.delete(known.DAAP_DRILL, self.namespace, name)

    async def gone(self, name: str) -> None:
        """Wait until it is no more."""
        await eventually(lambda: self.get(name), lambda obj: obj is None)

    async def is_in(self, name: str, *wanted: str, seconds: float = 60) -> Object:
        """Wait until it is in one of some phases."""
        found = await eventually(
            lambda: self.get(name), lambda obj: phase(obj) in wanted, seconds=seconds
        )
        assert found
        return found

    async def says(self, name: str, reason: str, kind: str = "Ready") -> Object:
        """Wait until a condition has that reason."""
        found = await eventually(
            lambda: self.get(name), lambda obj: condition(obj, kind).get("reason") == reason
        )
        assert found
        return found

    async def left(self) -> list[str]:
        """All that there is of drills: made by the operator, CloudNativePG or Kubernetes."""
        found: list[str] = []
        for kind in MADE:
            there = [obj["metadata"]["name"] for obj in await self.api.list(kind, self.namespace)]
            found += [f"{kind.name} {name}" for name in there if name.startswith("drill-")]
        return found


async def play(api: Api, namespace: str, found: Mapping[str, Any] = FOUND) -> None:
    """Let each checking Job's pod end with what it has found; until cancelled.

    In all namespaces when none is given.
    """
    async for event, obj in api.watch(known.POD, f"labelSelector={names.DRILL_LABEL}"):
        metadata = obj["metadata"]
        owner = (metadata.get("ownerReferences") or [{}])[0].get("kind")
        begun = (obj.get("status") or {}).get("phase") == "Succeeded"
        elsewhere = namespace not in ("", metadata["namespace"])
        if (
            event == "DELETED"
            or elsewhere
            or begun
            or owner != "Job"
            or names.SCHEMA_LABEL in metadata["labels"]
            or "deletionTimestamp" in metadata
        ):
            continue
        ended = {"exitCode": 0, "message": json.dumps(found)}
        ended |= {"startedAt": metadata["creationTimestamp"]}
        ended |= {"finishedAt": metadata["creationTimestamp"]}
        container = {"name": "check", "state": {"terminated": ended}, "ready": False}
        container |= {"restartCount": 0, "image": "x", "imageID": "x"}
        status = {"phase": "Succeeded", "containerStatuses": [container]}
        with suppress(ApiError):  # gone meanwhile
            place = metadata["namespace"], metadata["name"]
            await api.patch(known.POD, *place, {"status": status}, "status")


@asynccontextmanager
async def checked(api: Api, namespace: str = "", **found: Any) -> AsyncIterator[None]:
    """Checks come to their end meanwhile."""
    playing = asyncio.create_task(play(api, namespace, FOUND | found))
    try:
        yield
    finally:
        playing.cancel()
        with suppress(asyncio.CancelledError):
            await playing
