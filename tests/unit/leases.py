"""An API server that knows one Lease, answers late or never, and forgets to say what it did."""

import asyncio
from collections.abc import Callable
from typing import Any

from daap_operator.kube import Kind, Unreachable
from tests.unit.fakes import refused
from tests.unit.server_side_apply import copied

Object = dict[str, Any]


class Leases:
    """The Lease, as all candidates see it."""

    def __init__(self) -> None:
        self.lease: Object | None = None
        self.version = 0
        self.requests = 0


class OneClient:
    """One candidate's way to the Lease, with trouble of its own."""

    def __init__(self, shared: Leases) -> None:
        self.shared = shared
        self.before: Callable[[], float] = lambda: 0.0
        """Gives the seconds a request is under way, or raises."""
        self.after: Callable[[], float] = lambda: 0.0
        """The same for its answer."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        await self._on_the_way(self.before)
        found = copied(self.shared.lease)
        await self._on_the_way(self.after)
        return found

    async def create_plain(self, kind: Kind, manifest: Object) -> Object:
        await self._on_the_way(self.before)
        if self.shared.lease is not None:
            raise refused(409, "already exists", "AlreadyExists")
        return await self._stored(manifest)

    async def replace(self, kind: Kind, manifest: Object, *, version: str) -> Object:
        await self._on_the_way(self.before)
        if self.shared.lease is None:
            raise refused(404, "not found", "NotFound")
        if self.shared.lease["metadata"]["resourceVersion"] != version:
            raise refused(409, "the object has been modified", "Conflict")
        return await self._stored(manifest)

    async def _stored(self, manifest: Object) -> Object:
        self.shared.version += 1
        made = copied(manifest)
        made["metadata"]["resourceVersion"] = str(self.shared.version)
        self.shared.lease = made
        await self._on_the_way(self.after)
        return copied(made)

    async def _on_the_way(self, seconds: Callable[[], float]) -> None:
        self.shared.requests += 1
        await asyncio.sleep(seconds())


def cut_off() -> float:
    """No way to the API server."""
    raise Unreachable("no route to host")


def hung() -> float:
    """No answer, ever."""
    return 1e6
