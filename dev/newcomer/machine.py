"""A machine as a newcomer has it: an empty home, no caches, one Python, Go."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dev.cluster import mounts

OLDEST = (3, 11)

LEFT_OUT = re.compile(
    r"XDG_|DAAP_|PYTHON(?!UNBUFFERED)|VIRTUAL_ENV|KUBE|DATABASE_URL|PYTEST|COV_|PIP_CACHE_DIR|PIP_TARGET"
    r"|GO(?:PATH|CACHE|MODCACHE|BIN|ENV|FLAGS|WORK)$|MAKE|MFLAGS|HOME$|MODE$|npm_"
)
"""What a developer's shell has and a newcomer's has not. How the registries are reached stays."""

GO_SETTINGS = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOTOOLCHAIN")
"""Of Go's own settings, which stand in the home that is left: how the registries are reached."""


def pythons(places: Iterable[Path]) -> dict[tuple[int, int], Path]:
    """The supported Pythons in these directories by minor version, the first of each."""
    found: dict[tuple[int, int], Path] = {}
    for place in places:
        for program in sorted(place.glob("python3.*")):
            named = re.fullmatch(r"python3\.(\d+)", program.name)
            if named and (version := (3, int(named[1]))) >= OLDEST and _answers(program, version):
                found.setdefault(version, program)
    return found


def places() -> Iterator[Path]:
    """Where Pythons may be: on PATH, and those of pyenv."""
    yield from map(Path, os.environ.get("PATH", os.defpath).split(os.pathsep))
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(root.glob("versions/*/bin"))


def _answers(program: Path, version: tuple[int, int]) -> bool:
    """Whether it is that Python: a shim of pyenv may have the name and lead nowhere."""
    ask = [str(program), "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.split() == [str(part) for part in version]


def environment(
    home: Path, python: Path, settings: Mapping[str, str], inherited: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a newcomer whose `python3` is this one; makes a directory for it.

    `settings` are Go's, `inherited` is the environment to start from.
    """
    programs = home / ".programs"
    programs.mkdir(parents=True)
    starter = programs / "python3"
    # Not a link: Python finds its library, and pyenv its version, by the path it is started with
    starter.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    starter.chmod(0o755)
    kept = {name: value for name, value in inherited.items() if not LEFT_OUT.match(name)}
    path = f"{programs}{os.pathsep}{inherited.get('PATH', os.defpath)}"
    return kept | dict(settings) | {"HOME": str(home), "PATH": path}


def go_settings() -> dict[str, str]:
    """How this machine's Go reaches the registries; empty where there is no Go."""
    if not shutil.which("go"):
        return {}
    asked = ["go", "env", *GO_SETTINGS]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("\n")
    return {name: value for name, value in zip(GO_SETTINGS, told, strict=False) if value}


def remove(home: Path) -> None:
    """Take the home away: Go makes its modules read-only, and a killed build leaves mounts."""
    mounts.unmount(home)
    for folder in (home, *home.rglob("*")):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o700)
    shutil.rmtree(home)
