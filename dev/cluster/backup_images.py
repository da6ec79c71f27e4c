"""The images of the Barman Cloud plugin, of its sidecar and of the S3 server, made without Docker.

The plugin's program is the same in both of its images; the sidecar has Barman beside it, in Python.
"""

import shutil
from functools import partial
from pathlib import Path

from dev.cluster import buildah, images, paths, programs, versions
from dev.cluster.images import Image

SIDECAR = Path(__file__).resolve().parent / "sidecar"
FILES = ("Dockerfile", "requirements.txt")


def build() -> list[Path]:
    """The docker-archives of all three; those not cached are built first. Raises ClusterError."""
    return [*images.build(of_programs()), _sidecar()]


def of_programs() -> list[Image]:
    """The images that have nothing but a program of ours."""
    return [
        _of_program("plugin-barman-cloud", versions.BARMAN_IMAGE, user="65532:65532"),
        _of_program("versitygw", versions.VERSITYGW_IMAGE, user="0:0"),
    ]


def _of_program(name: str, tag: str, *, user: str) -> Image:
    return Image(
        name=name,
        tags=(tag,),
        config={"Entrypoint": ["/program"], "User": user, "WorkingDir": "/"},
        inputs=(programs.cached(name).parent.name, programs.ARCHITECTURE),
        fill=partial(_fill, name),
    )


def _fill(name: str, root: Path) -> None:
    (root / "tmp").mkdir()
    shutil.copy(programs.build([name])[name], root / "program")


def sidecar() -> Path:
    """Where the sidecar's docker-archive is, or will be, in the cache."""
    base = images.key(images.DEBIAN_KEY, buildah.PYTHON_DOCKERFILE)
    program = programs.cached("plugin-barman-cloud").parent.name
    texts = [(SIDECAR / name).read_text() for name in FILES]
    stamp = images.key(versions.SIDECAR_IMAGE, base, program, *texts)
    return paths.cache() / "images" / f"barman-sidecar-{stamp}.tar"


def _sidecar() -> Path:
    archive = sidecar()
    with paths.lock(paths.cache() / "locks" / archive.stem, "waiting for another build of it"):
        if not archive.exists():
            program = programs.build(["plugin-barman-cloud"])["plugin-barman-cloud"]
            with images.scratch(archive.stem) as context:
                for file in (program, *(SIDECAR / name for name in FILES)):
                    shutil.copy(file, context)
                options = buildah.apt(context)
                buildah.build(context, versions.SIDECAR_IMAGE, options).rename(archive)
    return archive
