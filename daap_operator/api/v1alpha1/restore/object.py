"""The object itself, and what a team asks for."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from daap_operator.api.base import Model
from daap_operator.api.meta import Metadata
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.backup.object import DatabaseName
from daap_operator.api.v1alpha1.database.source import (
    BACKUP_PATTERN,
    ArchiveName,
    At,
    moment_of,
)
from daap_operator.api.v1alpha1.database.texts import matched, pattern_rule
from daap_operator.api.v1alpha1.restore.status import DaapRestoreStatus

BACKUP_TEXT = (
    "'{}' must be the id of a backup, as in '20261128T030000', or the name of a DaapBackup of the "
    "database"
)
IMMUTABLE_TEXT = (
    "cannot be changed: a DaapRestore restores one database to one moment, once; create a new "
    "DaapRestore instead"
)
ONE_TARGET_TEXT = (
    "must have either 'at' or 'backup': set 'at' to a moment, as in '2026-11-28T03:00:00Z', or "
    "'backup' to the id of a backup or the name of a DaapBackup"
)
CONFIRM_TEXT = (
    "confirm '{}' must be '{}', the name in databaseRef: everything written to that database since "
    "the moment that is restored is replaced. Set it to '{}' if that is meant"
)


class SafetyBackup(StrEnum):
    """Whether the database is backed up before it is replaced."""

    REQUIRED = "Required"
    SKIP = "Skip"


class RestoredDatabaseRef(Model):
    """The database that is restored."""

    name: DatabaseName
    """Name of the DaapDatabase, in this namespace."""


class DaapRestoreSpec(Model):
    """What the team asks for. Immutable."""

    database_ref: RestoredDatabaseRef
    """The database that is restored in place: its host, its Secret, its user and its password
    stay."""

    at: At = None
    """The moment to restore to, in RFC 3339 with its time zone: what was committed until then is
    there afterwards, and nothing later. Either `at` or `backup`."""

    backup: Annotated[
        str | None,
        Field(
            max_length=253,
            json_schema_extra=validations(pattern_rule(BACKUP_PATTERN, BACKUP_TEXT)),
        ),
        matched(BACKUP_PATTERN, BACKUP_TEXT),
    ] = None
    """The backup to restore to the end of: the name of a DaapBackup of the database, or a backup's
    id, as in `20261128T030000`. Either `at` or `backup`."""

    archive: ArchiveName = None
    """Name of an earlier archive of the database to restore from, as in `status.source.archive` of
    the DaapRestore that began a new one. When left out, that of the DaapBackup that `backup` names;
    else the current one. The store is the one that the database's backups go to now."""

    safety_backup: SafetyBackup = SafetyBackup.REQUIRED
    """Whether the database is backed up before it is replaced. `Skip` is for a database that cannot
    be backed up any more: what was not archived before is lost."""

    confirm: Annotated[str, Field(max_length=63)]
    """The name of the database once more: everything written since the moment that is restored is
    replaced."""

    @property
    def moment(self) -> datetime | None:
        """`at`, in UTC; None without."""
        return moment_of(self.at)

    @model_validator(mode="after")
    def _meant(self) -> Self:
        if (self.at is None) == (self.backup is None):
            raise ValueError(ONE_TARGET_TEXT)
        name = self.database_ref.name
        if self.confirm != name:
            raise ValueError(CONFIRM_TEXT.format(self.confirm, name, name))
        return self

    @model_validator(mode="after")
    def _in_the_calendar(self) -> Self:
        _ = self.moment
        return self


SPEC_RULES = validations(
    rule("self == oldSelf", IMMUTABLE_TEXT),
    rule("has(self.at) != has(self.backup)", ONE_TARGET_TEXT),
    rule(
        "self.confirm == self.databaseRef.name",
        CONFIRM_TEXT,
        "self.confirm",
        "self.databaseRef.name",
        "self.databaseRef.name",
        path=".confirm",
    ),
)


class DaapRestore(Model):
    """A DaapDatabase restored in place to a moment, once, with a backup of its present state first.

    It is carried out once: what is completed or failed stays so. Deleting it undoes nothing, and
    deletes no backup."""

    metadata: Metadata
    spec: Annotated[DaapRestoreSpec, Field(json_schema_extra=SPEC_RULES)]
    """What the team asks for. Immutable."""
    status: DaapRestoreStatus = DaapRestoreStatus(conditions=[])
    """What the operator last saw."""
