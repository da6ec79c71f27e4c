"""Tries again while a server is unavailable."""

import time
from collections.abc import Callable
from typing import TypeVar

from daap_operator.schema.errors import LostError, SchemaError

RETRY_SECONDS = 1.0

T = TypeVar("T")


def patiently(
    attempt: Callable[[], T],
    *,
    seconds: float,
    say: Callable[[str], None],
    progress: Callable[[], int] = lambda: 0,
) -> T:
    """What comes of the attempt that is not cut off.

    The server may be unavailable for `seconds` from the first LostError on, and again whenever
    `progress` has grown since. Raises SchemaError after that, and whatever else the attempt raises.
    """
    first_lost, before = None, 0
    while True:
        try:
            return attempt()
        except LostError as error:
            now = time.monotonic()
            if first_lost is None or progress() > before:
                first_lost, before = now, progress()
            waited = now - first_lost
            if waited >= seconds:
                raise SchemaError(f"{error} (tried for {seconds:g} s)") from error
            say(f"{error}; trying again ({waited:.0f} of {seconds:g} s)")
            time.sleep(min(RETRY_SECONDS, seconds - waited))
