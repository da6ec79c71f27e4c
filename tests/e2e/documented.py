"""The manifests of docs/backup.md, as its readers apply them, in a namespace of a test's own."""

from pathlib import Path
from typing import Any

import yaml

from daap_operator.kube import Kind
from tests.support.api import Object
from tests.support.databases import Databases

DOCS = Path(__file__).parents[2] / "docs" / "backup.md"


def documented() -> list[Object]:
    """All of them, in their order."""
    blocks = DOCS.read_text().split("```yaml\n")[1:]
    texts = [block.split("```")[0] for block in blocks]
    return [obj for text in texts for obj in yaml.safe_load_all(text)]


def of_kind(kind: str, name: str = "", *, source: bool = False) -> Object:
    """The only manifest of a kind, and of a name if one is given, with a source or without."""
    found = [obj for obj in documented() if obj["kind"] == kind]
    named = [obj for obj in found if name in ("", obj["metadata"]["name"])]
    (only,) = [
        obj for obj in named if kind != "DaapDatabase" or ("source" in obj["spec"]) == source
    ]
    return only


async def apply(shop: Databases, kind: Kind, name: str, **spec: Any) -> Object:
    """Create one, with what cannot be as it is there: a moment, a size that this machine has."""
    made = of_kind(kind.name, name, source="source" in spec)
    made["metadata"]["namespace"] = shop.namespace
    made["spec"] |= {
        field: made["spec"].get(field, {}) | value if isinstance(value, dict) else value
        for field, value in spec.items()
    }
    return await shop.api.create(kind, made)
