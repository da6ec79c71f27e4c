"""A second kind is one entry among the definitions and one among the controllers: files follow."""

from pathlib import Path

import pytest
import yaml

from daap_operator import cli, crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.kinds.served import KINDS
from daap_operator.rights import rights
from dev.generate import __main__ as generate
from dev.generate import chart, manifests, reference
from dev.generate.files import ROOT
from tests.toys.team import DEFINITION as TEAM
from tests.toys.team import TeamController

BOTH = (*DEFINITIONS, TEAM)
TEMPLATES = ROOT / "charts/daap-operator/templates/crds"
API, RBAC = ROOT / "docs/reference/api.md", ROOT / "docs/reference/rbac.md"
RULES = ROOT / "charts/daap-operator/templates/_rules.tpl"


def files(monkeypatch: pytest.MonkeyPatch) -> dict[Path, str]:
    monkeypatch.setattr(generate, "DEFINITIONS", BOTH)
    monkeypatch.setattr(chart, "DEFINITIONS", BOTH)
    monkeypatch.setattr(chart, "RIGHTS", rights((*KINDS, TeamController)))
    return dict(generate.generated("crds"))


def test_it_has_files_of_its_own_and_changes_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(generate.generated("crds"))
    after = files(monkeypatch)
    new = {ROOT / "crds/toys.example_daapteams.yaml", TEMPLATES / "daapteams.yaml"}
    assert after.keys() - before.keys() == new
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {API, RULES, RBAC}
    assert after[API].startswith(before[API])


def test_its_template_can_be_switched_off_and_has_no_labels_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = files(monkeypatch)[TEMPLATES / "daapteams.yaml"]
    assert "{{- if .Values.crds.install }}" in text
    assert "helm.sh/resource-policy: keep" in text
    assert "servicebinding" not in text
    assert text.endswith(crd.dump({"spec": crd.manifest(TEAM)["spec"]}) + "{{- end }}\n")


def test_its_fields_are_on_the_page() -> None:
    page = reference.api(BOTH)
    teams = page.partition("## DaapTeam\n")[2]
    assert "\nCluster-scoped: in no namespace. `kubectl explain daapteam.spec`" in teams
    assert "| `spec.quota` | integer, 0 to 1000 | `10` | How many databases it may have. |" in teams
    assert "\nNamespaced." in page.partition("## DaapTeam\n")[0]


def test_its_manifest_is_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made = sorted((crd.manifest(each) for each in BOTH), key=lambda made: made["metadata"]["name"])
    monkeypatch.setattr(manifests, "rendered", lambda: made)
    written = {
        path.name: text for path, text in manifests.generated() if path.parent.name == "crds"
    }
    listed = yaml.safe_load(written.pop("kustomization.yaml"))["resources"]
    names = ["daapbackups", "daapdatabases", "daapdrills", "daaprestores"]
    names += ["daapschemas", "daapteams"]
    assert listed == list(written) == [f"{name}.yaml" for name in names]
    assert [yaml.safe_load(text) for text in written.values()] == made


def test_the_command_prints_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "DEFINITIONS", BOTH)
    assert cli.main(["crds"]) == 0
    assert capsys.readouterr().out == crd.render(*BOTH)
