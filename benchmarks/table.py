"""The figures of several runs as a table for people. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.figures import Figures, found, slope

ABSENT = "-"
Column = Callable[[Mapping[str, Any]], str]


def one(path: str, digits: int = 1) -> Column:
    """A figure of a run, with so many digits behind the point."""
    return lambda run: number(found(run, path), digits)


def several(paths: Sequence[str], digits: int = 0) -> Column:
    """Figures of a run with slashes between them."""
    return lambda run: " / ".join(number(found(run, path), digits) for path in paths)


def number(value: Any, digits: int) -> str:
    """A number as people read it; `-` for one that was not measured."""
    return ABSENT if value is None else f"{value:,.{digits}f}"


def _spread(path: str, *names: str) -> Column:
    return several([f"{path}.{name}" for name in names])


_CPU = ("operator", "kube-apiserver", "etcd", "postgres", "standin", "all")

ROWS: tuple[tuple[str, Column], ...] = (
    ("floor: pairs of children created /s", one("floor.created_per_s")),
    ("floor: pairs healthy /s", one("floor.healthy_per_s")),
    ("start-up until ready, s", one("start.ready_s", 2)),
    ("first create → all Ready, s", one("create.all_ready_s")),
    ("Ready /s", one("create.ready_per_s")),
    ("  share of the floor, %", one("create.share_of_floor", 0)),
    ("create → Ready p50/p95/p99, ms", _spread("create.to_ready_ms", "p50", "p95", "p99")),
    ("create → Cluster p50/p99, ms", _spread("create.to_cluster_ms", "p50", "p99")),
    ("edits at once", one("edit.to_child_ms.count", 0)),
    ("  edit → child written p50/p99, ms", _spread("edit.to_child_ms", "p50", "p99")),
    ("trickle: events", one("trickle.to_status_ms.count", 0)),
    ("  child event → status p50/p99, ms", _spread("trickle.to_status_ms", "p50", "p99")),
    ("requests a database, create", one("create.requests.per_database", 2)),
    ("  writes, Events among them", one("create.requests.writes_per_database", 2)),
    ("requests a minute, idle", one("idle.requests_per_minute")),
    ("restart: until ready, s", one("restart.ready_s", 2)),
    ("  until every database is looked at, s", one("restart.done_s")),
    ("  requests / writes", several(["restart.requests.requests", "restart.requests.writes"])),
    ("delete all: gone, s", one("delete.gone_s")),
    ("  rows marked, s", one("delete.rows_s")),
    ("  requests a database", one("delete.requests.per_database", 2)),
    *((f"CPU a database, create: {name}, ms", one(f"create.cpu_ms.{name}")) for name in _CPU),
    ("  others on the machine, s in all", one("create.cpu_s.others")),
    ("SQL statements a database, create", one("create.sql.statements_per_database", 2)),
    ("  transactions", one("create.sql.transactions_per_database", 2)),
    ("memory: start, MiB", one("start.rss_mib")),
    ("  with N", one("create.rss_mib")),
    ("  peak until then", one("create.peak_mib")),
    ("  at the end", one("delete.rss_mib")),
    ("the whole run, s", one("wall_s", 0)),
)
"""What a table has, from top to bottom."""


def render(runs: Sequence[Figures]) -> str:
    """A column for each run."""
    head = ["N", *(f"{run['n']:,}" for run in runs)]
    lines = [[title, *(column(run) for run in runs)] for title, column in ROWS]
    return "\n".join([*aligned([head, *lines]), *_memory(runs)])


def _memory(runs: Sequence[Figures]) -> list[str]:
    """How memory grows, which takes more than one run."""
    measured = [run for run in runs if found(run, "create.rss_mib") is not None]
    grows = slope([run["n"] for run in measured], [run["create"]["rss_mib"] for run in measured])
    return [] if grows is None else [f"memory for 1,000 databases more: {grows:.1f} MiB"]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines in which the first column begins, and all others end, at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
