"""Waiting for conditions: the only way tests pass time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.support.slowness import slowness

T = TypeVar("T")

SECONDS = 60.0
"""On a machine with much other work. Fewer are given only by tests that look at once."""


async def eventually(
    look: Callable[[], Awaitable[T]],
    holds: Callable[[T], object] = bool,
    *,
    seconds: float = SECONDS,
    every: float = 0.05,
) -> T:
    """Look until it holds, and give back what was seen; AssertionError with the last look if not.

    An AssertionError of `holds` counts as not yet, so that it can be written as asserts.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen = await look()
        why = ""
        try:
            if holds(seen):
                return seen
        except AssertionError as error:
            why = f": {error}"
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s{why}; last seen: {seen!r}")
        await asyncio.sleep(every)


async def as_promised(
    look: Callable[[], Awaitable[T]], holds: Callable[[T], object] = bool, *, seconds: float
) -> T:
    """The same for what the docs promise within seconds.

    When they are over, the machine's slowness is measured, and the rest of the time is given that
    the promise takes on a machine so slow.
    """
    began = time.monotonic()
    try:
        return await eventually(look, holds, seconds=seconds)
    except AssertionError:
        if time.monotonic() < began + seconds:
            raise  # that of `look` itself
        slow = await asyncio.to_thread(slowness)
        left = began + seconds * slow - time.monotonic()
        if left <= 0:
            raise
        return await eventually(look, holds, seconds=left)
