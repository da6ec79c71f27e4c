"""examples/gitops, and docs/schema.md, for a real API server with Argo CD's and Flux's kinds.

Not HelmRelease: helm-controller's CRD is not taken from anywhere, so its fields are held against
Flux's documentation by hand; its values are tests/chart's business.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from daap_operator import crd, names
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.cluster import ControlPlane
from dev.cluster.errors import ClusterError
from dev.cluster.established import wait_established
from tests.fix_cluster import own_name
from tests.support import prerequisites, schema_page
from tests.support.api import Object
from tests.support.gitops_crds import crds

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "gitops"
BUILT = sorted(file.parent for file in EXAMPLES.rglob("kustomization.yaml"))
BY_HAND = [EXAMPLES / "argocd/bootstrap/root.yaml", EXAMPLES / "flux/clusters/production"]

NAMESPACES = ("argocd", "flux-system", "daap-system", "cnpg-system", "shop")
UNKNOWN_HERE = "HelmRelease"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane of its own: other tests need not know these kinds."""
    with ControlPlane.create(own_name("gitops")) as made:
        prerequisites.install(made)
        for path in crds():
            made.kubectl("apply", "--server-side", "-f", str(path))
        made.kubectl("apply", "--server-side", "-f", "-", input=crd.render(*DEFINITIONS))
        wait_established(made.kubectl)
        for name in NAMESPACES:
            made.kubectl("create", "namespace", name)
        yield made


def tried(plane: ControlPlane, found: list[Object], *options: str) -> str:
    """What a dry-run says that takes no unknown field."""
    known = [obj for obj in found if obj["kind"] != UNKNOWN_HERE]
    words = ("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict")
    return plane.kubectl(*words, *options, "-f", "-", input=yaml.safe_dump_all(known))


@pytest.mark.parametrize("folder", BUILT, ids=lambda f: str(f.relative_to(EXAMPLES)))
def test_a_folder_is_built_and_what_comes_out_is_taken(folder: Path, plane: ControlPlane) -> None:
    found = list(yaml.safe_load_all(plane.kubectl("kustomize", str(folder))))
    assert found
    applications = [obj for obj in found if obj["kind"] == "Application"]
    said = tried(plane, found, *(("--namespace=argocd",) if applications else ()))
    known = [obj for obj in found if obj["kind"] != UNKNOWN_HERE]
    assert said.count("serverside-applied (server dry run)") == len(known)


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.name)
def test_what_is_applied_by_hand_is_taken(path: Path, plane: ControlPlane) -> None:
    files = [path] if path.is_file() else sorted(path.glob("*.yaml"))
    found = [obj for file in files for obj in yaml.safe_load_all(file.read_text())]
    assert tried(plane, found).count("serverside-applied") == len(found)


def test_what_the_page_on_schemas_shows_is_taken(plane: ControlPlane) -> None:
    found = schema_page.manifests()
    assert {obj["kind"] for obj in found} == {
        *("DaapDatabase", "ConfigMap", "DaapSchema", "Deployment", "Kustomization")
    }
    for obj in found:  # some are of one name, each a step further
        assert tried(plane, [obj]).count("serverside-applied") == 1
    maps = [obj for obj in found if obj["kind"] == "ConfigMap"]
    assert all(names.SCHEMA_FILES_LABEL in obj["metadata"]["labels"] for obj in maps)


def test_a_field_that_argocd_or_flux_does_not_know_is_refused(plane: ControlPlane) -> None:
    root = yaml.safe_load(BY_HAND[0].read_text())
    root["spec"]["syncPolicy"]["automatic"] = {}
    with pytest.raises(ClusterError, match="automatic"):
        tried(plane, [root])
    platform = list(yaml.safe_load_all((BY_HAND[1] / "platform.yaml").read_text()))
    platform[0]["spec"]["deletionPolicy"] = "Keep"
    with pytest.raises(ClusterError, match="Keep"):
        tried(plane, platform)


def test_the_health_is_added_to_argocds_own_configmap(plane: ControlPlane) -> None:
    theirs: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "argocd-cm",
            "namespace": "argocd",
            "labels": {"app.kubernetes.io/part-of": "argocd", "theirs": "too"},
        },
        "data": {"url": "https://argocd.example.com"},
    }
    plane.kubectl("apply", "-f", "-", input=json.dumps(theirs))
    folder = EXAMPLES / "argocd/bootstrap/health"
    ours = ("--server-side", "--field-manager=daap-health", "-k", str(folder))
    plane.kubectl("apply", *ours)
    # Argo CD's own installation is applied again: the entries stay
    plane.kubectl("apply", "-f", "-", input=json.dumps(theirs))
    place = ("get", "configmap", "argocd-cm", "-n", "argocd", "-o", "json")
    found = json.loads(plane.kubectl(*place))
    assert found["metadata"]["labels"] == theirs["metadata"]["labels"]
    scripts = {
        f"resource.customizations.health.{what}": (folder / file).read_text()
        for what, file in (
            ("daap.io_DaapDatabase", "daap.lua"),
            ("daap.io_DaapBackup", "daap.lua"),
            ("daap.io_DaapRestore", "daap.lua"),
            ("daap.io_DaapDrill", "daap.lua"),
            ("daap.io_DaapSchema", "daap.lua"),
            ("argoproj.io_Application", "application.lua"),
        )
    }
    assert found["data"] == theirs["data"] | scripts


def test_the_health_is_copied_from_the_charts_configmap(plane: ControlPlane) -> None:
    """As docs/gitops.md says; other entries stay."""
    key = "resource.customizations.health.daap.io_DaapDatabase"
    script = (EXAMPLES / "argocd/bootstrap/health/daap.lua").read_text()
    for place, name, data in (
        ("daap-system", "daap-operator-argocd-health", {key: script}),
        ("default", "argocd-cm", {"url": "https://argocd.example.com"}),
    ):
        metadata = {"name": name, "namespace": place}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        plane.kubectl("apply", "-f", "-", input=json.dumps(body))
    shipped = ("configmap", "daap-operator-argocd-health", "--namespace=daap-system")
    entries = plane.kubectl("get", *shipped, "--output=jsonpath={.data}")
    theirs = ("configmap", "argocd-cm", "--namespace=default")
    plane.kubectl("patch", *theirs, "--patch", f'{{"data": {entries}}}')
    found = json.loads(plane.kubectl("get", *theirs, "--output=json"))["data"]
    assert found == {"url": "https://argocd.example.com", key: script}
