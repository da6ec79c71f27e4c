"""When a schedule is due. Pure.

Read as CloudNativePG does: six fields, the first of which is the second, in UTC.
https://pkg.go.dev/github.com/robfig/cron#hdr-CRON_Expression_Format
"""

import re
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

GRACE = timedelta(hours=1)
"""What a backup may take, or be late, before it is missed."""

_STEPS = {3: "1-31/", 5: "0-6/"}
"""Day of the month and of the week: `*/2` there is a range, and not a star that leaves the other
field to decide."""


def next_due(schedule: str, after: datetime) -> datetime | None:
    """The first time after a moment, in UTC; None for a schedule that is never due."""
    try:
        return next(CronSim(_read(schedule), after.astimezone(UTC)), None)
    except (CronSimError, OverflowError, ValueError):
        return None


def last_due(schedule: str, after: datetime, until: datetime) -> datetime | None:
    """The latest time after one moment and not after another, in UTC; None where there is none.

    However many there are between the two: it is looked for backwards.
    """
    end = until.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    try:
        found = next(CronSim(_read(schedule), end, reverse=True), None)
    except (CronSimError, OverflowError, ValueError):
        return None
    return found if found and found > after else None


def missed_at(
    schedule: str, last: datetime, grace: timedelta = GRACE
) -> tuple[datetime, datetime] | None:
    """Of the latest run: the first one after it that was missed, and when that is certain.

    It is once the run after that one is due, and the grace has passed. None while neither ever is.
    """
    first = next_due(schedule, last)
    second = None if first is None else next_due(schedule, first)
    if first is None or second is None:
        return None
    try:
        return first, second + grace
    except OverflowError:
        return None


def _read(schedule: str) -> str:
    fields = schedule.split()
    return " ".join(
        re.sub(r"^\*/", _STEPS.get(place, "*/"), field) for place, field in enumerate(fields)
    )
