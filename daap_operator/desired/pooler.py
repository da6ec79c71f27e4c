"""The CloudNativePG Pooler (PgBouncer) of a database.

https://cloudnative-pg.io/documentation/current/connection_pooling/
"""

from daap_operator import names
from daap_operator.desired import amounts
from daap_operator.desired.mark import marked_pooler
from daap_operator.desired.resolved import Manifest, Resolved
from daap_operator.desired.tuning import server_connections

MOST_SERVER_CONNECTIONS_A_POD = 20

LOGIN_RETRY_SECONDS = 0.5
"""How long PgBouncer refuses all clients once it could not log in to PostgreSQL. With its default
of 15 a new primary goes unused for up to 30 seconds."""

CONNECT_SECONDS = 5
"""How long PgBouncer tries one connection to PostgreSQL, its login included. Linux asks again after
1, 3, 7 and 15 seconds where nobody answers, and refusals are mostly not heard of either: the kernel
sends one a second (net.ipv4.icmp_ratelimit). With PgBouncer's default of 15 an instance that takes
connections again goes unused for up to 8."""


def pooler(database: Resolved) -> Manifest:
    """The Pooler to apply."""
    return {
        "apiVersion": names.CNPG_API_VERSION,
        "kind": "Pooler",
        "metadata": database.metadata(database.pooler),
        "spec": marked_pooler(_spec(database), database.name),
    }


def _spec(database: Resolved) -> Manifest:
    wanted = database.spec.pooler
    pool = min(MOST_SERVER_CONNECTIONS_A_POD, server_connections(database) // wanted.instances)
    return {
        "cluster": {"name": database.cluster},
        "instances": wanted.instances,
        "type": "rw",
        "pgbouncer": {
            "poolMode": wanted.mode.lower(),
            "parameters": {
                "client_tls_sslmode": "require",
                "default_pool_size": str(pool),
                "max_client_conn": str(wanted.max_client_connections),
                # Lets drivers prepare statements although the server connection changes
                "max_prepared_statements": "200",
                "server_connect_timeout": str(CONNECT_SECONDS),
                "server_login_retry": str(LOGIN_RETRY_SECONDS),
            },
        },
        "template": {"metadata": {"labels": _pod_labels(database)}, "spec": _pod(database)},
        "deploymentStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
    }


def _pod_labels(database: Resolved) -> dict[str, str]:
    return {names.DATABASE_LABEL: database.name}


def _pod(database: Resolved) -> Manifest:
    return {
        **amounts.of_pooler(database),
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {names.CNPG_POOLER_LABEL: database.pooler}},
            }
        ],
    }
