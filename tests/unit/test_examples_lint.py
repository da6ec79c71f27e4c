"""The examples of whole schemas as `daap-operator schema` sees them, without a database."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

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
