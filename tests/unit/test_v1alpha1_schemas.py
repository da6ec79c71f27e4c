"""What a DaapSchema may say, as the operator's models judge it; the API server is asked in
tests/integration."""

import pytest
from hypothesis import given
from pydantic import ValidationError

from daap_operator.api.v1alpha1 import DaapSchema, DaapSchemaSpec, DaapSchemaStatus
from daap_operator.api.v1alpha1.schema.lint_rules import LintRule
from daap_operator.engine.subject import problems
from daap_operator.schema import linting
from daap_operator.schema.squawk_rules import RULES
from tests.unit import builders, strategies
from tests.wrong_objects import Object, Transition, Wrong
from tests.wrong_schemas import SCHEMAS, SPEC, TRANSITIONS, WRONG, schema


def refusal(obj: Object) -> str:
    """What the models say against an object; empty when they take it."""
    metadata = builders.database()["metadata"] | obj["metadata"]
    try:
        DaapSchema.model_validate(obj | {"metadata": metadata})
    except ValidationError as error:
        return "; ".join(problems(error))
    return ""


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.id)
def test_a_wrong_object_is_refused_with_field_value_and_remedy(wrong: Wrong) -> None:
    said = refusal(wrong.body())
    assert bool(said) == (wrong.models is not None), said
    assert [part for part in wrong.models or () if part not in said] == [], said


def test_the_wrong_objects_are_told_apart() -> None:
    assert len({wrong.id for wrong in WRONG}) == len(WRONG)
    assert len({transition.id for transition in TRANSITIONS}) == len(TRANSITIONS)


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.id)
def test_both_ends_of_a_change_are_right_by_themselves(transition: Transition) -> None:
    before, after = transition.bodies()
    assert refusal(before) == refusal(after) == ""


@pytest.mark.parametrize("spec", SCHEMAS.values(), ids=SCHEMAS)
def test_a_right_object_is_taken(spec: Object) -> None:
    assert refusal(schema(SPEC | spec)) == ""


@given(strategies.json_values)
def test_any_spec_is_taken_or_refused_in_words(spec: object) -> None:
    said = refusal({"metadata": {}, "spec": spec})
    assert not said or "spec" in said


def test_what_is_left_out_has_these_defaults() -> None:
    spec = DaapSchemaSpec.model_validate(SPEC | {"fixtures": [{"configMap": {"name": "rows"}}]})
    assert spec.model_dump(mode="json", by_alias=True, exclude={"schema_files"}) == {
        "databaseRef": {"name": "orders"},
        "fixtures": [
            {"configMap": {"name": "rows", "files": "*.sql"}, "inline": None, "image": None}
        ],
        "approval": "Automatic",
        "approve": None,
        "onDestructive": "Approve",
        "backupBefore": False,
        "rehearsal": "Never",
        "lint": {"level": "Error", "ignore": []},
        "ledger": "default",
        "baseline": None,
        "role": None,
        "searchPath": [],
        "lockTimeoutSeconds": 5,
        "statementTimeoutSeconds": 0,
    }


def test_the_rules_that_may_be_left_out_are_those_of_the_linter() -> None:
    assert linting.chosen("error", LintRule).ignore == set(LintRule)
    for name in RULES.keys() - set(LintRule):
        with pytest.raises(linting.RulesError):
            linting.chosen("error", [name])


def test_every_status_field_may_be_missing() -> None:
    status = DaapSchemaStatus.model_validate({})
    assert status.model_dump(exclude_none=True) == {"conditions": [], "pending": [], "drift": []}
