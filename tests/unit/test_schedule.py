"""People's schedules as CloudNativePG's: the same days, each database at its own moment."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.api.v1alpha1.database.backup import schedule_objection
from daap_operator.kinds.database.desired.schedule import six_fields
from tests.unit import strategies
from tests.unit.test_cron import GOOD

UID = "5e1ec7ab-1e00-4000-8000-000000000001"
HALF_AN_HOUR = timedelta(minutes=30)
BEGIN = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)

uids = strategies.seeds.map(str)
spreads = st.integers(0, 60).map(lambda minutes: timedelta(minutes=minutes))


def _field(first: int, last: int) -> st.SearchStrategy[str]:
    value, step = st.integers(first, last), st.integers(1, last - first)
    item = st.one_of(
        value.map(str),
        st.tuples(value, value).map(lambda ends: f"{min(ends)}-{max(ends)}"),
        st.tuples(value, step).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        step.filter(lambda each: each > 1).map(lambda each: f"*/{each}"),
    )
    return st.just("*") | st.lists(item, min_size=1, max_size=3).map(",".join)


_written = st.tuples(_field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 7))
schedules = st.sampled_from(GOOD) | _written.map(" ".join).filter(
    lambda text: schedule_objection(text) is None
)


def times(schedule: str, count: int) -> list[datetime]:
    return list(islice(CronSim(schedule, BEGIN), count))


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("30 2 * * *", "3 53 2 * * *"),
        ("*/15 9-17 * * mon-fri", "3 0-59/15 9-17 * * 1,2,3,4,5"),
        ("0 0 * * 5-7", "3 23 0 * * 0,5,6"),
        ("5 4 1 JAN,jul *", "3 28 4 1 1,7 *"),
        ("5/20 4 */2 * *", "3 5-59/20 4 1-31/2 * *"),
        ("0-59 0-23 1,*/1 1-12 1-7", "3 0-59 0-23 * 1-12 0,1,2,3,4,5,6"),
        ("@hourly", "3 53 * * * *"),
        ("@daily", "3 53 5 * * *"),
        ("@Weekly", "3 53 5 * * 1"),
        ("@monthly", "3 53 5 10 * *"),
    ],
)
def test_a_schedule_is_written_as_cloudnativepg_reads_it(asked: str, written: str) -> None:
    assert six_fields(asked, UID, HALF_AN_HOUR) == written


@given(schedules, uids, spreads)
def test_the_same_days_and_hours_come_and_the_minute_no_earlier(
    asked: str, uid: str, spread: timedelta
) -> None:
    if asked.startswith("@"):
        return
    made = six_fields(asked, uid, spread)
    literal = asked.partition(" ")[0].isdigit()
    room = spread if literal else timedelta(0)
    for wanted, comes in zip(times(asked, 12), times(made, 12), strict=True):
        assert (wanted.date(), wanted.hour) == (comes.date(), comes.hour)
        later = comes.replace(second=0) - wanted
        assert later == timedelta(0) or timedelta(0) < later < room


@given(schedules, uids, spreads)
def test_it_is_in_cloudnativepgs_words_and_fits_the_status(
    asked: str, uid: str, spread: timedelta
) -> None:
    made = six_fields(asked, uid, spread)
    assert re.fullmatch(r"[0-9*,/-]+( [0-9*,/-]+){5}", made)
    assert len(made) <= 200
    assert "7" not in made.rpartition(" ")[2]
    assert made == six_fields(asked, uid, spread)


def test_the_longest_that_may_be_asked_for_fits_the_status() -> None:
    most = ",".join(["*/2"] * 23) + " * * * *"
    assert len(most) <= 100
    assert schedule_objection(most) is None
    assert len(six_fields(most, UID, HALF_AN_HOUR)) <= 200


NICKNAMES = {
    "@hourly": timedelta(hours=1),
    "@daily": timedelta(days=1),
    "@weekly": timedelta(days=7),
}


@pytest.mark.parametrize(("name", "period"), NICKNAMES.items(), ids=NICKNAMES)
def test_a_nickname_comes_as_often_as_it_says(name: str, period: timedelta) -> None:
    found = times(six_fields(name, UID, HALF_AN_HOUR), 4)
    assert {later - earlier for earlier, later in pairwise(found)} == {period}


def test_every_month_has_its_backup() -> None:
    for number in range(100):
        found = times(six_fields("@monthly", f"{number}", HALF_AN_HOUR), 12)
        assert [each.month for each in found] == list(range(1, 13))


@pytest.mark.parametrize("asked", ["0 0 * * *", "45 0 * * *", *NICKNAMES])
def test_a_thousand_databases_do_not_begin_together(asked: str) -> None:
    moments = Counter(six_fields(asked, f"{n}", HALF_AN_HOUR) for n in range(1000))
    assert moments.most_common(1)[0][1] <= 10
    assert len(moments) > 400


def test_without_a_spread_the_minute_is_that_which_is_asked_for() -> None:
    assert six_fields("7 3 * * *", UID, timedelta(0)).split(" ")[1:] == ["7", "3", "*", "*", "*"]
