"""The archive that a new database is made from: what a team asks for, and what was decided."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from daap_operator.api.base import Model
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.database.texts import (
    CONNECTION_NAME_PATTERN,
    NAME_PATTERN,
    STORE_NAME_TEXT,
    matched,
    pattern_rule,
)

ARCHIVE_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$"
ARCHIVE_TEXT = (
    "'{}' must be the name of an archive in the store, as in status.backup.archive: at most 253 "
    "characters of A-Z, a-z, 0-9, '-', '_' and '.', beginning and ending with a letter or digit"
)
SOURCE_NAME_TEXT = (
    "'{}' must be the name of a DaapDatabase: 3 to 63 characters of a-z, 0-9 and '-', beginning "
    "with a letter and ending with a letter or digit"
)
NAMESPACE_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
NAMESPACE_TEXT = (
    "'{}' must be a namespace's name: at most 63 characters of a-z, 0-9 and '-', beginning and "
    "ending with a letter or digit"
)
AT_PATTERN = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"([.][0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
AT_TEXT = (
    "'{}' must be a moment in RFC 3339 with its time zone, as in '2026-11-28T03:00:00Z' or "
    "'2026-11-28T04:00:00+01:00'"
)
BACKUP_ID_PATTERN = r"^[0-9]{8}T[0-9]{6}$"
BACKUP_PATTERN = rf"{BACKUP_ID_PATTERN}|{CONNECTION_NAME_PATTERN}"
BACKUP_TEXT = (
    "'{}' must be the id of a backup, as in '20261128T030000', or the name of a DaapBackup of the "
    "source"
)
ONE_SOURCE_TEXT = (
    "must have either 'database' or 'archive': set 'database' to the name of a DaapDatabase, also "
    "of one that is deleted, or 'archive' to the name of an archive in the store"
)
ONE_TARGET_TEXT = (
    "must not have both 'at' and 'backup': keep 'at' to restore to a moment, or 'backup' to "
    "restore to the end of one backup; leave out both for the latest change that was archived"
)
NO_NAMESPACE_TEXT = (
    "namespace '{}' does not go with 'archive', which is read from a store of this namespace: "
    "leave it out"
)

At = Annotated[
    str | None,
    Field(max_length=32, json_schema_extra=validations(pattern_rule(AT_PATTERN, AT_TEXT))),
    matched(AT_PATTERN, AT_TEXT),
]
"""A moment to restore to."""

ArchiveName = Annotated[
    str | None,
    Field(
        max_length=253, json_schema_extra=validations(pattern_rule(ARCHIVE_PATTERN, ARCHIVE_TEXT))
    ),
    matched(ARCHIVE_PATTERN, ARCHIVE_TEXT),
]
"""An archive to restore from."""


def moment_of(at: str | None) -> datetime | None:
    """A moment in UTC; None without. Raises ValueError for one that no calendar has."""
    try:
        return datetime.fromisoformat(at).astimezone(UTC) if at else None
    except (ValueError, OverflowError):
        raise ValueError(f"at {AT_TEXT.format(at)}") from None


class Source(Model):
    """The archive of a database that there is, or was: a new database begins with its data."""

    database: Annotated[
        str | None,
        Field(
            max_length=63,
            json_schema_extra=validations(pattern_rule(NAME_PATTERN, SOURCE_NAME_TEXT)),
        ),
        matched(NAME_PATTERN, SOURCE_NAME_TEXT),
    ] = None
    """Name of the DaapDatabase that the data comes from. One that is deleted can be named for as
    long as its archive is kept; this object's own name brings back the one that had it before."""

    archive: ArchiveName = None
    """Name of an archive in the store, for data of which nothing else is known any more. Needs
    `spec.postgresVersion`, the version of that data; `spec.databaseName` names its database."""

    namespace: Annotated[
        str | None,
        Field(
            max_length=63,
            json_schema_extra=validations(pattern_rule(NAMESPACE_PATTERN, NAMESPACE_TEXT)),
        ),
        matched(NAMESPACE_PATTERN, NAMESPACE_TEXT),
    ] = None
    """Namespace of the DaapDatabase that the data comes from; this one's when left out. Another one
    only where the platform allows it."""

    store: Annotated[
        str | None,
        Field(
            max_length=253,
            json_schema_extra=validations(pattern_rule(CONNECTION_NAME_PATTERN, STORE_NAME_TEXT)),
        ),
        matched(CONNECTION_NAME_PATTERN, STORE_NAME_TEXT),
    ] = None
    """Name of the ObjectStore in this namespace that the archive is read from. When left out, the
    one of the source's name for it; then that of `spec.backup.store`, then the platform's
    default."""

    at: At = None
    """The moment to restore to, in RFC 3339 with its time zone. Without `at` and `backup`, the
    latest change that was archived."""

    backup: Annotated[
        str | None,
        Field(
            max_length=253,
            json_schema_extra=validations(pattern_rule(BACKUP_PATTERN, BACKUP_TEXT)),
        ),
        matched(BACKUP_PATTERN, BACKUP_TEXT),
    ] = None
    """The backup to restore to the end of: its id, as in `20261128T030000`, or the name of a
    DaapBackup in the source's namespace."""

    @property
    def moment(self) -> datetime | None:
        """`at`, in UTC; None without."""
        return moment_of(self.at)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.database is None) == (self.archive is None):
            raise ValueError(ONE_SOURCE_TEXT)
        if self.at and self.backup:
            raise ValueError(ONE_TARGET_TEXT)
        if self.archive and self.namespace:
            raise ValueError(NO_NAMESPACE_TEXT.format(self.namespace))
        return self

    @model_validator(mode="after")
    def _in_the_calendar(self) -> Self:
        _ = self.moment
        return self


