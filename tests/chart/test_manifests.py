"""`kubectl apply -k manifests/` gives the objects of the default chart."""

from functools import cache

import yaml

from dev.cluster import programs
from dev.generate import manifests
from dev.installation import CHART
from tests.support.helm import Object, helm, render


def by_name(objects: list[Object]) -> dict[tuple[str, str, str], Object]:
    return {
        (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in objects
    }


@cache
def kustomized(directory: str = "") -> list[Object]:
    kubectl = programs.build(["kubectl"])["kubectl"]
    text = manifests.run(kubectl, "kustomize", manifests.MANIFESTS / directory)
    return [obj for obj in yaml.load_all(text, yaml.CSafeLoader) if obj]


def test_the_files_are_up_to_date() -> None:
    stale = [path for path, text in manifests.generated() if path.read_text() != text]
    assert not stale, "run make manifests"


def test_they_are_the_objects_of_the_default_chart() -> None:
    assert by_name(kustomized()) == by_name(manifests.plain(render()))


def test_nothing_of_helms_is_left() -> None:
    text = yaml.dump_all(kustomized(), Dumper=yaml.CSafeDumper)
    assert "helm.sh" not in text
    assert "Helm" not in text
    kept = {
        o["kind"]
        for o in render()
        if o["metadata"].get("annotations", {}).get("helm.sh/hook") != "test"
    }
    assert {o["kind"] for o in kustomized()} == kept


def test_the_operator_can_be_removed_without_the_databases() -> None:
    kinds = {obj["kind"] for obj in kustomized("operator")}
    assert {"Deployment", "Job", "ClusterRole"} <= kinds
    assert "CustomResourceDefinition" not in kinds


def test_helm_packages_the_chart(tmp_path: object) -> None:
    said = helm("package", str(CHART), f"--destination={tmp_path}")
    assert "Successfully packaged" in said
