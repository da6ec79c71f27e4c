"""Conditions by kstatus's rules, for a status of any kind."""

from datetime import timedelta
from enum import StrEnum

import pytest

from daap_operator.api.meta import Metadata, Status
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.conditions import (
    Inventory,
    Moment,
    Verdict,
    dumped,
    with_inventory,
    with_verdict,
)
from daap_operator.findings import Finding
from tests.unit import builders
from tests.unit.kstatus import kstatus

WHY = Finding(CommonReason.READY, "It is so")
METADATA = Metadata(
    name="gold",
    uid="u",
    resource_version="1",
    generation=4,
    creation_timestamp=builders.NOW,
    annotations={},
)


class Life(StrEnum):
    LIVE = "Live"


class Plain(Status):
    """The status of a kind that has nothing of its own."""


class Phased(Status):
    phase: Life | None = None


def moment(previous: Plain | None = None, hours: int = 0) -> Moment[Plain]:
    now = builders.NOW + timedelta(hours=hours)
    return Moment(previous or Plain(conditions=[]), METADATA, now)


@pytest.mark.parametrize(
    ("verdict", "conditions", "result"),
    [
        (Verdict(ready=True, why=WHY), {"Ready": "True"}, "Current"),
        (Verdict(ready=False, why=WHY), {"Ready": "False"}, "InProgress"),
        (
            Verdict(ready=True, why=WHY, reconciling=WHY),
            {"Ready": "True", "Reconciling": "True"},
            "InProgress",
        ),
        (
            Verdict(ready=True, why=WHY, stalled=WHY),
            {"Ready": "True", "Stalled": "True"},
            "Failed",
        ),
        (
            Verdict(ready=False, why=WHY, stalled=WHY, reconciling=WHY),
            {"Ready": "False", "Stalled": "True"},
            "Failed",
        ),
    ],
    ids=["ready", "not ready", "reconciling", "stalled", "stalled outranks reconciling"],
)
def test_a_verdict_becomes_conditions_by_the_rules(
    verdict: Verdict, conditions: dict[str, str], result: str
) -> None:
    status = dumped(with_verdict(Plain(conditions=[]), moment(), verdict))
    assert {c["type"]: c["status"] for c in status["conditions"]} == conditions
    assert {(c["reason"], c["observedGeneration"]) for c in status["conditions"]} == {("Ready", 4)}
    assert status.keys() == {"observedGeneration", "conditions"}
    assert kstatus({"metadata": {"generation": 4}, "status": status}) == result


def test_a_verdict_replaces_all_conditions() -> None:
    before = with_verdict(
        Plain(conditions=[]), moment(), Verdict(ready=False, why=WHY, reconciling=WHY)
    )
    full = with_inventory(before, moment(), Inventory(True, WHY))
    after = with_verdict(full, moment(full, hours=1), Verdict(ready=True, why=WHY))
    assert [c.type for c in full.conditions] == ["Ready", "Reconciling", "MetadataSynced"]
    assert [c.type for c in after.conditions] == ["Ready"]


def test_a_phase_is_written_where_there_is_one() -> None:
    previous = Phased(conditions=[])
    at = Moment(previous, METADATA, builders.NOW)
    assert (
        with_verdict(previous, at, Verdict(ready=True, why=WHY, phase=Life.LIVE)).phase is Life.LIVE
    )


def test_a_conditions_time_moves_with_its_status_alone() -> None:
    first = with_verdict(Plain(conditions=[]), moment(), Verdict(ready=False, why=WHY))
    other = Verdict(ready=False, why=Finding(CommonReason.RETRYING, "Still so"))
    second = with_verdict(first, moment(first, hours=1), other)
    third = with_verdict(second, moment(second, hours=2), Verdict(ready=True, why=WHY))
    times = [s.conditions[0].last_transition_time for s in (first, second, third)]
    assert times == [builders.NOW, builders.NOW, builders.NOW + timedelta(hours=2)]
    assert second.conditions[0].reason == "Retrying"
