"""The steps of a run, in their order: each does one thing to all databases and gives its figures.

Moments are of the monotonic clock, durations in seconds.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks import usage
from benchmarks.errors import BenchError
from benchmarks.figures import Figures, Request, requests, spread
from benchmarks.options import Options
from benchmarks.stage import Stage
from benchmarks.systems import LARGER
from benchmarks.waiting import all_of, bound, each, quiet
from benchmarks.watching import Key, is_ready
from daap_operator import names
from daap_operator.kinds import known
from dev.cluster.progress import Step
from tests.support.api import Object

NAMESPACES = 10
EDITS = 50
"""Specs that are edited at once."""
POLL_SECONDS = 0.5
"""How often the operator is asked how far it is: often enough, and no burden to it."""


@dataclass
class Run:
    """One run: the stage, and the databases it is about."""

    stage: Stage
    count: int
    options: Options
    children: list[Object] = field(default_factory=list)
    """A Cluster and a Pooler as the operator has made them, for the floor."""

    @property
    def namespaces(self) -> list[str]:
        """Where the databases are, in turns."""
        return [f"bench-{number}" for number in range(min(NAMESPACES, self.count))]

    @property
    def databases(self) -> list[Key]:
        """The databases."""
        places = self.namespaces
        return [
            (self.stage.system.kind, places[number % len(places)], f"bench-{number:05d}")
            for number in range(self.count)
        ]

    @property
    def seconds(self) -> float:
        """How long a step may take."""
        return bound(self.count)

    async def rest(self) -> tuple[list[Request], float]:
        """What the operator asks until it has come to rest, and about when it last did."""
        return await quiet(self.stage.audit, self.stage.operator, self.seconds)


def cluster_of(database: Key) -> Key:
    """A database's Cluster."""
    return known.CLUSTER, database[1], names.cluster_name(database[2])


async def prepare(run: Run) -> None:
    """Make the namespaces."""
    for name in run.namespaces:
        await run.stage.api.create("namespaces", {"metadata": {"name": name}})


async def start(run: Run) -> Figures:
    """The operator, on a cluster without databases."""
    stage = run.stage
    with Step("starting the operator"):
        seconds = await stage.operator.ready()
    await run.rest()
    now, peak = usage.memory(stage.operator.pid)
    return {"ready_s": round(seconds, 2), "rss_mib": now, "peak_mib": peak}


async def create(run: Run) -> Figures:
    """All databases at once, until each is Ready."""
    stage, watching = run.stage, run.stage.watching
    exists = [
        watching.expect(cluster_of(key), lambda obj: obj is not None) for key in run.databases
    ]
    ready = [watching.expect(key, is_ready) for key in run.databases]
    sent: dict[Key, float] = {}

    async def post(key: Key) -> None:
        sent[key] = time.monotonic()
        await stage.api.create(key[0], stage.system.database(key))

    _forget_statements(run)
    before, began = stage.cpu(), time.monotonic()
    await each(run.databases, post)
    posted = time.monotonic()
    moments = await all_of(f"N={run.count}: Ready", ready, stage.operator, run.seconds)
    used = usage.taken(before, stage.cpu(), run.count)
    asked, _ = await run.rest()
    run.children = await _children(run)
    now, peak = usage.memory(stage.operator.pid)
    starts = [sent[key] for key in run.databases]
    clusters = [future.result() for future in exists]
    return {
        "posted_per_s": round(run.count / (posted - began), 1),
        "all_ready_s": round(max(moments) - began, 2),
        "ready_per_s": round(run.count / (max(moments) - began), 1),
        "to_ready_ms": spread(_between(starts, moments)),
        "to_cluster_ms": spread(_between(starts, clusters)),
        "requests": requests(asked, run.count),
        "rss_mib": now,
        "peak_mib": peak,
        **_statements(run),
        **used,
    }


async def idle(run: Run) -> Figures:
    """Nothing happens for a while."""
    stage, seconds = run.stage, run.options.idle
    stage.audit.read()
    before = stage.cpu()
    with Step(f"N={run.count}: idle for {seconds:g} s") as step:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 1.0))
            step.tick()
    asked = requests(stage.audit.read(), run.count)
    minutes = seconds / 60
    return {
        "seconds": seconds,
        "requests_per_minute": round(asked["requests"] / minutes, 1),
        "watches_per_minute": round(asked["watches"] / minutes, 1),
        "requests": asked,
        **usage.taken(before, stage.cpu(), run.count),
    }


