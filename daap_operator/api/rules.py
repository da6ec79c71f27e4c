"""Validation rules written for two judges: CEL in the API server, pydantic in the operator.

A rule's text stands once. `{}` is the place of an offending value; the CEL side splices in an
expression, the Python side the value itself.
"""

from typing import Any

Rule = dict[str, str | bool]


def rule(
    expression: str,
    text: str,
    *values: str,
    path: str = "",
    on_create: bool = False,
) -> Rule:
    """An entry of `x-kubernetes-validations`.

    `values` are CEL expressions of type string, one for each `{}` of the text. `path` is the field
    the API server names, relative to the schema the rule stands in. `on_create` makes a rule that
    mentions `oldSelf` (an optional then) run for new objects too.
    """
    made: Rule = {"rule": expression}
    if values:
        made["messageExpression"] = _spliced(text, values)
    made["message"] = text.replace("'{}'", "{}").replace(".{}", "").replace("{}", "the value")
    if path:
        made["fieldPath"] = path
    if on_create:
        made["optionalOldSelf"] = True
    return made


def validations(*rules: Rule) -> dict[str, Any]:
    """What goes into `json_schema_extra` of a model or field."""
    return {"x-kubernetes-validations": list(rules)}


def _spliced(text: str, values: tuple[str, ...]) -> str:
    pieces = text.split("{}")
    if len(pieces) != len(values) + 1:
        raise ValueError(f"{len(values)} values for the {len(pieces) - 1} places of: {text}")
    spliced = [_literal(pieces[0])]
    for value, piece in zip(values, pieces[1:], strict=True):
        spliced += [value, _literal(piece)]
    return " + ".join(spliced)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
