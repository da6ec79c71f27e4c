"""A DaapDatabase with every choice made: what the user wrote, was allotted or gets by default.

What was allotted once (the Cluster's name, the version, the database's name) stands in the status
and is never worked out again for a live database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from string import digits
from typing import Any

from daap_operator import names
from daap_operator.api.v1alpha1 import (
    DaapDatabase,
    DaapDatabaseSpec,
    DeletionPolicy,
    Locale,
    SourceStatus,
)
from daap_operator.engine.child import Owner
from daap_operator.kinds import known
from daap_operator.kinds.archiver import Archiver
from daap_operator.kinds.database.desired import backup, defaults, locales, recovery
from daap_operator.kinds.database.desired.backup import BackupDefaults, Backups
from daap_operator.kinds.database.ownership import labels

Manifest = dict[str, Any]

_LONGEST_MAJOR = 3
"""Digits of a major version; a longer number is a date, or a build's."""


@dataclass(frozen=True)
class Platform:
    """The platform team's choices, the same for all databases."""

    default_postgres_version: int
    """Major version for databases that name none."""
    postgres_versions: tuple[int, ...]
    """Major versions that may be asked for, in order."""
    postgres_image: str
    """Image of the instances, with `{major}` for the major version."""
    cluster_domain: str
    """The Kubernetes cluster's DNS domain."""
    postgres_images: Mapping[int, str] = field(default_factory=dict)
    """Images of single major versions, which come before `postgres_image`."""
    backup: BackupDefaults = field(default_factory=BackupDefaults)
    """For databases that do not say what backups they want."""
    restore_across_namespaces: bool = False
    """Whether a database may be made from the backups of one in another namespace."""

    def image(self, major: int) -> str:
        """The image of the instances of a major version."""
        return self.postgres_images.get(major) or self.postgres_image.replace("{major}", str(major))


@dataclass(frozen=True)
class Resolved:
    """All that the manifests of one database depend on."""

    name: str
    namespace: str
    uid: str
    spec: DaapDatabaseSpec
    cluster: str
    database: str
    postgres_version: int
    image: str
    domain: str
    locale: Locale | None
    """Allotted when the database is made, and kept; None where it came with data of which nothing
    else is known."""
    defaults: int
    """The revision of the operator's defaults (desired/defaults.py)."""
    source: SourceStatus | None = None
    """What the Cluster is, or was, restored from; None for one that begins, or began, empty."""
    volume_size: str | None = None
    """What the Cluster is told instead of the spec's size, which not every volume can have."""
    resize_volumes: bool = True
    """Whether CloudNativePG is to make the volumes that are there larger."""
    backups: Backups | None = None
    """The backups that it is to have; None for none."""
    archive: str | None = None
    """Name of the archive of its Cluster; None while it has had no backups."""
    archiver: Archiver | None = None
    """What the plugin in the Cluster is to be told; None for a Cluster without it."""
    final_backup: bool = False
    """Whether nothing of it may be deleted before one more backup is made."""

    @property
    def pooler(self) -> str:
        """Name of the Pooler, its Deployment and its Service."""
        return names.pooler_name(self.cluster)

    @property
    def secret(self) -> str:
        """Name of the connection Secret."""
        return self.spec.connection_secret_name or names.secret_name(self.name)

    @property
    def host(self) -> str:
        """Where clients connect: the pooler."""
        return names.service_host(self.pooler, self.namespace, self.domain)

    def service(self, role: str) -> str:
        """Where one of the Cluster's own Services is, past the pooler: `rw` or `ro`."""
        return names.service_host(f"{self.cluster}-{role}", self.namespace, self.domain)

    @property
    def owner(self) -> Owner:
        """Whom the children are for."""
        return Owner(known.DATABASE, self.namespace, self.name, self.uid)

    def metadata(self, name: str) -> Manifest:
        """The metadata of a child.

        A retained child has no owner: then neither garbage collection, nor a foreground deletion,
        nor a finalizer removed by force can take the data with it. The uid label tells whose it is,
        and an annotation from whom it was retained once nobody has that uid any more. Nor has one
        whose data is to be backed up first: garbage collection would not wait for that.
        """
        made: Manifest = {
            "name": name,
            "namespace": self.namespace,
            "labels": labels(self.name, self.uid),
        }
        if self.spec.deletion_policy is DeletionPolicy.DELETE and not self.final_backup:
            made["ownerReferences"] = [self.owner.reference]
        elif self.spec.deletion_policy is DeletionPolicy.RETAIN:
            made["annotations"] = names.retained_from(self.namespace, self.name)
        return made


