"""The command: arguments, environment, exit codes."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from daap_operator import __version__, cli, crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.errors import StartError
from daap_operator.settings import Settings

URL = "postgresql://daap:hunter2@db.example/daap"
VARIABLES = [field.alias or "" for field in Settings.model_fields.values()]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings an operator was started with, and nothing else happens."""
    seen: list[Settings] = []

    class Operator:
        def __init__(self, settings: Settings, *, deposed: object) -> None:
            assert deposed
            seen.append(settings)

        def stop(self) -> None: ...

        async def run(self) -> None: ...

    monkeypatch.setattr("daap_operator.cli.Operator", Operator)
    monkeypatch.setattr("daap_operator.logs.configure", lambda **_: None)
    return seen


def test_run_starts_an_operator_with_the_environments_settings(
    started: list[Settings], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("DATABASE_URL", URL)
    environment.setenv("DAAP_WORKERS", "3")
    assert cli.main(["run"]) == 0
    (settings,) = started
    assert settings.database_url.get_secret_value() == URL
    assert settings.workers == 3


@pytest.mark.parametrize("command", ["run", "migrate"])
def test_a_missing_setting_is_told_and_nothing_is_started(
    command: str, started: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command]) == 2
    assert capsys.readouterr().err.startswith("error: DATABASE_URL is not set: set it, for example")
    assert started == []


def test_a_wrong_setting_is_told_without_the_password(
    started: list[Settings],
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment.setenv("DATABASE_URL", URL)
    environment.setenv("DAAP_WORKERS", "many")
    assert cli.main(["run"]) == 2
    out, err = capsys.readouterr()
    assert "DAAP_WORKERS='many': " in err
    assert "hunter2" not in out + err
    assert started == []


def test_what_keeps_the_operator_from_starting_is_told(
    started: list[Settings], environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(operator: object) -> None:
        raise StartError("cannot reach the API server: set KUBECONFIG")

    environment.setenv("DATABASE_URL", URL)
    environment.setattr("daap_operator.cli.Operator.run", run)
    assert cli.main(["run"]) == 2
    assert capsys.readouterr().err == "error: cannot reach the API server: set KUBECONFIG\n"


def test_migrate_needs_the_database_alone(environment: pytest.MonkeyPatch) -> None:
    asked: list[tuple[argparse.Namespace, str]] = []

    def migrate(args: argparse.Namespace, url: str) -> int:
        asked.append((args, url))
        return 3

    environment.setattr("daap_operator.migrate.main", migrate)
    environment.setenv("DATABASE_URL", URL)
    environment.setenv("DAAP_WORKERS", "many")
    assert cli.main(["migrate"]) == 3
    assert [url for _, url in asked] == [URL]


def test_crds_prints_the_definition(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["crds"]) == 0
    assert capsys.readouterr().out == crd.render(*DEFINITIONS)


def test_crds_writes_the_definition_to_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["crds", "--output", str(tmp_path / "crd.yaml")]) == 0
    assert (tmp_path / "crd.yaml").read_text() == crd.render(*DEFINITIONS)
    assert capsys.readouterr().out == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"daap-operator {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["run", "now"], ["crds", "--output"], ["migrate", "--fast"]],
    ids=lambda arguments: " ".join(arguments) or "none",
)
def test_wrong_arguments_are_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: daap-operator" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "migrate", "crds"])
def test_every_command_is_listed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out: Any = capsys.readouterr().out
    assert command in out


TRY = ["try", "--namespace=shop", "--name=trial", "--owner-team=platform"]


@pytest.mark.parametrize(("given", "used"), [(None, None), ("", None), ("/a/config", "/a/config")])
def test_run_and_try_take_an_empty_kubeconfig_for_unset(
    given: str | None,
    used: str | None,
    started: list[Settings],
    environment: pytest.MonkeyPatch,
) -> None:
    asked: list[str | None] = []

    async def connect(kubeconfig: str | None) -> None:
        asked.append(kubeconfig)
        raise StartError("enough")

    environment.setattr("daap_operator.kube.Kube.connect", connect)
    environment.setenv("DATABASE_URL", URL)
    if given is not None:
        environment.setenv("KUBECONFIG", given)
    assert cli.main(["run"]) == 0
    assert cli.main(TRY) == 2
    assert [started[0].kubeconfig, *asked] == [used, used]
