"""What was found, as JSON of at most as many bytes as Kubernetes keeps of last words. Pure."""

import json
from collections.abc import Mapping
from typing import Any

MOST_BYTES = 4096
"""https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/"""

_LENGTHS = (256, 128, 64, 32, 16, 0)
"""Characters that each text is cut to, until all of them fit."""


def told(found: Mapping[str, Any]) -> str:
    """The JSON, its texts cut as little as it takes to fit."""
    for length in _LENGTHS:
        text = json.dumps(_cut(found, length), separators=(",", ":"))
        if len(text.encode()) <= MOST_BYTES:
            return text
    return json.dumps({"error": "what was found is too large to be told"})


def _cut(value: Any, length: int) -> Any:
    if isinstance(value, str):
        return clean(value)[:length]
    if isinstance(value, Mapping):
        return {
            key: below if key == "name" else _cut(below, length) for key, below in value.items()
        }
    if isinstance(value, list | tuple):
        return [_cut(each, length) for each in value]
    return value


def clean(text: str) -> str:
    """The text in one line, without what commands a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
