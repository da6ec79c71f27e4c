"""Children that change one after the other, and how soon the databases' statuses say so."""

import asyncio
import time

from benchmarks.figures import Figures, requests, spread
from benchmarks.steps import Run, cluster_of
from benchmarks.waiting import all_of
from benchmarks.watching import Holds, Key, is_reconciling
from daap_operator.kinds.database.phases import HEALTHY

BUSY = "Upgrading cluster"
"""A phase of CloudNativePG's that a status tells of, and in which clients are served."""


async def trickle(run: Run) -> Figures:
    """Clusters of one namespace change their phase at a steady rate, and back again.

    The stand-in leaves that namespace alone meanwhile: it would put them right by itself.
    """
    stage = run.stage
    place = run.namespaces[0]
    chosen = [key for key in run.databases if key[1] == place]
    await stage.standin.sleep(place)
    count = max(round(run.options.trickle * run.options.rate), 2 * len(chosen))
    turns = 2 * (count // (2 * len(chosen)))  # there and back as often
    told = await _turns(run, chosen, turns)
    asked, _ = await run.rest()
    await stage.standin.wake(place)
    return {
        "rate_per_s": run.options.rate,
        "to_status_ms": spread(told),
        "requests": requests(asked, len(told)),
    }


async def _turns(run: Run, chosen: list[Key], turns: int) -> list[float]:
    """The seconds from each change of a Cluster to the status that tells of it."""
    loop, pause = asyncio.get_running_loop(), 1 / run.options.rate
    due = loop.time()
    tasks: dict[Key, asyncio.Task[float]] = {}
    told: list[asyncio.Future[float]] = []
    for turn in range(turns):
        for key in chosen:
            await asyncio.sleep(max(due - loop.time(), 0))
            due += pause
            tasks[key] = asyncio.create_task(_change(run, key, turn % 2 == 0, tasks.get(key)))
            told.append(tasks[key])
    title = f"N={run.count}: told in the status"
    return await all_of(title, told, run.stage.operator, run.seconds)


async def _change(run: Run, key: Key, busy: bool, before: asyncio.Task[float] | None) -> float:  # noqa: FBT001
    """Change a Cluster once its change before is told; the seconds until this one is, too."""
    if before:
        await before
    holds: Holds = is_reconciling if busy else lambda obj: not is_reconciling(obj)
    began = time.monotonic()
    status = {"status": {"phase": BUSY if busy else HEALTHY}}
    await run.stage.api.patch(*cluster_of(key), status, "status")
    return await run.stage.watching.expect(key, holds) - began
