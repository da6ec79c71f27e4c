"""From a model's JSON schema to a structural one: what is carried over, and what is refused."""

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Gt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from daap_operator import crd

Schema = dict[str, Any]

TEXT, NUMBER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "null"}

TURNED: dict[str, tuple[Schema, Schema]] = {
    "a title is dropped": ({"type": "string", "title": "Text"}, TEXT),
    "no default is no null": ({"anyOf": [TEXT, NULL], "default": None}, TEXT),
    "a reference is followed": ({"$ref": "#/$defs/T", "$defs": {"T": TEXT}}, TEXT),
    "what stands beside a reference stays": (
        {"$ref": "#/$defs/T", "description": "why\n  not", "$defs": {"T": TEXT}},
        TEXT | {"description": "why not"},
    ),
    "an optional reference": (
        {"anyOf": [{"$ref": "#/$defs/T"}, NULL], "default": None, "$defs": {"T": TEXT}},
        TEXT,
    ),
    "items and properties": (
        {"type": "object", "properties": {"a": {"type": "array", "items": TEXT | {"title": "A"}}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": TEXT}}},
    ),
    "a number or a text": (
        {"anyOf": [NUMBER, TEXT], "x-kubernetes-int-or-string": True},
        {"anyOf": [NUMBER, TEXT], "x-kubernetes-int-or-string": True},
    ),
    "fields that are called as keywords are": (
        {"type": "object", "properties": {"title": TEXT, "pattern": TEXT}},
        {"type": "object", "properties": {"title": TEXT, "pattern": TEXT}},
    ),
}


@pytest.mark.parametrize(("schema", "expected"), TURNED.values(), ids=TURNED)
def test_json_schema_becomes_structural(schema: Schema, expected: Schema) -> None:
    assert crd.structural(schema) == expected


class Inner(BaseModel):
    """A model as the value of a field."""

    a: str


class Tree(BaseModel):
    """A model that contains itself."""

    below: list["Tree"]


class Closed(BaseModel):
    """A model that forbids other fields, which the API server prunes."""

    model_config = ConfigDict(extra="forbid")
    a: str


class Open(BaseModel):
    """A model that takes any other field."""

    model_config = ConfigDict(extra="allow")
    a: str


class Empty(BaseModel):
    """A model without fields."""


def schema_of(annotation: Any, **field: Any) -> Schema:
    """The JSON schema of a model with one field `x` of that type."""
    model: Any = create_model("Toy", x=(annotation, Field(**field)))
    made: Schema = model.model_json_schema()
    return made


Short = Annotated[str, StringConstraints(max_length=9)]

CARRIED: dict[str, tuple[Schema, Schema]] = {
    "a map of texts": (
        schema_of(dict[str, str]),
        {"type": "object", "additionalProperties": TEXT},
    ),
    "a map with a limit of each kind": (
        schema_of(dict[str, Short], min_length=1, max_length=3),
        {
            "type": "object",
            "additionalProperties": TEXT | {"maxLength": 9},
            "minProperties": 1,
            "maxProperties": 3,
        },
    ),
    "an optional map": (
        schema_of(dict[str, int] | None, default=None),
        {"type": "object", "additionalProperties": NUMBER},
    ),
    "a map of objects": (
        schema_of(dict[str, Inner]),
        {
            "type": "object",
            "additionalProperties": {
                "description": "A model as the value of a field.",
                "type": "object",
                "properties": {"a": TEXT},
                "required": ["a"],
            },
        },
    ),
    "a map of lists of maps": (
        schema_of(dict[str, list[dict[str, bool]]]),
        {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": {"type": "object", "additionalProperties": {"type": "boolean"}},
            },
        },
    ),
    "a moment": (schema_of(datetime), {"type": "string", "format": "date-time"}),
}


@pytest.mark.parametrize(("schema", "expected"), CARRIED.values(), ids=CARRIED)
def test_a_field_is_carried_whole(schema: Schema, expected: Schema) -> None:
    assert crd.structural(schema)["properties"]["x"] == expected


UNSAYABLE: dict[str, tuple[Schema, str, str]] = {
    "a union": (schema_of(int | str), ".x", "anyOf"),
    "a union of models": (schema_of(Inner | Empty), ".x", "anyOf"),
    "a union by a discriminator": (
        {"type": "object", "properties": {"x": {"oneOf": [TEXT, NUMBER], "discriminator": {}}}},
        ".x",
        "oneOf",
    ),
    "nothing but null": ({"anyOf": [NULL]}, ".", "anyOf"),
    "null alone": (schema_of(None), ".x", "type"),
    "a null that is a value": (schema_of(str | None), ".x", "anyOf"),
    "null among the items": (schema_of(list[str | None]), ".x[]", "anyOf"),
    "null among the values": (schema_of(dict[str, str | None]), ".x.*", "anyOf"),
    "null among the choices": (schema_of(Literal["a", None]), ".x", "enum"),
    "one choice": (schema_of(Literal["a"]), ".x", "const"),
    "several types": ({"type": ["string", "integer"]}, ".", "type"),
    "anything": (schema_of(Any), ".x", "type"),
    "a map of anything": (schema_of(dict[str, Any]), ".x", "additionalProperties"),
    "a bare map": (schema_of(dict), ".x", "additionalProperties"),
    "a bare list": (schema_of(list), ".x[]", "type"),
    "a model without fields": (schema_of(Empty), ".x", "properties"),
    "a model that forbids": (schema_of(Closed), ".x", "additionalProperties"),
    "a model that allows": (schema_of(Open), ".x", "properties"),
    "a model that contains itself": (Tree.model_json_schema(), ".below[]", r"\$ref"),
    "keys by a pattern": (
        schema_of(dict[Annotated[str, StringConstraints(pattern="^a")], str]),
        ".x",
        "patternProperties",
    ),
    "keys with a limit": (schema_of(dict[Short, str]), ".x", "propertyNames"),
    "a tuple": (schema_of(tuple[int, str]), ".x", "maxItems|minItems|prefixItems"),
    "a set": (schema_of(set[str]), ".x", "uniqueItems"),
    "a pattern": (schema_of(str, pattern="a"), ".x", "pattern"),
    "more than": (schema_of(int, gt=3), ".x", "exclusiveMinimum"),
    "a multiple": (schema_of(int, multiple_of=3), ".x", "multipleOf"),
    "a least length of a list": (schema_of(list[str], min_length=1), ".x", "minItems"),
    "a format with another meaning": (schema_of(timedelta), ".x", "format"),
    "a format that the server ignores": (schema_of(time), ".x", "format"),
    "an example": (schema_of(str, examples=["a"]), ".x", "examples"),
    "a deprecation": (schema_of(str, deprecated=True), ".x", "deprecated"),
    "below a field": (
        {"type": "object", "properties": {"a": {"type": "array", "items": {"not": {}}}}},
        ".a[]",
        "not",
    ),
    "below a map": (
        schema_of(dict[str, list[Annotated[int, Gt(1)]]]),
        ".x.*[]",
        "exclusiveMinimum",
    ),
    "number or text without text": (
        {"anyOf": [NUMBER], "x-kubernetes-int-or-string": True},
        ".",
        "anyOf",
    ),
    "number or text or more": (
        {"anyOf": [NUMBER, TEXT, NULL], "x-kubernetes-int-or-string": True},
        ".",
        "anyOf",
    ),
}


@pytest.mark.parametrize(("schema", "path", "keyword"), UNSAYABLE.values(), ids=UNSAYABLE)
def test_what_is_not_carried_over_is_refused(schema: Schema, path: str, keyword: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(path)}: '({keyword})' .+: .+"):
        crd.structural(schema)
