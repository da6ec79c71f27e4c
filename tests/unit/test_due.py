"""When schedules are due: read as CloudNativePG does, in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.kinds.database.due import GRACE, missed_at, next_due
from tests.unit import strategies

NIGHT = "7 12 3 * * *"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        (NIGHT, "2026-03-01T12:00", "2026-03-02T03:12:07"),
        (NIGHT, "2026-03-01T03:12:07", "2026-03-02T03:12:07"),
        (NIGHT, "2026-03-01T03:12:06", "2026-03-01T03:12:07"),
        ("0 */15 * * * *", "2026-03-01T12:01", "2026-03-01T12:15"),
        ("0 0 0 * * 0", "2026-03-03T00:00", "2026-03-08T00:00"),
        ("0 0 0 * * SUN", "2026-03-03T00:00", "2026-03-08T00:00"),
        ("0 0 0 1 JAN *", "2026-03-03T00:00", "2027-01-01T00:00"),
        ("0 0 0 29 2 *", "2026-03-03T00:00", "2028-02-29T00:00"),
        # A day of the month or of the week: either, when neither field is a plain star
        ("0 0 0 15 * 1", "2026-03-03T00:00", "2026-03-09T00:00"),
        ("0 0 0 */20 * 1", "2026-03-17T00:00", "2026-03-21T00:00"),
        ("0 0 0 15 * */6", "2026-03-03T00:00", "2026-03-07T00:00"),
    ],
)
def test_a_schedule_is_due(schedule: str, after: str, due: str) -> None:
    assert next_due(schedule, at(after)) == at(due)


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    after = at("2026-03-01T03:00").astimezone(timezone(timedelta(hours=9)))
    due = next_due(NIGHT, after)
    assert due == at("2026-03-01T03:12:07")
    assert due.tzinfo is UTC


@pytest.mark.parametrize(
    "schedule", ["", "* *", "0 0 0 30 2 *", "0 0 0 * * 9", "@daily", "x 0 0 * * *"]
)
def test_what_is_never_due_is_never_missed(schedule: str) -> None:
    assert next_due(schedule, at("2026-03-01T00:00")) is None
    assert missed_at(schedule, at("2026-03-01T00:00")) is None


def test_at_the_end_of_the_calendar_nothing_is_due() -> None:
    assert next_due(NIGHT, datetime(9999, 12, 31, 23, tzinfo=UTC)) is None
    assert missed_at(NIGHT, datetime(9999, 12, 30, 23, tzinfo=UTC)) is None


def test_a_run_is_missed_an_hour_after_the_next_is_due() -> None:
    first, certain = missed_at(NIGHT, at("2026-03-01T03:13")) or ("", "")
    assert first == at("2026-03-02T03:12:07")
    assert certain == at("2026-03-03T04:12:07")


MINUTES = st.integers(0, 59).map(str) | st.just("*") | st.just("*/7")
HOURS = st.integers(0, 23).map(str) | st.just("*") | st.just("*/5")
DAYS = st.integers(1, 28).map(str) | st.just("*") | st.just("*/9")
WEEKDAYS = st.integers(0, 6).map(str) | st.just("*")
SCHEDULES = st.tuples(st.integers(0, 59).map(str), MINUTES, HOURS, DAYS, st.just("*"), WEEKDAYS)
MOMENTS = strategies.moments(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@given(SCHEDULES.map(" ".join), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_later_backup_is_missed_no_sooner(
    schedule: str, last: datetime, later: timedelta
) -> None:
    before, after = missed_at(schedule, last), missed_at(schedule, last + later)
    assert before is not None
    assert after is not None
    assert last < before[0] < before[1] - GRACE
    assert before[0] <= after[0]
    assert before[1] <= after[1]


@given(strategies.plain_texts, MOMENTS)
def test_no_text_is_too_odd_to_be_read(schedule: str, last: datetime) -> None:
    missed_at(schedule, last)
