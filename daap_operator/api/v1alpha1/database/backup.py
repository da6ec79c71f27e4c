"""Backups of a database: what a team asks for, and what it is told of them."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from daap_operator.api.base import Model
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.database import cron
from daap_operator.api.v1alpha1.database.texts import (
    CONNECTION_NAME_PATTERN,
    RETENTION_PATTERN,
    RETENTION_TEXT,
    SCHEDULE_PATTERN,
    SCHEDULE_TEXT,
    STORE_NAME_TEXT,
    matched,
    pattern_rule,
)
from daap_operator.api.v1alpha1.database.verify import Verify

VERIFY_TEXT = (
    "verify restores backups, and enabled is 'false', so that none are made: set enabled to true, "
    "or remove verify"
)


class OnDelete(StrEnum):
    """What becomes of the backups when the database is deleted."""

    KEEP = "Keep"
    FINAL_BACKUP = "FinalBackup"


class Backup(Model):
    """Base backups on a schedule, and every change in between, kept in an object store."""

    enabled: bool = True
    """Whether backups are made. Backups that there are stay when it is set to false."""

    store: Annotated[
        str | None,
        Field(
            max_length=253,
            json_schema_extra=validations(pattern_rule(CONNECTION_NAME_PATTERN, STORE_NAME_TEXT)),
        ),
    ] = None
    """Name of the ObjectStore in this namespace that keeps the backups: the platform team creates
    it. The platform's default when left out."""

    schedule: Annotated[
        str | None,
        Field(
            max_length=100,
            json_schema_extra=validations(pattern_rule(SCHEDULE_PATTERN, SCHEDULE_TEXT)),
        ),
    ] = None
    """When a base backup is made: five fields of cron in UTC (minute, hour, day of the month,
    month, day of the week), or `@hourly`, `@daily`, `@weekly`, `@monthly` at a time that differs
    from database to database. The platform's default when left out. Changes in between are archived
    within five minutes in any case."""

    retention: Annotated[
        str | None,
        Field(
            max_length=5,
            json_schema_extra=validations(pattern_rule(RETENTION_PATTERN, RETENTION_TEXT)),
        ),
        matched(RETENTION_PATTERN, RETENTION_TEXT),
    ] = None
    """How far back it must be possible to restore to, in days, weeks or months: `30d`, `4w`, `6m`.
    The store decides how long backups are kept; one that keeps less than this is reported. When
    left out, whatever the store keeps."""

    on_delete: OnDelete | None = None
    """What a deletion of this object does with the backups, where `deletionPolicy` is `Delete`.
    `Keep`: what the store has stays there. `FinalBackup`: besides that, one last base backup is
    made first, and nothing is deleted before it is complete. The platform's default when left out.
    Can still be changed while the deletion waits."""

    verify: Verify | None = None
    """Proof that the backups restore: a DaapDrill on a schedule. None when left out."""

    @field_validator("store")
    @classmethod
    def _store_name(cls, name: str | None) -> str | None:
        if name is not None and (why := store_objection(name)):
            raise ValueError(f"'{name}' {why}")
        return name

    @field_validator("schedule")
    @classmethod
    def _keepable_schedule(cls, schedule: str | None) -> str | None:
        if schedule is not None and (why := schedule_objection(schedule)):
            raise ValueError(f"'{schedule}' {why}")
        return schedule

    @model_validator(mode="after")
    def _something_to_verify(self) -> Self:
        if self.verify and not self.enabled:
            raise ValueError(VERIFY_TEXT)
        return self


BACKUP_RULES = validations(
    rule("!has(self.verify) || !has(self.enabled) || self.enabled", VERIFY_TEXT, path=".verify")
)


def store_objection(name: str) -> str | None:
    """What is wrong with the name of an ObjectStore; None when nothing is."""
    return None if re.fullmatch(CONNECTION_NAME_PATTERN, name) else _without_value(STORE_NAME_TEXT)


def schedule_objection(schedule: str) -> str | None:
    """What is wrong with a schedule, with the remedy; None when nothing is."""
    if not re.fullmatch(SCHEDULE_PATTERN, schedule):
        return _without_value(SCHEDULE_TEXT)
    return cron.objection(schedule)


def _without_value(text: str) -> str:
    return text.removeprefix("'{}' ")


class BackupStatus(Model):
    """What there is of a database's backups, as the object store and CloudNativePG tell it."""

    store: Annotated[str | None, Field(max_length=253)] = None
    """Name of the ObjectStore that keeps the backups."""

    archive: Annotated[str | None, Field(max_length=253)] = None
    """Name of the archive within the store. Set once for each Cluster, before that begins to
    archive; a Cluster never changes it."""

    schedule: Annotated[str | None, Field(max_length=200)] = None
    """When base backups are made, in CloudNativePG's six fields (the first is the second), UTC."""

    last_successful: datetime | None = None
    """When the latest base backup in the archive ended. Stays when the store does not tell any
    more, because the ObjectStore is missing or was created again."""

    final_backup: Annotated[str | None, Field(max_length=63)] = None
    """Name of the Backup that is made before the data is deleted. Noted before it is created."""

    first_recoverable: datetime | None = None
    """The earliest moment that can be restored to; the latest is a few minutes ago."""

    last_failed: datetime | None = None
    """When a base backup last failed."""

    last_error: Annotated[str | None, Field(max_length=1024)] = None
    """Why it failed, while no later one has succeeded."""

    verify_schedule: Annotated[str | None, Field(max_length=200)] = None
    """When drills are made, in six fields as `schedule`, UTC; absent while none are."""

    last_verified: datetime | None = None
    """When a drill last showed that the latest backup of this archive restores. Stays when the
    DaapDrill goes."""

    verified_backup: Annotated[str | None, Field(max_length=253)] = None
    """The backup that was restored then, by its id in the archive."""

    measured_restore_seconds: Annotated[int | None, Field(ge=0)] = None
    """How long that restore took, in seconds, until the restored database served."""

    last_verification_failed: datetime | None = None
    """When a drill of this archive last failed. Stays when the DaapDrill goes."""

    verification_error: Annotated[str | None, Field(max_length=1024)] = None
    """Which drill failed and why, while no later one has passed."""
