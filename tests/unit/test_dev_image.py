"""The operator's image: which builder makes it, and how it gets into a cluster."""

import json
import shutil
import stat
import sys
from pathlib import Path

import pytest

from daap_operator import __version__
from dev import image
from dev.cluster import buildah
from dev.image import __main__ as command
from dev.image import root


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs named docker and kind that write down what they are asked; gives the record."""
    record = tmp_path / "asked"
    for name in ("docker", "kind"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {record}\necho 107000000\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("DAAP_KIND", raising=False)
    return record


@pytest.fixture
def built_by_buildah(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Calls of the builder without Docker, which gives back an archive of 5 bytes."""
    calls: list[object] = []

    def build(directory: Path, tag: str, *, labels: dict[str, str]) -> Path:
        calls.append((directory, tag, labels))
        archive = tmp_path / "image.tar"
        archive.write_text("12345")
        return archive

    monkeypatch.setattr(buildah, "build", build)
    return calls


def test_docker_builds_where_it_answers(programs: Path, built_by_buildah: list[object]) -> None:
    built = image.build("a:1")
    assert built == image.Built("a:1", None, 107_000_000)
    asked = programs.read_text()
    assert f"--label=org.opencontainers.image.version={__version__}" in asked
    assert f"--tag a:1 {image.ROOT}" in asked
    assert built_by_buildah == []


def test_without_docker_an_archive_is_built(programs: Path, built_by_buildah: list[object]) -> None:
    built = image.build("a:1", docker=False)
    assert (built.archive and built.archive.name, built.bytes) == ("image.tar", 5)
    ((directory, tag, labels),) = json.loads(json.dumps(built_by_buildah, default=str))
    assert (directory, tag) == (str(image.ROOT), "a:1")
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.revision"]
    assert not programs.exists()


def test_kind_loads_from_docker_and_our_cluster_an_archive(programs: Path, tmp_path: Path) -> None:
    image.load(image.Built("a:1", None, 1), "mine", Path("kind"))
    image.load(image.Built("a:1", tmp_path / "a.tar", 1), "mine", Path("kind"))
    assert programs.read_text().splitlines() == [
        "kind load docker-image a:1 --name mine",
        f"kind load image-archive {tmp_path}/a.tar --name mine",
    ]


def test_an_image_for_a_cluster_is_built_by_what_the_cluster_loads_from(
    programs: Path,
    built_by_buildah: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["image", "--tag", "a:1", "--load", "mine"])
    monkeypatch.setattr("dev.cluster.provider.OURS", tmp_path / "bin/kind")
    monkeypatch.setenv("DAAP_KIND", str(tmp_path / "bin/kind"))
    assert command.main() == 0
    assert "kind load image-archive" in programs.read_text()
    assert capsys.readouterr().out.startswith("a:1  0 MB uncompressed  ")


def test_a_fault_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["image", "--load", "mine"])
    monkeypatch.setenv("DAAP_KIND", "/nowhere/kind")
    assert command.main() == 1
    assert capsys.readouterr().err.startswith("ERROR: DAAP_KIND=/nowhere/kind is not a program")


def test_each_store_counts_its_mounts_in_a_place_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []
    for cache in ("one", "other", "one"):
        monkeypatch.setenv("DAAP_CACHE", str(tmp_path / cache))
        monkeypatch.setenv("DAAP_STATE", str(tmp_path / "state"))
        commands.append(buildah.command("images"))
    one, other, again = commands
    assert one == again
    assert one[one.index("--runroot") + 1] != other[other.index("--runroot") + 1]


def test_the_environment_keeps_the_linter_and_no_other_command(tmp_path: Path) -> None:
    (tmp_path / "lib/python3.13/site-packages/kubernetes").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name in ("python", "python3", "squawk", "normalizer", "yoyo", "kopf"):
        (tmp_path / "bin" / name).touch()
    root._without_unused(tmp_path)
    assert sorted(each.name for each in (tmp_path / "bin").iterdir()) == [
        "python",
        "python3",
        "squawk",
    ]


def test_what_the_linter_loads_is_copied_too(tmp_path: Path) -> None:
    program = shutil.which("squawk", path=str(Path(sys.executable).parent))
    assert program
    below = tmp_path / Path(program).relative_to("/")
    below.parent.mkdir(parents=True)
    below.touch()
    assert any("libgcc_s" in each for each in root._loaded(tmp_path))
