"""Warning Events, asked for while something is stuck and nothing else tells why.

Never watched: a namespace in trouble has thousands of them, and of any size. One LIST of one page
serves all objects of a kind in a namespace for a while.
"""

from collections.abc import Callable
from typing import Any

from daap_operator.errors import Outage
from daap_operator.kube import Requests

Object = dict[str, Any]

PAGE_SECONDS = 15.0
"""How long the Events of a namespace count as known."""


class Warnings:
    """The Warning Events of namespaces, each asked for at most once in PAGE_SECONDS."""

    def __init__(self, kube: Requests, monotonic: Callable[[], float]) -> None:
        self._kube = kube
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, list[Object]]] = {}

    def forget(self, namespace: str) -> None:
        """Drop the Events of a namespace: whoever asked for them may be the last one there."""
        self._known.pop(namespace, None)

    async def of(self, namespace: str) -> list[Object]:
        """The Events; the previous ones, or none, when the API server gives none."""
        now = self._monotonic()
        self._known = {
            place: known for place, known in self._known.items() if known[0] + PAGE_SECONDS > now
        }
        if namespace not in self._known:
            self._known[namespace] = now, []  # also for the passes that come while it is asked
            try:
                self._known[namespace] = now, await self._kube.warnings(namespace)
            except Outage:
                return []  # the cause is a help, not a need: the pass goes on
        return self._known[namespace][1]
