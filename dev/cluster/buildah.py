"""Building a Dockerfile without Docker: buildah, in a store of its own, on the cached Debian."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev.cluster import commands, images, packages, paths, versions
from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step

SPACE_BYTES = 2 * paths.GIB
APT = "/etc/apt/apt.conf.d/99-this-machine"
CACHED = 12
"""Untagged images that are kept, each the last of a stage."""
# The build uses the machine's network and certificates, and pulls nothing.
OPTIONS = (
    "--isolation=chroot",
    "--network=host",
    "--pull=never",
    "--layers",
    "--volume=/etc/ssl/certs:/etc/ssl/certs:ro",
)
# Under the names of the official image: a Dockerfile calls python and pip, in /usr/local/bin.
PYTHON_DOCKERFILE = f"""
FROM scratch
ADD root.tar /
ENV LANG=C.UTF-8 PATH={images.SYSTEM_PATH}
RUN apt-get update -qq \\
 && apt-get install -y -qq --no-install-recommends python3 python3-venv python3-pip \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb \\
 && rm /usr/lib/python3*/EXTERNALLY-MANAGED \\
 && for name in python python3 python{versions.PYTHON}; do \\
      ln -s /usr/bin/python{versions.PYTHON} /usr/local/bin/$name; done
CMD ["python3"]
"""


def archive_path(tag: str, image_id: str) -> Path:
    """Where the docker-archive of an image is kept, one for each of its contents."""
    name = re.sub(r"[^a-zA-Z0-9.-]+", "_", tag)
    return paths.cache() / "built" / f"{name}-{image_id.removeprefix('sha256:')[:12]}.tar"


def build(
    directory: Path,
    tag: str,
    options: Sequence[str] = (),
    *,
    labels: Mapping[str, str] | None = None,
) -> Path:
    """Build `directory/Dockerfile` and return the docker-archive that carries the tag.

    The only base image is `python:3.13-slim`; there may be many stages. `options` are further ones
    of `buildah build`, `labels` more of the image's. An archive of an earlier content under the tag
    is removed. Raises ClusterError.
    """
    if not directory.is_dir():
        raise ClusterError(f"no directory {directory} to build an image from")
    images.require_root("building an image")
    packages.require(packages.BUILDAH)
    paths.require_space(paths.cache(), SPACE_BYTES, f"building the image {tag}")
    with paths.lock(paths.cache() / "locks" / "buildah", "waiting for another build of an image"):
        _python_base()
        with Step(f"building the image {tag}") as step, labelled(directory, labels or {}) as file:
            step.run(*command("build"), *OPTIONS, *options, "--file", file, "--tag", tag, directory)
        image_id = commands.run(*command("images"), "--no-trunc", "--quiet", tag).strip()
        archive = archive_path(tag, image_id)
        if not archive.exists():
            _push(tag, archive)
        _forget_old()
    return archive


@contextmanager
def labelled(directory: Path, labels: Mapping[str, str]) -> Iterator[Path]:
    """The Dockerfile with labels at its end: --label goes to every stage, and would build anew."""
    source = directory / "Dockerfile"
    if not source.is_file():
        raise ClusterError(f"no {source}: write one, or name the directory that has it")
    lines = [f"LABEL {json.dumps(name)}={json.dumps(value)}\n" for name, value in labels.items()]
    with images.scratch("dockerfile") as folder:
        file = folder / "Dockerfile"
        file.write_text(source.read_text() + "".join(lines))
        yield file


def _forget_old() -> None:
    """Remove what no tag leads to but the newest: the stages before the last are a cache."""
    listing = commands.ask(*command("images"), "--filter=dangling=true", "--json")
    for old in forgotten(json.loads(listing or "[]")):
        commands.ask(*command("rmi"), old)


def forgotten(untagged: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of those untagged images that are not to be kept."""
    newest_first = sorted(untagged, key=lambda image: -image["created"])
    return [image["id"] for image in newest_first[CACHED:]]


def _push(tag: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)  # buildah adds to an archive that is there
    with Step(f"writing {archive}"):
        commands.run(*command("push"), tag, f"docker-archive:{partial}:{tag}")
    for former in archive.parent.glob(f"{archive.stem[:-12]}*.tar"):
        former.unlink()
    partial.rename(archive)


def _python_base() -> None:
    recipe = images.key(images.DEBIAN_KEY, PYTHON_DOCKERFILE)
    keyed = f"localhost/daap-python-base:{recipe}"
    if not commands.ran(*command("inspect"), "--type=image", keyed):
        root = images.debian_root()
        with images.scratch(f"python-{recipe}") as context:
            commands.run("tar", "-C", root, "-cf", context / "root.tar", ".")
            (context / "Dockerfile").write_text(PYTHON_DOCKERFILE)
            with Step(f"building the base image {versions.PYTHON_IMAGE}") as step:
                step.run(*command("build"), *OPTIONS, *apt(context), "--tag", keyed, context)
    commands.run(*command("tag"), keyed, versions.PYTHON_IMAGE)


def apt(folder: Path) -> tuple[str, ...]:
    """The options with which apt reaches Debian's archive as on this machine, kept in `folder`."""
    settings = folder / "apt"
    settings.write_text(images.apt_settings(commands.ask("apt-config", "dump")))
    return f"--volume={settings}:{APT}:ro", "--volume=/etc/resolv.conf:/etc/resolv.conf:ro"


def command(verb: str) -> tuple[str, ...]:
    """The start of a buildah command, with the stores it works in."""
    # A store of our own: the user's images stay as they are, and deleting the cache deletes ours.
    store = paths.cache() / "buildah"
    # Mounts are counted in the run root: two stores with one would leave each other's behind
    run = paths.state() / ".buildah" / hashlib.sha256(str(store).encode()).hexdigest()[:12]
    return ("buildah", "--root", str(store), "--runroot", str(run), verb)
