"""The operator's configuration, read from the environment. Pure: the command hands it in."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from daap_operator.api.v1alpha1 import MAJORS
from daap_operator.majors import choice
from daap_operator.setting_types import (
    Bytes,
    Duration,
    Images,
    Interval,
    LeaseDuration,
    Majors,
    Ports,
    Schedule,
    Spread,
    Store,
    Truth,
    Words,
)

_DNS_NAME = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DOMAIN_LENGTH = 140
"""What the longest Service and namespace leave of a host name's 253 characters."""
_JOB = r"^[a-z0-9][-a-z0-9]{0,62}/[a-z0-9][-a-z0-9.]{0,252}$"


class SettingsError(Exception):
    """The environment is not usable; the message names variable, value and remedy."""


class Settings(BaseModel):
    """Everything that can be configured. Each field's alias is its environment variable."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    database_url: Annotated[SecretStr, Field(alias="DATABASE_URL", min_length=1)]
    """The metadata database: `postgresql://user:password@host:5432/daap?sslmode=verify-full`.
    Without an `sslmode`, there or in `PGSSLMODE`, it is `verify-full` for a server elsewhere than
    on `localhost`; without `sslrootcert` the system's certificate authorities are trusted."""

    db_max_conns: Annotated[int, Field(alias="DB_MAX_CONNS", ge=1, le=1000)] = 25
    """Maximum number of connections to the metadata database."""

    db_min_conns: Annotated[int, Field(alias="DB_MIN_CONNS", ge=0, le=1000)] = 5
    """Connections to the metadata database kept open."""

    db_max_conn_lifetime: Annotated[Interval, Field(alias="DB_MAX_CONN_LIFETIME")] = timedelta(
        hours=1
    )
    """A connection older than this is replaced."""

    db_max_conn_idle_time: Annotated[Interval, Field(alias="DB_MAX_CONN_IDLE_TIME")] = timedelta(
        minutes=30
    )
    """A connection idle for this long is closed, down to DB_MIN_CONNS."""

    migration_job: Annotated[str, Field(alias="DAAP_MIGRATION_JOB", pattern=_JOB)] = ""
    """The Job that applies the migrations, as `namespace/name`: named in the message of an operator
    that waits for the schema. The operator itself does not look at it."""

    kubeconfig: Annotated[str | None, Field(alias="KUBECONFIG")] = None
    """Kubeconfig file to reach the API server with; in a pod, its service account when unset."""

    watch_namespaces: Annotated[Words, Field(alias="DAAP_WATCH_NAMESPACES")] = ()
    """Namespaces to serve, separated by commas; all of them when empty."""

    default_postgres_version: Annotated[
        int, Field(alias="DAAP_DEFAULT_POSTGRES_VERSION", ge=MAJORS[0], le=MAJORS[-1])
    ] = 17
    """PostgreSQL's major version for databases that name none; resolved once for each."""

    postgres_versions: Annotated[Majors, Field(alias="DAAP_POSTGRES_VERSIONS")] = (15, 16, 17, 18)
    """Major versions that a database may be created with or upgraded to, separated by commas.
    Databases of other versions are still served, and stay as they are."""

    postgres_image: Annotated[str, Field(alias="DAAP_POSTGRES_IMAGE")] = (
        "ghcr.io/cloudnative-pg/postgresql:{major}-standard-trixie"
    )
    """Image of the instances; `{major}` is the major version. A change is rolled out to every
    database."""

    postgres_images: Annotated[Images, Field(alias="DAAP_POSTGRES_IMAGES")] = {}
    """Images for single major versions, in place of DAAP_POSTGRES_IMAGE, which can name no digest:
    `17=registry.example/postgresql:17.6-standard-trixie@sha256:…,18=…`. A change is rolled out to
    every database of that version."""

    backup_enabled: Annotated[Truth, Field(alias="DAAP_BACKUP_ENABLED")] = False
    """Whether databases without `spec.backup` have backups: `true` or `false`. A change reaches
    those that are there, too."""

    backup_store: Annotated[Store, Field(alias="DAAP_BACKUP_STORE", max_length=253)] = ""
    """Name of the ObjectStore, in the database's own namespace, that keeps the backups of databases
    that name none. When unset, nothing is backed up until `spec.backup.store` names one."""

    backup_schedule: Annotated[Schedule, Field(alias="DAAP_BACKUP_SCHEDULE", max_length=100)] = (
        "@daily"
    )
    """When base backups are made of databases that do not say: five fields of cron in UTC, or
    `@hourly`, `@daily`, `@weekly`, `@monthly` at a time that differs from database to database."""

    backup_spread: Annotated[Spread, Field(alias="DAAP_BACKUP_SPREAD")] = timedelta(minutes=30)
    """By how much a base backup comes later than the minute that a schedule names, at most, so that
    many databases with one schedule do not begin together. Each has its own delay, which stays and
    does not cross the hour. `0` turns it off."""

    backup_on_delete: Annotated[
        Literal["Keep", "FinalBackup"], Field(alias="DAAP_BACKUP_ON_DELETE")
    ] = "Keep"
    """What a deletion does with the backups of databases that do not say: `Keep` leaves what the
    store has, `FinalBackup` makes a last base backup first. A change reaches those that are there:
    with `FinalBackup` their Clusters and Poolers have no owner."""

    restore_across_namespaces: Annotated[Truth, Field(alias="DAAP_RESTORE_ACROSS_NAMESPACES")] = (
        False
    )
    """Whether `spec.source` may name a database of another namespace: `true` or `false`. Whoever
    creates such a database must be able to read the other one."""

    drill_image: Annotated[str, Field(alias="DAAP_DRILL_IMAGE", max_length=512)] = ""
    """Image that the checks of a restore drill run from, and a schema's Jobs: the operator's own.
    When unset, no drill gets further than its restore, and no schema is applied."""

    drill_timeout: Annotated[Interval, Field(alias="DAAP_DRILL_TIMEOUT")] = timedelta(hours=1)
    """How long a restore drill may take, from the creation of its scratch Cluster to the end of its
    checks; one that takes longer has failed."""

    drill_egress_ports: Annotated[Ports, Field(alias="DAAP_DRILL_EGRESS_PORTS")] = (443, 6443)
    """TCP ports that the scratch Cluster of a restore drill may reach besides DNS, separated by
    commas: those of the API server's endpoints and of the object stores."""

    schema_verify_interval: Annotated[Interval, Field(alias="DAAP_SCHEMA_VERIFY_INTERVAL")] = (
        timedelta(days=1)
    )
    """How often a database with a DaapSchema is compared with what its files have made, by a Job.
    Besides that after each change, and after a restore."""

    cluster_domain: Annotated[str, Field(alias="DAAP_CLUSTER_DOMAIN")] = "cluster.local"
    """The Kubernetes cluster's DNS domain, the end of every published host name."""

    workers: Annotated[int, Field(alias="DAAP_WORKERS", ge=1, le=200)] = 20
    """Databases reconciled at the same time; of one namespace three quarters of that at most."""

    resync_interval: Annotated[Interval, Field(alias="DAAP_RESYNC_INTERVAL")] = timedelta(
        minutes=10
    )
    """How often every database is reconciled without an event, and the cache checked by a LIST."""

    secret_check_interval: Annotated[Duration, Field(alias="DAAP_SECRET_CHECK_INTERVAL")] = (
        timedelta(minutes=10)
    )
    """How often each connection Secret is fetched to check that it is as it should be: Secrets are
    neither listed nor watched. `0` turns the check off."""

    memory_limit: Annotated[Bytes, Field(alias="DAAP_MEMORY_LIMIT")] = 512 * 1024 * 1024
    """Memory that the process may take, as in a pod's resources (`512Mi`), or in bytes. What it
    has over 192Mi, and 32Mi at least, is for what the operator keeps of objects: the namespaces
    share it."""

    lease_name: Annotated[str, Field(alias="DAAP_LEASE_NAME", pattern=_DNS_NAME)] = "daap-operator"
    """Name of the Lease by which the replicas agree on a leader."""

    lease_namespace: Annotated[str | None, Field(alias="DAAP_LEASE_NAMESPACE")] = None
    """Namespace of the Lease; when unset, the pod's own, and `default` outside of a pod."""

    lease_duration: Annotated[LeaseDuration, Field(alias="DAAP_LEASE_DURATION")] = timedelta(
        seconds=15
    )
    """After this long without a renewal another replica takes over. The leader renews it every
    2/15 of this time, and stops when it could not for 2/3 of it."""

    identity: Annotated[str, Field(alias="DAAP_IDENTITY", min_length=1, max_length=253)] = ""
    """This replica's name in the Lease. When started again under the same name it continues at
    once, so no two replicas may share one: a pod's uid, for example. When unset, a new one at each
    start."""

    health_host: Annotated[str, Field(alias="DAAP_HEALTH_HOST")] = "::"
    """Address of the probes /livez and /readyz; an IPv6 address without brackets. `::` is every
    address, IPv4 and IPv6; where the kernel has no IPv6, every IPv4 address."""

    health_port: Annotated[int, Field(alias="DAAP_HEALTH_PORT", ge=0, le=65535)] = 8080
    """Port of the probes; 0 takes any free one."""

    metrics_host: Annotated[str, Field(alias="DAAP_METRICS_HOST")] = "::"
    """Address of /metrics, as DAAP_HEALTH_HOST."""

    metrics_port: Annotated[int, Field(alias="DAAP_METRICS_PORT", ge=0, le=65535)] = 9090
    """Port of /metrics; 0 takes any free one."""

    metrics_authentication: Annotated[
        Literal["kubernetes", "none"], Field(alias="DAAP_METRICS_AUTHENTICATION")
    ] = "kubernetes"
    """`kubernetes`: whoever reads /metrics sends a bearer token, which the API server judges.
    `none`: whoever reaches the port reads every database's name and team."""

    metrics_tls_directory: Annotated[str, Field(alias="DAAP_METRICS_TLS_DIRECTORY")] = ""
    """Directory with `tls.crt` and `tls.key`: /metrics is then served with TLS, and a renewed pair
    is used at once. Without it /metrics is plain HTTP, and whoever reads along has the token."""

    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(alias="DAAP_LOG_LEVEL")
    ] = "INFO"
    """Lowest severity that is logged."""

    log_format: Annotated[Literal["json", "text"], Field(alias="DAAP_LOG_FORMAT")] = "json"
    """`json`: one object per line, for machines. `text`: for people."""

    @field_validator("health_host", "metrics_host")
    @classmethod
    def _has_no_brackets(cls, host: str) -> str:
        if host.startswith("["):
            bare = host[1:].partition("]")[0]
            raise ValueError(f"must be an address without brackets and port, as in '{bare}'")
        return host

    @field_validator("cluster_domain")
    @classmethod
    def _ends_host_names(cls, domain: str) -> str:
        if len(domain) > _DOMAIN_LENGTH or not re.fullmatch(_DOMAIN, domain):
            raise ValueError(
                "must be a DNS domain in lower case, without a dot at its beginning or end and of "
                f"at most {_DOMAIN_LENGTH} characters, as in 'cluster.local'"
            )
        return domain

    @field_validator("postgres_image")
    @classmethod
    def _has_major(cls, image: str) -> str:
        if not re.fullmatch(r"[^{}]+:\{major\}[^{}:/]*", image):
            raise ValueError(
                "must contain '{major}' at the start of its tag, as in "
                "'registry.example/postgresql:{major}-standard-trixie'"
            )
        return image


