"""Doing a thing for many objects, and waiting for all of them, within bounds and with progress."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from benchmarks.audit import Audit
from benchmarks.errors import BenchError
from benchmarks.figures import Request
from benchmarks.programs import Program, ServingProgram
from dev.cluster.progress import Step

T = TypeVar("T")

AT_ONCE = 50
"""Requests of ours that are under way at the same time, as from a pipeline that applies a lot."""
TICK_SECONDS = 0.2
BASE_SECONDS, EACH_SECONDS = 120.0, 1.2
"""How long a step may take on a busy machine, and for each database besides."""


def bound(count: int) -> float:
    """The seconds that a step with so many databases may take."""
    return BASE_SECONDS + EACH_SECONDS * count


async def each(items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
    """Do the work for each item, as many of them at a time as there are places."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> None:
        async with places:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for item in items:
            tasks.create_task(one(item))


async def all_of(
    title: str, futures: Sequence[asyncio.Future[float]], needs: Program, seconds: float
) -> list[float]:
    """Wait for all futures and give their results.

    Raises BenchError when they have not all come in time, or the program they need has ended.
    """
    deadline = time.monotonic() + seconds
    with Step(title, total=len(futures)) as step:
        while left := [future for future in futures if not future.done()]:
            step.done = len(futures) - len(left)
            step.tick()
            assert needs.process
            if time.monotonic() > deadline:
                raise BenchError(
                    f"{title}: {step.done} of {len(futures)} within {seconds:.0f} s; "
                    f"the {needs.name}'s log says more: {needs.log}"
                )
            await asyncio.wait(left, timeout=TICK_SECONDS)
    return [future.result() for future in futures]


async def quiet(audit: Audit, needs: ServingProgram, seconds: float) -> tuple[list[Request], float]:
    """The operator's requests until it has come to rest, and about when the last one was.

    Watches do not count. Raises BenchError when it goes on for longer than `seconds`.
    """
    made, deadline = list[Request](), time.monotonic() + seconds
    last = time.monotonic()
    while time.monotonic() < last + needs.rest_seconds:
        if time.monotonic() > deadline or not needs.process:
            raise BenchError(f"the {needs.name} does not come to rest within {seconds:.0f} s")
        await asyncio.sleep(TICK_SECONDS)
        new = audit.read()
        made += new
        if any(request.verb != "watch" for request in new):
            last = time.monotonic()
    return made, last
