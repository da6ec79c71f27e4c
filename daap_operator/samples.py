"""What a metric is, and what it has at one moment. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class Metric:
    """One metric."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    leader_only: bool = False
    """Whether only the replica that reconciles objects reports it."""


class Samples(NamedTuple):
    """What a metric has at one moment, a counter or a gauge."""

    metric: Metric
    series: Iterable[tuple[Sequence[str], float]]
    """The values of the metric's labels, in their order, and the series' own."""
