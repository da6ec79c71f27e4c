"""Figures from what was measured. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Figures = dict[str, Any]
"""The figures of a run, or of one of its steps, as JSON: numbers by name, and such dictionaries."""

READS = ("get", "list", "watch")


class Request(NamedTuple):
    """One answered request."""

    verb: str
    resource: str
    """Plural, with the subresource behind a slash."""
    code: int


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that at least this share (0 to 1) of the values does not exceed.

    Raises ValueError when there are none.
    """
    if not values:
        raise ValueError("no values, so there is no percentile of them")
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def spread(seconds: Sequence[float]) -> Figures:
    """Durations as milliseconds: how many, p50, p95, p99 and the longest; only 0 of none."""
    if not seconds:
        return {"count": 0}
    named = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
    told = {name: milliseconds(percentile(seconds, share)) for name, share in named.items()}
    return {"count": len(seconds), **told}


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds, to a tenth."""
    return round(1000 * seconds, 1)


def per(amount: float, count: int) -> float:
    """An amount for each of so many, to a hundredth; 0 for none of them."""
    return round(amount / count, 2) if count else 0.0


def requests(made: Iterable[Request], count: int) -> Figures:
    """Requests in all and for each of `count` databases, by verb and resource.

    Watches are counted apart: each lives half a minute, however many databases there are.
    """
    listed = list(made)
    asked = [request for request in listed if request.verb != "watch"]
    writes = [request for request in asked if request.verb not in READS]
    kinds = Counter(f"{request.verb} {request.resource}" for request in asked)
    failed = Counter(f"{r.verb} {r.resource} {r.code}" for r in asked if r.code >= 400)
    return {
        "requests": len(asked),
        "writes": len(writes),
        "per_database": per(len(asked), count),
        "writes_per_database": per(len(writes), count),
        "by_kind": dict(kinds.most_common()),
        "by_kind_per_database": {name: per(n, count) for name, n in kinds.most_common()},
        "failed": dict(failed.most_common()),
        "watches": len(listed) - len(asked),
    }


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What has been added to each amount; a program that is new began at 0."""
    return {name: round(value - before.get(name, 0.0), 3) for name, value in after.items()}


def slope(sizes: Sequence[int], values: Sequence[float]) -> float | None:
    """How much a value grows for 1,000 databases more: least squares. None for a single size."""
    count = len(sizes)
    middle = sum(sizes) / count if count else 0.0
    wide = sum((size - middle) ** 2 for size in sizes)
    if not wide:
        return None
    mean = sum(values) / count
    together = sum((n - middle) * (v - mean) for n, v in zip(sizes, values, strict=True))
    return round(1000 * together / wide, 1)


def found(figures: Mapping[str, Any], path: str) -> Any:
    """The figure under names with dots between them, such as `create.requests.writes`; else None.

    A name may itself hold a space, as those of programs and kinds of requests do.
    """
    value: Any = figures
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value
