"""Whether a plan may run."""

from collections.abc import Sequence

import pytest

from daap_operator.schema.consent import OnDestructive, refuse
from daap_operator.schema.errors import RefusedError
from daap_operator.schema.model import (
    Applied,
    Finding,
    Level,
    Obstacle,
    Part,
    Plan,
    Planned,
    SqlFile,
    Statement,
    Trouble,
)

FILES = [SqlFile(Part.SCHEMA, f"00{n}.sql", str(n)) for n in range(1, 5)]
ROWS = [Applied(each.part, each.name, each.checksum) for each in FILES]


def plans(applied: Sequence[Applied]) -> Plan:
    names = {each.name for each in applied}
    pending = [Planned(each) for each in FILES if each.name not in names]
    return Plan(pending, (), "+".join(each.file.name for each in pending))


def judge(applied: Sequence[Applied], approved: str) -> None:
    refuse(plans(applied), applied, plans, approved, OnDestructive.APPROVE)


def test_the_rest_of_an_approved_plan_is_approved_however_far_it_got() -> None:
    approved = plans(ROWS[:1]).hash
    for done in range(1, 5):
        judge(ROWS[:done], approved)


def test_a_plan_that_begins_later_or_earlier_is_another_one() -> None:
    with pytest.raises(RefusedError, match="was approved"):
        judge(ROWS[:1], plans(ROWS[:2]).hash)
    with pytest.raises(RefusedError):
        judge(ROWS[:1], "unheard of")


def test_what_was_applied_in_another_order_is_no_rest() -> None:
    approved = plans(ROWS[:1]).hash
    with pytest.raises(RefusedError):
        judge([ROWS[2], ROWS[0]], approved)


def test_nothing_pending_needs_no_approval() -> None:
    judge(ROWS, "whatever")


def test_an_obstacle_is_told_with_its_reason() -> None:
    plan = Plan((), [Obstacle(Trouble.CHANGED, "001.sql", "has changed")], "x")
    with pytest.raises(RefusedError, match=r"001\.sql: has changed") as caught:
        refuse(plan, [], plans, "x", OnDestructive.ALLOW)
    assert caught.value.reason == "AppliedFileChanged"


def test_an_index_without_a_name_is_refused_where_it_is_made_concurrently() -> None:
    statement = Statement("CREATE INDEX CONCURRENTLY ON a (b)", 3, "CREATE INDEX CONCURRENTLY")
    plan = Plan([Planned(FILES[0], [statement])], (), "x")
    with pytest.raises(RefusedError, match=r"001\.sql:3: an index that is made CONCURRENTLY"):
        refuse(plan, [], plans, "", OnDestructive.ALLOW)


@pytest.mark.parametrize("choice", list(OnDestructive))
@pytest.mark.parametrize("approved", ["", "x"])
def test_what_deletes_data_is_as_chosen(choice: OnDestructive, approved: str) -> None:
    finding = Finding("drops", Level.WARNING, 2, "drops a table", destructive=True)
    plan = Plan([Planned(FILES[0], (), [finding])], (), "x")
    allowed = choice is OnDestructive.ALLOW or (choice is OnDestructive.APPROVE and approved)
    if allowed:
        refuse(plan, [], plans, approved, choice)
        return
    with pytest.raises(RefusedError, match=r"001\.sql:2: drops a table"):
        refuse(plan, [], plans, approved, choice)
