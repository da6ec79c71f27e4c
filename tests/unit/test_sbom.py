"""The bill of materials: valid, and exactly what the image is built from."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from daap_operator import __version__
from dev import sbom

LOCK = f"""first==1.0 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via
    #   daap-operator (pyproject.toml)
    #   second
second-one==2.0.post1 ; python_full_version < '3.15' \\
    --hash=sha256:{"c" * 64}
    # via first
"""


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sbom.render(sbom.LOCK.read_text()))
    return found


def test_a_lock_file_is_read_whole() -> None:
    assert sbom.read(LOCK) == [
        sbom.Pinned("first", "1.0", ("a" * 64, "b" * 64), ("daap-operator", "second")),
        sbom.Pinned("second-one", "2.0.post1", ("c" * 64,), ("first",)),
    ]


@pytest.mark.parametrize("lock", ["", "first>=1.0\n", "first==1.0\n    # via second\n"])
def test_a_package_without_version_or_hash_is_a_fault(lock: str) -> None:
    with pytest.raises(sbom.LockError, match="run make lock"):
        sbom.read(lock)


def test_it_is_valid_by_the_schema(shipped: dict[str, Any]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(shipped)) is None


def test_it_has_every_package_of_the_lock_with_its_hashes(shipped: dict[str, Any]) -> None:
    found = {
        component["name"]: (component["version"], {h["content"] for h in component["hashes"]})
        for component in shipped["components"]
    }
    pinned = sbom.read(sbom.LOCK.read_text())
    assert found == {package.name: (package.version, set(package.hashes)) for package in pinned}
    assert len(found) == sum("==" in line for line in sbom.LOCK.read_text().splitlines())
    assert shipped["metadata"]["component"]["version"] == __version__


def test_every_package_has_a_licence_and_somebody_who_needs_it(shipped: dict[str, Any]) -> None:
    assert [c["name"] for c in shipped["components"] if not c.get("licenses")] == []
    needed = {ref for entry in shipped["dependencies"] for ref in entry.get("dependsOn", [])}
    assert needed == {component["bom-ref"] for component in shipped["components"]}


def test_a_licence_is_told_only_of_the_version_that_is_installed() -> None:
    lock = f"kopf=={{}} \\\n    --hash=sha256:{'a' * 64}\n    # via daap-operator\n"
    (installed,), (other,) = (
        json.loads(sbom.render(lock.format(version)))["components"]
        for version in (metadata.version("kopf"), "0.0.1")
    )
    assert installed["licenses"] == [{"license": {"id": "MIT"}}]
    assert "licenses" not in other


def test_the_same_lock_has_the_same_number() -> None:
    numbers = {json.loads(sbom.render(lock))["serialNumber"] for lock in (LOCK, LOCK, LOCK + " ")}
    assert len(numbers) == 1
    assert json.loads(sbom.render(LOCK.replace("2.0", "2.1")))["serialNumber"] not in numbers


def test_the_command_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "sbom.json"
    monkeypatch.setattr("sys.argv", ["sbom", "--output", str(output)])
    assert sbom.main() == 0
    assert capsys.readouterr().out == f"{output}\n"
    assert json.loads(output.read_text())["bomFormat"] == "CycloneDX"


def test_a_broken_lock_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sbom, "LOCK", tmp_path / "run.txt")
    (tmp_path / "run.txt").write_text("first\n")
    monkeypatch.setattr("sys.argv", ["sbom", "--output", str(tmp_path / "sbom.json")])
    assert sbom.main() == 1
    assert "'first' has no version or no hash: run make lock" in capsys.readouterr().err
