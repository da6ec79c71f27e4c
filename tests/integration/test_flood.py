"""Who floods the ports takes nothing from passes, the Lease, the probes and the log.

A real process, with as many descriptors as a container runtime gives it, on this machine only.
"""

import asyncio
import os
import resource
import socket
import time
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.eventually import eventually
from tests.support.http import get
from tests.support.process import CROWDED, operator_process
from tests.support.slowness import slowness

DESCRIPTORS = 1024
"""Of the operator's process: what many runtimes give a container."""

MOST = 10_000
"""Connections to each port; fewer where this process may not open so many."""

LEASE_SECONDS = 3.0
"""So short that a loop that stands still for two seconds loses it."""

PROBE_SECONDS = 5.0
"""What the chart gives each probe."""

QUIET_LINES = 10
QUIET_MEBIBYTES = 60

pytestmark = pytest.mark.timeout(600)


class Target:
    """An operator process under attack."""

    def __init__(self, process: Process, ports: list[int], log: Path, lease: str, api: Api) -> None:
        self.process = process
        self.probes, self.metrics = ports
        self._log = log
        self._lease = lease
        self._api = api

    async def lease(self) -> dict[str, Any]:
        found = await self._api.get("leases", "default", self._lease)
        return dict((found or {}).get("spec") or {})

    async def probe(self, path: str) -> tuple[tuple[int, str], float]:
        """What a kubelet is told, and after how many seconds."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(30):
                answer = await get(f"http://127.0.0.1:{self.probes}{path}")
        except TimeoutError:
            answer = 0, "no answer"
        return answer, time.monotonic() - began

    def lines(self) -> int:
        return self._log.read_bytes().count(b"\n")

    def mebibytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.fixture
async def target(
    api: Api, operator_environment: dict[str, str], tmp_path: Path
) -> AsyncIterator[Target]:
    ports = free_ports()
    slow = await asyncio.to_thread(slowness)
    environment = {
        **os.environ,
        **operator_environment,
        "DB_MIN_CONNS": "1",
        "DAAP_HEALTH_PORT": str(ports[0]),
        "DAAP_METRICS_PORT": str(ports[1]),
        "DAAP_LEASE_NAMESPACE": "default",
        "DAAP_LEASE_DURATION": f"{LEASE_SECONDS * slow:.1f}s",
        "DAAP_IDENTITY": "attacked",
    }
    log = tmp_path / "operator.log"
    with log.open("wb") as stderr:
        async with operator_process(environment, CROWDED, stderr) as process:
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
            made = Target(process, ports, log, operator_environment["DAAP_LEASE_NAME"], api)
            await eventually(made.lease, lambda seen: seen.get("holderIdentity") == "attacked")
            await eventually(lambda: probe_ready(made), lambda seen: seen == (200, "ok\n"))
            yield made
    await api.delete("leases", "default", operator_environment["DAAP_LEASE_NAME"])


async def probe_ready(target: Target) -> tuple[int, str]:
    return (await target.probe("/readyz"))[0]


def free_ports() -> list[int]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        return [each.getsockname()[1] for each in taken]


@contextmanager
def many_descriptors() -> Iterator[int]:
    """As many connections to each port as this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield min(MOST, (hard - 1000) // 2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def held(ports: list[int], number: int) -> AsyncIterator[list[socket.socket]]:
    """So many connections to each port, with a head that never ends."""
    opened: list[socket.socket] = []
    try:
        await asyncio.to_thread(_open, opened, ports, number)
        yield opened
    finally:
        for each in opened:
            each.close()


def _open(opened: list[socket.socket], ports: list[int], number: int) -> None:
    until = time.monotonic() + 60
    for _ in range(number):
        for port in ports:
            with suppress(OSError):  # the kernel's queue is full
                opened.append(socket.create_connection(("127.0.0.1", port), timeout=0.2))
                opened[-1].sendall(b"GET /metrics HTTP/1.1\r\nX: y")
        if time.monotonic() > until:  # nobody accepts any more: the probes will tell
            return


class Kubelet:
    """Asks the probes all the time, and notes how long each answer took."""

    def __init__(self, target: Target) -> None:
        self.taken: list[float] = []
        self._target = target
        self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        while True:
            for path in ("/livez", "/readyz"):
                answer, seconds = await self._target.probe(path)
                assert answer == (200, "ok\n"), f"{path}: {answer} after {seconds:.1f} s"
                self.taken.append(seconds)
            await asyncio.sleep(0.05)

    async def more(self, number: int) -> None:
        """Wait until so many more were answered; raises what was wrong with one."""
        enough = len(self.taken) + number

        async def answered() -> int:
            if self._asking.done():
                self._asking.result()
            return len(self.taken)

        await eventually(answered, lambda seen: seen >= enough)

    async def stop(self) -> None:
        self._asking.cancel()
        with suppress(asyncio.CancelledError, AssertionError):
            await self._asking


@asynccontextmanager
async def unharmed(target: Target) -> AsyncIterator[Kubelet]:
    """The probes are asked all the time, each answered in time; the Lease is held all the time."""
    before, lines, memory = await target.lease(), target.lines(), target.mebibytes()
    kubelet = Kubelet(target)
    try:
        yield kubelet
        await kubelet.more(2)
        longest = max(kubelet.taken)
        assert longest < PROBE_SECONDS * await asyncio.to_thread(slowness)
        more = target.mebibytes() - memory
        said = target.lines() - lines
        print(f"probes {longest:.2f} s at most, {more:.0f} MiB and {said} lines more")  # noqa: T201
        assert more < QUIET_MEBIBYTES
        assert said < QUIET_LINES
        assert target.process.returncode is None
        after = await eventually(
            target.lease, lambda seen: seen["renewTime"] > before["renewTime"], seconds=20
        )
        assert after["leaseTransitions"] == before["leaseTransitions"]
    finally:
        await kubelet.stop()


async def test_connections_that_say_nothing_take_nothing_from_anybody(target: Target) -> None:
    with many_descriptors() as number:
        ports = [target.probes, target.metrics]
        async with unharmed(target) as kubelet, held(ports, number) as opened:
            await kubelet.more(20)
            assert len(opened) > 2 * DESCRIPTORS


async def test_many_scrapes_at_once_take_nothing_from_anybody(target: Target) -> None:
    """A page of 5,000 databases, for 400 at once, again and again."""

    async def scrape() -> int:
        return (await get(f"http://127.0.0.1:{target.metrics}/metrics"))[0]

    statuses: Counter[int] = Counter()
    with many_descriptors():
        async with unharmed(target) as kubelet:
            for _ in range(5):
                statuses.update(await asyncio.gather(*(scrape() for _ in range(400))))
                await kubelet.more(2)
    print(statuses)  # noqa: T201
    assert statuses[200] >= 5
    assert statuses.keys() <= {200, 0}
