"""How much work a function does, counted rather than timed: a slow machine counts the same."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


def steps(function: Callable[[], object]) -> int:
    """The instructions of Python that it takes.

    What C does counts as one: a `Text` makes it count what of that is done to strings. Regular
    expressions are timed instead, see `tests/unit/test_linear.py`.
    """
    with _counting() as count:
        function()
    return count[0]


class Text(str):
    """A string that is compared and hashed in Python, so that this can be counted."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True

    def __hash__(self) -> int:
        return str.__hash__(self)


def countable(value: Any) -> Any:
    """The same with each string made a Text, keys too."""
    if isinstance(value, dict):
        return {countable(key): countable(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(countable(below) for below in value)
    return Text(value) if isinstance(value, str) else value


@contextmanager
def _counting() -> Iterator[list[int]]:
    count = [0]

    def trace(frame: FrameType, event: str, _: object) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            count[0] += 1
        return trace

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # what other tests have left is finalized in Python, at any time
    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
