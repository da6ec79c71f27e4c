"""Schedules in five fields: what is wrong with them beyond their form."""

import pytest

from daap_operator.api.v1alpha1.database.backup import schedule_objection

GOOD = (
    "30 2 * * *",
    "@hourly",
    "@DAILY",
    "*/15 * * * *",
    "0 9-17/2 * * mon-fri",
    "0 0 1,15 JAN,jul *",
    "0 0 29 2 *",
    "0 0 31 1-12 *",
    "0 0 31 4 sun",
    "0 0 31 4 0-6",
    "0 0 13 * 5",
    "0 0 1-31/2 * 1",
    "0 0 */2 * *",
    "0 0 */1 * 1",
    "0 0 * * 0-7",
    "0 0 * * 5-7",
    "59/1 23 31 12 7",
)


@pytest.mark.parametrize("schedule", GOOD)
def test_what_can_be_kept_is_taken(schedule: str) -> None:
    assert schedule_objection(schedule) is None


FORM = "must be five fields of cron, separated by single spaces"
NEVER = "asks for a day that never comes"
BAD = {
    "": FORM,
    "daily": FORM,
    "@yearly": FORM,
    "@every 5m": FORM,
    "@daily\n": FORM,
    "0 30 2 * * *": FORM,
    "30  2 * * *": FORM,
    "60 2 * * *": FORM,
    "30 24 * * *": FORM,
    "30 2 0 * *": FORM,
    "30 2 32 * *": FORM,
    "30 2 * 13 *": FORM,
    "30 2 * * 8": FORM,
    "30 2 L * *": FORM,
    "30 2 * * 5#2": FORM,
    "*/0 * * * *": FORM,
    "TZ=UTC 30 2 * * *": FORM,
    "\u0663\u0660 2 * * *": FORM,
    "30-10 2 * * *": (
        "has the range '30-10' for the minute, which ends before it begins: write it as two, "
        "'30-59,0-10'"
    ),
    "0 22-6/2 * * *": "write it as two, '22-23/2,0-6/2'",
    "0 0 * nov-feb *": "write it as two, '11-12,1-2'",
    "0 0 * * fri-sun": "write it as two, '5-6,0'",
    "*/60 * * * *": "has a step of 60 for the minute, and there is none of more than 59",
    "0 */24 * * *": "has a step of 24 for the hour, and there is none of more than 23",
    "0 0 30 2 *": NEVER,
    "0 0 31 2,4,6,9,11 *": NEVER,
    "0 0 30-31 feb *": NEVER,
    "0 0 */2 * 1": "programs differ in what '*/2' for the day of the month means",
    "0 0 1 * */2": "programs differ in what '*/2' for the day of the week means",
    "0 0 1,*/10 * mon": "write '1-31/10' for a day that either field names",
}


@pytest.mark.parametrize(("schedule", "why"), BAD.items(), ids=map(repr, BAD))
def test_what_cannot_be_kept_is_refused_with_its_remedy(schedule: str, why: str) -> None:
    assert why in (schedule_objection(schedule) or "")
