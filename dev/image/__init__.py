"""The operator's image, built with Docker where it works, else without it (dev/cluster/buildah.py).

Quick when nothing changed: both builders keep the layers.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from daap_operator import __version__
from dev.cluster import buildah, commands, provider
from dev.cluster.progress import Step

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "ghcr.io/daap-io/daap-operator"
TAG = f"{REPOSITORY}:{__version__}"
"""The image of this version, by the name that the chart asks for."""


@dataclass(frozen=True)
class Built:
    """An image that was built."""

    tag: str
    archive: Path | None
    """The docker-archive that carries the tag; None when Docker has the image."""
    bytes: int
    """What its layers take on a node's disk: uncompressed."""


def build(tag: str = TAG, *, docker: bool | None = None) -> Built:
    """Build the image from this checkout: with Docker or without; if unsaid, where it answers.

    For a cluster, `docker` is whether it is real kind (`provider.current().real`): only that one
    loads from Docker. Raises ClusterError.
    """
    if docker is None:
        docker = provider.engine_answers("docker")
    if not docker:
        archive = buildah.build(ROOT, tag, labels=_labels())
        return Built(tag, archive, archive.stat().st_size)
    labels = [f"--label={name}={value}" for name, value in _labels().items()]
    with Step(f"building the image {tag}") as step:
        step.run("docker", "build", "--progress=plain", *labels, "--tag", tag, ROOT)
    size = commands.run("docker", "image", "inspect", "--format={{.Size}}", tag)
    return Built(tag, None, int(size))


def load(built: Built, cluster: str, kind: Path) -> None:
    """Put it on the nodes of a cluster; `kind` is kind itself or dev/kind. Raises ClusterError."""
    what = (
        ("docker-image", built.tag) if built.archive is None else ("image-archive", built.archive)
    )
    with Step(f"loading {built.tag} into the cluster {cluster}") as step:
        step.run(kind, "load", *what, "--name", cluster)


def _labels() -> dict[str, str]:
    prefix = "org.opencontainers.image"
    return {f"{prefix}.version": __version__, f"{prefix}.revision": _revision()}


def _revision() -> str:
    """The commit, and whether files differ from it."""
    git = ("git", "-C", str(ROOT))
    commit = commands.ask(*git, "rev-parse", "HEAD").strip() or "unknown"
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD"], capture_output=True, check=False)
    return f"{commit}-dirty" if changed.returncode == 1 else commit
