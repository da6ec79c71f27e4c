"""What Prometheus is told: the only door to `prometheus_client`.

What happens is counted as it happens; what is, is looked up when it is asked for, so that nothing
can go stale and a metric of a deleted object goes with it. Only the leader reports on objects: a
standby has not seen them. Never a secret: names, teams, versions and conditions.

    catalogue  every metric but the kinds' own: name, type, labels, help
    objects    what any kind's objects have to measure
    seen       what is, at the moment of a scrape
    page       the counters, and the page `/metrics`
"""

from daap_operator.metrics.catalogue import CATALOGUE
from daap_operator.metrics.page import Metrics
from daap_operator.metrics.seen import Known, Seen
from daap_operator.samples import Metric, Samples

__all__ = ["CATALOGUE", "Known", "Metric", "Metrics", "Samples", "Seen"]
