"""The CustomResourceDefinition: what the API server takes for a structural schema, and no less."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from daap_operator import crd, names

Schema = dict[str, Any]

FILE = Path(__file__).parents[2] / "crds" / "daap.io_daapdatabases.yaml"

SERVERS = ("apiVersion", "kind", "metadata")
"""Fields of the root that the API server knows and explains itself."""

ALLOWED = {
    *("type", "format", "enum", "default", "description", "required", "properties", "items"),
    *("minimum", "maximum", "minLength", "maxLength", "maxItems", "anyOf"),
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
    children = ("properties" in node) <= (node.get("type") == "object")
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
        {"anyOf": [{"$ref": "#/$defs/T"}, NULL], "$defs": {"T": TEXT}},
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
}


@pytest.mark.parametrize(("schema", "expected"), TURNED.values(), ids=TURNED)
def test_json_schema_becomes_structural(schema: Schema, expected: Schema) -> None:
    assert crd.structural(schema) == expected


UNSAYABLE: dict[str, tuple[Schema, str]] = {
    "a union": ({"anyOf": [NUMBER, TEXT]}, r"^\.: a union of 2 types is not structural"),
    "nothing but null": ({"anyOf": [NULL]}, r"^\.: a union of 0 types"),
    "an unknown keyword": ({"type": "string", "pattern": "a"}, r"^\.: 'pattern' has no place"),
    "below a field": (
        {"type": "object", "properties": {"a": {"type": "array", "items": {"not": {}}}}},
        r"^\.a\[\]: 'not' has no place",
    ),
    "number or text without text": (
        {"anyOf": [NUMBER], "x-kubernetes-int-or-string": True},
        r"^\.: a union is not structural",
    ),
}


@pytest.mark.parametrize(("schema", "told"), UNSAYABLE.values(), ids=UNSAYABLE)
def test_what_a_structural_schema_cannot_say_is_refused(schema: Schema, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        crd.structural(schema)
