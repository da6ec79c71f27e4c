"""Two operators side by side: this one's figures by the other's, round by round. Pure."""

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.figures import Figures, found
from benchmarks.table import ABSENT, aligned, number

COMPARED: tuple[tuple[str, str, int], ...] = (
    ("first create → all Ready, s", "create.all_ready_s", 1),
    ("create → Ready p50, ms", "create.to_ready_ms.p50", 0),
    ("create → Ready p99, ms", "create.to_ready_ms.p99", 0),
    ("share of its own floor, %", "create.share_of_floor", 0),
    ("edit → child written p99, ms", "edit.to_child_ms.p99", 0),
    ("requests a database", "create.requests.per_database", 2),
    ("  writes", "create.requests.writes_per_database", 2),
    ("own CPU a database, ms", "create.cpu_ms.operator", 1),
    ("API server's CPU a database, ms", "create.cpu_ms.kube-apiserver", 1),
    ("CPU of all programs a database, ms", "create.cpu_ms.all", 1),
    ("floor: pairs of children created /s", "floor.created_per_s", 1),
    ("restart until done, s", "restart.done_s", 1),
    ("  writes", "restart.requests.writes", 0),
    ("delete all, rows marked, s", "delete.rows_s", 1),
    ("memory at the start, MiB", "start.rss_mib", 0),
    ("memory with N, MiB", "create.rss_mib", 0),
    ("memory at most, MiB", "delete.peak_mib", 0),
)
"""Title, path of the figure, digits behind the point."""

Round = tuple[Figures, Figures]
"""The figures of both in one round, this operator's first."""


def rounds(runs: Iterable[Figures], size: int, names: tuple[str, str]) -> list[Round]:
    """The runs of a size, those of the same round together; a round without both is left out."""
    by_round: dict[int, dict[str, Figures]] = {}
    for run in runs:
        if run["n"] == size:
            by_round.setdefault(run["round"], {})[run["system"]] = run
    ours, other = names
    whole = [both for both in by_round.values() if ours in both and other in both]
    return [(both[ours], both[other]) for both in whole]


def ratio(pairs: Sequence[Round], path: str) -> list[float]:
    """This operator's figure by the other's in each round; nothing for one that is 0 there."""
    values = [(found(ours, path), found(other, path)) for ours, other in pairs]
    return [ours / other for ours, other in values if ours is not None and other]


def render(runs: Sequence[Figures], sizes: Sequence[int], names: tuple[str, str]) -> str:
    """A table for each size: both medians, and the ratio's median with its least and greatest."""
    return "\n\n".join(
        _table(rounds(runs, size, names), size, names)
        for size in sizes
        if rounds(runs, size, names)
    )


def _table(pairs: Sequence[Round], size: int, names: tuple[str, str]) -> str:
    head = [f"N = {size:,}, rounds: {len(pairs)}", *names, "ratio", "from", "to"]
    return "\n".join(aligned([head, *(_row(pairs, *compared) for compared in COMPARED)]))


def _row(pairs: Sequence[Round], title: str, path: str, digits: int) -> list[str]:
    both = [[found(run, path) for run in runs] for runs in zip(*pairs, strict=True)]
    middle = [number(_median(values), digits) for values in both]
    ratios = ratio(pairs, path)
    if not ratios:
        return [title, *middle, ABSENT, ABSENT, ABSENT]
    spread = (median(ratios), min(ratios), max(ratios))
    return [title, *middle, *(number(value, 2) for value in spread)]


def _median(values: Sequence[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return median(measured) if measured else None
