"""The chart under Argo CD and Flux: the health it ships, and the values of the examples."""

from pathlib import Path

import pytest
import yaml

from daap_operator.api.v1alpha1 import DEFINITIONS
from tests.support.helm import HelmError, Object, only, pod_specs, render

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "gitops"
SCRIPTS = ROOT / "gitops/argocd/resource_customizations/daap.io"
KEY = "resource.customizations.health.daap.io_"


def values(tool: str) -> Object:
    """The chart's values in a tool's example."""
    if tool == "argocd":
        application = yaml.safe_load((EXAMPLES / "argocd/platform/daap-operator.yaml").read_text())
        found: Object = application["spec"]["source"]["helm"]["valuesObject"]
        return found
    release = EXAMPLES / "flux/infrastructure/daap-operator/release.yaml"
    (found,) = (
        obj["spec"]["values"]
        for obj in yaml.safe_load_all(release.read_text())
        if obj["kind"] == "HelmRelease"
    )
    return found


def test_argocds_health_is_off_by_default() -> None:
    assert [o for o in render() if o["metadata"]["name"].endswith("-argocd-health")] == []


def test_argocds_health_is_the_script_under_the_key_it_looks_for() -> None:
    wanted = {"gitops": {"argocd": {"healthConfigMap": {"enabled": True}}}}
    found = only(render(wanted), "ConfigMap", "daap-operator-argocd-health")
    scripts = {f"{KEY}{each.parent.name}": each.read_text() for each in SCRIPTS.glob("*/*.lua")}
    assert len(scripts) == 5
    assert found["data"] == scripts
    # It is the chart's, and not for Argo CD to read
    assert found["metadata"]["labels"]["app.kubernetes.io/part-of"] == "daap"


def test_a_misspelt_switch_is_refused() -> None:
    with pytest.raises(HelmError, match="healthConfigmap"):
        render({"gitops": {"argocd": {"healthConfigmap": {"enabled": True}}}})


@pytest.mark.parametrize("tool", ["argocd", "flux"])
def test_the_values_of_an_example_are_taken(tool: str) -> None:
    wanted = values(tool)["metadataDatabase"]["existingSecret"]
    for name, pod in pod_specs(render(values(tool))).items():
        if not name.startswith(("Deployment/", "Job/")):
            continue
        (container,) = pod["containers"]
        environment = {entry["name"]: entry for entry in container["env"]}
        taken = environment["DATABASE_URL"]["valueFrom"]["secretKeyRef"]
        assert {key: taken[key] for key in wanted} == wanted, name


def test_what_uninstalling_must_not_take_is_kept_under_argocd_too() -> None:
    """Argo CD reads Helm's annotation as Delete=false, and no hook of Helm's beside its own."""
    objects = render()
    for definition in DEFINITIONS:
        kept = only(objects, "CustomResourceDefinition", definition.name)["metadata"]
        assert kept["annotations"]["helm.sh/resource-policy"] == "keep"
    annotations = [key for o in objects for key in o["metadata"].get("annotations") or {}]
    assert [key for key in annotations if key.startswith("argocd.argoproj.io/hook")] == []
