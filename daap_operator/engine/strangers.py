"""What was not kept because nothing of ours was there that it would be kept for. Pure.

An object may come before the one it belongs to: what an earlier database has left, or what comes
back from a backup. It is not kept, whoever made it, and there may be any number of such objects.
What is kept is one bit for the key by which it is found: an object that comes for a key of which
there may have been some is completed by a LIST before anything is done about it.
"""

from collections.abc import Hashable

BITS = 1 << 20
BYTES = BITS // 8
"""128 KiB, however many there are. The more bits are set, the likelier an object is completed that
lacks nothing: that costs a few requests."""


class Strangers:
    """The keys of objects that were not kept; it may say so of others, too."""

    def __init__(self) -> None:
        self._before, self._now = bytearray(BYTES), bytearray(BYTES)

    def note(self, key: Hashable) -> None:
        """An object that has this key was not kept."""
        at, bit = divmod(hash(key) % BITS, 8)
        self._now[at] |= 1 << bit

    def may_have(self, key: Hashable) -> bool:
        """Whether there may be an object of that key that was not kept; false ones are rare."""
        at, bit = divmod(hash(key) % BITS, 8)
        return bool((self._now[at] | self._before[at]) & 1 << bit)

    def begin(self) -> None:
        """Everything is about to be listed: what is still there will be noted again."""
        both = int.from_bytes(self._before, "big") | int.from_bytes(self._now, "big")
        self._before = bytearray(both.to_bytes(BYTES, "big"))  # byte by byte it takes 10 ms
        self._now = bytearray(BYTES)

    def end(self) -> None:
        """Everything was listed: what was not noted since then is gone."""
        self._before = bytearray(BYTES)
