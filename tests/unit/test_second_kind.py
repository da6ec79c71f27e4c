"""A second kind is one entry in the list of definitions: every generated file follows."""

from pathlib import Path

import pytest
import yaml

from daap_operator import cli, crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.generate import __main__ as generate
from dev.generate import chart, manifests, reference
from dev.generate.files import ROOT
from tests.unit.toy_kind import DEFINITION as TOY

BOTH = (*DEFINITIONS, TOY)
TEMPLATES = ROOT / "charts/daap-operator/templates/crds"
API = ROOT / "docs/reference/api.md"


def files(monkeypatch: pytest.MonkeyPatch) -> dict[Path, str]:
    monkeypatch.setattr(generate, "DEFINITIONS", BOTH)
    monkeypatch.setattr(chart, "DEFINITIONS", BOTH)
    return dict(generate.generated("crds"))


def test_it_has_files_of_its_own_and_changes_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(generate.generated("crds"))
    after = files(monkeypatch)
    new = {ROOT / "crds/daap.io_toys.yaml", TEMPLATES / "toys.yaml"}
    assert after.keys() - before.keys() == new
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {API}
    assert after[API].startswith(before[API])


def test_its_template_can_be_switched_off_and_has_no_labels_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = files(monkeypatch)[TEMPLATES / "toys.yaml"]
    assert "{{- if .Values.crds.install }}" in text
    assert "helm.sh/resource-policy: keep" in text
    assert "servicebinding" not in text
    assert text.endswith(crd.dump({"spec": crd.manifest(TOY)["spec"]}) + "{{- end }}\n")


def test_its_fields_are_on_the_page() -> None:
    page = reference.api(BOTH)
    toys = page.partition("## Toy\n")[2]
    assert "\nCluster-scoped: in no namespace. `kubectl explain toy.spec`" in toys
    assert "| `spec.size` | quantity | `1Gi` | How large it is. |" in toys
    assert "\nNamespaced." in page.partition("## Toy\n")[0]


def test_its_manifest_is_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [crd.manifest(definition) for definition in BOTH]
    monkeypatch.setattr(manifests, "rendered", lambda: made)
    written = {
        path.name: text for path, text in manifests.generated() if path.parent.name == "crds"
    }
    listed = yaml.safe_load(written.pop("kustomization.yaml"))["resources"]
    assert listed == list(written) == ["daapdatabases.yaml", "toys.yaml"]
    assert [yaml.safe_load(text) for text in written.values()] == made


def test_the_command_prints_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "DEFINITIONS", BOTH)
    assert cli.main(["crds"]) == 0
    assert capsys.readouterr().out == crd.render(*BOTH)
