"""The reference pages of the docs, from the models' and settings' own documentation. Pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticUndefined

from daap_operator import crd
from daap_operator.api.definition import Definition
from daap_operator.kinds import served
from daap_operator.metrics import CATALOGUE
from daap_operator.settings import Settings

Schema = dict[str, Any]

_API = """# Fields

Generated from the models by `make crds`; `kubectl explain` says the same.
"""

_KIND = """
## {kind}

{scope}. `kubectl explain {singular}.spec` prints the fields.

| field | type | default | |
|---|---|---|---|
"""

_SETTINGS = """# Settings

Generated from `daap_operator/settings.py` by `make crds`. All are environment variables; an
empty one counts as not set.

| variable | default | |
|---|---|---|
"""

_METRICS = """# Metrics

Generated from `daap_operator/metrics/catalogue.py` and the kinds' own declarations by `make crds`.
Served as `/metrics` to [who may read it](../operating.md#who-may-read-the-metrics); only the leader
serves what is marked with *. `kind` is that of the object: `DaapDatabase`. `process_*` (CPU,
memory, open files) is served as well.

| metric | type | labels | |
|---|---|---|---|
"""


def api(definitions: Sequence[Definition]) -> str:
    """All fields of each kind, a row each."""
    return _API + "".join(_kind(definition) for definition in definitions)


def _kind(definition: Definition) -> str:
    version = crd.manifest(definition)["spec"]["versions"][-1]
    root = version["schema"]["openAPIV3Schema"]["properties"]
    rows = [row for part in ("spec", "status") for row in _fields(root[part], part)]
    scope = "Namespaced" if definition.kind.namespaced else "Cluster-scoped: in no namespace"
    head = _KIND.format(kind=definition.kind.name, singular=definition.singular, scope=scope)
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", [])
    for name, below in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        yield f"`{here}`", _type(below), _default(below, required=name in required), _cell(below)
        yield from _fields(below, here)
        yield from _fields(below.get("items", {}), f"{here}[]")


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "x-kubernetes-int-or-string" in schema:
        return "quantity"
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    limits = f", {lowest} to {highest}" if highest is not None else ""
    return f"{schema['type']}{limits}"


def _default(schema: Schema, *, required: bool) -> str:
    if required:
        return "required"
    default = schema.get("default")
    if default in (None, "") or isinstance(default, dict):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _cell(schema: Schema) -> str:
    return str(schema.get("description", "")).replace("|", "\\|")


def settings() -> str:
    """All settings, a row each."""
    rows = [
        (f"`{field.alias}`", _setting(field.default), " ".join((field.description or "").split()))
        for field in Settings.model_fields.values()
    ]
    return _SETTINGS + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _setting(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    if default is None or default in ((), {}):
        return ""
    return f"`{_duration(default) if isinstance(default, timedelta) else default}`"


def _duration(value: timedelta) -> str:
    """As it would be written in the environment."""
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0"


def metrics() -> str:
    """All metrics, a row each."""
    rows = [
        (
            f"`{metric.name}`{' *' if metric.leader_only else ''}",
            metric.type,
            ", ".join(f"`{label}`" for label in metric.labels),
            metric.help,
        )
        for metric in (*CATALOGUE, *served.METRICS)
    ]
    return _METRICS + "".join(f"| {' | '.join(row)} |\n" for row in rows)
