"""Where the cluster keeps its files: the only reader of `DAAP_CACHE` and `DAAP_STATE`."""

import errno
import fcntl
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.cluster.errors import ClusterError

GIB = 1024**3


def cache() -> Path:
    """The directory of built programs and images: `DAAP_CACHE`, else below `XDG_CACHE_HOME`."""
    if chosen := os.environ.get("DAAP_CACHE"):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().resolve() / "daap-operator"


def state() -> Path:
    """The directory that holds one directory a cluster, `DAAP_STATE`; made if absent.

    Raises ClusterError when it belongs to somebody else: it holds cluster-admin keys.
    """
    chosen = os.environ.get("DAAP_STATE") or f"/tmp/daap-operator-{os.getuid()}"
    directory = Path(chosen).expanduser().resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_uid != os.getuid():
        raise ClusterError(
            f"{directory} belongs to another user (uid {directory.stat().st_uid}); "
            "set DAAP_STATE to a directory of your own"
        )
    return directory


def cluster_directory(name: str) -> Path:
    """The directory of one cluster. Raises ClusterError for a name that kind would refuse."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,49}", name):
        raise ClusterError(
            f"'{name}' is not a valid cluster name: at most 50 of the characters a-z 0-9 . -, "
            "the first a letter or digit"
        )
    return state() / name


@contextmanager
def lock(path: Path, waiting: str) -> Iterator[None]:
    """Hold an exclusive lock between programs; says `waiting` on stderr when it is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{waiting} …", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def require_space(directory: Path, needed_bytes: int, what: str) -> None:
    """Raise ClusterError when the file system of `directory` has fewer free bytes than needed."""
    existing = next(p for p in (directory, *directory.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise ClusterError(
            f"no disk space for {what}: {free / GIB:.1f} GiB free in {existing}, "
            f"{needed_bytes / GIB:.1f} GiB needed; free some, or point DAAP_CACHE "
            "(and GOCACHE, GOMODCACHE for Go's own files) to a larger disk"
        )


def explain(error: OSError) -> ClusterError | None:
    """The foreseeable fault behind an operating system's error, None when it is a bug."""
    where = error.filename or "a file"
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return ClusterError(f"no disk space left writing {where}; free some and run it again")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return ClusterError(
                f"no permission for {where}: {error.strerror}; "
                "set DAAP_CACHE and DAAP_STATE to directories of your own"
            )
    return None
