"""Makes the image's root file system: the interpreter, the dependencies, and what they load.

Runs while the image is built, on the base image's own Python: standard library only.
`python root.py TARGET VENV`. What nobody loads stays out: the shell, the package managers, the rest
of Debian. Which packages the files came from is kept where scanners look (`dpkg/status.d`).
"""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

LIBRARY_LEFT_OUT = shutil.ignore_patterns(
    *("__pycache__", "site-packages", "dist-packages", "config-3*", "*.a", "EXTERNALLY-MANAGED"),
    *(
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "test",
        "tkinter",
        "turtle.py",
        "turtledemo",
    ),
    *("curses", "_curses*", "readline*", "_test*", "_ctypes_test*", "xx*", "_xx*"),
    *("_dbm*", "_gdbm*", "sqlite3", "_sqlite3*"),
)
"""Parts of the standard library for people, for installing, for windows and for its own tests; and
databases in files, with the libraries that they load."""

GENERATED = ("client/api", "client/models", "aio/client/api", "aio/client/models")
"""Of the package kubernetes: a class for each kind and each path, 120 MB that nobody loads."""

PROGRAMS = ("python", "squawk")
"""How the names begin of what stays in the environment's `bin`: the linter is run as a program."""

ETC = ("etc/os-release", "usr/lib/os-release", "etc/nsswitch.conf", "etc/ld.so.cache")
USER = "daap:x:65532:65532::/nonexistent:/nonexistent\n"
GROUP = "daap:x:65532:\n"
LINKS = ("bin", "lib", "lib64", "sbin")
"""Of the root; Debian has them point into /usr."""


def main(target: Path, venv: Path) -> None:
    """Fill the directory `target` from this file system."""
    target.mkdir()
    for name in LINKS:
        if (link := Path("/", name)).is_symlink():
            (target / name).symlink_to(link.readlink())
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, _below(target, library), symlinks=True, ignore=LIBRARY_LEFT_OUT)
    _without_unused(venv)
    shutil.copytree(venv, _below(target, venv), symlinks=True)
    copied = set(_copied(target, [venv / "bin/python", *map(Path, _loaded(target))]))
    for name in ETC:
        copied.update(_copied(target, [Path("/", name)] if Path("/", name).exists() else []))
    _write_users(target)
    _write_packages(target, copied | set(library.glob("*.py")))
    _compile(target)


def _below(target: Path, path: Path) -> Path:
    """Where a path of this file system is in the target's."""
    return target / path.relative_to("/")


def _without_unused(venv: Path) -> None:
    """Take out what nobody loads: generated modules, types, and the dependencies' own commands and
    tests."""
    (package,) = venv.glob("lib/python*/site-packages/kubernetes")
    for folder in GENERATED:
        for path in (package / folder).glob("*.py"):
            if path.name != "__init__.py":  # it imports them when they are asked for
                path.unlink()
    packages = package.parent
    for path in packages.rglob("*.pyi"):
        path.unlink()
    for path in packages.glob("*/tests"):
        shutil.rmtree(path)
    for path in (venv / "bin").iterdir():
        if not path.name.startswith(PROGRAMS):
            path.unlink()


def _loaded(target: Path) -> set[str]:
    """The shared libraries that the interpreter, all extension modules and squawk load."""
    modules = [path for path in target.rglob("*.so*") if path.is_file()]
    modules += [path for path in target.rglob("bin/squawk") if path.is_file()]
    programs = [
        Path(sys.executable).resolve(),
        *(Path("/", p.relative_to(target)) for p in modules),
    ]
    found: set[str] = set()
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        if "not found" in listed.stdout:
            raise SystemExit(f"{program} lacks a library:\n{listed.stdout}")
        found.update(re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listed.stdout, re.MULTILINE))
    return found


def _copied(target: Path, paths: Iterable[Path]) -> Iterator[Path]:
    """Copy files, and whatever links lead to them; gives the real paths back."""
    for path in paths:
        here = path.parent.resolve() / path.name
        there = _below(target, here)
        there.parent.mkdir(parents=True, exist_ok=True)
        if here.is_symlink():
            if not there.is_symlink():
                there.symlink_to(here.readlink())
            yield from _copied(target, [here.parent / here.readlink()])
        elif not there.exists():
            shutil.copy2(here, there)
        yield here


def _write_users(target: Path) -> None:
    (target / "etc/passwd").write_text(f"root:x:0:0::/nonexistent:/nonexistent\n{USER}")
    (target / "etc/group").write_text(f"root:x:0:\n{GROUP}")
    # COPY takes the certificates from the base image itself
    temporary = target / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)


def _write_packages(target: Path, copied: Iterable[Path]) -> None:
    """Tell, in the way images without dpkg do, which packages the files are of."""
    search = ["dpkg-query", "--search", *map(str, copied)]
    owners = subprocess.run(search, capture_output=True, text=True, check=False).stdout
    folder = target / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True)
    for package in set(re.findall(r"^([a-z0-9.+-]+)(?::\w+)?: ", owners, re.MULTILINE)):
        status = subprocess.run(
            ["dpkg-query", "--status", package], capture_output=True, check=True
        )
        (folder / package).write_bytes(status.stdout)
        licence = Path("/usr/share/doc", package, "copyright")
        if licence.exists():
            list(_copied(target, [licence]))


def _compile(target: Path) -> None:
    """Bytecode that is not compared with its source: the root file system may be read-only."""
    checked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    good = compileall.compile_dir(
        target,
        quiet=1,
        stripdir=str(target),
        invalidation_mode=checked,
        workers=os.cpu_count() or 1,
    )
    if not good:
        raise SystemExit("bytecode could not be compiled; see above")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
