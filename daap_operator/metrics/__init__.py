"""What Prometheus is told: the only door to `prometheus_client`.

What happens is counted as it happens; what is, is looked up when it is asked for, so that nothing
can go stale and a metric of a deleted database goes with it. Only the leader reports on databases:
a standby has not seen them. Never a secret: names, teams, versions and conditions.

    catalogue  every metric: name, type, labels, help
    seen       what is, at the moment of a scrape
    page       the counters, and the page `/metrics`
"""

from daap_operator.metrics.catalogue import CATALOGUE, Metric
from daap_operator.metrics.page import Metrics
from daap_operator.metrics.seen import Databases, Seen

__all__ = ["CATALOGUE", "Databases", "Metric", "Metrics", "Seen"]
