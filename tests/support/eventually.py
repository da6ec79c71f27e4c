"""Waiting for conditions: the only way tests pass time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = 60.0
"""On a machine with much other work; what is promised sooner says so."""


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
