"""What is, at the moment of a scrape, as prometheus_client's metrics."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family

from daap_operator import majors, raw
from daap_operator.api.meta import ConditionType
from daap_operator.api.v1alpha1 import Phase
from daap_operator.metrics import catalogue
from daap_operator.metrics.catalogue import Metric

Object = Mapping[str, Any]

NO_PHASE = "None"
_PHASES = tuple(str(phase) for phase in Phase)
_TYPES = tuple(str(kind) for kind in ConditionType)
_STATUSES = ("True", "False", "Unknown")


@dataclass(frozen=True)
class Databases:
    """What only the replica knows that looks after databases."""

    objects: Collection[Object]
    """All DaapDatabases, as the cache has them."""
    metadata_up: bool
    rows_behind: int


@dataclass(frozen=True)
class Seen:
    """What is, at one moment."""

    version: str
    leader: bool = False
    active_workers: int = 0
    depth: int = 0
    retries: int = 0
    watch_restarts: int = 0
    databases: Databases | None = None
    """None for a standby."""


def families(seen: Seen) -> Iterator[Family]:
    """What was seen, as metrics."""
    yield _info(catalogue.BUILD_INFO, [(seen.version,)])
    yield _gauge(catalogue.LEADER, seen.leader)
    yield _gauge(catalogue.ACTIVE_WORKERS, seen.active_workers)
    yield _gauge(catalogue.DEPTH, seen.depth)
    yield _counter(catalogue.RETRIES, seen.retries)
    yield _counter(catalogue.WATCH_RESTARTS, seen.watch_restarts)
    if seen.databases is not None:
        yield from _databases(seen.databases)


def _databases(known: Databases) -> Iterator[Family]:
    yield _gauge(catalogue.METADATA_UP, known.metadata_up)
    yield _gauge(catalogue.METADATA_ROWS_BEHIND, known.rows_behind)
    phases = GaugeMetricFamily(
        catalogue.DATABASES.name, catalogue.DATABASES.help, labels=catalogue.DATABASES.labels
    )
    counted = Counter(_phase(seen) for seen in known.objects)
    for phase in (*_PHASES, NO_PHASE):  # zeros too: a line that ends is not one that falls
        phases.add_metric([phase], counted[phase])
    yield phases
    conditions = (row for seen in known.objects for row in _conditions(seen))
    yield _info(catalogue.DATABASE_CONDITION, conditions)
    yield _info(catalogue.DATABASE_INFO, (_description(seen) for seen in known.objects))
    yield _ends(known.objects)


def _phase(seen: Object) -> str:
    phase = raw.text(seen, "status", "phase")
    return phase if phase in _PHASES else NO_PHASE


def _conditions(seen: Object) -> Iterator[tuple[str, ...]]:
    """The conditions we write, once each: whatever else stands there is not ours to multiply."""
    found = {
        raw.text(condition, "type"): raw.text(condition, "status")
        for condition in raw.items(seen, "status", "conditions")
    }
    for kind in _TYPES:
        if (status := found.get(kind)) in _STATUSES:
            yield *_key(seen), kind, str(status)


def _description(seen: Object) -> tuple[str, ...]:
    version = raw.number(seen, "status", "postgresVersion")
    return *_key(seen), raw.text(seen, "spec", "ownerTeam"), str(version or "")


def _ends(objects: Collection[Object]) -> Family:
    metric = catalogue.DATABASE_EOL
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for seen in objects:
        version = raw.number(seen, "status", "postgresVersion")
        if (end := majors.END_OF_LIFE.get(version or 0)) is not None:
            midnight = datetime.combine(end, time(), UTC).timestamp()
            labels = [_printable(value) for value in (*_key(seen), str(version))]
            family.add_metric(labels, midnight)
    return family


def _key(seen: Object) -> tuple[str, str]:
    return raw.text(seen, "metadata", "namespace"), raw.text(seen, "metadata", "name")


def _gauge(metric: Metric, value: float) -> Family:
    return GaugeMetricFamily(metric.name, metric.help, value=value)


def _counter(metric: Metric, value: float) -> Family:
    return CounterMetricFamily(metric.name, metric.help, value=value)


def _info(metric: Metric, rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> Family:
    """One series of the value 1 for each row of labels."""
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for row in rows:
        family.add_metric([_printable(value) for value in row], 1)
    return family


def _printable(value: str) -> str:
    """Without halves of characters, which JSON can hold and UTF-8 cannot: one fails the page."""
    return value.encode(errors="replace").decode()
