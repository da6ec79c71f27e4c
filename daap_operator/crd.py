"""The CustomResourceDefinition, made from the models. Pure; `make crds` writes the file.

A structural schema is a narrower thing than JSON Schema: no `$ref`, no `null`, no `title`.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from typing import Any

import yaml

from daap_operator import names
from daap_operator.api.v1alpha1 import ROOT_RULES, DaapDatabase

Schema = dict[str, Any]

_DROPPED = frozenset({"title", "$defs", "additionalProperties"})
_COPIED = frozenset(
    {
        "anyOf",
        "default",
        "description",
        "enum",
        "format",
        "maxItems",
        "maxLength",
        "maximum",
        "minLength",
        "minimum",
        "required",
        "type",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-validations",
    }
)

_COLUMNS = [
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Status", "string", ".status.phase", 0),
    ("Stalled", "string", '.status.conditions[?(@.type=="Stalled")].reason', 0),
    ("Owner", "string", ".spec.ownerTeam", 0),
    ("Version", "integer", ".status.postgresVersion", 0),
    ("Host", "string", ".status.host", 0),
    ("Secret", "string", ".status.secretName", 1),
    ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', 1),
    ("Age", "date", ".metadata.creationTimestamp", 0),
]

_HEADER = "# Generated from daap_operator/api by `make crds`. Do not edit.\n"


def render() -> str:
    """The CRD as YAML, the same text for the same models."""
    return _HEADER + dump(definition())


def dump(part: Schema) -> str:
    """The CRD or a part of it as YAML."""
    return yaml.dump(part, sort_keys=False, width=100, Dumper=_Dumper)


def definition() -> Schema:
    """The CustomResourceDefinition object."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{names.PLURAL}.{names.GROUP}",
            "labels": {
                "app.kubernetes.io/part-of": "daap",
                "servicebinding.io/provisioned-service": "true",
            },
        },
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": [names.SHORT_NAME],
                "categories": [names.CATEGORY],
            },
            "versions": [_version()],
        },
    }


def _version() -> Schema:
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "selectableFields": [{"jsonPath": ".spec.ownerTeam"}, {"jsonPath": ".status.phase"}],
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, **({"priority": 1} if wide else {})}
            for name, kind, path, wide in _COLUMNS
        ],
        "schema": {"openAPIV3Schema": _root()},
    }


def _root() -> Schema:
    root = structural(DaapDatabase.model_json_schema(by_alias=True))
    properties = root["properties"]
    # Tools see "not yet observed" on a new object, before the operator ever ran
    properties["status"] |= {"default": {"observedGeneration": -1}}
    return {
        "type": "object",
        "description": root["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": properties["spec"],
            "status": properties["status"],
        },
        **ROOT_RULES,
    }


def structural(schema: Schema) -> Schema:
    """The structural schema of a pydantic JSON schema.

    Raises ValueError for a construct that a structural schema cannot say: better at generation
    than at the API server, which answers some of them with a crash.
    """
    return _node(schema, schema.get("$defs", {}), "")


def _node(schema: Schema, definitions: Schema, path: str) -> Schema:
    schema = _resolved(schema, definitions, path)
    made = {key: _value(key, value, path) for key, value in schema.items() if key in _COPIED}
    if "properties" in schema:
        made["properties"] = {
            name: _node(below, definitions, f"{path}.{name}")
            for name, below in schema["properties"].items()
        }
    if "items" in schema:
        made["items"] = _node(schema["items"], definitions, f"{path}[]")
    for key in schema:
        if key not in _COPIED | _DROPPED | {"properties", "items"}:
            raise ValueError(f"{path or '.'}: '{key}' has no place in a structural schema")
    if made.get("default", ...) is None:
        del made["default"]  # `X | None = None`: absence is the default
    return made


def _value(key: str, value: Any, path: str) -> Any:
    if key == "anyOf" and {"type": "string"} not in value:
        raise ValueError(f"{path or '.'}: a union is not structural")
    return " ".join(value.split()) if key == "description" else value


def _resolved(schema: Schema, definitions: Schema, path: str) -> Schema:
    """The schema behind references and `X | None`; what stands beside them stays."""
    while True:
        if "$ref" in schema:
            behind = definitions[schema["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in schema and "x-kubernetes-int-or-string" not in schema:
            behind = _not_null(schema["anyOf"], path)
        else:
            return schema
        beside = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf")}
        schema = {**behind, **beside}


def _not_null(choices: list[Schema], path: str) -> Schema:
    real = [choice for choice in choices if choice != {"type": "null"}]
    if len(real) != 1:
        raise ValueError(f"{path or '.'}: a union of {len(real)} types is not structural")
    return real[0]


class _Dumper(yaml.SafeDumper):
    """No anchors: equal rules stand in full, as a reader of the file expects."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True
