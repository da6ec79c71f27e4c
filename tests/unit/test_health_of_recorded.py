"""What kstatus, Argo CD and Flux make of each recorded situation: the table of docs/status.md."""

import copy
from typing import Any

import pytest

from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.engine.conditions import dumped
from daap_operator.kinds.database.reasons import BackupHealthReason
from tests.support import recorded
from tests.unit import builders, gitops
from tests.unit.judges import argocd, flux, flux_expressions
from tests.unit.kstatus import kstatus

Object = dict[str, Any]

OBJECTS = {
    f"{kind} {name}": recorded.read(name, kind)
    for kind in recorded.KINDS
    for name in recorded.names(kind)
}
EXPECTED = {
    f"{kind} {name}": wanted
    for kind, situations in gitops.EXPECTED.items()
    for name, wanted in situations.items()
}
CREATED, READY = (f"{recorded.DATABASE} {name}" for name in ("created", "ready"))


def by_type(obj: Object) -> dict[str, Object]:
    return {c["type"]: c for c in obj.get("status", {}).get("conditions", [])}


def test_what_is_expected_is_recorded_and_no_other() -> None:
    assert sorted(EXPECTED) == sorted(OBJECTS)


@pytest.mark.parametrize("name", [name for name in EXPECTED if not name.endswith(" created")])
def test_a_status_is_one_that_the_operator_writes(name: str) -> None:
    """Field by field: a recording that was made by hand, or long ago, has no others."""
    obj = OBJECTS[name]
    (model,) = (each.model for each in DEFINITIONS if each.kind.name == obj["kind"])
    read: Any = model.model_validate(obj)
    assert dumped(read.status) == obj["status"]


@pytest.mark.parametrize("name", EXPECTED)
def test_kstatus(name: str) -> None:
    assert kstatus(OBJECTS[name]) == EXPECTED[name][0]


@pytest.mark.parametrize("name", EXPECTED)
def test_argocd(name: str) -> None:
    assert argocd(OBJECTS[name])["status"] == EXPECTED[name][1]


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("judge", [flux, flux_expressions])
def test_flux(name: str, judge: Any) -> None:
    wanted = EXPECTED[name][0]
    assert judge(OBJECTS[name]) == ("InProgress" if wanted == "Terminating" else wanted)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_message_is_the_one_that_says_what_to_do(name: str) -> None:
    obj = OBJECTS[name]
    conditions, told = by_type(obj), argocd(obj)["message"]
    seen = obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
    if not seen:
        deleted = "deletionTimestamp" in obj["metadata"]
        assert told == ("Pending deletion" if deleted else "Waiting for the DaaP operator")
    else:
        speaks = next(c for c in ("Reconciling", "Stalled", "Ready") if c in conditions)
        assert told == conditions[speaks]["message"]


@pytest.mark.parametrize("reason", list(BackupHealthReason))
@pytest.mark.parametrize("name", EXPECTED)
def test_backups_have_no_influence(name: str, reason: BackupHealthReason) -> None:
    obj = copy.deepcopy(OBJECTS[name])
    status = "True" if reason is BackupHealthReason.RECOVERABLE else "False"
    told = builders.condition("BackupHealthy", status, reason, message="About backups")
    obj["status"].setdefault("conditions", []).append(told)
    assert kstatus(obj) == kstatus(OBJECTS[name])
    assert argocd(obj) == argocd(OBJECTS[name])
    assert flux(obj) == flux(OBJECTS[name])
    if not name.endswith(" created"):  # Flux's expressions wait for the first condition
        assert flux_expressions(obj) == flux_expressions(OBJECTS[name])


# --- the same rules for what no operator writes today ---------------------------------------------


@pytest.mark.parametrize("name", EXPECTED)
def test_no_older_status_counts(name: str) -> None:
    obj = copy.deepcopy(OBJECTS[name])
    obj["metadata"]["generation"] += 1
    deleted = "deletionTimestamp" in obj["metadata"]
    assert kstatus(obj) == ("Terminating" if deleted else "InProgress")
    assert argocd(obj)["status"] == "Progressing"
    assert flux_expressions(obj) == flux(obj) == "InProgress"


@pytest.mark.parametrize("status", [None, {}, {"conditions": []}])
def test_nothing_told_is_not_healthy(status: Object | None) -> None:
    """kstatus takes an empty status for done: hence the CRD's default for observedGeneration."""
    obj = copy.deepcopy(OBJECTS[CREATED])
    del obj["status"]
    assert argocd(obj | ({} if status is None else {"status": status}))["status"] == "Progressing"


def test_seen_without_a_word_is_in_progress_for_flux() -> None:
    obj = copy.deepcopy(OBJECTS[CREATED])
    obj["status"]["observedGeneration"] = obj["metadata"]["generation"]
    assert flux_expressions(obj) == "InProgress"


def test_what_is_deleted_is_not_ready_whatever_it_says() -> None:
    obj = copy.deepcopy(OBJECTS[READY])
    obj["metadata"]["deletionTimestamp"] = recorded.TIME
    assert kstatus(obj) == "Terminating"
    assert argocd(obj) == {"status": "Progressing", "message": "Pending deletion"}
    assert flux_expressions(obj) == "InProgress"


@pytest.mark.parametrize("value", ["False", "Unknown"])
def test_what_is_not_true_is_not_the_case(value: str) -> None:
    obj = copy.deepcopy(OBJECTS[READY])
    for kind in ("Reconciling", "Stalled"):
        obj["status"]["conditions"].insert(0, {"type": kind, "status": value, "message": ""})
    assert argocd(obj)["status"] == "Healthy"
    assert flux(obj) == kstatus(obj) == "Current"
    by_type(obj)["Ready"]["status"] = value
    assert argocd(obj)["status"] == "Progressing"
    assert flux(obj) == kstatus(obj) == "InProgress"
