"""The CustomResourceDefinition: what the API server takes for a structural schema, and no less."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from annotated_types import Gt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from daap_operator import crd, names

Schema = dict[str, Any]

FILE = Path(__file__).parents[2] / "crds" / "daap.io_daapdatabases.yaml"

SERVERS = ("apiVersion", "kind", "metadata")
"""Fields of the root that the API server knows and explains itself."""

ALLOWED = {
    *("type", "format", "enum", "default", "description", "required", "properties", "items"),
    *("minimum", "maximum", "minLength", "maxLength", "maxItems", "anyOf"),
    *("additionalProperties", "minProperties", "maxProperties"),
    *("x-kubernetes-int-or-string", "x-kubernetes-validations"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys"),
}


def version() -> Schema:
    (only,) = crd.definition()["spec"]["versions"]
    made: Schema = only
    return made


def root() -> Schema:
    schema: Schema = version()["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path or ".", schema
    for name, below in schema.get("properties", {}).items():
        if path or name not in SERVERS:
            yield from nodes(below, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}.*")


NODES = dict(nodes(root()))


def test_the_committed_file_is_what_the_models_say() -> None:
    assert FILE.read_text() == crd.render(), "run: make crds"
    assert crd.render() == crd.render()
    assert yaml.safe_load(FILE.read_text()) == crd.definition()


def test_the_kind_is_named_as_everywhere() -> None:
    spec = crd.definition()["spec"]
    assert crd.definition()["metadata"]["name"] == "daapdatabases.daap.io"
    assert (spec["group"], version()["name"]) == tuple(names.API_VERSION.split("/"))
    assert spec["names"]["kind"] == names.KIND
    assert spec["names"]["shortNames"] == ["daapdb"]
    assert spec["names"]["categories"] == ["daap"]
    assert version()["subresources"] == {"status": {}}


def broken(law: Callable[[str, Schema], bool]) -> list[str]:
    """The paths of the nodes that break a law."""
    return [path for path, node in NODES.items() if not law(path, node)]


def structural(path: str, node: Schema) -> bool:
    fields = ("properties" in node) + ("additionalProperties" in node)
    children = path.lstrip(".") in SERVERS or fields == (node.get("type") == "object")
    items = ("items" in node) == (node.get("type") == "array")
    if node.get("x-kubernetes-int-or-string"):
        return "type" not in node and node["anyOf"] == [{"type": "integer"}, {"type": "string"}]
    plain = node["type"] in ("object", "array", "string", "integer", "boolean")
    return set(node) <= ALLOWED and plain and children and items and "anyOf" not in node


def bounded(path: str, node: Schema) -> bool:
    match node.get("type", "string"):
        case "string":
            return "maxLength" in node or "enum" in node or node.get("format") == "date-time"
        case "array":
            return "maxItems" in node
        case "object":
            return "additionalProperties" not in node or "maxProperties" in node
        case "integer":
            return "minimum" in node and ("maximum" in node or not path.startswith(".spec"))
    return True


def explained(path: str, node: Schema) -> bool:
    text = node.get("description", "")
    return bool(text == " ".join(text.split()) and text.endswith((".", "`")))


def with_a_sound_default(path: str, node: Schema) -> bool:
    if "default" not in node:
        return True
    types = {"object": dict, "string": str, "integer": int, "boolean": bool}
    fits = isinstance(node["default"], types[node.get("type", "string")])
    return fits and ("enum" not in node or node["default"] in node["enum"])


def pointing_at_fields(path: str, node: Schema) -> bool:
    rules = node.get("x-kubernetes-validations", ())
    return all(path.rstrip(".") + rule.get("fieldPath", "") in {*NODES, ""} for rule in rules)


LAWS = [structural, bounded, explained, with_a_sound_default, pointing_at_fields]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__.replace("_", " "))
def test_every_node_is(law: Callable[[str, Schema], bool]) -> None:
    assert broken(law) == []


def test_every_required_field_exists() -> None:
    assert (
        broken(lambda _, node: {*node.get("required", ())} <= {*node.get("properties", ())}) == []
    )


def test_nothing_in_a_list_of_the_spec_has_a_default() -> None:
    """A tool that compares lists as a whole would find a difference for ever."""
    assert [path for path in NODES if path.startswith(".spec") and "[]" in path] == []
    assert broken(lambda path, node: "[]" not in path or "default" not in node) == [
        ".status.conditions[].observedGeneration"
    ]


def test_only_the_owner_is_required() -> None:
    assert NODES["."]["required"] == ["spec"]
    assert NODES[".spec"]["required"] == ["ownerTeam"]
    assert "required" not in NODES[".status"]


def test_a_new_object_does_not_look_observed() -> None:
    assert NODES[".status"]["default"] == {"observedGeneration": -1}


def test_conditions_are_merged_by_their_type() -> None:
    conditions = NODES[".status.conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]


def test_columns_and_selectable_fields_are_fields_of_the_schema() -> None:
    columns = {c["name"]: c["jsonPath"] for c in version()["additionalPrinterColumns"]}
    selectable = [field["jsonPath"] for field in version()["selectableFields"]]
    for path in (*columns.values(), *selectable):
        plain = re.sub(r"\[\?\(@\.type==\"(Ready|Stalled)\"\)\]", "[]", path)
        assert plain in NODES or plain == ".metadata.creationTimestamp", path
    assert list(columns)[:5] == ["Ready", "Status", "Stalled", "Owner", "Version"]
    wide = [c["name"] for c in version()["additionalPrinterColumns"] if c.get("priority")]
    assert wide == ["Secret", "Message"]


RULES = [rule for node in NODES.values() for rule in node.get("x-kubernetes-validations", ())]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["rule"])[:40])
def test_a_rule_has_a_text_and_points_at_a_field(rule: Schema) -> None:
    assert set(rule) <= {"rule", "message", "messageExpression", "fieldPath", "optionalOldSelf"}
    assert rule["message"]
    assert "\n" not in rule["message"] + rule.get("messageExpression", "")
    assert "{}" not in rule.get("messageExpression", "")
    assert ("optionalOldSelf" in rule) == ("oldSelf.hasValue()" in rule["rule"])


# --- what cannot be said --------------------------------------------------------------------------

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
