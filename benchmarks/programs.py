"""Programs of a run that are processes of their own: the operator and the stand-in."""

import asyncio
import os
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.errors import BenchError
from dev.cluster.commands import tail
from dev.postgres.ports import free_ports
from tests.support.http import get

READY_SECONDS = 120.0
STOP_SECONDS = 60.0
PAUSE_SECONDS = 0.02

_PASSES = re.compile(r'^daap_reconcile_total\{kind="DaapDatabase",.*\} (\S+)$', re.MULTILINE)
_WAITING = re.compile(
    r"^daap_(?:workqueue_depth|reconcile_active_workers)\{.*\} (\S+)$", re.MULTILINE
)


def passes(page: str) -> tuple[int, int]:
    """How many passes over databases a page of metrics tells of, and how many are yet to end."""
    done = sum(float(value) for value in _PASSES.findall(page))
    waiting = sum(float(value) for value in _WAITING.findall(page))
    return int(done), int(waiting)


class Program:
    """A process with a log of its own, begun anew. Killed at the end if it still runs."""

    def __init__(
        self, name: str, words: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name, self.log = name, log
        log.unlink(missing_ok=True)
        self._words = words
        self._environment = environment
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The running process. Raises BenchError when it has ended, with the end of its log."""
        if self._process is None or self._process.returncode is not None:
            end = tail(self.log.read_text(errors="replace")) if self.log.exists() else "  (no log)"
            raise BenchError(f"the {self.name} has ended; its log ends with:\n{end}")
        return self._process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._words,
                env=self._environment,
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
            )

    async def stop(self) -> float:
        """Ask it to end, and wait; the seconds it took. Raises BenchError when it does not."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.process.wait()
        except TimeoutError as error:
            raise BenchError(f"the {self.name} does not end, see {self.log}") from error
        return time.monotonic() - began

    async def kill(self) -> None:
        """End it, whatever it does."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


class ServingProgram(Program):
    """An operator: a program that says by HTTP on a port of this machine when it is ready."""

    rest_seconds = 1.5
    """Without a request of it: it has done what there was to do."""

    health = 0
    """The port where it says that it is ready."""

    async def ready(self) -> float:
        """Start it; the seconds until it says that it serves its objects."""
        began = time.monotonic()
        await self.start()
        while not await self.is_ready():
            if time.monotonic() > began + READY_SECONDS or not self.process:
                raise BenchError(
                    f"the {self.name} is not ready within {READY_SECONDS:g} s, see {self.log}"
                )
            await asyncio.sleep(PAUSE_SECONDS)
        return time.monotonic() - began

    async def is_ready(self) -> bool:
        """Whether it serves its objects."""
        return (await get(f"http://127.0.0.1:{self.health}/readyz"))[0] == 200

    async def is_through(self, count: int) -> bool:  # noqa: ARG002 - some cannot tell
        """Whether it has looked at so many objects since its start, as far as it tells."""
        return True


class OperatorProgram(ServingProgram):
    """`daap-operator run`, as in production: its own process, its own rights, logs as JSON."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        """`environment` says where the API server and PostgreSQL are."""
        ports = free_ports()
        self.health, self._metrics = next(ports), next(ports)
        own = {name: value for name, value in os.environ.items() if not name.startswith("DAAP_")}
        own |= {
            "DAAP_HEALTH_HOST": "127.0.0.1",
            "DAAP_HEALTH_PORT": str(self.health),
            "DAAP_METRICS_HOST": "127.0.0.1",
            "DAAP_METRICS_PORT": str(self._metrics),
            "DAAP_METRICS_AUTHENTICATION": "none",
        }
        words = (sys.executable, "-m", "daap_operator", "run")
        super().__init__("operator", words, own | dict(environment), log)

    async def is_through(self, count: int) -> bool:
        """Whether it has made so many passes over databases, and none is yet to end."""
        status, page = await get(f"http://127.0.0.1:{self._metrics}/metrics")
        done, waiting = passes(page)
        return status == 200 and done >= count and waiting == 0


class StandInProgram(Program):
    """The stand-in for CloudNativePG."""

    def __init__(self, kubeconfig: Path, log: Path) -> None:
        words = (sys.executable, "-m", "benchmarks.standin", str(kubeconfig))
        super().__init__("stand-in", words, os.environ, log)

    async def sleep(self, namespace: str) -> None:
        """Have it do nothing in a namespace."""
        await self._order(f"sleep {namespace}")

    async def wake(self, namespace: str) -> None:
        """Have it work there again."""
        await self._order(f"wake {namespace}")

    async def _order(self, line: str) -> None:
        process = self.process
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{line}\n".encode())
        await process.stdin.drain()
        await process.stdout.readline()
