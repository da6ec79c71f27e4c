"""What waits, by whose it is: all of whom something waits for take turns. Pure.

One queue for all would serve whoever asks most; here one's thousand items delay another's one by a
single item. Within a share, first come, first served.
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """Items that wait, in shares that take turns."""

    def __init__(self, share: Callable[[Item], Hashable], *, most: int | None = None) -> None:
        """`share` says whose an item is; `most` is how many of one share may wait."""
        self._share = share
        self._most = most
        self._shares: dict[Hashable, deque[Item]] = {}
        """Those of which something waits, the one whose turn it is first."""

    def put(self, item: Item) -> bool:
        """Have an item wait; False when too many of its share do already."""
        waiting = self._shares.setdefault(self._share(item), deque())
        if self._most is not None and len(waiting) >= self._most:
            return False
        waiting.append(item)
        return True

    def take(self, but: Callable[[Hashable], bool] = lambda _: False) -> Item | None:
        """The next item; None when nothing waits. `but` says which shares are passed over."""
        for share, waiting in self._shares.items():
            if not but(share):
                item = waiting.popleft()
                del self._shares[share]
                if waiting:
                    self._shares[share] = waiting  # behind all others
                return item
        return None

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._shares.values())
