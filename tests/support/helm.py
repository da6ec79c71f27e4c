"""The chart as helm renders it."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dev.installation import CHART, NAMESPACE, RELEASE
from dev.installation import helm as program

Object = dict[str, Any]


class HelmError(Exception):
    """helm refused; the message is what it said."""


@cache
def binary() -> Path:
    """The helm of dev/kind; `make` builds it before the tests."""
    return program()


def helm(*arguments: str) -> str:
    """helm's output. Raises HelmError."""
    done = subprocess.run([binary(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(f"{done.stdout}{done.stderr}")
    return done.stdout


def template(
    values: Object | None = None,
    *,
    release: str = RELEASE,
    namespace: str = NAMESPACE,
    kube_version: str | None = None,
) -> str:
    """What `helm template` prints for values that differ from the chart's. Raises HelmError."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        version = [f"--kube-version={kube_version}"] if kube_version else []
        place = [f"--namespace={namespace}", f"--values={file.name}"]
        return helm("template", release, str(CHART), *place, *version)


def render(
    values: Object | None = None,
    *,
    release: str = RELEASE,
    namespace: str = NAMESPACE,
    kube_version: str | None = None,
) -> list[Object]:
    """The objects of a release, hooks and tests among them. Raises HelmError."""
    text = template(values, release=release, namespace=namespace, kube_version=kube_version)
    return [obj for obj in yaml.load_all(text, yaml.CSafeLoader) if obj]


def only(objects: list[Object], kind: str, name: str | None = None) -> Object:
    """The one object of that kind, and name."""
    found = [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    assert len(found) == 1, [o["metadata"]["name"] for o in found]
    return found[0]


def pod_specs(objects: list[Object]) -> dict[str, Object]:
    """The pod spec of each object that makes pods, or is one, by kind/name."""
    return {
        f"{o['kind']}/{o['metadata']['name']}": o["spec"] if o["kind"] == "Pod" else _template(o)
        for o in objects
        if o["kind"] in ("Deployment", "Job", "Pod")
    }


def _template(owner: Object) -> Object:
    spec: Object = owner["spec"]["template"]["spec"]
    return spec
