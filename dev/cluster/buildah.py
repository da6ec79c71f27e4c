"""Building a Dockerfile without Docker: buildah, in a store of its own, on the cached Debian."""

import re
from collections.abc import Sequence
from pathlib import Path

from dev.cluster import commands, images, packages, paths, versions
from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step

SPACE_BYTES = 2 * paths.GIB
APT = "/etc/apt/apt.conf.d/99-this-machine"
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


def build(directory: Path, tag: str, options: Sequence[str] = ()) -> Path:
    """Build `directory/Dockerfile` and return the docker-archive that carries the tag.

    The only base image is `python:3.13-slim`. `options` are further ones of `buildah build`. An
    archive of an earlier content under the tag is removed. Raises ClusterError.
    """
    if not directory.is_dir():
        raise ClusterError(f"no directory {directory} to build an image from")
    images.require_root("building an image")
    packages.require(packages.BUILDAH)
    paths.require_space(paths.cache(), SPACE_BYTES, f"building the image {tag}")
    with paths.lock(paths.cache() / "locks" / "buildah", "waiting for another build of an image"):
        _python_base()
        with Step(f"building the image {tag}") as step:
            step.run(*_buildah("build"), *OPTIONS, *options, "--tag", tag, directory)
        image_id = commands.run(*_buildah("images"), "--no-trunc", "--quiet", tag).strip()
        archive = archive_path(tag, image_id)
        if not archive.exists():
            _push(tag, archive)
        commands.ask(*_buildah("rmi"), "--prune")  # what the tag named before
    return archive


def _push(tag: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)  # buildah adds to an archive that is there
    with Step(f"writing {archive}"):
        commands.run(*_buildah("push"), tag, f"docker-archive:{partial}:{tag}")
    for former in archive.parent.glob(f"{archive.stem[:-12]}*.tar"):
        former.unlink()
    partial.rename(archive)


def _python_base() -> None:
    recipe = images.key(images.DEBIAN_KEY, PYTHON_DOCKERFILE)
    keyed = f"localhost/daap-python-base:{recipe}"
    if not commands.ran(*_buildah("inspect"), "--type=image", keyed):
        root = images.debian_root()
        with images.scratch(f"python-{recipe}") as context:
            commands.run("tar", "-C", root, "-cf", context / "root.tar", ".")
            (context / "Dockerfile").write_text(PYTHON_DOCKERFILE)
            settings = context / "apt"
            settings.write_text(images.apt_settings(commands.ask("apt-config", "dump")))
            mounts = (
                f"--volume={settings}:{APT}:ro",
                "--volume=/etc/resolv.conf:/etc/resolv.conf:ro",
            )
            with Step(f"building the base image {versions.PYTHON_IMAGE}") as step:
                step.run(*_buildah("build"), *OPTIONS, *mounts, "--tag", keyed, context)
    commands.run(*_buildah("tag"), keyed, versions.PYTHON_IMAGE)


def _buildah(command: str) -> tuple[str, ...]:
    # A store of our own: the user's images stay as they are, and deleting the cache deletes ours.
    store, run = paths.cache() / "buildah", paths.state() / ".buildah"
    return ("buildah", "--root", str(store), "--runroot", str(run), command)
