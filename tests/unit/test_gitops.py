"""What is shipped for GitOps agrees: copies, versions, the rules that keep databases."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

from daap_operator import __version__
from tests.unit import gitops
from tests.unit.judges import FLUX, ROOT

Object = dict[str, Any]

EXAMPLES = ROOT / "examples" / "gitops"
FILES = sorted(EXAMPLES.rglob("*.yaml"))
KEEP = {
    "argocd": ("argocd.argoproj.io/sync-options", "Prune=confirm,Delete=confirm"),
    "flux": ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
}
"""What each tool is told so that it deletes nothing by itself."""


def objects(tool: str) -> Iterator[Object]:
    for file in FILES:
        if file.relative_to(EXAMPLES).parts[0] == tool:
            yield from filter(None, yaml.safe_load_all(file.read_text()))


def of_kind(tool: str, kind: str) -> dict[str, Object]:
    found = [obj for obj in objects(tool) if obj["kind"] == kind and "metadata" in obj]
    return {obj["metadata"]["name"]: obj for obj in found}


@pytest.mark.parametrize(("path", "content"), list(gitops.generated()), ids=lambda v: str(v)[-40:])
def test_a_file_is_made_from_its_source(path: Path, content: str) -> None:
    assert path.read_text() == content, "run: make golden"


@pytest.mark.parametrize("tool", KEEP)
def test_every_file_is_part_of_a_kustomization_or_applied_by_hand(tool: str) -> None:
    by_hand = {EXAMPLES / "argocd/bootstrap/root.yaml"}
    by_hand |= set((EXAMPLES / "flux/clusters").rglob("*.yaml"))
    named = set()
    for file in FILES:
        if file.name == "kustomization.yaml":
            listed = yaml.safe_load(file.read_text()).get("resources", [])
            named |= {file.parent / name for name in listed}
    loose = {f for f in FILES if f.name != "kustomization.yaml"} - named - by_hand
    assert loose == set()
    assert [path for path in named if not path.exists()] == []


@pytest.mark.parametrize("tool", KEEP)
def test_what_holds_data_is_not_deleted_without_a_person(tool: str) -> None:
    key, value = KEEP[tool]
    for kind in ("DaapDatabase", "Cluster"):
        found = of_kind(tool, kind)
        assert found, kind
        places = {obj["metadata"]["namespace"] for obj in found.values()}
        namespaces = [of_kind(tool, "Namespace")[place] for place in places]
        for obj in [*found.values(), *namespaces]:
            assert obj["metadata"]["annotations"][key] == value, obj["metadata"]


def test_both_repositories_have_the_same_operator_and_databases() -> None:
    argocd = of_kind("argocd", "Application")["daap-operator"]["spec"]
    flux = of_kind("flux", "HelmRelease")["daap-operator"]["spec"]
    assert argocd["source"]["helm"]["valuesObject"] == flux["values"]
    assert argocd["source"]["helm"]["releaseName"] == flux["releaseName"] == "daap-operator"
    for kind in ("DaapDatabase", "Cluster"):
        left, right = (of_kind(tool, kind) for tool in KEEP)
        assert {n: o["spec"] for n, o in left.items()} == {n: o["spec"] for n, o in right.items()}


def test_the_operator_is_installed_in_this_version() -> None:
    source = of_kind("argocd", "Application")["daap-operator"]["spec"]["source"]
    repository = of_kind("flux", "OCIRepository")["daap-operator"]["spec"]
    assert source["targetRevision"] == repository["ref"]["tag"] == __version__
    assert repository["url"] == f"oci://{source['repoURL']}/{source['chart']}"


def test_cloudnativepg_is_the_same_in_both() -> None:
    source = of_kind("argocd", "Application")["cloudnative-pg"]["spec"]["source"]
    chart = of_kind("flux", "HelmRelease")["cloudnative-pg"]["spec"]["chart"]["spec"]
    repository = of_kind("flux", "HelmRepository")["cloudnative-pg"]["spec"]
    assert (source["chart"], source["targetRevision"]) == (chart["chart"], chart["version"])
    assert source["repoURL"] == repository["url"]


def test_the_inventory_is_connected_to_by_the_names_cloudnativepg_gives() -> None:
    values = of_kind("flux", "HelmRelease")["daap-operator"]["spec"]["values"]["metadataDatabase"]
    (cluster,) = of_kind("flux", "Cluster")
    assert values["existingSecret"] == {"name": f"{cluster}-app", "key": "uri"}
    assert values["tls"]["caSecret"]["name"] == f"{cluster}-ca"


# --- order ----------------------------------------------------------------------------------------

ORDER = ["cloudnative-pg", "daap-metadata", "daap-operator", "databases"]


def test_argocds_waves_are_in_order_and_wait() -> None:
    found = of_kind("argocd", "Application")
    assert set(found) == {*ORDER, "platform"}
    waves = {
        name: int(found[name]["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for name in ORDER
    }
    assert waves == dict(zip(ORDER, (-3, -2, -1, 0), strict=True))
    for application in found.values():
        assert "finalizers" not in application["metadata"], "its deletion would delete databases"


def test_flux_waits_for_each_before_the_next() -> None:
    found = of_kind("flux", "Kustomization")
    for before, after in pairwise(ORDER):
        assert found[after]["spec"]["dependsOn"] == [{"name": before}]
    assert list(found) == ORDER
    assert all(made["spec"]["wait"] for made in found.values())
    orphaned = [n for n, made in found.items() if made["spec"].get("deletionPolicy") == "Orphan"]
    assert orphaned == ORDER[:-1]


def test_a_path_that_a_tool_is_sent_to_exists() -> None:
    for application in of_kind("argocd", "Application").values():
        if path := application["spec"]["source"].get("path"):
            assert (EXAMPLES / path / "kustomization.yaml").exists()
    for made in of_kind("flux", "Kustomization").values():
        assert (EXAMPLES / "flux" / made["spec"]["path"] / "kustomization.yaml").exists()


# --- health ---------------------------------------------------------------------------------------


def test_the_expressions_in_the_example_are_the_shipped_ones() -> None:
    shown = of_kind("flux", "Kustomization")["databases"]["spec"]["healthCheckExprs"]
    assert shown == yaml.safe_load(FLUX.read_text())["healthCheckExprs"]


@pytest.mark.parametrize(
    ("obj", "status"),
    [
        ({}, "Progressing"),
        ({"status": {}}, "Progressing"),
        ({"status": {"health": {}}}, "Progressing"),
        ({"status": {"health": {"status": "Healthy"}}}, "Healthy"),
        ({"status": {"health": {"status": "Degraded", "message": "x"}}}, "Degraded"),
    ],
)
def test_an_application_is_as_healthy_as_it_says(obj: Object, status: str) -> None:
    lua = lua51.LuaRuntime()
    lua.globals().obj = lua.table_from(obj, recursive=True)
    script = EXAMPLES / "argocd/bootstrap/health/application.lua"
    told = lua.execute(script.read_text())
    assert told["status"] == status
    assert told["message"] is not None
