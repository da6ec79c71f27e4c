"""Processes that are stopped and go on later: they neither answer nor hang up."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dev.cluster.processes import family


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process and its descendants stand still while the context lasts."""
    stopped: list[int] = []
    try:
        while new := [p.pid for p in family(pid) if p.pid not in stopped]:  # it may have had more
            stopped += new
            _signal(new, signal.SIGSTOP)
        yield
    finally:
        _signal(stopped, signal.SIGCONT)


def _signal(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, how)
