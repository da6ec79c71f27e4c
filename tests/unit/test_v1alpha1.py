"""What a DaapDatabase may say, as the operator's models judge it; the API server is asked in
tests/integration."""

from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from daap_operator import names
from daap_operator.api.meta import ConditionType
from daap_operator.api.v1alpha1 import (
    DaapDatabase,
    DaapDatabaseSpec,
    DaapDatabaseStatus,
    DeletionPolicy,
    PoolMode,
)
from daap_operator.engine.subject import problems
from tests.unit import builders, strategies
from tests.wrong_objects import BEYOND_PATTERNS, SPEC, TRANSITIONS, WRONG, Transition, Wrong

Object = dict[str, Any]


def refusal(obj: Object) -> str:
    """What the models say against an object; empty when they take it."""
    metadata = builders.database()["metadata"] | obj["metadata"]
    try:
        DaapDatabase.model_validate(obj | {"metadata": metadata})
    except ValidationError as error:
        return "; ".join(problems(error))
    return ""


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.id)
def test_a_wrong_object_is_refused_with_field_value_and_remedy(wrong: Wrong) -> None:
    said = refusal(wrong.body())
    assert bool(said) == (wrong.models is not None), said
    assert [part for part in wrong.models or () if part not in said] == [], said


def test_the_wrong_objects_are_told_apart_and_each_is_wrong_for_the_api_server() -> None:
    assert len({wrong.id for wrong in WRONG}) == len(WRONG)
    assert [wrong for wrong in WRONG if not wrong.api_server] == BEYOND_PATTERNS
    assert len({transition.id for transition in TRANSITIONS}) == len(TRANSITIONS)


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.id)
def test_both_ends_of_a_change_are_right_by_themselves(transition: Transition) -> None:
    before, after = transition.bodies()
    assert refusal(before) == refusal(after) == ""


def test_several_problems_are_told_together() -> None:
    said = refusal({"metadata": {}, "spec": {"instances": 0, "databaseName": "A"}})
    assert "spec.ownerTeam is required: set it" in said
    assert "spec.instances '0'" in said
    assert "spec.databaseName 'A' must be" in said


# --- what is right --------------------------------------------------------------------------------

RIGHT: dict[str, Object] = {
    "the least": {},
    "one character": {"ownerTeam": "a"},
    "owner with blanks and marks inside": {"ownerTeam": "Équipe n° 7 / checkout"},
    "owner of 255 characters": {"ownerTeam": "a" * 255},
    "purpose with lines": {"purpose": "one\ntwo\t three"},
    "least and most instances": {"instances": 9, "pooler": {"instances": 10}},
    "least size": {"storage": {"size": "1Gi"}},
    "most size": {"storage": {"size": "64Ti"}},
    "size in bytes": {"storage": {"size": 10737418240}},
    "oldest version": {"postgresVersion": 14},
    "newest version": {"postgresVersion": 18},
    "short database name": {"databaseName": "a"},
    "long database name": {"databaseName": "a" * 63},
    "least memory": {"resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": "256Mi"}}},
    "requests equal to limits": {"resources": {"requests": {"cpu": "1000m"}, "limits": {"cpu": 1}}},
    "requests without limits": {"resources": {"requests": {"cpu": "8", "memory": "1Gi"}}},
    "empty resources": {"resources": {"requests": {}, "limits": {}}},
    "own Secret name": {"connectionSecretName": "orders.db-1"},
    "default Secret name": {"connectionSecretName": "daap-orders-connection"},
    "labels and annotations of the Secret": {
        "connectionSecretMetadata": {
            "labels": {"team": "", "a.b/C_d.e-1": "x" * 63},
            "annotations": {
                "replicator.v1.mittwald.de/replicate-to": "a, b: c",
                "reflector.v1.k8s.emberstack.com/reflection-allowed": "true",
                f"{'a' * 253}/{'b' * 63}": "ä" * 4096,
            },
        }
    },
    "no labels and no annotations": {"connectionSecretMetadata": {}},
    "a field of a newer version": {"backups": {"schedule": "daily"}},
}


@pytest.mark.parametrize("spec", RIGHT.values(), ids=RIGHT)
def test_a_right_object_is_taken(spec: Object) -> None:
    assert refusal({"metadata": {}, "spec": SPEC | spec}) == ""


@pytest.mark.parametrize("name", ["abc", "a-1", "a" * 63, "postgres-2", "x--y"])
def test_a_right_name_is_taken(name: str) -> None:
    assert refusal({"metadata": {"name": name}, "spec": SPEC}) == ""


def test_a_reserved_name_is_taken_when_the_spec_names_the_database() -> None:
    assert refusal({"metadata": {"name": "postgres"}, "spec": SPEC | {"databaseName": "x"}}) == ""


@given(strategies.names)
def test_every_name_of_the_pattern_gives_a_database_a_name(name: str) -> None:
    if names.reserved(names.database_name(name)):
        return
    assert refusal({"metadata": {"name": name}, "spec": SPEC}) == ""


def test_what_is_left_out_has_these_defaults() -> None:
    spec = DaapDatabaseSpec.model_validate(SPEC)
    assert spec.model_dump(mode="json", by_alias=True) == {
        "ownerTeam": "checkout",
        "purpose": "",
        "instances": 1,
        "storage": {"size": "10Gi", "storageClass": None},
        "postgresVersion": None,
        "databaseName": None,
        "locale": None,
        "pooler": {"instances": 1, "mode": "Transaction", "maxClientConnections": 1000},
        "resources": None,
        "backup": None,
        "connectionSecretName": None,
        "connectionSecretMetadata": None,
        "source": None,
        "deletionPolicy": "Delete",
        "deletionProtection": False,
    }
    assert spec.pooler.mode is PoolMode.TRANSACTION
    assert spec.deletion_policy is DeletionPolicy.DELETE


@given(strategies.json_values)
def test_any_spec_is_taken_or_refused_in_words(spec: object) -> None:
    said = refusal({"metadata": {}, "spec": spec})
    assert not said or "spec" in said


# --- the rest of the object -----------------------------------------------------------------------


def test_an_object_is_deleting_once_its_deletion_was_asked_for() -> None:
    assert not builders.model().metadata.deleting
    assert builders.model(deletionTimestamp="2026-03-01T12:00:00Z").metadata.deleting


def test_a_condition_is_found_by_its_type() -> None:
    conditions = [builders.condition("Ready", "True"), builders.condition("Stalled", "True")]
    status = DaapDatabaseStatus.model_validate({"conditions": conditions})
    found = status.condition(ConditionType.STALLED)
    assert found is not None
    assert found.type == "Stalled"
    assert status.condition(ConditionType.RECONCILING) is None


def test_every_status_field_may_be_missing() -> None:
    status = DaapDatabaseStatus.model_validate({})
    assert status.conditions == []
    assert status.model_dump(exclude={"conditions"}, exclude_none=True) == {}
