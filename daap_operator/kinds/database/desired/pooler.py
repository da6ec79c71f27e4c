"""The CloudNativePG Pooler (PgBouncer) of a database.

https://cloudnative-pg.io/documentation/current/connection_pooling/

PgBouncer takes most parameters up by a reload of the pods that run. What changes the pods' template
replaces them, and so belongs to a revision of the defaults (desired/defaults.py).
"""

from daap_operator import names
from daap_operator.kinds import known
from daap_operator.kinds.database.desired import defaults
from daap_operator.kinds.database.desired.mark import marked_pooler
from daap_operator.kinds.database.desired.resolved import Manifest, Resolved
from daap_operator.kinds.database.desired.tuning import server_connections

MOST_SERVER_CONNECTIONS_A_POD = 20
"""For each role: what one PgBouncer, which is a single process, can keep busy."""

LOGIN_RETRY_SECONDS = 0.5
"""How long PgBouncer refuses all clients once it could not log in to PostgreSQL. With its default
of 15 a new primary goes unused for up to 30 seconds."""

CONNECT_SECONDS = 5
"""How long PgBouncer tries one connection to PostgreSQL, its login included. Linux asks again after
1, 3, 7 and 15 seconds where nobody answers, and refusals are mostly not heard of either: the kernel
sends one a second (net.ipv4.icmp_ratelimit). With PgBouncer's default of 15 an instance that takes
connections again goes unused for up to 8."""

AFFINITY_SECONDS = 86400
"""How long a client's address leads to the same pod, counted from its last new connection: the most
that Kubernetes takes. A request to cancel a query is a connection of its own, and only the pod that
runs the query can carry it out."""

LEAVE_SECONDS = 10
"""How long a pod that is to stop goes on serving, until no node leads new clients to it. With none
7 of 965 new connections failed when the pods were replaced; with 6 seconds none did."""

STOP_SECONDS = 60
"""How long a pod may take to stop in all: LEAVE_SECONDS, and then its transactions' time to end."""

BASE_MEMORY_MI = 128
"""Of a pod without clients: CloudNativePG's manager and PgBouncer."""

CLIENTS_IN_A_MI = 16
"""64 KiB each; a client with TLS was measured to take 30 KiB, and packets come on top."""


def pooler(database: Resolved, *, certificates: str = "") -> Manifest:
    """The Pooler to apply; `certificates` is the annotation that has its pods read them again."""
    metadata = database.metadata(database.pooler)
    if certificates:
        metadata["annotations"] = metadata.get("annotations", {}) | {
            names.CERTIFICATES: certificates
        }
    return {
        "apiVersion": known.POOLER.api_version,
        "kind": known.POOLER.name,
        "metadata": metadata,
        "spec": marked_pooler(_spec(database), database.name),
    }


def _spec(database: Resolved) -> Manifest:
    return {
        "cluster": {"name": database.cluster},
        "instances": database.spec.pooler.instances,
        "type": "rw",
        "pgbouncer": {
            "poolMode": database.spec.pooler.mode.lower(),
            "parameters": _parameters(database),
        },
        "template": {"metadata": {"labels": _pod_labels(database)}, "spec": _pod(database)},
        "serviceTemplate": {
            "spec": {
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": AFFINITY_SECONDS}},
            }
        },
        "deploymentStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
    }


def _parameters(database: Resolved) -> dict[str, str]:
    wanted = database.spec.pooler
    # One pod more than asked for: while they are replaced, an old one and its successor run at once
    most = server_connections(database) // (wanted.instances + 1)
    made = {
        "client_tls_sslmode": "require",
        "default_pool_size": str(min(MOST_SERVER_CONNECTIONS_A_POD, most)),
        "max_client_conn": str(wanted.max_client_connections),
        # Whatever the number of roles: each has a pool of its own
        "max_db_connections": str(most),
        # Lets drivers prepare statements although the server connection changes
        "max_prepared_statements": "200",
        "server_connect_timeout": str(CONNECT_SECONDS),
        "server_login_retry": str(LOGIN_RETRY_SECONDS),
        # DISCARD ALL between two clients, in transaction mode too (docs/adr/0020)
        "server_reset_query_always": "1",
    }
    if database.defaults >= defaults.LIMITED:  # PgBouncer reads this one only when it starts
        made["track_extra_parameters"] = "IntervalStyle,default_transaction_read_only"
    return made


def _pod_labels(database: Resolved) -> dict[str, str]:
    return {names.DATABASE_LABEL: database.name}


def _pod(database: Resolved) -> Manifest:
    pgbouncer: Manifest = {"name": "pgbouncer", "resources": {"requests": _requests()}}
    made: Manifest = {
        "containers": [pgbouncer],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {names.CNPG_POOLER_LABEL: database.pooler}},
            }
        ],
    }
    if database.defaults >= defaults.LIMITED:
        pgbouncer["resources"] = _resources(database)
        pgbouncer["lifecycle"] = {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}}
        made["initContainers"] = [
            {"name": "bootstrap-controller", "resources": _resources(database)}
        ]
        made["terminationGracePeriodSeconds"] = STOP_SECONDS
    return made


def _requests() -> dict[str, str]:
    return {"cpu": "50m", "memory": "64Mi"}


def _resources(database: Resolved) -> Manifest:
    """PgBouncer uses one core at most; its memory follows the clients it may have to carry."""
    clients = -(-database.spec.pooler.max_client_connections // CLIENTS_IN_A_MI)
    limits = {"cpu": "1", "memory": f"{BASE_MEMORY_MI + clients}Mi"}
    return {"requests": _requests(), "limits": limits}
