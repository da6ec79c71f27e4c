"""How much work a function does, counted rather than timed: a slow machine counts the same."""

import gc
import sys
import time
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


def cpu_seconds(function: Callable[[], object], enough: float) -> float:
    """The CPU time that one call takes, at the quickest of three if the first takes longer.

    For what one call into C does, which cannot be counted. Work that is really slow is slow each
    time; a garbage collection of what other tests have left, or a machine that is taken away for
    a moment, is not.
    """
    best = _timed(function)
    for _ in range(2):
        if best > enough:
            best = min(best, _timed(function))
    return best


def _timed(function: Callable[[], object]) -> float:
    with _uncollected():
        began = time.thread_time()
        function()
        return time.thread_time() - began


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

    before = sys.gettrace()
    with _uncollected():
        sys.settrace(trace)
        try:
            yield count
        finally:
            sys.settrace(before)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection: what other tests have left is finalized in Python, at any time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