def read(environment: Mapping[str, str]) -> Settings:
    """The settings an environment gives; variables that are set but empty count as unset.

    Raises SettingsError naming each variable that is missing or wrong; never shows a secret.
    """
    given = {name: value for name, value in environment.items() if value != ""}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(_problems(error))) from None
    _check_default(settings)
    return settings


def _check_default(settings: Settings) -> None:
    default, offer = settings.default_postgres_version, settings.postgres_versions
    if default not in offer:
        listed = ",".join(str(version) for version in offer)
        raise SettingsError(
            f"DAAP_DEFAULT_POSTGRES_VERSION='{default}': is not in DAAP_POSTGRES_VERSIONS="
            f"'{listed}': set it to {choice(offer)}, or add it there"
        )


def database_url(environment: Mapping[str, str]) -> str:
    """The metadata database alone, for commands that need nothing else.

    Raises SettingsError when it is not set.
    """
    given = {"DATABASE_URL": environment.get("DATABASE_URL", "")}
    return read(given).database_url.get_secret_value()


def kubeconfig(environment: Mapping[str, str]) -> str | None:
    """The kubeconfig file alone; None when it is not set, or empty."""
    return environment.get("KUBECONFIG") or None


def _problems(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0])
        if problem["type"] == "missing":
            lines.append(f"{name} is not set: set it, for example to {_example(name)}")
        elif name == "DATABASE_URL":
            lines.append(f"{name}: {problem['msg']}")
        else:
            text = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{name}='{problem['input']}': {text}")
    return lines


def _example(name: str) -> str:
    """An example from the field's own documentation."""
    described = next(f.description or "" for f in Settings.model_fields.values() if f.alias == name)
    return described.partition("`")[2].partition("`")[0]
