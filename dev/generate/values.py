"""The reference page of the chart's values, from the comments in values.yaml. Pure."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

_PAGE = """# Values of the chart

Generated from [`values.yaml`](../../charts/daap-operator/values.yaml) by `make crds`. A value that
is unknown, or of the wrong type, is refused by name.

| value | default | |
|---|---|---|
"""

_MARK = "# -- "


def page(text: str) -> str:
    """A row for each value. Raises ValueError for one that is not explained."""
    defaults = yaml.safe_load(text)
    explained = dict(_explained(text))
    if missing := [path for path in _leaves(defaults) if not _is_covered(path, explained)]:
        raise ValueError(f"values.yaml: {', '.join(missing)}: a comment '{_MARK}…' is missing")
    rows = [f"| `{path}` | {_cell(defaults, path)} | {why} |\n" for path, why in explained.items()]
    return _PAGE + "".join(rows)


def _explained(text: str) -> Iterator[tuple[str, str]]:
    """Path and explanation of each value that has one."""
    above: list[tuple[int, str]] = []
    said = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(_MARK):
            said = stripped.removeprefix(_MARK)
        elif stripped.startswith("# ") and said:
            said += f" {stripped.removeprefix('# ')}"
        elif ":" in stripped and not stripped.startswith(("#", "-")):
            indent = len(line) - len(line.lstrip())
            above = [(i, key) for i, key in above if i < indent]
            above.append((indent, stripped.partition(":")[0]))
            if said:
                yield ".".join(key for _, key in above), said.replace("|", "\\|")
            said = ""


def _leaves(values: Any, path: str = "") -> Iterator[str]:
    if isinstance(values, dict) and values:
        for key, below in values.items():
            yield from _leaves(below, f"{path}.{key}".removeprefix("."))
    else:
        yield path


def _is_covered(path: str, explained: dict[str, str]) -> bool:
    parts = path.split(".")
    return any(".".join(parts[: end + 1]) in explained for end in range(len(parts)))


def _cell(defaults: Any, path: str) -> str:
    for key in path.split("."):
        defaults = defaults[key]
    return "" if defaults in ("", [], {}) else f"`{_short(defaults)}`"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
