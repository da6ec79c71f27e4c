"""kubectl on the demo's cluster."""

import json
import shutil
from pathlib import Path
from typing import Any

from dev.cluster import commands, programs
from dev.demo import places


def program() -> Path:
    """The kubectl on PATH, else one of our own."""
    found = shutil.which("kubectl")
    return Path(found) if found else programs.build(["kubectl"])["kubectl"]


def program_name() -> str:
    """How a reader calls it."""
    return "kubectl" if shutil.which("kubectl") else "`dev/kind get binary kubectl`"


def kubectl(*arguments: str, text: str | None = None) -> str:
    """Run kubectl; raises ClusterError with what it said."""
    return commands.run(program(), f"--kubeconfig={places.kubeconfig()}", *arguments, text=text)


def get(kind: str, name: str) -> dict[str, Any]:
    """An object in the demo's namespace."""
    found: dict[str, Any] = json.loads(
        kubectl("get", kind, name, f"--namespace={places.NAMESPACE}", "--output=json")
    )
    return found


def apply(*objects: dict[str, Any]) -> None:
    """Apply objects."""
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl("apply", "--filename=-", text=json.dumps(listed))
