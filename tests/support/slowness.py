"""How slow the machine is just now, for tests that hold what the docs promise in seconds.

A promise speaks of a machine with time to spare. One that others are using takes as many times as
long for everything, and a test that ignores it fails for what the operator has not done.
"""

import threading
import time

WORK = 3_000_000
"""Turns of a loop, long enough to be interrupted as often as everything else."""

IDLE_SECONDS = 0.1
"""What they take on a core of its own, on the machine the docs' figures are from; the least of
many."""

_ALONE = threading.Lock()
"""Two at the same time would find each other."""


def slowness() -> float:
    """How many times as long as usual a fixed piece of work takes; at least 1."""
    with _ALONE:
        began = time.perf_counter()
        value = 0
        for turn in range(WORK):
            value = (value * 31 + turn) % 1_000_003
        return max(1.0, (time.perf_counter() - began) / IDLE_SECONDS)
