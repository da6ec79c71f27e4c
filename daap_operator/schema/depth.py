"""How deep a text may nest, by its tokens alone: an upper bound, in linear time. Pure.

The parser recurses as deep as the tree is. A tree cannot be deeper than its longest item has
tokens, items being what commas, semicolons and brackets separate; only UNION, INTERSECT and EXCEPT
reach across commas.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

DEPTH = 6000
"""Levels: measured, a stack of 8 MiB holds more than three times as many."""
RUN = 1000
"""Operator characters in a row: the time that the lexer takes is the square of it."""

_RUN = re.compile(rb"[~!@#^&|`?+\-*/%%<>=]{%d}" % (RUN + 1))


class Kind(NamedTuple):
    """What tokens do to the depth, by their numbers."""

    opening: frozenset[int]
    closing: frozenset[int]
    separators: frozenset[int]
    ends: frozenset[int]
    across: frozenset[int]


class Deep(NamedTuple):
    """How deep it is, and at which byte."""

    levels: int
    offset: int


class _Level:
    def __init__(self) -> None:
        self.item = self.inner = self.deepest = self.across = 0

    def closed(self) -> int:
        """The depth of all of it, up to here."""
        return max(self.deepest, self.item + self.inner) + self.across

    def next_item(self) -> None:
        self.deepest = max(self.deepest, self.item + self.inner)
        self.item = self.inner = 0


def deepest(tokens: Iterable[tuple[int, int]], kind: Kind) -> Deep:
    """The deepest statement, from each token's number and byte offset, comments left out.

    No further than to the bracket that makes it too deep.
    """
    levels, found, begin = [_Level()], Deep(0, 0), None
    for token, offset in tokens:
        begin = offset if begin is None else begin
        if token in kind.opening:
            levels.append(_Level())
            if len(levels) > DEPTH:
                break
        elif token in kind.closing and len(levels) > 1:
            depth = levels.pop().closed() + 1
            levels[-1].inner = max(levels[-1].inner, depth)
        elif token in kind.ends and len(levels) == 1:
            found = max(found, Deep(levels[0].closed(), begin))
            levels, begin = [_Level()], None
        elif token in kind.separators or token in kind.ends:
            levels[-1].next_item()
        else:
            levels[-1].item += 1
            levels[-1].across += token in kind.across
    while len(levels) > 1:
        depth = levels.pop().closed() + 1
        levels[-1].inner = max(levels[-1].inner, depth)
    return max(found, Deep(levels[0].closed(), begin or 0))


def long_run(content: bytes) -> int | None:
    """The offset of the first run of operator characters that is longer than RUN."""
    found = _RUN.search(content)
    return found.start() if found else None
