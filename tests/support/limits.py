"""A limit of memory that the kernel enforces on a process, by whatever the machine allows.

A cgroup is what a pod's limit is enforced by; to make one takes root and a writable hierarchy.
Elsewhere it is RLIMIT_DATA: that counts what is reserved for writing, whether it was touched or not
(the stacks of threads, memory that malloc has and does not use), so it is set higher by OFFSET_MB.
"""

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

OFFSET_MB = 256
"""How much more an idle operator has reserved for writing (VmData) than it has in memory."""

_V2, _V1 = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory")


@dataclass(frozen=True)
class Limit:
    """What enforces a limit, and how a process gets it."""

    told: str
    """For people: what it is."""
    prefix: Sequence[str]
    """What a command line begins with, so that the limit holds for it."""


@contextmanager
def limit(megabytes: int) -> Iterator[Limit]:
    """A limit for one process; it is killed, or refused memory, when it takes more."""
    group = _made(megabytes)
    if group is None:
        shell = f'ulimit -d {(megabytes + OFFSET_MB) * 1024}; exec "$@"'
        yield Limit(f"RLIMIT_DATA of {megabytes} + {OFFSET_MB} MiB", ("sh", "-c", shell, "sh"))
        return
    path, told = group
    try:
        shell = f'echo $$ > {path}/cgroup.procs && exec "$@"'
        yield Limit(f"{told} of {megabytes} MiB", ("sh", "-c", shell, "sh"))
    finally:
        with suppress(OSError):  # a process that was killed may not have left yet
            path.rmdir()


def _made(megabytes: int) -> tuple[Path, str] | None:
    """A cgroup with that limit, of version 2 or else 1; None where none can be made."""
    value = str(megabytes * 1024 * 1024)
    for parent, name in ((_V2, "memory.max"), (_V1, "memory.limit_in_bytes")):
        path = parent / f"daap-tests-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            path.mkdir()
        except OSError:
            continue
        if not (path / name).exists():  # no such controller here, or no cgroups at all
            path.rmdir()
            continue
        (path / name).write_text(value)
        return path, f"{name} of a cgroup"
    return None
