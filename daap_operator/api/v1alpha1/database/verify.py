"""Backups that are proved to restore, on a schedule: what a team asks for."""

from typing import Annotated

from pydantic import Field, field_validator

from daap_operator.api.base import Model
from daap_operator.api.rules import validations
from daap_operator.api.v1alpha1.database import cron
from daap_operator.api.v1alpha1.database.texts import (
    SCHEDULE_PATTERN,
    SCHEDULE_TEXT,
    matched,
    pattern_rule,
)
from daap_operator.api.v1alpha1.queries import Queries


class Verify(Model):
    """A drill on a schedule: the latest backup is restored beside the database, into a Cluster that
    is checked and removed again."""

    schedule: Annotated[
        str,
        Field(
            max_length=100,
            json_schema_extra=validations(pattern_rule(SCHEDULE_PATTERN, SCHEDULE_TEXT)),
        ),
        matched(SCHEDULE_PATTERN, SCHEDULE_TEXT),
    ]
    """When the latest backup is restored and checked: five fields of cron in UTC (minute, hour, day
    of the month, month, day of the week), or `@hourly`, `@daily`, `@weekly`, `@monthly` at a time
    that differs from database to database. A time at which no drill could be made is made up for
    once."""

    queries: Queries
    """What the restored database is asked, at most 16 queries; each can only read."""

    @field_validator("schedule")
    @classmethod
    def _keepable_schedule(cls, schedule: str) -> str:
        if why := cron.objection(schedule):
            raise ValueError(f"'{schedule}' {why}")
        return schedule
