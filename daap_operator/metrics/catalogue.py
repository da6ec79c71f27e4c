"""The metrics of every kind; a kind's own are declared on its side. Pure.

The page `/metrics` and docs/reference/metrics.md are made from these.

Names are API: dashboards and alerts of others are made of them.
https://prometheus.io/docs/practices/naming/
"""

from daap_operator.samples import Metric

BUILD_INFO = Metric(
    "daap_build_info",
    "gauge",
    "Always 1; the label says which version of the operator runs.",
    ("version",),
)
LEADER = Metric(
    "daap_leader",
    "gauge",
    "1 while this replica leads by its own clock, 0 while it stands by.",
)
RECONCILES = Metric(
    "daap_reconcile_total",
    "counter",
    "Passes over an object by kind and result: success; outage (something refused or did not "
    "answer); timeout (cut off); error (a defect of the operator, with a stack trace in its log). "
    "All but success are retried.",
    ("kind", "result"),
)
RECONCILE_SECONDS = Metric(
    "daap_reconcile_duration_seconds",
    "histogram",
    "How long a pass over an object took, whatever came of it.",
    ("kind",),
)
ACTIVE_WORKERS = Metric(
    "daap_reconcile_active_workers",
    "gauge",
    "Passes under way; of all kinds together at most DAAP_WORKERS.",
    ("kind",),
)
DEPTH = Metric(
    "daap_workqueue_depth",
    "gauge",
    "Objects that wait for a worker.",
    ("kind",),
)
RETRIES = Metric(
    "daap_workqueue_retries_total",
    "counter",
    "How often an object was put back into the queue, with back-off, because its pass failed.",
    ("kind",),
)
EVENTS_DROPPED = Metric(
    "daap_events_dropped_total",
    "counter",
    "Events that were not posted because too many of their namespace waited; the log names the "
    "namespace, and each object's status says what they would have.",
    ("kind",),
)
KUBE_REQUESTS = Metric(
    "daap_kube_requests_total",
    "counter",
    "Requests to the API server by verb, resource (subresource behind a slash) and HTTP status; "
    "code 'none' when no answer came. The watches are not among them.",
    ("verb", "resource", "code"),
)
KUBE_REQUEST_SECONDS = Metric(
    "daap_kube_request_duration_seconds",
    "histogram",
    "How long a request to the API server took, answered or not.",
    ("verb",),
)
WATCH_RESTARTS = Metric(
    "daap_watch_restarts_total",
    "counter",
    "How often all watches had to be restarted.",
)
METADATA_UP = Metric(
    "daap_metadata_up",
    "gauge",
    "1 while the metadata database can be used, 0 while it is away or lacks migrations.",
    leader_only=True,
)
METADATA_ROWS_BEHIND = Metric(
    "daap_metadata_rows_behind",
    "gauge",
    "Objects whose row in the inventory could not be written, and still has to be.",
    ("kind",),
    leader_only=True,
)
OVER_SHARE = Metric(
    "daap_objects_over_share",
    "gauge",
    "Objects that the operator has no memory for, by namespace and kind: their namespace has more "
    "than others. None for a namespace without any.",
    ("namespace", "kind"),
    leader_only=True,
)
CATALOGUE = (
    BUILD_INFO,
    LEADER,
    RECONCILES,
    RECONCILE_SECONDS,
    ACTIVE_WORKERS,
    DEPTH,
    RETRIES,
    EVENTS_DROPPED,
    KUBE_REQUESTS,
    KUBE_REQUEST_SECONDS,
    WATCH_RESTARTS,
    METADATA_UP,
    METADATA_ROWS_BEHIND,
    OVER_SHARE,
)
"""All of them but the kinds' own, in the order of the docs."""
