"""Docker-archives: what is packed can be read back as the image specification says."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from dev.cluster import archive
from dev.cluster.errors import ClusterError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "root"
    for folder in ("bin", "proc/1", "tmp"):
        (directory / folder).mkdir(parents=True)
    program = directory / "bin/program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (directory / "link").symlink_to("bin/program")
    (directory / "proc/1/stat").write_text("of a mount that was left")
    return directory


def pack(root: Path, out: Path) -> Path:
    config = {"Entrypoint": ["/link"], "User": "26"}
    archive.pack(root, out, names=["a/b:1", "a/b:2"], config=config, architecture="arm64")
    return out


def test_an_archive_round_trip(root: Path, tmp_path: Path) -> None:
    with tarfile.open(pack(root, tmp_path / "image.tar")) as tar:
        members = {name: tar.extractfile(name) for name in tar.getnames()}
        content = {name: file.read() for name, file in members.items() if file}
    (index,) = json.loads(content["manifest.json"])
    image, layer = json.loads(content[index["Config"]]), content[index["Layers"][0]]
    assert index["RepoTags"] == ["a/b:1", "a/b:2"]
    assert index["Config"] == f"{hashlib.sha256(content[index['Config']]).hexdigest()}.json"
    assert image["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert image["config"] == {"Entrypoint": ["/link"], "User": "26"}
    assert (image["architecture"], image["os"]) == ("arm64", "linux")
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        assert files.getmember("./bin/program").mode == 0o755
        assert files.getmember("./link").linkname == "bin/program"
        assert "./proc" in files.getnames()
        assert "./proc/1" not in files.getnames()


def test_the_same_root_makes_the_same_archive(root: Path, tmp_path: Path) -> None:
    first = pack(root, tmp_path / "1.tar")
    os.utime(root / "bin/program", (1, 1))
    with tarfile.open(first) as one, tarfile.open(pack(root, tmp_path / "2.tar")) as two:
        assert one.getnames() == two.getnames()


def test_the_names_of_an_archive_are_read_back(root: Path, tmp_path: Path) -> None:
    assert archive.image_names(pack(root, tmp_path / "image.tar")) == ["a/b:1", "a/b:2"]


def test_another_file_is_no_archive(tmp_path: Path) -> None:
    other = tmp_path / "other.tar"
    other.write_text("no tar")
    assert archive.image_names(other) == []


def test_a_failed_packing_leaves_no_archive(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="tar"):
        pack(tmp_path / "absent", tmp_path / "image.tar")
    assert not (tmp_path / "image.tar").exists()
