"""The manifests for `kubectl apply -k`: the default chart as rendered, without what is Helm's."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dev.installation import CHART, NAMESPACE, RELEASE, ROOT, helm

MANIFESTS = ROOT / "manifests"
KUSTOMIZATION = MANIFESTS / "kustomization.yaml"

Object = dict[str, Any]

_HEADER = "# Generated from charts/daap-operator by `make manifests`. Do not edit.\n"
_HELMS = ("helm.sh/", "meta.helm.sh/")
_MANAGED_BY = "app.kubernetes.io/managed-by"


def generated() -> Iterator[tuple[Path, str]]:
    """Path and content of each file."""
    objects = plain(rendered())
    crds = [obj for obj in objects if obj["kind"] == "CustomResourceDefinition"]
    others = [obj for obj in objects if obj["kind"] != "CustomResourceDefinition"]
    files = {f"{crd['spec']['names']['plural']}.yaml": [crd] for crd in crds}
    yield from _directory(MANIFESTS / "crds", files)
    yield from _directory(MANIFESTS / "operator", {"operator.yaml": others})
    yield KUSTOMIZATION, f"# The chart: {digest()}\n" + _kustomization(["crds", "operator"])


def of_another_chart() -> bool:
    """Whether the chart has changed since the manifests were made: tells without helm."""
    return digest() not in KUSTOMIZATION.read_text()


def digest(chart: Path = CHART) -> str:
    """One sum of all files of a chart."""
    found = hashlib.sha256()
    for path in sorted(path for path in chart.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        found.update(f"{content}  {path.relative_to(chart)}\n".encode())
    return f"sha256:{found.hexdigest()}"


def rendered() -> list[Object]:
    """What helm makes of the chart with its own values."""
    text = run(helm(), "template", RELEASE, CHART, f"--namespace={NAMESPACE}")
    return [obj for obj in yaml.safe_load_all(text) if obj]


def run(program: Path, *arguments: str | Path) -> str:
    """What a program prints."""
    command = [program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def plain(objects: list[Object]) -> list[Object]:
    """Without Helm's labels and annotations, and without its tests. Pure."""
    return [_without_helm(obj) for obj in objects if not _is_test(obj)]


def _is_test(obj: Object) -> bool:
    return bool(obj["metadata"].get("annotations", {}).get("helm.sh/hook") == "test")


def _without_helm(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_helm(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _without_helm(below) for key, below in value.items() if not _is_helms(key, below)}
    return {key: below for key, below in made.items() if key != "annotations" or below}


def _is_helms(key: str, value: Any) -> bool:
    return key.startswith(_HELMS) or (key == _MANAGED_BY and value == "Helm")


def _directory(place: Path, files: dict[str, list[Object]]) -> Iterator[tuple[Path, str]]:
    for name, objects in files.items():
        yield place / name, _HEADER + yaml.safe_dump_all(objects, sort_keys=False, width=120)
    yield place / "kustomization.yaml", _kustomization(list(files))


def _kustomization(resources: list[str]) -> str:
    kind = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return _HEADER + yaml.safe_dump({**kind, "resources": resources}, sort_keys=False)
