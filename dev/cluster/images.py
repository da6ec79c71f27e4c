"""The images on the node, made without Docker from Debian's archive and our own programs.

Each is cached under a key of its recipe and of what goes into it.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dev.cluster import archive, commands, mounts, packages, paths, programs, versions
from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step, say

SPACE_BYTES = 3 * paths.GIB
"""Debian's root, a copy of it with PostgreSQL, and the archive (measured: 1.2 GiB)."""
PAUSE_SOURCE = Path(__file__).resolve().parent / "pause/main.go"

DEBOOTSTRAP = ("--variant=minbase", "--include=ca-certificates", versions.DEBIAN)

UNUSED = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
)
# As Debian's own slim images: what is installed later does not bring these back either.
SLIM = {
    "etc/dpkg/dpkg.cfg.d/slim": "".join(
        f"path-exclude=/{folder}/*\n" for folder in UNUSED if folder.startswith("usr/")
    ),
    "etc/apt/apt.conf.d/slim": 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n',
}

# The user ids are those of CloudNativePG's images: its operator names them in pods.
POSTGRES_SCRIPT = f"""
mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
apt-get update -qq
apt-get install -y -qq --no-install-recommends \\
  postgresql-{versions.POSTGRES} postgresql-{versions.POSTGRES}-pgaudit pgbouncer
usermod -u 26 postgres
usermod -u 998 pgbouncer 2>/dev/null || useradd -r -u 998 pgbouncer
ln -sf /usr/sbin/pgbouncer /usr/bin/pgbouncer
chown -R postgres /var/lib/postgresql /run/postgresql /var/log/postgresql
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
"""
SYSTEM_PATH = ":".join(
    f"{prefix}/{kind}" for prefix in ("/usr/local", "/usr", "") for kind in ("sbin", "bin")
)


def key(*parts: str) -> str:
    """The cache key of a recipe and its inputs."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


DEBIAN_KEY = key(*DEBOOTSTRAP, *UNUSED, *SLIM.values())


@dataclass(frozen=True)
class Image:
    """An image of the node: how its root file system is filled, and the key of all that goes in."""

    name: str
    tags: tuple[str, ...]
    config: dict[str, object]
    inputs: tuple[str, ...]
    fill: Callable[[Path], None] = field(compare=False)

    @property
    def path(self) -> Path:
        """Where its docker-archive is, or will be, in the cache."""
        parts = (*self.inputs, *self.tags, repr(sorted(self.config.items())), *archive.LEFT_OUT)
        return paths.cache() / "images" / f"{self.name}-{key(*parts)}.tar"


def node_images() -> list[Image]:
    """The images every node has."""
    manager = programs.cached("manager")
    path = f"{SYSTEM_PATH}:/usr/lib/postgresql/{versions.POSTGRES}/bin"
    return [
        Image(
            name="pause",
            tags=(versions.PAUSE_IMAGE,),
            config={"Entrypoint": ["/pause"]},
            inputs=(PAUSE_SOURCE.read_text(),),
            fill=_fill_pause,
        ),
        Image(
            name="postgres",
            tags=versions.POSTGRES_IMAGES,
            config={"Env": [f"PATH={path}", "LANG=C.UTF-8"], "User": "26"},
            inputs=(DEBIAN_KEY, POSTGRES_SCRIPT),
            fill=_fill_postgres,
        ),
        Image(
            name="cnpg",
            tags=(versions.CNPG_IMAGE,),
            config={"Entrypoint": ["/manager"], "User": "65532:65532", "WorkingDir": "/"},
            inputs=(manager.parent.name, programs.ARCHITECTURE),
            fill=_fill_cnpg,
        ),
    ]


def build(images: Sequence[Image]) -> list[Path]:
    """The docker-archives of images; those not cached are built first.

    Raises ClusterError: not root, a package missing that cannot be installed, no space.
    """
    absent = [image for image in images if not image.path.exists()]
    if absent:
        names = ", ".join(image.name for image in absent)
        say(f"building the images {names} into {paths.cache() / 'images'}; this happens once")
        require_root("building images")
        packages.require(packages.IMAGES)
        paths.require_space(paths.cache(), SPACE_BYTES, "building images")
    for image in absent:
        with paths.lock(_lock(image.path.stem), f"waiting for another build of {image.name}"):
            if not image.path.exists():
                make(image)
    return [image.path for image in images]


def require_root(what: str) -> None:
    """Raise ClusterError unless this is root."""
    if os.geteuid() != 0:
        raise ClusterError(
            f"{what} needs root: run it with sudo, or use --control-plane-only, which does not"
        )


def debian_root() -> Path:
    """A minimal Debian, the base of every image; made on first use and never changed after."""
    root = paths.cache() / f"{versions.DEBIAN}-{DEBIAN_KEY}"
    with paths.lock(_lock(root.name), "waiting for another bootstrap of Debian"):
        if not root.exists():
            packages.require(packages.IMAGES)
            with scratch(root.name) as partial:
                with Step(f"bootstrapping Debian {versions.DEBIAN}") as step:
                    step.run("debootstrap", *DEBOOTSTRAP, partial)
                _slim(partial)
                partial.rename(root)
    return root


def _slim(root: Path) -> None:
    for folder in UNUSED:
        for path in (root / folder).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, text in SLIM.items():
        (root / name).write_text(text)


def apt_settings(dump: str) -> str:
    """Those settings of `apt-config dump` by which this machine reaches Debian's archive."""
    wanted = re.compile(r"Acquire::(https?|ftp|Check|Retries|ForceIPv[46])\b", re.IGNORECASE)
    return "".join(f"{line}\n" for line in dump.splitlines() if wanted.match(line))