async def edit(run: Run) -> Figures:
    """Larger volumes for some databases at once, until their Clusters say so."""
    stage = run.stage
    chosen = run.databases[:EDITS]
    written = [stage.watching.expect(cluster_of(key), _has_size) for key in chosen]
    settled = [stage.watching.expect(key, stage.system.has_larger) for key in chosen]
    sent: dict[Key, float] = {}

    async def patch(key: Key) -> None:
        sent[key] = time.monotonic()
        await stage.api.patch(*key, {"spec": stage.system.size(LARGER)})

    await each(chosen, patch)
    moments = await all_of(f"N={run.count}: edited", written, stage.operator, run.seconds)
    ends = await all_of(f"N={run.count}: settled", settled, stage.operator, run.seconds)
    asked, _ = await run.rest()
    starts = [sent[key] for key in chosen]
    return {
        "to_child_ms": spread(_between(starts, moments)),
        "to_settled_ms": spread(_between(starts, ends)),
        "requests": requests(asked, len(chosen)),
    }


async def restart(run: Run) -> Figures:
    """The operator ends and another one begins, with all databases there."""
    stage = run.stage
    _forget_statements(run)
    with Step(f"N={run.count}: restarting the operator") as step:
        stopped = await stage.operator.stop()
        stage.audit.read()
        began = time.monotonic()
        ready = await stage.operator.ready()
        while not await stage.operator.is_through(run.count):
            if time.monotonic() > began + run.seconds:
                raise BenchError(f"not all databases are looked at within {run.seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
            step.tick()
        through = time.monotonic()
        asked, last = await run.rest()
    return {
        "stop_s": round(stopped, 2),
        "ready_s": round(ready, 2),
        "done_s": round(max(through, last if asked else through) - began, 1),
        "requests": requests(asked, run.count),
        "rss_mib": usage.memory(stage.operator.pid)[0],
        "cpu_s": {"operator": round(stage.cpu()["operator"], 2)},
        **_statements(run),
    }


async def delete(run: Run) -> Figures:
    """All databases at once, until they are gone and their rows say so."""
    stage = run.stage
    gone = [stage.watching.expect(key, lambda obj: obj is None) for key in run.databases]
    before, began = stage.cpu(), time.monotonic()
    await each(run.databases, lambda key: stage.api.delete(*key))
    moments = await all_of(f"N={run.count}: gone", gone, stage.operator, run.seconds)
    rows = await _rows_marked(run, began)
    used = usage.taken(before, stage.cpu(), run.count)
    asked, _ = await run.rest()
    now, peak = usage.memory(stage.operator.pid)
    return {
        "gone_s": round(max(moments) - began, 2),
        "rows_s": round(rows, 2),
        "gone_per_s": round(run.count / (max(moments) - began), 1),
        "requests": requests(asked, run.count),
        "rss_mib": now,
        "peak_mib": peak,
        **used,
    }


async def _rows_marked(run: Run, began: float) -> float:
    """The seconds until no row is live; those until now for an operator that has no rows."""
    while rows := run.stage.system.rows:
        left = await rows.execute("SELECT 1 FROM databases WHERE deleted_at IS NULL")
        if not left:
            break
        if time.monotonic() > began + run.seconds:
            raise BenchError(f"{len(left)} rows are not marked within {run.seconds:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
    return time.monotonic() - began


async def _children(run: Run) -> list[Object]:
    """The Cluster and the Pooler of one database."""
    key = run.databases[0]
    _, namespace, name = cluster_of(key)
    pooler = await run.stage.api.get(known.POOLER, namespace, names.pooler_name(name))
    assert pooler
    return [run.stage.watching.objects[cluster_of(key)], pooler]


def _has_size(cluster: Object | None) -> bool:
    storage: dict[str, Any] = (cluster or {}).get("spec", {}).get("storage", {})
    return storage.get("size") == LARGER


def _forget_statements(run: Run) -> None:
    if counted := run.stage.system.statements:
        counted.forget()


def _statements(run: Run) -> Figures:
    """What was asked of PostgreSQL, by an operator that uses one."""
    counted = run.stage.system.statements
    return {"sql": counted.made(run.count)} if counted else {}


def _between(starts: list[float], ends: list[float]) -> list[float]:
    return [end - start for start, end in zip(starts, ends, strict=True)]
