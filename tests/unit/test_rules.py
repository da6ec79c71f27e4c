"""Rules of which the text stands once and two judges speak."""

from typing import Any

import pytest

from daap_operator.api.rules import rule, validations

RULES: dict[str, tuple[Any, dict[str, object]]] = {
    "a text alone": (
        rule("self > 0", "must be more than zero"),
        {"rule": "self > 0", "message": "must be more than zero"},
    ),
    "a text with a value": (
        rule("self > 0", "'{}' must be more than zero", "string(self)"),
        {
            "rule": "self > 0",
            "messageExpression": '"\'" + string(self) + "\' must be more than zero"',
            "message": "the value must be more than zero",
        },
    ),
    "a number": (
        rule("self > 0", "{} must be more than zero", "string(self)"),
        {
            "rule": "self > 0",
            "messageExpression": '"" + string(self) + " must be more than zero"',
            "message": "the value must be more than zero",
        },
    ),
    "two values": (
        rule("a", "'{}' is not '{}'", "x", "y"),
        {
            "rule": "a",
            "messageExpression": '"\'" + x + "\' is not \'" + y + "\'"',
            "message": "the value is not the value",
        },
    ),
    "quotes and backslashes": (
        rule("a", '{} says "no\\"', "x"),
        {
            "rule": "a",
            "messageExpression": '"" + x + " says \\"no\\\\\\""',
            "message": 'the value says "no\\"',
        },
    ),
    "a field, also on create": (
        rule("a", "no", path=".size", on_create=True),
        {"rule": "a", "message": "no", "fieldPath": ".size", "optionalOldSelf": True},
    ),
}


@pytest.mark.parametrize(("made", "expected"), RULES.values(), ids=RULES)
def test_a_rule_is_an_entry_for_the_api_server(made: Any, expected: dict[str, object]) -> None:
    assert made == expected


@pytest.mark.parametrize("values", [(), ("a",), ("a", "b", "c")], ids=len)
def test_a_text_needs_as_many_values_as_it_has_places(values: tuple[str, ...]) -> None:
    if not values:
        assert "messageExpression" not in rule("a", "'{}' and '{}'")
        return
    with pytest.raises(ValueError, match=rf"{len(values)} values for the 2 places of"):
        rule("a", "'{}' and '{}'", *values)


def test_rules_go_into_a_schema_together() -> None:
    one, two = rule("a", "b"), rule("c", "d")
    assert validations(one, two) == {"x-kubernetes-validations": [one, two]}