SOURCE_RULES = validations(
    rule("has(self.database) != has(self.archive)", ONE_SOURCE_TEXT),
    rule("!has(self.at) || !has(self.backup)", ONE_TARGET_TEXT),
    rule("!has(self.archive) || !has(self.__namespace__)", NO_NAMESPACE_TEXT, "self.__namespace__"),
)

# --- rules of the whole object --------------------------------------------------------------------

_MADE = "has(self.status) && has(self.status.clusterName)"

READ_ONCE_TEXT = (
    "is read once, when the database is created, and this one has been: leave it as it was, or "
    "remove it. To begin with other data, create another DaapDatabase"
)
READ_ONCE_RULE = rule(
    f"!has(self.spec.source) || !({_MADE}) || "
    "(has(oldSelf.spec.source) && self.spec.source == oldSelf.spec.source)",
    READ_ONCE_TEXT,
    path=".spec.source",
)
"""Of the whole object. A change that would have no effect is refused, not swallowed."""

VERSION_NEEDED_TEXT = (
    "of an archive '{}' needs spec.postgresVersion: set it to the major version of the data"
)
VERSION_NEEDED_RULE = rule(
    "!has(self.spec.source) || !has(self.spec.source.archive) || has(self.spec.postgresVersion) "
    f"|| {_MADE}",
    VERSION_NEEDED_TEXT,
    "self.spec.source.archive",
    path=".spec.source",
)
"""Of the whole object: nothing tells the version of what is in an archive."""


class SourceStatus(Model):
    """What the Cluster's data was restored from, or is to be. Set once for each Cluster, before it
    is created; a Cluster never changes it."""

    database: Annotated[str | None, Field(max_length=63)] = None
    """Name of the DaapDatabase that the archive is of; absent when only the archive was named."""

    namespace: Annotated[str | None, Field(max_length=63)] = None
    """Namespace of that DaapDatabase."""

    archive: Annotated[str, Field(max_length=253)]
    """Name of the archive within the store."""

    store: Annotated[str, Field(max_length=253)]
    """Name of the ObjectStore, in this namespace, that the archive is read from."""

    at: Annotated[str | None, Field(max_length=32)] = None
    """The moment that was restored to, in UTC; absent with `backupId`, and for the latest."""

    backup_id: Annotated[str | None, Field(max_length=253)] = None
    """The backup whose end was restored to."""

    database_name: Annotated[str, Field(max_length=63)]
    """Name of the database inside PostgreSQL, and of the role that owns it."""
