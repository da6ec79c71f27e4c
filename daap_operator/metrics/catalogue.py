"""Every metric: the page `/metrics` and docs/reference/metrics.md are made from these. Pure.

Names are API: dashboards and alerts of others are made of them.
https://prometheus.io/docs/practices/naming/
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One metric."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    leader_only: bool = False
    """Whether it is told only by the replica that looks after databases."""


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
    "Passes over a database by result: success; outage (something refused or did not answer); "
    "timeout (cut off); error (a defect of the operator, with a stack trace in its log). "
    "All but success are tried again.",
    ("result",),
)
RECONCILE_SECONDS = Metric(
    "daap_reconcile_duration_seconds",
    "histogram",
    "How long a pass over a database took, whatever came of it.",
)
ACTIVE_WORKERS = Metric(
    "daap_reconcile_active_workers",
    "gauge",
    "Passes under way; at most DAAP_WORKERS.",
)
DEPTH = Metric(
    "daap_workqueue_depth",
    "gauge",
    "Databases that wait for a worker.",
)
RETRIES = Metric(
    "daap_workqueue_retries_total",
    "counter",
    "How often a database was put back into the queue, with back-off, because its pass failed.",
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
    "How often all watches had to be started again.",
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
    "Databases whose row in the inventory could not be written, and is still to be.",
    leader_only=True,
)
DATABASES = Metric(
    "daap_databases",
    "gauge",
    "DaapDatabases by phase; 'None' before their first status.",
    ("phase",),
    leader_only=True,
)
DATABASE_CONDITION = Metric(
    "daap_database_condition",
    "gauge",
    "Always 1; one series for each condition a DaapDatabase has, with the status that holds.",
    ("namespace", "name", "type", "status"),
    leader_only=True,
)
DATABASE_INFO = Metric(
    "daap_database_info",
    "gauge",
    "Always 1; one series for each DaapDatabase. The version is empty until it is decided.",
    ("namespace", "name", "owner_team", "postgres_version"),
    leader_only=True,
)

DATABASE_EOL = Metric(
    "daap_database_postgres_eol",
    "gauge",
    "When PostgreSQL's project ends its support of the database's major version, as Unix time; "
    "there is none for a version that the operator does not know.",
    ("namespace", "name", "postgres_version"),
    leader_only=True,
)

CATALOGUE = (
    BUILD_INFO,
    LEADER,
    DATABASES,
    DATABASE_CONDITION,
    DATABASE_INFO,
    DATABASE_EOL,
    RECONCILES,
    RECONCILE_SECONDS,
    ACTIVE_WORKERS,
    DEPTH,
    RETRIES,
    KUBE_REQUESTS,
    KUBE_REQUEST_SECONDS,
    WATCH_RESTARTS,
    METADATA_UP,
    METADATA_ROWS_BEHIND,
)
"""All of them, in the order of the docs."""
