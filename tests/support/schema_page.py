"""The manifests of docs/schema.md that are for Kubernetes, as its readers apply them. Pure."""

from pathlib import Path

import yaml

from tests.support.api import Object

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "schema.md"


def part() -> str:
    """What the page says of a DaapSchema."""
    return PAGE.read_text().partition("\n## In Kubernetes\n")[2].partition("\n## ")[0]


def manifests() -> list[Object]:
    """All of them. What shows a spec's fields alone is laid over the spec that comes first."""
    blocks = [block.partition("```")[0] for block in part().split("```yaml\n")[1:]]
    found = [obj for block in blocks for obj in yaml.safe_load_all(block)]
    first = next(obj for obj in found if obj.get("kind") == "DaapSchema")
    return [
        obj if "kind" in obj else first | {"spec": first["spec"] | obj["spec"]} for obj in found
    ]
