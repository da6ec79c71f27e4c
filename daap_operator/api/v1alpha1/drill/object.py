"""The object itself, and what a team asks for."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from daap_operator.api.base import Model
from daap_operator.api.meta import Metadata
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.backup.object import DatabaseName
from daap_operator.api.v1alpha1.database.source import BACKUP_PATTERN, At, moment_of
from daap_operator.api.v1alpha1.database.texts import matched, pattern_rule
from daap_operator.api.v1alpha1.drill.status import DaapDrillStatus
from daap_operator.api.v1alpha1.queries import Queries

BACKUP_TEXT = (
    "'{}' must be the name of a DaapBackup or a Backup of the database, or the id of a backup, as "
    "in '20261128T030000'"
)
IMMUTABLE_TEXT = (
    "cannot be changed: a DaapDrill restores one backup of one database, once; create a new "
    "DaapDrill instead"
)
ONE_TARGET_TEXT = (
    "must not have both 'at' and 'backup': keep 'at' to restore to a moment, or 'backup' to "
    "restore to the end of one backup; leave out both for the latest change that was archived"
)


class DrilledDatabaseRef(Model):
    """The database whose backups are restored."""

    name: DatabaseName
    """Name of the DaapDatabase, in this namespace."""


class DaapDrillSpec(Model):
    """What the team asks for. Immutable."""

    database_ref: DrilledDatabaseRef
    """The database whose backups are restored. It is not touched."""

    backup: Annotated[
        str | None,
        Field(
            max_length=253,
            json_schema_extra=validations(pattern_rule(BACKUP_PATTERN, BACKUP_TEXT)),
        ),
        matched(BACKUP_PATTERN, BACKUP_TEXT),
    ] = None
    """The backup to restore to the end of: the name of a DaapBackup or of a Backup of the database,
    or a backup's id, as in `20261128T030000`. Without `backup` and `at`, the latest backup with
    every change that was archived after it."""

    at: At = None
    """The moment to restore to, in RFC 3339 with its time zone."""

    queries: Queries
    """What the restored database is asked, at most 16 queries; each can only read."""

    @property
    def moment(self) -> datetime | None:
        """`at`, in UTC; None without."""
        return moment_of(self.at)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.at and self.backup:
            raise ValueError(ONE_TARGET_TEXT)
        return self

    @model_validator(mode="after")
    def _in_the_calendar(self) -> Self:
        _ = self.moment
        return self


SPEC_RULES = validations(
    rule("self == oldSelf", IMMUTABLE_TEXT),
    rule("!has(self.at) || !has(self.backup)", ONE_TARGET_TEXT),
)


class DaapDrill(Model):
    """A proof that the backups of one DaapDatabase can be restored: made once, beside the database,
    in a scratch Cluster that is checked and removed again.

    What has passed or failed stays so. Deleting it removes whatever is left of the scratch Cluster,
    and no backup."""

    metadata: Metadata
    spec: Annotated[DaapDrillSpec, Field(json_schema_extra=SPEC_RULES)]
    """What the team asks for. Immutable."""
    status: DaapDrillStatus = DaapDrillStatus(conditions=[])
    """What the operator last saw."""
