"""The CustomResourceDefinition: what the API server takes for a structural schema, and no less."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from daap_operator import crd
from daap_operator.api.definition import Definition
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.api.v1alpha1.database import DEFINITION as DATABASE
from tests.toys.task import DEFINITION as TASK
from tests.toys.team import DEFINITION as TEAM

Schema = dict[str, Any]

CRDS = Path(__file__).parents[2] / "crds"

KINDS = {definition.kind.name: definition for definition in (*DEFINITIONS, TASK, TEAM)}
of_every_kind = pytest.mark.parametrize("definition", KINDS.values(), ids=KINDS)

SERVERS = ("apiVersion", "kind", "metadata")
"""Fields of the root that the API server knows and explains itself."""

ALLOWED = {
    *("type", "format", "enum", "default", "description", "required", "properties", "items"),
    *("minimum", "maximum", "minLength", "maxLength", "maxItems", "anyOf"),
    *("additionalProperties", "minProperties", "maxProperties"),
    *("x-kubernetes-int-or-string", "x-kubernetes-validations"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys"),
}


def version(definition: Definition) -> Schema:
    (only,) = crd.manifest(definition)["spec"]["versions"]
    made: Schema = only
    return made


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path or ".", schema
    for name, below in schema.get("properties", {}).items():
        if path or name not in SERVERS:
            yield from nodes(below, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}.*")


@cache
def by_path(kind: str) -> Mapping[str, Schema]:
    return dict(nodes(version(KINDS[kind])["schema"]["openAPIV3Schema"]))


NODES = by_path(DATABASE.kind.name)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.kind.name)
def test_the_committed_file_is_what_the_models_say(definition: Definition) -> None:
    file = CRDS / definition.file
    assert file.read_text() == crd.render(definition), "run: make crds"
    assert crd.render(definition) == crd.render(definition)
    assert yaml.safe_load(file.read_text()) == crd.manifest(definition)


def test_every_file_is_one_of_a_kind() -> None:
    assert {path.name for path in CRDS.iterdir()} == {kind.file for kind in DEFINITIONS}


def test_several_kinds_are_one_text() -> None:
    text = crd.render(*KINDS.values())
    assert list(yaml.safe_load_all(text)) == [crd.manifest(kind) for kind in KINDS.values()]
    assert text.startswith(crd.render(DATABASE))


def test_the_kind_is_named_as_everywhere() -> None:
    made = crd.manifest(DATABASE)
    spec = made["spec"]
    assert made["metadata"]["name"] == "daapdatabases.daap.io"
    assert (spec["group"], version(DATABASE)["name"]) == ("daap.io", "v1alpha1")
    assert spec["scope"] == "Namespaced"
    assert spec["names"]["kind"] == "DaapDatabase"
    assert spec["names"]["shortNames"] == ["daapdb"]
    assert spec["names"]["categories"] == ["daap"]


def test_a_cluster_scoped_kind() -> None:
    made = crd.manifest(TEAM)
    assert made["metadata"] == {
        "name": "daapteams.toys.example",
        "labels": {"app.kubernetes.io/part-of": "daap"},
    }
    assert made["spec"]["scope"] == "Cluster"
    assert made["spec"]["names"] == {
        "kind": "DaapTeam",
        "listKind": "DaapTeamList",
        "plural": "daapteams",
        "singular": "daapteam",
        "categories": ["daap"],
    }
    assert "selectableFields" not in version(TEAM)  # an empty list is not stored


@of_every_kind
def test_a_kind_has_a_status(definition: Definition) -> None:
    assert version(definition)["subresources"] == {"status": {}}


Law = Callable[[str, Schema], bool]


def broken(law: Law, definition: Definition = DATABASE) -> list[str]:
    """The paths of the nodes that break a law."""
    return [path for path, node in by_path(definition.kind.name).items() if not law(path, node)]


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


LAWS = [structural, bounded, explained, with_a_sound_default]


@of_every_kind
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__.replace("_", " "))
def test_every_node_is(law: Law, definition: Definition) -> None:
    assert broken(law, definition) == []


@of_every_kind
def test_every_rule_points_at_a_field(definition: Definition) -> None:
    found = by_path(definition.kind.name)

    def pointing(path: str, node: Schema) -> bool:
        rules = node.get("x-kubernetes-validations", ())
        return all(path.rstrip(".") + rule.get("fieldPath", "") in {*found, ""} for rule in rules)

    assert broken(pointing, definition) == []


@of_every_kind
def test_every_required_field_exists(definition: Definition) -> None:
    def existing(_: str, node: Schema) -> bool:
        return {*node.get("required", ())} <= {*node.get("properties", ())}

    assert broken(existing, definition) == []


@of_every_kind
def test_nothing_in_a_list_has_a_default(definition: Definition) -> None:
    """A tool that compares lists as a whole would find a difference for ever."""
    assert broken(lambda path, node: "[]" not in path or "default" not in node, definition) == [
        ".status.conditions[].observedGeneration"
    ]


def test_nothing_in_the_spec_is_a_list_but_the_queries_of_a_drill() -> None:
    lists = {path.partition("[]")[0] for path in NODES if path.startswith(".spec") and "[]" in path}
    assert lists == {".spec.backup.verify.queries"}


def test_only_the_owner_is_required() -> None:
    assert NODES[".spec"]["required"] == ["ownerTeam"]


@of_every_kind
def test_the_spec_alone_is_required_and_the_status_complete_in_any_part(
    definition: Definition,
) -> None:
    found = by_path(definition.kind.name)
    assert found["."]["required"] == ["spec"]
    assert "required" not in found[".status"]


@of_every_kind
def test_a_new_object_does_not_look_observed(definition: Definition) -> None:
    assert by_path(definition.kind.name)[".status"]["default"] == {"observedGeneration": -1}


@of_every_kind
def test_conditions_are_merged_by_their_type(definition: Definition) -> None:
    conditions = by_path(definition.kind.name)[".status.conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert conditions["items"]["properties"]["type"]["description"] == definition.conditions


@of_every_kind
def test_columns_and_selectable_fields_are_fields_of_the_schema(definition: Definition) -> None:
    made = version(definition)
    columns = [column["jsonPath"] for column in made["additionalPrinterColumns"]]
    selectable = [field["jsonPath"] for field in made.get("selectableFields", ())]
    for path in (*columns, *selectable):
        plain = re.sub(r"\[\?\(@\.type==\"(Ready|Stalled)\"\)\]", "[]", path)
        assert plain in by_path(definition.kind.name) or plain == ".metadata.creationTimestamp", (
            path
        )


def test_the_columns_of_a_database() -> None:
    columns = version(DATABASE)["additionalPrinterColumns"]
    assert [c["name"] for c in columns][:5] == ["Ready", "Status", "Stalled", "Owner", "Version"]
    assert [c["name"] for c in columns if c.get("priority")] == [
        "Secret",
        "Last-Backup",
        "Last-Verified",
        "Message",
    ]


def rules(definition: Definition) -> list[Schema]:
    found = by_path(definition.kind.name).values()
    return [rule for node in found for rule in node.get("x-kubernetes-validations", ())]


RULES = rules(DATABASE)


@pytest.mark.parametrize("rule", [*RULES, *rules(TEAM)], ids=lambda rule: str(rule["rule"])[:40])
def test_a_rule_has_a_text_and_points_at_a_field(rule: Schema) -> None:
    assert set(rule) <= {"rule", "message", "messageExpression", "fieldPath", "optionalOldSelf"}
    assert rule["message"]
    assert "\n" not in rule["message"] + rule.get("messageExpression", "")
    assert "{}" not in rule.get("messageExpression", "")
    assert ("optionalOldSelf" in rule) == ("oldSelf.hasValue()" in rule["rule"])
