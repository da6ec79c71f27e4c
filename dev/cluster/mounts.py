"""Mounts below a directory: taken away before the directory is deleted."""

import re
import shutil
from collections.abc import Collection
from pathlib import Path

from dev.cluster.commands import ask
from dev.cluster.errors import ClusterError


def below(directory: Path, mountinfo: str) -> list[Path]:
    """The mount points below a directory, the deepest first; `mountinfo` as in /proc/self."""
    # Field 5, with blanks and the like as octal escapes.
    points = [_unescaped(line.split(" ")[4]) for line in mountinfo.splitlines()]
    return sorted((p for p in points if p.is_relative_to(directory)), reverse=True)


def _unescaped(field: str) -> Path:
    return Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field))


def delete_tree(directory: Path, last: Collection[str] = ()) -> None:
    """Unmount everything below a directory, then delete it, the files named `last` at the end.

    Raises ClusterError if a mount stays: deleting through it would delete what is mounted.
    """
    directory = directory.resolve()
    unmount(directory)
    for path in sorted(directory.iterdir(), key=lambda path: path.name in last):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    directory.rmdir()


def unmount(directory: Path) -> None:
    """Unmount everything below a directory. Raises ClusterError if a mount stays."""
    directory = directory.resolve()
    for point in below(directory, _mountinfo()):
        ask("umount", "--lazy", point)
    if left := below(directory, _mountinfo()):
        raise ClusterError(f"cannot unmount {left[0]}; run as root: umount {left[0]}")


def _mountinfo() -> str:
    return Path("/proc/self/mountinfo").read_text()
