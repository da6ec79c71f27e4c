"""Conditions by kstatus's rules, for a status of any kind."""

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

import pytest

from daap_operator.api.meta import ConditionType, Metadata, Status
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.conditions import (
    Besides,
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


OWN = Besides(ConditionType.BACKUP_HEALTHY, holds=False, why=WHY)


@pytest.mark.parametrize(
    ("verdict", "types"),
    [
        (Verdict(ready=True, why=WHY), "Ready"),
        (Verdict(ready=True, why=WHY, reconciling=WHY), "Ready Reconciling"),
        (Verdict(ready=False, why=WHY, stalled=WHY), "Ready Stalled"),
    ],
    ids=["ready", "reconciling", "stalled"],
)
def test_what_a_kind_says_besides_stands_behind_the_engines_and_decides_nothing(
    verdict: Verdict, types: str
) -> None:
    alone = with_verdict(Plain(conditions=[]), moment(), verdict)
    besides = with_verdict(Plain(conditions=[]), moment(), replace(verdict, besides=(OWN,)))
    synced = with_inventory(besides, moment(), Inventory(synced=True, why=WHY))
    assert [c.type for c in synced.conditions] == [
        *types.split(),
        "BackupHealthy",
        "MetadataSynced",
    ]
    held = besides.condition(ConditionType.BACKUP_HEALTHY)
    assert held is not None
    assert (held.status, held.observed_generation) == ("False", 4)
    objects = ({"metadata": {"generation": 4}, "status": dumped(each)} for each in (alone, besides))
    assert len(set(map(kstatus, objects))) == 1


def test_a_condition_of_a_kind_keeps_its_time_and_goes_when_nothing_is_said() -> None:
    verdict = Verdict(ready=True, why=WHY, besides=(OWN,))
    first = with_verdict(Plain(conditions=[]), moment(), verdict)
    later = with_verdict(first, moment(first, hours=1), verdict)
    assert later == first
    turned = replace(verdict, besides=(replace(OWN, holds=True),))
    changed = with_verdict(first, moment(first, hours=1), turned)
    assert changed.condition(OWN.kind) != first.condition(OWN.kind)
    over = with_verdict(first, moment(first), Verdict(ready=True, why=WHY))
    assert over.condition(OWN.kind) is None
