"""Who has most, of many whose ranks change all the time. Pure.

Asked for seldom: only when memory is short. Until then nothing is kept for it, and afterwards each
change costs a few steps, however many there are.
"""

from collections.abc import Hashable, Mapping
from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar

SPARE = 64
"""Entries that a heap may have besides half as many again as there are: old ranks stay in it."""


class Ranked(Protocol):
    """Somebody who has a rank."""

    @property
    def rank(self) -> int:
        """The higher the more; nobody else's."""


K = TypeVar("K", bound=Hashable)


class Most(Generic[K]):
    """Finds the key of the highest rank: a heap, made when it is first asked for."""

    def __init__(self, those: Mapping[K, Ranked]) -> None:
        """`those` may change; `changed` is to be told of each that came or got another rank."""
        self._those = those
        self._heap: list[tuple[int, K]] | None = None

    def changed(self, key: K) -> None:
        """One came, or has another rank now; of one that went nothing need be told."""
        if self._heap is None:
            return
        if 2 * len(self._heap) > 3 * len(self._those) + SPARE:
            self._heap = None
        else:
            heappush(self._heap, (-self._those[key].rank, key))

    def first(self) -> K:
        """The one that has most; raises LookupError when there is nobody."""
        if self._heap is None:
            self._heap = [(-one.rank, key) for key, one in self._those.items()]
            heapify(self._heap)
        while True:
            rank, key = self._heap[0]
            one = self._those.get(key)
            if one is not None and one.rank == -rank:
                return key
            heappop(self._heap)

    def forget(self) -> None:
        """Keep nothing until it is asked for again."""
        self._heap = None
