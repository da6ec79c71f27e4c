"""The newcomer's guard: what it reads from the README, and what machine it makes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.cluster import mounts
from dev.cluster.errors import ClusterError
from dev.newcomer import machine, readme

README = (Path(__file__).parents[2] / "README.md").read_text()
PROMISES = readme.read(README)


def test_the_readme_promises_two_commands_and_what_they_show() -> None:
    assert PROMISES.commands == ("make demo", "make test")
    assert PROMISES.shown_by == "kubectl get daapdatabases --namespace shop"
    assert PROMISES.header[:3] == ("NAME", "READY", "STATUS")
    assert PROMISES.row[0] == "orders"
    assert (PROMISES.first_minutes, PROMISES.later_minutes) == (20, 2)


def printed(*lines: tuple[str, ...]) -> str:
    return "".join("   ".join(line) + "\n" for line in lines)


def test_only_the_age_may_differ() -> None:
    row = (*PROMISES.row[:-1], "25s")
    assert readme.difference(PROMISES, printed(PROMISES.header, row)) is None


@pytest.mark.parametrize(
    "lines",
    [
        (PROMISES.header,),
        (PROMISES.header, (*PROMISES.row[:1], "False", *PROMISES.row[2:])),
        ((*PROMISES.header, "MORE"), PROMISES.row),
        (PROMISES.header, PROMISES.row, PROMISES.row),
    ],
    ids=["no database", "not ready", "another column", "another database"],
)
def test_any_other_difference_is_told(lines: tuple[tuple[str, ...], ...]) -> None:
    found = readme.difference(PROMISES, printed(*lines))
    assert found
    assert found.startswith(PROMISES.shown_by)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (README.replace("## Try it", "## Go"), "a section 'Try it'"),
        (README.replace("$ kubectl", "kubectl"), "a command with its output"),
        (README.replace("about twenty minutes", "some minutes"), "how long it takes"),
        (README.replace("about twenty minutes", "about umpteen minutes"), "'umpteen minutes'"),
    ],
)
def test_a_promise_that_is_gone_is_told(text: str, message: str) -> None:
    with pytest.raises(readme.ReadmeError, match=message):
        readme.read(text)


def test_a_newcomer_has_nothing_of_the_developers_but_the_way_to_the_registries(
    tmp_path: Path,
) -> None:
    inherited = {
        "PATH": os.environ["PATH"],
        "HOME": "/home/developer",
        "XDG_CACHE_HOME": "/cache",
        "DAAP_CACHE": "/cache/daap",
        "GOMODCACHE": "/cache/go",
        "KUBECONFIG": "/home/developer/.kube/config",
        "DATABASE_URL": "postgresql://",
        "VIRTUAL_ENV": "/venv",
        "PIP_CERT": "/ca.crt",
        "https_proxy": "http://proxy.example",
    }
    made = machine.environment(
        tmp_path / "home", Path(sys.executable), {"GOPROXY": "off"}, inherited
    )
    assert {name for name in made if name not in ("PATH", "HOME")} == {
        *("PIP_CERT", "https_proxy", "GOPROXY"),
    }
    assert made["HOME"] == str(tmp_path / "home")
    version = subprocess.run(
        ["python3", "-c", "import sys; print(sys.version)"],
        env=made,
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.strip() == sys.version


def test_pythons_are_found_by_what_they_are(tmp_path: Path) -> None:
    for name, version in {"3.10": "3 10", "3.11": "3 11", "3.12": "3 13", "3.14": "3 14"}.items():
        program = tmp_path / f"python{name}"
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    (tmp_path / "python3.15").write_text("no program")
    assert set(machine.pythons([tmp_path])) == {(3, 11), (3, 14)}


def test_a_home_with_read_only_modules_goes(tmp_path: Path) -> None:
    module = tmp_path / "home/go/pkg/mod/example.test"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("")
    module.chmod(0o500)
    machine.remove(tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_nothing_is_deleted_through_a_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(mounts, "_mountinfo", lambda: f"1 2 0:3 / {home}/merged rw - proc proc rw")
    with pytest.raises(ClusterError, match="cannot unmount"):
        machine.remove(home)
    assert home.exists()
