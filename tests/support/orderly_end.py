"""An orderly end: who ends the tests early wants their control planes and servers to end, too.

SIGTERM is as good as Ctrl-C. The processes of pytest-xdist would have ten seconds before they are
killed; here they are told at once, and waited for.
"""

import os
import signal
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import pytest

from dev.postgres import binaries
from tests.fix_postgres import wait_until

SECONDS = 120.0
"""For one that is busy setting up a control plane."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        config.pluginmanager.register(Processes())
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    # Ctrl-C in a terminal comes from there and from the first process: the second would cut short
    # what the first has begun to tidy up
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _ended)
    raise KeyboardInterrupt


def _ended(number: int, frame: FrameType | None) -> None:
    """Not SIG_IGN, which programs would inherit."""


class Processes:
    """Those that the tests run in, as the first process knows them."""

    def __init__(self) -> None:
        self._pids: dict[Any, int] = {}
        self._nodes: list[Any] = []
        """Those that have begun and not ended."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        self._pids[gateway] = gateway._rinfo().pid  # which pytest-xdist and pytest-cov use, too

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        self._nodes.append(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._nodes = [other for other in self._nodes if other is not node]

    def pytest_keyboard_interrupt(self) -> None:
        pids = [(node, self._pids[node.gateway]) for node in self._nodes]
        for _, pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for node, pid in pids:
            wait_until(partial(_done, node, pid), f"the end of process {pid}", seconds=SECONDS)


def _done(node: Any, pid: int) -> bool:
    """Whether its session is over, with all fixtures, or the process has crashed."""
    return hasattr(node, "workeroutput") or not binaries.alive(pid)
