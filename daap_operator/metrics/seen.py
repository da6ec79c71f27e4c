"""What is, at the moment of a scrape, as prometheus_client's metrics."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family

from daap_operator.engine.workqueue import Load
from daap_operator.metrics import catalogue
from daap_operator.samples import Metric, Samples


@dataclass(frozen=True)
class Known:
    """What only the replica knows that reconciles objects."""

    samples: Iterable[Samples]
    """What each kind has to report of its objects."""
    metadata_up: bool
    rows_behind: Mapping[str, int]
    """By the name of each kind that has a table."""
    over_share: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Objects that there is no memory for, by namespace and the name of their kind."""


@dataclass(frozen=True)
class Seen:
    """What is, at one moment."""

    version: str
    leader: bool = False
    loads: Mapping[str, Load] = field(default_factory=dict)
    """What there is to do, by the name of a kind."""
    watch_restarts: int = 0
    known: Known | None = None
    """None for a standby."""


def families(seen: Seen, kinds: Collection[str]) -> Iterator[Family]:
    """What was seen, as metrics; of every kind, also one that nothing is to be done for."""
    yield from map(_family, _of_every_replica(seen, kinds))
    if seen.known is not None:
        yield from map(_family, _of_the_leader(seen.known))


def _of_every_replica(seen: Seen, kinds: Collection[str]) -> Iterator[Samples]:
    loads = {kind: seen.loads.get(kind, Load()) for kind in kinds}
    yield _one(catalogue.BUILD_INFO, 1, seen.version)
    yield _one(catalogue.LEADER, seen.leader)
    yield _each(catalogue.ACTIVE_WORKERS, {kind: load.working for kind, load in loads.items()})
    yield _each(catalogue.DEPTH, {kind: load.waiting for kind, load in loads.items()})
    yield _each(catalogue.RETRIES, {kind: load.retries for kind, load in loads.items()})
    yield _one(catalogue.WATCH_RESTARTS, seen.watch_restarts)


def _of_the_leader(known: Known) -> Iterator[Samples]:
    yield _one(catalogue.METADATA_UP, known.metadata_up)
    yield _each(catalogue.METADATA_ROWS_BEHIND, known.rows_behind)
    yield Samples(catalogue.OVER_SHARE, list(known.over_share.items()))
    yield from known.samples


def _one(metric: Metric, value: float, *labels: str) -> Samples:
    return Samples(metric, [(labels, value)])


def _each(metric: Metric, values: Mapping[str, float]) -> Samples:
    """A series for each kind."""
    return Samples(metric, [((kind,), value) for kind, value in values.items()])


def _family(samples: Samples) -> Family:
    metric = samples.metric
    made = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
    family = made(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.series:
        family.add_metric([_printable(label) for label in labels], value)
    return family


def _printable(value: str) -> str:
    """Without halves of characters, which JSON can hold and UTF-8 cannot: one fails the page."""
    return value.encode(errors="replace").decode()
