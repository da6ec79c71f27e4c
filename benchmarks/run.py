"""One run with N databases, from an empty control plane to one that is deleted."""

import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks import machine, steps
from benchmarks.figures import Figures
from benchmarks.floor import floor
from benchmarks.options import Options
from benchmarks.stage import stage
from benchmarks.steps import Run
from benchmarks.systems import System
from benchmarks.trickle import trickle

STEPS: dict[str, Callable[[Run], Awaitable[Figures]]] = {
    "start": steps.start,
    "create": steps.create,
    "idle": steps.idle,
    "edit": steps.edit,
    "trickle": trickle,
    "restart": steps.restart,
    "delete": steps.delete,
    "floor": floor,
}
"""In their order. The floor is last: it needs what was created, and no operator."""

COMPARED = ("start", "create", "edit", "restart", "delete", "floor")
"""Those that any operator goes through."""


async def measure(
    system: System,
    count: int,
    options: Options,
    directory: Path,
    names: Sequence[str] = tuple(STEPS),
) -> Figures:
    """All figures of a run with so many databases; logs go into `directory`.

    Raises BenchError when a step takes too long, ClusterError and PostgresError when what it takes
    does not start.
    """
    about = {
        "n": count,
        "at": machine.now(),
        "commit": machine.commit(),
        "machine": machine.machine(),
    }
    began = time.monotonic()
    figures: Figures = {}
    async with stage(system, directory) as made:
        run = Run(made, count, options)
        await steps.prepare(run)
        for name in names:
            figures[name] = await STEPS[name](run)
    figures["create"]["share_of_floor"] = _share(figures)
    return about | figures | {"wall_s": round(time.monotonic() - began, 1)}


def _share(figures: Figures) -> float:
    """How near creation comes to the floor, in percent."""
    ready, floor_rate = figures["create"]["ready_per_s"], figures["floor"]["healthy_per_s"]
    return round(float(100 * ready / floor_rate), 1)
