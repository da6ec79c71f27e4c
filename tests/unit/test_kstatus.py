"""The oracle's own examples: the table of kstatus's documentation."""

from typing import Any

import pytest

from tests.unit import builders
from tests.unit.kstatus import kstatus

Object = dict[str, Any]

READY, NOT_READY = builders.condition("Ready", "True"), builders.condition("Ready", "False")
RECONCILING = builders.condition("Reconciling", "True")
STALLED = builders.condition("Stalled", "True")

SITUATIONS: dict[str, tuple[Object, str]] = {
    "not yet observed": ({"observedGeneration": -1}, "InProgress"),
    "an older generation": ({"observedGeneration": 1, "conditions": [READY]}, "InProgress"),
    "working": ({"observedGeneration": 2, "conditions": [NOT_READY, RECONCILING]}, "InProgress"),
    "ready": ({"observedGeneration": 2, "conditions": [READY]}, "Current"),
    "ready and changing": (
        {"observedGeneration": 2, "conditions": [READY, RECONCILING]},
        "InProgress",
    ),
    "stalled": ({"observedGeneration": 2, "conditions": [NOT_READY, STALLED]}, "Failed"),
    "not ready is no failure": ({"observedGeneration": 2, "conditions": [NOT_READY]}, "InProgress"),
    "stalled no more": (
        {"observedGeneration": 2, "conditions": [builders.condition("Stalled", "False")]},
        "Current",
    ),
    "no status at all": ({}, "Current"),
}


@pytest.mark.parametrize(("status", "result"), SITUATIONS.values(), ids=SITUATIONS)
def test_a_status_is_read_as_tools_read_it(status: Object, result: str) -> None:
    assert kstatus({"metadata": {"generation": 2}, "status": status}) == result


def test_an_object_that_is_deleted_is_terminating_whatever_it_says() -> None:
    metadata = {"generation": 2, "deletionTimestamp": "2026-03-01T12:00:00Z"}
    assert kstatus({"metadata": metadata, "status": {"conditions": [STALLED]}}) == "Terminating"
