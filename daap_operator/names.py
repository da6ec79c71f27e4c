"""Every name the operator gives or reserves, each stated once.

The rules follow from CloudNativePG's own derived names: a Cluster's Jobs must fit 63 characters
(`{cluster}-1-snapshot-recovery` and a second digit leave 42, a generation suffix takes 5 more), and
the objects derived from two Clusters in one namespace must not collide.
"""

import hashlib
import re
from datetime import UTC, datetime

GROUP = "daap.io"
VERSION = "v1alpha1"
CATEGORY = "daap"

BACKUP_PLUGIN = "barman-cloud.cloudnative-pg.io"
BACKUP_CONTAINER = "plugin-barman-cloud"
"""The plugin's, in the pod of each instance: it archives, and makes backups."""

FINALIZER = "daap.io/cleanup"
FIELD_MANAGER = "daap-operator"
REPORTER = "daap.io/operator"

DATABASE_LABEL = "daap.io/database"
DRILL_LABEL = "daap.io/drill"
"""With the name of the scratch Cluster, on all that a drill makes and on the pods of that."""
DRILL_QUERY = "DRILL_QUERY_"
"""How the variables with a drill's queries begin; then comes the number, from 1 without a gap."""
SCHEDULED_LABEL = "daap.io/scheduled"
"""Label of a DaapDrill that its database's schedule has made."""
SCHEMA_LABEL = "daap.io/schema"
"""With the name of the Job, on the Jobs that a DaapSchema makes and on their pods."""
SCHEMA_FILES_LABEL = "daap.io/schema-files"
"""On the ConfigMaps that may be a schema's files: only of those are changes noticed."""
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
RETAINED_FROM = "daap.io/retained-from"
RETAINED_TEAM = "daap.io/retained-team"
RETAINED_SECRET = "daap.io/retained-secret"  # noqa: S105 - an annotation, not a password
DEFAULTS_REVISION = "daap.io/defaults-revision"
SECRET_METADATA = "daap.io/metadata-from-spec"  # noqa: S105 - an annotation, not a password
CERTIFICATES = "daap.io/certificates"
CNPG_CLUSTER_LABEL = "cnpg.io/cluster"
CNPG_PVC_ROLE_LABEL = "cnpg.io/pvcRole"
CNPG_POOLER_LABEL = "cnpg.io/poolerName"
CNPG_JOB_ROLE_LABEL = "cnpg.io/jobRole"
CNPG_POD_ROLE_LABEL = "cnpg.io/podRole"
SERVICE_LABEL = "kubernetes.io/service-name"
SPEC_MARK = "daap.io/spec"
"""Label or annotation with the digest of the spec that CloudNativePG has worked with."""

POSTGRES_PORT = 5432
POSTGRES_NAME_LIMIT = 63
SECRET_TYPE = "servicebinding.io/postgresql"  # noqa: S105 - a type, not a password

JOB_NAME_LIMIT = 63
"""Of a Job: its pods have its name as a label."""
CLUSTER_NAME_LIMIT = 37
_COLLIDES = re.compile(
    r"-pooler$"  # Cluster `daap-x-pooler` is the Pooler of `x`: both make that ServiceAccount
    r"|-primary$"  # PodDisruptionBudget `daap-x-primary` guards the primary of `daap-x`
    r"|-[0-9a-f]{8}$"  # looks like a shortened name
)

RESERVED_DATABASE_NAMES = frozenset(
    {"none", "pgbouncer", "postgres", "public", "streaming_replica", "template0", "template1"}
)
"""Roles and databases that PostgreSQL, PgBouncer (its console) and CloudNativePG keep."""
RESERVED_DATABASE_PREFIXES = ("pg_", "cnpg_")


def cluster_name(name: str) -> str:
    """The Cluster's name for a new database; a live one keeps what its status says."""
    plain = f"daap-{name}"
    if len(plain) <= CLUSTER_NAME_LIMIT and not _COLLIDES.search(plain):
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    start = name[: CLUSTER_NAME_LIMIT - len("daap-") - len("-") - len(digest)].rstrip("-")
    return f"daap-{start}-{digest}"


def scratch_name(name: str, uid: str) -> str:
    """The scratch Cluster's name: of this DaapDrill and of no later one that has the name.

    Begins otherwise than the Cluster of any database.
    """
    tail = f"-{uid.replace('-', '')[:8]}"
    start = name.replace(".", "-")[: CLUSTER_NAME_LIMIT - len("drill-") - len(tail)].rstrip("-")
    return f"drill-{start}{tail}"


def schema_job_name(name: str, digest: str) -> str:
    """The name of a Job of a DaapSchema; `digest` is of whatever makes it another Job."""
    tail = f"-{digest[:10]}"
    start = name.replace(".", "-")[: JOB_NAME_LIMIT - len(tail)].rstrip("-")
    return f"{start}{tail}"


def pooler_name(cluster: str) -> str:
    """The name of a Cluster's Pooler, and so of its Deployment and Service."""
    return f"{cluster}-pooler"


def primary_service(cluster: str) -> str:
    """The name of CloudNativePG's Service in front of a Cluster's primary: the pooler's way in."""
    return f"{cluster}-rw"


def drill_name(name: str, slot: datetime) -> str:
    """The name of the DaapDrill that the schedule of a database makes for a moment of it.

    At most 63 characters, and always the same: so it is made once, whenever the process dies.
    """
    tail = f"-{slot.astimezone(UTC):%Y%m%d%H%M}"
    room = POSTGRES_NAME_LIMIT - len(tail)
    if len(name) > room:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: room - len('-') - len(digest)].rstrip('-')}-{digest}"
    return f"{name}{tail}"


def drill_slot(drill: str) -> datetime | None:
    """The minute of the schedule, in UTC, that a DaapDrill was made for; None when it has none."""
    digits = drill[-_SLOT_DIGITS:]
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None


_SLOT_DIGITS = len("yyyymmddHHMM")


def database_name(name: str) -> str:
    """The database and owner role inside PostgreSQL unless the spec names another."""
    return name.replace("-", "_")


def reserved(database: str) -> bool:
    """Whether PostgreSQL, PgBouncer or CloudNativePG keeps this name for itself."""
    return database in RESERVED_DATABASE_NAMES or database.startswith(RESERVED_DATABASE_PREFIXES)


def secret_name(name: str) -> str:
    """The connection Secret's name unless the spec names another."""
    return f"daap-{name}-connection"


def service_dns_names(service: str, namespace: str, domain: str) -> list[str]:
    """What clients may call a Service, shortest first; the last one works from everywhere."""
    return [
        service,
        f"{service}.{namespace}",
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.{domain}",
    ]


def service_host(service: str, namespace: str, domain: str) -> str:
    """The full DNS name of a Service, which works from every namespace."""
    return service_dns_names(service, namespace, domain)[-1]


def mount_path(name: str) -> str:
    """Where a database's connection Secret is to be mounted: its URIs name the `ca.crt` there."""
    return f"/var/run/secrets/daap/{name}"


def retained_from(namespace: str, name: str) -> dict[str, str]:
    """The annotation of a child that outlives its DaapDatabase: who may take it over."""
    return {RETAINED_FROM: f"{namespace}/{name}"}


def retained_with(team: str, secret: str) -> dict[str, str]:
    """What the Cluster says besides: who kept it, and what its connection Secret is called."""
    return {RETAINED_TEAM: team, RETAINED_SECRET: secret}
