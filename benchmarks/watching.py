"""When a change is seen by somebody who watches, as a user would."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from daap_operator.kube import Kind
from tests.support.api import Api, Object

Key = tuple[Kind, str, str]
"""Kind, namespace and name."""
Holds = Callable[[Object | None], bool]
"""Whether it is so; of None when the object is gone."""


class Watching:
    """The objects of some kinds as a watch has them, and who waits for what of them."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self._expected: dict[Key, list[tuple[Holds, asyncio.Future[float]]]] = {}

    async def watch(self, api: Api, kind: Kind) -> None:
        """Follow a kind for ever."""
        async for event, obj in api.watch(kind):
            self.saw(kind, event, obj, time.monotonic())

    def saw(self, kind: Kind, event: str, obj: Object, at: float) -> None:
        """Take an event that came at a moment of the monotonic clock."""
        key = (kind, obj["metadata"]["namespace"], obj["metadata"]["name"])
        if event == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = obj
        self._tell(key, at)

    def expect(self, key: Key, holds: Holds) -> asyncio.Future[float]:
        """The moment at which something is first seen to hold of an object: at once or later."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._expected.setdefault(key, []).append((holds, future))
        self._tell(key, time.monotonic())
        return future

    def _tell(self, key: Key, at: float) -> None:
        left = []
        for holds, future in self._expected.pop(key, ()):
            if future.done():
                continue
            if holds(self.objects.get(key)):
                future.set_result(at)
            else:
                left.append((holds, future))
        if left:
            self._expected[key] = left


def is_ready(obj: Object | None) -> bool:
    """Whether a database is Ready for the spec that it has now."""
    status: dict[str, Any] = (obj or {}).get("status") or {}
    return any(
        condition["type"] == "Ready"
        and condition["status"] == "True"
        and obj is not None
        and condition.get("observedGeneration") == obj["metadata"]["generation"]
        for condition in status.get("conditions") or ()
    )


def is_reconciling(obj: Object | None) -> bool:
    """Whether its status says that something is under way."""
    status: dict[str, Any] = (obj or {}).get("status") or {}
    return any(condition["type"] == "Reconciling" for condition in status.get("conditions") or ())
