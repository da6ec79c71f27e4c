"""Packing a root file system as a docker-archive: one layer, written without any image tool."""

import hashlib
import io
import json
import tarfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dev.cluster import commands

# What a mount left in the root is not part of it; sorted and undated: same root, same layer.
TAR = ("tar", "--numeric-owner", "--sort=name", "--mtime=@0")
LEFT_OUT = ("./proc/*", "./sys/*", "./dev/*", "./run/lock/*")


def pack(
    root: Path, out: Path, *, names: Collection[str], config: Mapping[str, Any], architecture: str
) -> None:
    """Write the archive of `root` to `out`, whole or not at all.

    `config` is that of the image specification: Env, Entrypoint, User. Raises ClusterError.
    """
    layer, partial = out.with_suffix(".layer"), out.with_suffix(".partial")
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    commands.run(*TAR, *excluded, "-C", root, "-cf", layer, ".")
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    image = image_config(digest, config, architecture)
    image_name = f"{hashlib.sha256(image).hexdigest()}.json"
    layer_name = f"{digest}/layer.tar"
    index = [{"Config": image_name, "RepoTags": list(names), "Layers": [layer_name]}]
    with tarfile.open(partial, "w") as archive:
        archive.add(layer, layer_name)
        for name, content in ((image_name, image), ("manifest.json", json.dumps(index).encode())):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    layer.unlink()
    partial.rename(out)


def image_config(layer_digest: str, config: Mapping[str, Any], architecture: str) -> bytes:
    """The image's configuration file; `layer_digest` is the SHA-256 of its only layer."""
    content = {
        "architecture": architecture,
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{}],
    }
    return json.dumps(content).encode()


def image_names(archive: Path) -> list[str]:
    """The names of the images in a docker-archive, none when the file is not one."""
    try:
        with tarfile.open(archive) as tar:
            index = tar.extractfile("manifest.json")
            content = json.load(index) if index else []
    except (tarfile.TarError, KeyError, ValueError):
        return []
    return [name for image in content for name in image.get("RepoTags") or ()]