@dataclass(frozen=True)
class Left:
    """What a Cluster that is there already was made as."""

    postgres_version: int | None
    defaults: int
    locale: Locale | None
    """None where it came with the data."""
    source: SourceStatus | None = None


@dataclass(frozen=True)
class Origin:
    """What a new database is to be made from, and what is known of that."""

    source: SourceStatus
    postgres_version: int | None = None
    locale: Locale | None = None


def resolve(
    database: DaapDatabase,
    platform: Platform,
    *,
    left: Left | None = None,
    origin: Origin | None = None,
) -> Resolved:
    """The database with every choice made.

    `left` is the database's own Cluster, or what an earlier DaapDatabase of this name left behind:
    taken over, it must not be upgraded or restarted by the way. `origin` is what one that has no
    Cluster yet, nor a source in its status, is to be made from.
    """
    spec, status = database.spec, database.status
    found = left or origin
    found_version = found.postgres_version if found else None
    unasked = status.postgres_version or found_version or platform.default_postgres_version
    version = max(spec.postgres_version or unasked, status.postgres_version or 0)
    source = _source(database, left, origin)
    return Resolved(
        name=database.metadata.name,
        namespace=database.metadata.namespace,
        uid=database.metadata.uid,
        spec=spec,
        cluster=status.cluster_name or names.cluster_name(database.metadata.name),
        database=status.database_name
        or (source.database_name if source else None)
        or spec.database_name
        or names.database_name(database.metadata.name),
        postgres_version=version,
        image=platform.image(version),
        domain=platform.cluster_domain,
        locale=_locale(database, version, left, origin),
        defaults=defaults.revision(
            status.defaults_revision or (left.defaults if left else None),
            made=bool(status.cluster_name),
            annotations=database.metadata.annotations,
        ),
        source=source,
        backups=backup.wanted(spec, database.metadata.uid, platform.backup),
        final_backup=backup.is_final_wanted(
            spec.model_dump(by_alias=True, include={"backup", "deletion_policy"}), platform.backup
        ),
    )


def _source(
    database: DaapDatabase, left: Left | None, origin: Origin | None
) -> SourceStatus | None:
    """A Cluster that is there keeps what it was made by; else what was noted is what counts."""
    told = database.status.source
    if left:
        return recovery.kept(told, left.source)
    return told or (origin.source if origin else None)


def _locale(
    database: DaapDatabase, major: int, left: Left | None, origin: Origin | None
) -> Locale | None:
    """What was allotted, or what is there; only a database still to be made has a choice."""
    spec, status = database.spec, database.status
    if allotted := locales.read(status.locale):
        return allotted
    if origin or database.status.source:
        return origin.locale if origin else None
    if left and (left.source or status.cluster_name or spec.locale is None):
        return left.locale
    if status.cluster_name:
        return locales.PLAIN
    return spec.locale or locales.default(major)


def tagged_major(image: str) -> int | None:
    """The major version that an image's tag begins with; None when it does not tell."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    start = "".join(takewhile(digits.__contains__, tag[: _LONGEST_MAJOR + 1]))
    return int(start) if 0 < len(start) <= _LONGEST_MAJOR else None
