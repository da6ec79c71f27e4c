"""The examples of whole schemas as `daap-operator schema` sees them, without a database."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from daap_operator.api.v1alpha1 import DaapSchemaSpec
from daap_operator.cli import main

ROOT = Path(__file__).parents[2]
each_example = pytest.mark.parametrize("example", ["gpu-dev", "nomad-services"])


def lint_of_the_readme(example: str) -> list[str]:
    """The arguments of the command that the README gives."""
    readme = (ROOT / "examples" / example / "README.md").read_text()
    (command,) = re.findall(r"^daap-operator (schema lint .+)$", readme, re.MULTILINE)
    return shlex.split(command)


@each_example
def test_the_linter_finds_nothing_but_what_the_readme_leaves_out(
    example: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    command = lint_of_the_readme(example)
    assert main(command) == 0
    assert "0 errors and 0 warnings" in capsys.readouterr().out
    ignored = command[command.index("--ignore") + 1].split(",")
    assert main(["schema", "lint", command[-1]]) == 0
    found = set(re.findall(r"warning: ([a-z-]+):", capsys.readouterr().out))
    assert found == set(ignored)


@each_example
def test_every_file_runs_in_one_transaction_and_deletes_nothing(
    example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", "plan", "--json", str(ROOT / "examples" / example)]) == 0
    plan: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert len(plan["pending"]) > 5
    assert [one for one in plan["pending"] if not one["transactional"]] == []
    findings = [finding for one in plan["pending"] for finding in one["findings"]]
    assert [finding for finding in findings if finding["destructive"]] == []


@each_example
def test_the_kustomization_lists_every_file(example: str) -> None:
    directory = ROOT / "examples" / example
    made = yaml.safe_load((directory / "kustomization.yaml").read_text())
    listed = {each["name"]: each["files"] for each in made["configMapGenerator"]}
    for part in ("schema", "fixtures"):
        there = sorted(str(f.relative_to(directory)) for f in directory.glob(f"{part}/*.sql"))
        assert listed.pop(f"{example}-{part}") == there
    assert listed == {}


@each_example
def test_the_object_leaves_out_the_rules_that_the_readme_does(example: str) -> None:
    obj = yaml.safe_load((ROOT / "examples" / example / "schema.yaml").read_text())
    command = lint_of_the_readme(example)
    assert obj["spec"]["lint"]["ignore"] == command[command.index("--ignore") + 1].split(",")
    assert obj["spec"]["lint"]["level"].lower() == command[command.index("--level") + 1]


def test_the_linter_finds_nothing_in_the_example_in_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = yaml.safe_load_all((ROOT / "examples" / "schema.yaml").read_text())
    made = {obj["kind"]: obj for obj in objects}
    spec = DaapSchemaSpec.model_validate(made["DaapSchema"]["spec"])
    (config_map,), (rows,) = spec.schema_files, spec.fixtures
    assert config_map.config_map
    assert config_map.config_map.name == made["ConfigMap"]["metadata"]["name"]
    assert rows.inline
    files = {f"schema/{name}": text for name, text in made["ConfigMap"]["data"].items()}
    files |= {f"fixtures/{file.name}": file.sql for file in rows.inline}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert main(["schema", "lint", "--level", "warning", str(tmp_path)]) == 0
    assert "4 files: 0 errors and 0 warnings" in capsys.readouterr().out
