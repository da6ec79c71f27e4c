"""What is installed is what is locked: no step of any file resolves, builds or takes the newest."""

import ast
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dev import sbom
from dev.cluster import packages, programs, versions
from dev.generate.__main__ import IMAGE_LOCKS, LOCKS
from tests.support import client_libraries

ROOT = Path(__file__).parents[2]
SHELL = ("*.sh", "*.yml", "*.yaml", "*.tpl", "Makefile", "*Dockerfile*", "run", "*.py", "kind")
"""Files that may install something, by name."""
PIP = r"\bpip3?\s+(?:-\S+\s+(?:/\S+\s+)?)*(?:install|download|wheel)\b"
DISTRIBUTION = {"dev/venv.sh", "dev/cluster/packages.py", "dev/cluster/images.py"} | {
    "dev/cluster/buildah.py",
    "dev/cluster/sidecar/Dockerfile",
    "dev/cluster/commands.py",  # what to do without it, in an error
}
"""Where Debian's own packages are installed, of the release that the machine or image is of."""


def tracked() -> list[Path]:
    command = ["git", "ls-files", "-z", "--", *(f":(glob)**/{name}" for name in SHELL)]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and Path(ROOT, name).exists()]


def commands(path: Path) -> Iterator[str]:
    """The command lines of a file; of Python, the words in each function, docstrings left out."""
    text = path.read_text()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                yield " ".join(words(node))
        return
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    yield from re.split(r"\n|&&|\|\||;", re.sub(r"\\\n", " ", text))


def words(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif not docstring and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from words(child)


def steps(pattern: str) -> list[tuple[str, str]]:
    """File and command of every step that matches; unit tests, which install nothing, left out."""
    return [
        (str(path.relative_to(ROOT)), " ".join(command.split()))
        for path, found in commands_by_file()
        for command in found
        if re.search(pattern, command)
    ]


@functools.cache
def commands_by_file() -> list[tuple[Path, list[str]]]:
    here = Path(__file__).parent
    return [(path, list(commands(path))) for path in tracked() if path.parent != here]


def test_pip_takes_the_lock_as_it_is() -> None:
    found = steps(PIP)
    assert {name for name, _ in found} == {
        *("dev/venv.sh", "Dockerfile", "tests/e2e/client/Dockerfile", "tests/support/clients.py"),
        *("tests/e2e/clients/Dockerfile", "tests/support/client_libraries.py"),
        "dev/cluster/sidecar/Dockerfile",
    }
    for name, command in found:
        assert "--no-deps" in command, f"{name} resolves: {command}"
        ours = "--no-index" in command and ("--editable ." in command or "dist/*.whl" in command)
        hashed = "--require-hashes" in command and "--only-binary=:all:" in command
        locked = hashed and re.search(r"\b(?:requirements|run|build)\b\S*", command)
        assert ours or locked, f"{name} takes what is not locked: {command}"


@pytest.mark.parametrize(
    "resolving",
    [
        *(r"\buvx?\b.* (?:sync|run|add|install)\b", r"\bpipx? (?:run|inject)\b", r"\bpipx\b"),
        *(r"\bgo\s+(?:get|install|run)\b", r"@latest\b", r"go-version:\s*stable"),
        *(
            r"\bnpm\s+(?:-\S+\s+)*(?:i|install|add|update|exec|x)\b",
            r"\bmvnw?\s.*\b(?:package|verify|install|compile|dependency:(?!\d))",
            r"\bnpx\b",
            r"\byarn\b",
            r"\bcargo install\b(?!.*--locked)",
        ),
        *(r"\b(?:curl|wget)\s+(?:-|http)", r"\bgem install\b"),
    ],
)
def test_nothing_takes_the_newest(resolving: str) -> None:
    assert steps(resolving) == []


def test_npm_takes_the_lock_as_it_is_and_runs_nothing_of_it() -> None:
    found = steps(r"\bnpm-cli\.js\b|\bnpm\s+(?:-|ci\b)")
    assert {name for name, _ in found} == {"tests/support/client_libraries.py"}
    for name, command in found:
        assert re.search(r"\bci\b", command), f"{name} resolves: {command}"
        assert "--ignore-scripts" in command


def test_an_npm_lock_has_checksums_and_no_addresses() -> None:
    folder = ROOT / "tests/e2e/clients/node"
    lock = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert lock.pop("") == {
        "dependencies": json.loads((folder / "package.json").read_text())["dependencies"]
    }
    for name, package in lock.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_maven_brings_files_of_known_checksums_and_nothing_that_they_ask_for() -> None:
    found = steps(r"\bmvnw?\s+-")
    assert {name for name, _ in found} == {"tests/support/client_libraries.py"}
    assert client_libraries.MAVEN_PLUGIN.endswith("maven-dependency-plugin:3.8.1")
    for name, command in found:
        assert ":copy" in command, f"{name} resolves: {command}"
    for jar in client_libraries.jars():
        assert re.fullmatch(r"[\w.-]+:[\w.-]+:\d+(?:\.\d+)+", jar.coordinates)
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256)


def test_another_file_under_the_name_of_a_jar_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bring(*command: str) -> None:
        for jar in client_libraries.jars():
            (tmp_path / f"{jar.artifact}.jar").write_bytes(b"another")

    monkeypatch.setattr(client_libraries, "_run", bring)
    monkeypatch.setattr(packages, "require", lambda programs: None)
    with pytest.raises(AssertionError, match=r"HikariCP:\S+ is not the one in java/jars.txt"):
        client_libraries._jars(tmp_path)


def test_only_debians_own_packages_come_from_debian() -> None:
    assert {
        name for name, _ in steps(r"\bapt(?:-get)?\s.*\b(?:install|download)\b")
    } <= DISTRIBUTION


