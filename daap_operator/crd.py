"""CustomResourceDefinitions, made from what the kinds declare. Pure; `make crds` writes the files.

A structural schema is a narrower thing than JSON Schema: no `$ref`, no `null`, no `title`.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from dataclasses import dataclass, replace
from typing import Any

import yaml

from daap_operator.api.base import Model
from daap_operator.api.definition import Column, Definition
from daap_operator.api.meta import Metadata, Status

Schema = dict[str, Any]

_DROPPED = frozenset({"title", "$defs"})
_COPIED = frozenset(
    {
        "anyOf",
        "default",
        "description",
        "enum",
        "format",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minLength",
        "minProperties",
        "minimum",
        "required",
        "type",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-validations",
    }
)
_BELOW = frozenset({"properties", "items", "additionalProperties"})

_TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})
_FORMATS = frozenset({"date-time", "int32", "int64"})
"""Those that mean the same to pydantic and to the API server, which ignores what it does not know
and has a meaning of its own for `duration`."""
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]

_HEADER = "# Generated from daap_operator/api by `make crds`. Do not edit.\n"


def render(*definitions: Definition) -> str:
    """The CRDs as one YAML text, the same for the same models."""
    return _HEADER + "---\n".join(dump(manifest(definition)) for definition in definitions)


def dump(part: Schema) -> str:
    """A CRD or a part of it as YAML."""
    return yaml.dump(part, sort_keys=False, width=100, Dumper=_Dumper)


def manifest(definition: Definition) -> Schema:
    """The CustomResourceDefinition of a kind.

    Raises ValueError naming kind and field for what no CRD of ours can say.
    """
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": definition.name,
            "labels": {"app.kubernetes.io/part-of": "daap", **definition.labels},
        },
        "spec": {
            "group": definition.kind.group,
            "scope": definition.scope,
            "names": _names(definition),
            "versions": [_version(definition)],
        },
    }


def _names(definition: Definition) -> Schema:
    return {
        "kind": definition.kind.name,
        "listKind": f"{definition.kind.name}List",
        "plural": definition.kind.plural,
        "singular": definition.singular,
        **_unless_empty("shortNames", list(definition.short_names)),
        **_unless_empty("categories", list(definition.categories)),
    }


def _version(definition: Definition) -> Schema:
    selectable = [{"jsonPath": path} for path in definition.selectable]
    return {
        "name": definition.kind.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        **_unless_empty("selectableFields", selectable),
        **_unless_empty("additionalPrinterColumns", [_column(c) for c in definition.columns]),
        "schema": {"openAPIV3Schema": _root(definition)},
    }


def _unless_empty(key: str, items: list[Any]) -> Schema:
    """The API server stores no empty list: one that is applied again would be a difference."""
    return {key: items} if items else {}


def _column(column: Column) -> Schema:
    made = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return made | ({"priority": 1} if column.wide else {})


def _root(definition: Definition) -> Schema:
    root = _schema(definition)
    properties = root["properties"]
    # Tools see "not yet observed" on a new object, before the operator ever ran
    properties["status"] |= {"default": {"observedGeneration": -1}}
    fields = properties["status"]["properties"]
    fields["conditions"] = conditions = fields.pop("conditions")  # last, below what is its own
    conditions["items"]["properties"]["type"]["description"] = definition.conditions
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
        **definition.rules,
    }


def _schema(definition: Definition) -> Schema:
    """The structural schema of the kind's model."""
    _check_model(definition)
    try:
        return structural(definition.model.model_json_schema(by_alias=True))
    except ValueError as error:
        raise ValueError(f"{definition.kind.name}{error}") from None


_PARTS: dict[str, type[Model]] = {"metadata": Metadata, "spec": Model, "status": Status}


def _check_model(definition: Definition) -> None:
    """The model must have all that a CRD of ours is made of, and nothing that would get lost."""
    kind, fields = definition.kind.name, definition.model.model_fields
    for name, base in _PARTS.items():
        found = fields[name].annotation if name in fields else None
        fits = isinstance(found, type) and issubclass(found, base)
        if not fits:
            shown = getattr(found, "__name__", found)
            raise ValueError(f"{kind}.{name} is {shown}: make it a {base.__name__}")
    if others := sorted(fields.keys() - _PARTS):
        raise ValueError(f"{kind}.{others[0]} is neither spec nor status: move it there")
    if not definition.model.__doc__:
        raise ValueError(f"{kind} has no docstring: say what the kind is for")
    if definition.model.model_config.get("json_schema_extra"):
        raise ValueError(f"{kind} has a json_schema_extra: put its rules into the definition")


