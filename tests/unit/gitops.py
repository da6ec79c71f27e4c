"""What is shipped for Argo CD and Flux, made from one file each; `make golden` writes it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support import recorded
from tests.unit.judges import ARGOCD, FLUX, LUA, ROOT, argocd

Object = dict[str, Any]

KEY = "resource.customizations.health.daap.io_{}"
"""Under it Argo CD looks for a kind's script in its ConfigMap argocd-cm."""

PAGE = ROOT / "docs" / "gitops.md"
COPIES = (
    ROOT / "charts/daap-operator/files/argocd/health.lua",
    ROOT / "examples/gitops/argocd/bootstrap/health/daap.lua",
    *(ARGOCD / kind / LUA.name for kind in recorded.KINDS if kind != recorded.DATABASE),
)
"""Helm and kustomize read no file outside of the chart, or the folder; and Argo CD's own repository
has a script for each kind."""

DATABASES: dict[str, tuple[str, str]] = {
    # before and on the way
    "created": ("InProgress", "Progressing"),
    "provisioning": ("InProgress", "Progressing"),
    "unknown-phase": ("InProgress", "Progressing"),
    "blocked": ("InProgress", "Progressing"),
    "restoring": ("InProgress", "Progressing"),
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
BACKUPS: dict[str, tuple[str, str]] = {
    "created": ("InProgress", "Progressing"),
    "waiting": ("InProgress", "Progressing"),
    "running": ("InProgress", "Progressing"),
    "completed": ("Current", "Healthy"),
    "backups-off": ("Failed", "Degraded"),
    "failed": ("Failed", "Degraded"),
    "deleting": ("Terminating", "Progressing"),
}
RESTORES: dict[str, tuple[str, str]] = {
    "created": ("InProgress", "Progressing"),
    "backing-up": ("InProgress", "Progressing"),
    "completed": ("Current", "Healthy"),
    "backups-off": ("Failed", "Degraded"),
    "failed": ("Failed", "Degraded"),
}
DRILLS: dict[str, tuple[str, str]] = {
    "created": ("InProgress", "Progressing"),
    "checking": ("InProgress", "Progressing"),
    "passed": ("Current", "Healthy"),
    "corrupt": ("Failed", "Degraded"),
    "backups-off": ("Failed", "Degraded"),
}
SCHEMAS: dict[str, tuple[str, str]] = {
    "created": ("InProgress", "Progressing"),
    "waiting-for-database": ("InProgress", "Progressing"),
    "files-missing": ("InProgress", "Progressing"),
    "planning": ("InProgress", "Progressing"),
    "backing-up": ("InProgress", "Progressing"),
    "rehearsing": ("InProgress", "Progressing"),
    "rehearsal-failed": ("Failed", "Degraded"),
    "applying": ("InProgress", "Progressing"),
    "database-unavailable": ("InProgress", "Progressing"),
    "applied": ("Current", "Healthy"),
    # Argo CD's sync waits for it; kstatus has no such word
    "approval-required": ("Failed", "Suspended"),
    "lint-failed": ("Failed", "Degraded"),
    "file-failed": ("Failed", "Degraded"),
    "drifted": ("Failed", "Degraded"),
}
EXPECTED = {
    recorded.DATABASE: DATABASES,
    recorded.BACKUP: BACKUPS,
    recorded.RESTORE: RESTORES,
    recorded.DRILL: DRILLS,
    recorded.SCHEMA: SCHEMAS,
}
"""What kstatus and Argo CD have to say of each kind in each recorded situation."""


def generated() -> Iterator[tuple[Path, str]]:
    """Path and content of each file."""
    for copy in COPIES:  # first: the tests of a kind run its own
        yield copy, LUA.read_text()
    for kind in recorded.KINDS:
        yield ARGOCD / kind / "health_test.yaml", health_tests(kind)
    yield PAGE, page(PAGE.read_text())


def health_tests(kind: str) -> str:
    """What Argo CD's own test of the script reads."""
    cases = [
        {
            "healthStatus": {key: told[key] for key in ("status", "message")},
            "inputPath": f"testdata/{name}.yaml",
        }
        for name in EXPECTED[kind]
        if (told := argocd(recorded.read(name, kind)))
    ]
    return yaml.safe_dump({"tests": cases}, sort_keys=False, width=1000)


def page(text: str) -> str:
    """The page with the files as they are, between its markers."""
    script = "".join(f"    {line}".rstrip() + "\n" for line in LUA.read_text().splitlines())
    text = _between(text, "argocd-cm", f"data:\n  {KEY.format(recorded.DATABASE)}: |\n{script}")
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