@pytest.mark.parametrize("program", programs.PROGRAMS.values(), ids=lambda program: program.name)
def test_a_go_program_is_built_from_what_its_module_locks(program: programs.Program) -> None:
    assert "-mod=readonly" in program.flags
    module = versions.MODULES / program.module
    required = re.findall(r"^\t(?:\S+) (v\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    assert required
    assert (module / "go.sum").read_text().count(" h1:") >= len(required)


def test_the_go_clients_are_built_from_what_their_module_locks() -> None:
    assert "-mod=readonly" in programs.GO_FLAGS
    module = client_libraries.SOURCE / "go"
    required = re.findall(r"^\t(?:\S+) (v\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    assert (module / "go.sum").read_text().count(" h1:") >= len(required) > 2


@pytest.mark.parametrize("lock", IMAGE_LOCKS)
def test_a_lock_of_an_image_is_checked_to_be_whole_where_it_is_installed(lock: str) -> None:
    dockerfile = (ROOT / lock).with_name("Dockerfile").read_text()
    assert re.search(r"pip install [^&]*requirements\.txt\s*\\\n\s*&& \S*pip check", dockerfile)
    assert " @ " not in (ROOT / lock).read_text()


def test_the_operators_image_is_checked_to_be_whole() -> None:
    """It has no pip of its own: the one beside it asks."""
    dockerfile = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    for command in re.findall(r"^RUN .*run\.txt.*$", dockerfile, re.MULTILINE):
        assert re.search(r"&& python -m pip [^&]*--python /opt/daap/bin/python check$", command)
    assert dockerfile.count("run.txt") == 2


# --- the locks are whole --------------------------------------------------------------------------


def pins(lock: str) -> dict[str, str]:
    found = sbom.read((ROOT / lock).read_text())
    return {canonicalize_name(pinned.name): pinned.version for pinned in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_that_its_packages_need_here(lock: str) -> None:
    """With the extras by which one package names another: pip's own check leaves these out."""
    locked = pins(lock)
    here = {name: extras for name, extras in needed(wanted(lock)).items() if name not in locked}
    assert here == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_tried_here_is_what_is_installed_there(lock: str) -> None:
    tried = pins("requirements/dev.txt")
    assert {name: tried.get(name) for name in pins(lock)} == pins(lock)


def wanted(lock: str) -> list[Requirement]:
    """The packages of a lock that nothing in it needs: what was asked for."""
    found = sbom.read((ROOT / lock).read_text())
    names = {canonicalize_name(pinned.name) for pinned in found}
    installed = {canonicalize_name(dist.name) for dist in metadata.distributions()}
    return [Requirement(name) for name in sorted(names & installed)]


def needed(requirements: list[Requirement]) -> dict[str, set[str]]:
    """Every package that these need on this machine, by name, with the extras asked of it."""
    found: dict[str, set[str]] = {}
    todo = list(requirements)
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        extras = requirement.extras | {""}
        if extras <= found.get(name, set()):
            continue
        found.setdefault(name, set()).update(extras)
        for text in metadata.requires(name) or []:
            further = Requirement(text)
            if any(not further.marker or further.marker.evaluate({"extra": e}) for e in extras):
                version = metadata.version(further.name)
                assert further.specifier.contains(version, prereleases=True), f"{name}: {text}"
                todo.append(further)
    return found


# --- the set-up itself, with newer releases on the index ------------------------------------------


def wheel(directory: Path, name: str, version: str, *needs: str) -> str:
    """A wheel with nothing in it but what it needs; gives its lock line."""
    info = f"{name}-{version}.dist-info"
    about = "".join(f"Requires-Dist: {need}\n" for need in needs)
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{about}"
    about += "Provides-Extra: more\n"
    path = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{info}/METADATA", about)
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


BACKEND = """
import zipfile
def build_editable(directory, settings=None, metadata=None):
    name = "project-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as file:
        info = "project-1.dist-info"
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: project\\nVersion: 1\\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        file.writestr(f"{info}/RECORD", "")
    return name
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with dev/venv.sh, and an index that has more than is locked."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "index").mkdir()
    (tmp_path / "venv.sh").write_text((ROOT / "dev/venv.sh").read_text())
    (tmp_path / "backend.py").write_text(BACKEND)
    build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (tmp_path / "pyproject.toml").write_text(build)
    return tmp_path


def set_up(project: Path, lock: str) -> subprocess.CompletedProcess[str]:
    (project / "requirements/dev.txt").write_text(lock)
    environment = {name: value for name, value in os.environ.items() if "PIP" not in name}
    environment |= {"PYTHON": sys.executable, "PIP_NO_INDEX": "1"}
    environment["PIP_FIND_LINKS"] = str(project / "index")
    return subprocess.run(
        ["sh", "venv.sh"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_a_newer_release_of_what_is_named_with_an_extra_changes_nothing(project: Path) -> None:
    index = project / "index"
    lock = wheel(index, "named", "1", "extended[more]>=1") + wheel(index, "extended", "1")
    wheel(index, "extended", "2", "unlocked>=1; extra == 'more'")
    done = set_up(project, lock)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [project / ".venv/bin/python", "-m", "pip", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "extended==1\n" in listed
    assert "named==1\n" in listed


def test_a_lock_that_lacks_something_is_found_at_once(project: Path) -> None:
    index = project / "index"
    lock = wheel(index, "named", "1", "forgotten>=1")
    wheel(index, "forgotten", "1")
    done = set_up(project, lock)
    assert done.returncode == 1
    assert "requirements/dev.txt lacks something that a package in it needs" in done.stderr
    assert "named 1 requires forgotten" in done.stderr
