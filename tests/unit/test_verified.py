"""What drills have shown, which one is due, and which are deleted."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import names
from daap_operator.api.v1alpha1 import BackupStatus
from daap_operator.kinds import drills as kept
from daap_operator.kinds.database.verified import (
    KEPT,
    NOTHING,
    due,
    is_scheduled,
    superfluous,
    verified,
)
from tests.unit import drills, strategies
from tests.unit.builders import NOW
from tests.unit.drills import ARCHIVE, UID, drill, failed, moment, scheduled_at

Object = dict[str, Any]

NIGHT = "7 12 3 * * *"
BEFORE = BackupStatus(
    archive=ARCHIVE,
    last_verified=moment("2026-02-01T04:00:00"),
    verified_backup="20260201T031200",
    measured_restore_seconds=90,
    last_verification_failed=moment("2026-01-01T04:00:00"),
)


def seen(*found: Object) -> list[Object]:
    return [kept.keep(each) for each in found]


# --- what they have shown -------------------------------------------------------------------------


def test_a_drill_that_passed_is_told() -> None:
    passed = drill("2026-03-01T03:20:00Z", restoreSeconds={"base": 60, "wal": 5, "total": 77})
    told = verified(seen(passed, drill("2026-02-28T03:20:00Z", name="earlier")), UID, ARCHIVE, None)
    assert told.passed == moment("2026-03-01T03:20:00")
    assert (told.backup, told.seconds) == ("20260301T031200", 77)
    assert (told.failed, told.error, told.refuted) == (None, "", False)


def test_a_drill_that_failed_is_told_until_a_later_one_passes() -> None:
    found = [failed("2026-03-01T03:20:00Z"), drill("2026-02-28T03:20:00Z", name="earlier")]
    told = verified(seen(*found), UID, ARCHIVE, None)
    assert told.refuted
    assert told.error == "DaapDrill orders-202603010312: 2 of 40 relations are corrupt"
    again = drill("2026-03-01T09:00:00Z", name="again", scheduled=False)
    told = verified(seen(*found, again), UID, ARCHIVE, None)
    assert (told.refuted, told.error) == (False, "")
    assert told.failed == moment("2026-03-01T03:20:00")


def test_one_under_way_shows_nothing_yet() -> None:
    told = verified(seen(drill()), UID, ARCHIVE, None)
    assert (told.passed, told.failed) == (None, None)
    assert told.since == moment("2026-03-01T03:12:07")


@pytest.mark.parametrize(
    "other",
    [
        drill("2026-03-01T03:20:00Z", archive="daap-orders-5e1ec7ab-2"),
        drill("2026-03-01T03:20:00Z", database={"uid": "another"}),
        drill("2026-03-01T03:20:00Z", spec={"at": "2026-02-01T00:00:00Z"}),
        drill("2026-03-01T03:20:00Z", spec={"backup": "before-migration"}),
        failed("2026-03-01T03:20:00Z", spec={"at": "2026-02-01T00:00:00Z"}),
    ],
    ids=["another archive", "another database", "a moment", "a backup", "a moment, failed"],
)
def test_what_says_nothing_of_the_latest_backup_does_not_count(other: Object) -> None:
    assert verified(seen(other), UID, ARCHIVE, None) == NOTHING


def test_what_was_shown_stays_when_the_drill_is_gone() -> None:
    told = verified([], UID, ARCHIVE, BEFORE)
    assert told.passed == BEFORE.last_verified
    assert (told.backup, told.seconds) == ("20260201T031200", 90)
    assert told.failed == BEFORE.last_verification_failed
    bad = BEFORE.model_copy(
        update={"last_verification_failed": NOW, "verification_error": "DaapDrill x: gone"}
    )
    told = verified(seen(drill("2026-02-28T03:20:00Z")), UID, ARCHIVE, bad)
    assert told.passed == moment("2026-02-28T03:20:00")
    assert (told.refuted, told.error) == (True, "DaapDrill x: gone")


def test_another_archive_begins_unproved() -> None:
    assert verified([], UID, "another", BEFORE) == NOTHING


@pytest.mark.parametrize("seconds", [None, 0, -3, "7", True])
def test_what_is_no_number_of_seconds_is_not_told(seconds: object) -> None:
    passed = drill("2026-03-01T03:20:00Z", restoreSeconds={"total": seconds})
    assert verified(seen(passed), UID, ARCHIVE, None).seconds is None


ODD = strategies.objects_with(
    {
        "metadata": [
            {"name": "a-202603010312", "creationTimestamp": "2026-03-01T11:30:00Z"},
            {"name": "orders-999999999999", "labels": {names.SCHEDULED_LABEL: "true"}},
        ],
        "spec": [{"at": 3}, {"backup": ["x"]}],
        "status": [
            {"phase": "Passed", "completedAt": "2026-03-01T11:30:00Z"},
            {"phase": "Failed", "error": "x\ny", "restoreSeconds": 3, "database": "x"},
            {"phase": "Failed", "error": ["x"], "completedAt": "0001-01-01T00:00:00Z"},
        ],
    }
)


@given(st.lists(ODD, max_size=4))
def test_no_drill_is_too_odd(found: list[Object]) -> None:
    those = seen(*found)
    told = verified(those, UID, ARCHIVE, None)
    assert told.error.isprintable()
    due(NIGHT, those, UID, drills.moment("2026-02-01T00:00:00"), NOW)
    superfluous(those, UID)


# --- which one is due -----------------------------------------------------------------------------

SINCE = moment("2026-02-27T10:00:00")


def due_at(now: str, *found: Object, schedule: str = NIGHT) -> datetime | None:
    return due(schedule, seen(*found), UID, SINCE, moment(now))


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-02-27T23:00:00", None),
        ("2026-02-28T03:12:06", None),
        ("2026-02-28T03:12:07", "2026-02-28T03:12:07"),
        ("2026-02-28T03:12:07.5", "2026-02-28T03:12:07"),
        ("2026-03-15T12:00:00", "2026-03-15T03:12:07"),
    ],
    ids=["before the first", "a second early", "in time", "within the second", "two weeks late"],
)
def test_a_drill_is_due_once_for_all_times_that_were_missed(now: str, slot: str | None) -> None:
    assert due_at(now) == (moment(slot) if slot else None)


def test_what_was_made_is_not_due_again() -> None:
    made = scheduled_at("2026-02-28T03:12:07")
    assert due_at("2026-02-28T03:12:08", made) is None
    assert due_at("2026-03-01T03:12:06", made) is None
    assert due_at("2026-03-01T03:12:07", made) == moment("2026-03-01T03:12:07")


@pytest.mark.parametrize("behind", [-40, -1, 0, 1, 40])
def test_the_api_servers_clock_does_not_count_alone(behind: int) -> None:
    slot = moment("2026-02-28T03:12:07")
    created = (slot + timedelta(seconds=behind)).isoformat().replace("+00:00", "Z")
    made = drill(name=names.drill_name("orders", slot), created=created)
    for seconds in range(90):
        now = (slot + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
        assert due_at(now, made) is None


def test_one_that_came_late_stands_for_all_before() -> None:
    made = scheduled_at("2026-02-28T03:12:07") | {}
    made["metadata"]["creationTimestamp"] = "2026-03-02T10:00:00Z"
    assert due_at("2026-03-03T03:12:06", made) is None
    assert due_at("2026-03-03T03:12:07", made) == moment("2026-03-03T03:12:07")


@pytest.mark.parametrize("digits", ["999912312359", "000101010000", "999999999999"])
def test_a_name_that_claims_the_end_of_time_counts_for_nothing(digits: str) -> None:
    forged = drills.drill(name=f"orders-{digits}", created="2026-02-01T00:00:00Z")
    assert due_at("2026-02-28T06:00:00", forged) == moment("2026-02-28T03:12:07")


def test_one_by_hand_and_one_of_the_future_do_not_count() -> None:
    by_hand = drill(scheduled=False, created="2026-02-28T05:00:00Z")
    future = scheduled_at("2099-01-01T03:12:07")
    assert not is_scheduled(by_hand, UID)
    assert due_at("2026-02-28T06:00:00", by_hand, future) == moment("2026-02-28T03:12:07")


@pytest.mark.parametrize("schedule", ["", "0 0 0 30 2 *", "x"])
def test_a_schedule_that_is_never_due_makes_none(schedule: str) -> None:
    assert due_at("2026-03-15T12:00:00", schedule=schedule) is None


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=12))
def test_whenever_it_is_asked_each_time_has_one_drill_at_most(pauses: list[int]) -> None:
    """A drill is made whenever one is due: never two of one time, never one of an earlier time."""
    now = SINCE
    found: list[Object] = []
    slots: list[datetime] = []
    for minutes in pauses:
        now += timedelta(minutes=minutes)
        slot = due("0 0 * * * *", found, UID, SINCE, now)
        if slot is not None:
            slots.append(slot)
            made = scheduled_at(slot.replace(tzinfo=None).isoformat())
            made["metadata"]["creationTimestamp"] = now.isoformat().replace("+00:00", "Z")
            found += seen(made)
        assert due("0 0 * * * *", found, UID, SINCE, now) is None
    assert slots == sorted(set(slots))


# --- names ----------------------------------------------------------------------------------------

SLOT = moment("2026-02-28T03:12:07")


@given(st.from_regex(r"\A[a-z][a-z0-9-]{1,61}[a-z0-9]\Z"))
def test_a_name_fits_and_says_its_time(name: str) -> None:
    made = names.drill_name(name, SLOT)
    assert len(made) <= 63
    assert names.drill_slot(made) == moment("2026-02-28T03:12:00")
    assert made == names.drill_name(name, SLOT)
    if len(name) <= 50:
        assert made == f"{name}-202602280312"


def test_long_names_that_begin_alike_are_told_apart() -> None:
    one, other = ("a" * 62 + end for end in "bc")
    assert names.drill_name(one, SLOT) != names.drill_name(other, SLOT)


@pytest.mark.parametrize("name", ["orders", "", "orders-202613010312", "before-migration-1"])
def test_a_name_without_a_time_has_none(name: str) -> None:
    assert names.drill_slot(name) is None


# --- which are deleted ----------------------------------------------------------------------------


def test_of_each_result_the_latest_stay() -> None:
    passed = [drill(f"2026-03-0{day}T04:00:00Z", name=f"passed-{day}") for day in range(1, 7)]
    bad = [failed(f"2026-03-0{day}T05:00:00Z", name=f"failed-{day}") for day in range(1, 5)]
    others = [
        drill(name="under-way"),
        drill("2026-02-01T00:00:00Z", name="by-hand", scheduled=False),
    ]
    gone = [each["metadata"]["name"] for each in superfluous(seen(*passed, *bad, *others), UID)]
    assert gone == ["passed-3", "passed-2", "passed-1", "failed-1"]
    assert len(passed) - 3 == len(bad) - 1 == KEPT


def test_what_is_going_is_not_deleted_again_and_what_is_anothers_never() -> None:
    many = [drill(f"2026-03-0{day}T04:00:00Z", name=f"passed-{day}") for day in range(1, 5)]
    many[0]["metadata"]["deletionTimestamp"] = "2026-03-05T00:00:00Z"
    assert superfluous(seen(*many), UID) == []
    del many[0]["metadata"]["deletionTimestamp"]
    assert len(superfluous(seen(*many), UID)) == 1
    assert superfluous(seen(*many), "another") == []
