"""What is shipped for Argo CD and Flux, made from one file each; `make golden` writes it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support import recorded
from tests.unit.judges import ARGOCD, FLUX, LUA, ROOT, argocd

Object = dict[str, Any]

KEY = "resource.customizations.health.daap.io_DaapDatabase"
"""Under it Argo CD looks for the script in its ConfigMap argocd-cm."""

PAGE = ROOT / "docs" / "gitops.md"
COPIES = (
    ROOT / "charts/daap-operator/files/argocd/health.lua",
    ROOT / "examples/gitops/argocd/bootstrap/health/daapdatabase.lua",
)
"""Helm and kustomize read no file outside of the chart, or the folder."""

EXPECTED: dict[str, tuple[str, str]] = {
    # before and on the way
    "created": ("InProgress", "Progressing"),
    "provisioning": ("InProgress", "Progressing"),
    "unknown-phase": ("InProgress", "Progressing"),
    "blocked": ("InProgress", "Progressing"),
    # serving
    "ready": ("Current", "Healthy"),
    "ready-without-inventory": ("Current", "Healthy"),
    "backed-up": ("Current", "Healthy"),
    "not-archiving": ("Current", "Healthy"),
    "without-store": ("Current", "Healthy"),
    "changing": ("InProgress", "Progressing"),
    "changed-unseen": ("InProgress", "Progressing"),
    # not serving
    "down": ("InProgress", "Progressing"),
    # somebody must act
    "refused-edit": ("Failed", "Degraded"),
    "name-taken": ("Failed", "Degraded"),
    "object-conflict": ("Failed", "Degraded"),
    "quota-exceeded": ("Failed", "Degraded"),
    "disk-full": ("Failed", "Degraded"),
    # deletion
    "deleting": ("Terminating", "Progressing"),
    "deletion-protected": ("Terminating", "Progressing"),
    "deleted-unseen": ("Terminating", "Progressing"),
}
"""What kstatus and Argo CD have to say in each recorded situation."""


def generated() -> Iterator[tuple[Path, str]]:
    """Path and content of each file."""
    yield ARGOCD / "health_test.yaml", health_tests()
    for copy in COPIES:
        yield copy, LUA.read_text()
    yield PAGE, page(PAGE.read_text())


def health_tests() -> str:
    """What Argo CD's own test of the script reads."""
    cases = [
        {
            "healthStatus": {key: told[key] for key in ("status", "message")},
            "inputPath": f"testdata/{name}.yaml",
        }
        for name in EXPECTED
        if (told := argocd(recorded.read(name)))
    ]
    return yaml.safe_dump({"tests": cases}, sort_keys=False, width=1000)


def page(text: str) -> str:
    """The page with the files as they are, between its markers."""
    script = "".join(f"    {line}".rstrip() + "\n" for line in LUA.read_text().splitlines())
    text = _between(text, "argocd-cm", f"data:\n  {KEY}: |\n{script}")
    expressions = yaml.safe_load(FLUX.read_text())
    assert set(expressions) == {"healthCheckExprs"}
    body = FLUX.read_text().partition("\nhealthCheckExprs:")[2]
    return _between(text, "flux", f"spec:\n  healthCheckExprs:{_indented(body)}")


def _indented(text: str) -> str:
    return "".join(f"  {line}".rstrip() + "\n" for line in text.splitlines()).removeprefix("  ")


def _between(text: str, name: str, content: str) -> str:
    marked = re.compile(rf"(<!-- {name} -->\n```yaml\n).*?(```\n<!-- end -->)", re.DOTALL)
    made, count = marked.subn(lambda match: match[1] + content + match[2], text)
    assert count == 1, f"{PAGE} must have the markers of {name} once"
    return made