def _lock(name: str) -> Path:
    return paths.cache() / "locks" / name


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A new directory in the cache for work under a lock; what a killed build left goes first."""
    directory = paths.cache() / "work" / name
    if directory.exists():
        mounts.delete_tree(directory)
    directory.mkdir(parents=True)
    try:
        yield directory
    finally:
        if directory.exists():
            mounts.delete_tree(directory)


def make(image: Image) -> None:
    """Fill an image's root and pack it, whole or not at all. Raises ClusterError."""
    image.path.parent.mkdir(parents=True, exist_ok=True)
    with scratch(image.path.stem) as root:
        image.fill(root)
        with Step(f"packing the image {image.name}"):
            archive.pack(
                root,
                image.path,
                names=image.tags,
                config=image.config,
                architecture=programs.ARCHITECTURE,
            )


def _fill_pause(root: Path) -> None:
    flags = ("-trimpath", "-buildvcs=false", "-ldflags=-s -w")
    command = ("go", "build", *flags, "-o", root / "pause", PAUSE_SOURCE)
    with Step("building pause") as step:
        step.run(*command, cwd=PAUSE_SOURCE.parent, **programs.GO_ENVIRONMENT)


def _fill_cnpg(root: Path) -> None:
    # As in the published image: the operator looks for its other architectures in operator/.
    program = f"operator/manager_{programs.ARCHITECTURE}"
    for folder in ("operator", "etc/ssl/certs", "tmp"):
        (root / folder).mkdir(parents=True)
    shutil.copy(programs.build(["manager"])["manager"], root / program)
    (root / "manager").symlink_to(program)
    (root / "etc/passwd").write_text("nonroot:x:65532:65532::/:/\n")


def _fill_postgres(root: Path) -> None:
    commands.run("cp", "-a", f"{debian_root()}/.", root)
    settings = root / "etc/apt/apt.conf.d/99-this-machine"
    settings.write_text(apt_settings(commands.ask("apt-config", "dump")))
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    # In a mount namespace of its own, /proc goes with the script, however it ends.
    mount = 'mount -t proc proc "$1/proc" && exec chroot "$1" sh -ec "$2"'
    with Step(f"installing PostgreSQL {versions.POSTGRES} and PgBouncer into an image") as step:
        step.run(
            *("unshare", "--mount", "sh", "-ec", mount, "sh", root, POSTGRES_SCRIPT),
            DEBIAN_FRONTEND="noninteractive",
            PATH=SYSTEM_PATH,
        )
    settings.unlink()