def structural(schema: Schema) -> Schema:
    """The structural schema of a pydantic JSON schema.

    Raises ValueError naming field and keyword for whatever is not carried over: better at
    generation than at the API server, which prunes what the schema does not name, ignores some
    keywords, and answers others with a crash.
    """
    return _Node(schema, schema.get("$defs", {}), "").made()


@dataclass(frozen=True)
class _Node:
    """One schema of the tree."""

    given: Schema
    definitions: Schema
    path: str
    behind: frozenset[str] = frozenset()
    """The references that led here."""

    def made(self) -> Schema:
        """The same as a structural schema."""
        node = self._resolved()
        schema = node.given
        node._check()
        made = {key: schema[key] for key in schema if key in _COPIED}
        if "description" in made:
            made["description"] = " ".join(made["description"].split())
        if "properties" in schema:
            below = schema["properties"].items()
            made["properties"] = {name: node._made(part, f".{name}") for name, part in below}
        if "items" in schema:
            made["items"] = node._made(schema["items"], "[]")
        if "additionalProperties" in schema:
            made["additionalProperties"] = node._made(schema["additionalProperties"], ".*")
        if made.get("default", ...) is None:
            del made["default"]  # `X | None = None`: absence is the default
        return made

    def _made(self, schema: Schema, step: str) -> Schema:
        return replace(self, given=schema, path=self.path + step).made()

    def _resolved(self) -> "_Node":
        """The schema behind references and `X | None`; what stands beside them stays."""
        schema = self.given
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            if name in self.behind:
                raise self._error("$ref", f"{name} contains itself, and a schema has an end")
            return self._behind(self.definitions[name], self.behind | {name})
        if "anyOf" in schema and "x-kubernetes-int-or-string" not in schema:
            return self._behind(self._not_null(schema["anyOf"]), self.behind)
        return self

    def _behind(self, schema: Schema, behind: frozenset[str]) -> "_Node":
        beside = {k: v for k, v in self.given.items() if k not in ("$ref", "anyOf")}
        return replace(self, given={**schema, **beside}, behind=behind)._resolved()

    def _not_null(self, choices: list[Schema]) -> Schema:
        real = [choice for choice in choices if choice != {"type": "null"}]
        if len(real) != 1:
            raise self._error("anyOf", f"a union of {len(real)} types is not structural")
        if len(choices) > 1 and self.given.get("default", ...) is not None:
            raise self._error("anyOf", "null must mean absence: give the field the default None")
        return real[0]

    def _check(self) -> None:
        schema = self.given
        for key in schema:
            if key not in _COPIED | _DROPPED | _BELOW:
                raise self._error(key, "not carried into the CRD: say it as a validation rule")
        if None in schema.get("enum", ()):
            raise self._error("enum", "null is no value: absence is")
        if "x-kubernetes-int-or-string" in schema:
            if schema.get("anyOf") != _INT_OR_STRING:
                raise self._error("anyOf", "an int-or-string is an integer or a string alone")
        elif not isinstance(schema.get("type"), str) or schema["type"] not in _TYPES:
            raise self._error("type", f"must be one of {', '.join(sorted(_TYPES))}")
        if "format" in schema and schema["format"] not in _FORMATS:
            raise self._error("format", f"must be one of {', '.join(sorted(_FORMATS))}")
        self._check_below()

    def _check_below(self) -> None:
        """The API server drops what an object holds that its schema does not name."""
        schema, kind = self.given, self.given.get("type")
        if kind == "array" and not isinstance(schema.get("items"), dict):
            raise self._error("items", "a list needs one schema for all its items")
        fields = [key for key in ("properties", "additionalProperties") if schema.get(key)]
        if kind == "object" and len(fields) != 1:
            raise self._error("properties", "an object has either fields or additionalProperties")
        if "additionalProperties" in schema and not isinstance(
            schema["additionalProperties"], dict
        ):
            raise self._error("additionalProperties", "must be the schema of the map's values")

    def _error(self, keyword: str, why: str) -> ValueError:
        found = f" is {self.given[keyword]}" if keyword in self.given else " is missing"
        return ValueError(f"{self.path or '.'}: '{keyword}'{found}: {why}")


class _Dumper(yaml.SafeDumper):
    """No anchors: equal rules stand in full, as a reader of the file expects."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True
