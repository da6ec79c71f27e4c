"""The counters, and the page `/metrics`."""

import asyncio
from collections.abc import Collection, Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from daap_operator.engine.workqueue import PASS_SECONDS, Result
from daap_operator.kube import Request
from daap_operator.metrics import catalogue
from daap_operator.metrics.seen import Seen, families
from daap_operator.samples import Metric

PASS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, PASS_SECONDS)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)

disable_created_metrics()  # a second series for each counter, which nobody asks for


class Metrics:
    """What this process has counted. One event loop owns it."""

    def __init__(self, kinds: Collection[str]) -> None:
        """`kinds` are the names of all kinds that are reconciled here."""
        self._kinds = kinds
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._passes = _counter(catalogue.RECONCILES, self._registry)
        self._pass_seconds = _histogram(catalogue.RECONCILE_SECONDS, PASS_BUCKETS, self._registry)
        self._requests = _counter(catalogue.KUBE_REQUESTS, self._registry)
        self._request_seconds = _histogram(
            catalogue.KUBE_REQUEST_SECONDS, REQUEST_BUCKETS, self._registry
        )
        self._events_dropped = _counter(catalogue.EVENTS_DROPPED, self._registry)
        for kind in kinds:
            self._events_dropped.labels(kind)
            self._pass_seconds.labels(kind)
            for result in Result:  # so that the first error is a rise from 0
                self._passes.labels(kind, result)

    def count_pass(self, kind: str, result: Result, seconds: float) -> None:
        """Note that a pass over an object of that kind has ended."""
        self._passes.labels(kind, result).inc()
        self._pass_seconds.labels(kind).observe(seconds)

    def count_drop(self, kind: str) -> None:
        """Note that an Event about an object of that kind was dropped."""
        self._events_dropped.labels(kind).inc()

    def count_request(self, request: Request) -> None:
        """Note that a request to the API server was answered, or was not."""
        code = str(request.status) if request.status else "none"
        self._requests.labels(request.verb, request.resource, code).inc()
        self._request_seconds.labels(request.verb).observe(request.seconds)

    async def page(self, accept: str, seen: Seen) -> tuple[bytes, str]:
        """The page and its content type, in the format that the Accept header asks for.

        Written in a thread: that of thousands of objects takes longer than others should wait.
        """
        encode, content_type = choose_encoder(accept)
        everything = _Everything(self._registry, seen, self._kinds)
        return await asyncio.to_thread(encode, everything), content_type


class _Everything(Collector):
    def __init__(self, registry: CollectorRegistry, seen: Seen, kinds: Collection[str]) -> None:
        self._registry = registry
        self._seen = seen
        self._kinds = kinds

    def collect(self) -> Iterator[Family]:
        """What was counted, and what was seen."""
        yield from self._registry.collect()
        yield from families(self._seen, self._kinds)


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name, metric.help, metric.labels, registry=registry)


def _histogram(metric: Metric, buckets: Iterable[float], registry: CollectorRegistry) -> Histogram:
    made = tuple(buckets)
    return Histogram(metric.name, metric.help, metric.labels, buckets=made, registry=registry)
