"""What the API server holds against a value, by the structural schema of a CRD; CEL rules aside."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}
_INT64 = 2**63


def complaints(value: Any, schema: dict[str, Any], path: str = "status") -> Iterator[str]:
    """A line for each thing that is wrong; none for a value that is taken."""
    wanted, known = schema["type"], _TYPES[schema["type"]]
    if not isinstance(value, known) or (wanted != "boolean" and isinstance(value, bool)):
        yield f"{path}: {value!r} is no {wanted}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if wanted == "string":
        yield from _text(value, schema, path)
    elif wanted == "integer":
        yield from _number(value, schema, path)
    elif wanted == "object":
        yield from _object(value, schema, path)
    elif wanted == "array":
        yield from _items(value, schema, path)


def _text(value: str, schema: dict[str, Any], path: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{path}: {len(value)} characters"
    if schema.get("format") == "date-time":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            yield f"{path}: {value!r} is no time"


def _number(value: int, schema: dict[str, Any], path: str) -> Iterator[str]:
    least, most = schema.get("minimum", -_INT64), schema.get("maximum", _INT64 - 1)
    if not least <= value <= most:
        yield f"{path}: {value} is out of range"


def _object(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    for field in schema.get("required", ()):
        if field not in value:
            yield f"{path}.{field}: is missing"
    for field, below in value.items():
        if field not in schema["properties"]:
            yield f"{path}.{field}: is unknown"
        else:
            yield from complaints(below, schema["properties"][field], f"{path}.{field}")


def _items(value: list[Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{path}: {len(value)} items"
    for number, item in enumerate(value):
        yield from complaints(item, schema["items"], f"{path}[{number}]")
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        seen = [tuple(item.get(key) for key in keys) for item in value]
        if len(set(seen)) < len(seen):
            yield f"{path}: the same {keys} twice"
