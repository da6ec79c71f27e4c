"""What programs take: CPU seconds and memory, from /proc."""

import os
from collections.abc import Mapping
from pathlib import Path

from benchmarks.figures import Figures, difference, per
from dev.cluster.processes import family

TICKS = os.sysconf("SC_CLK_TCK")
ALL = "all"
"""All programs of a run together: where CPU is what is short, this decides how long it takes."""
MACHINE = "machine"
"""All CPUs together, whoever uses them."""


def ticks(stat: str, *, with_ended: bool = False) -> int:
    """CPU ticks of a process, from /proc/PID/stat; with those of its children that have ended."""
    fields = stat.rsplit(")", 1)[1].split()
    return sum(map(int, fields[11 : 15 if with_ended else 13]))


def busy_ticks(stat: str) -> int:
    """CPU ticks in which the machine did something, from the text of /proc/stat."""
    fields = [int(word) for word in stat.split("\n", 1)[0].split()[1:]]
    return sum(fields[:3]) + sum(fields[5:8])


def mib(status: str, field: str) -> float:
    """A field of /proc/PID/status as MiB; 0 without it."""
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return round(int(lines[field].split()[0]) / 1024, 1) if field in lines else 0.0


def cpu(programs: Mapping[str, int], families: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far of each program, by name and pid; of families with all their children."""
    used = {name: _ticks(pid) / TICKS for name, pid in programs.items()}
    used |= {name: _family_ticks(pid) / TICKS for name, pid in families.items()}
    return used | {MACHINE: busy_ticks(Path("/proc/stat").read_text()) / TICKS}


def _family_ticks(pid: int) -> int:
    return sum(_ticks(record.pid, with_ended=True) for record in family(pid))


def _ticks(pid: int, *, with_ended: bool = False) -> int:
    try:
        return ticks(Path(f"/proc/{pid}/stat").read_text(), with_ended=with_ended)
    except OSError:  # it has ended
        return 0


def memory(pid: int) -> tuple[float, float]:
    """MiB that a program has in memory now, and had at most so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return mib(status, "VmRSS"), mib(status, "VmHWM")


def taken(before: Mapping[str, float], after: Mapping[str, float], count: int) -> Figures:
    """CPU seconds of each program between two readings, and milliseconds a database.

    What the machine did besides is `others`: how disturbed the measurement was.
    """
    used = difference(before, after)
    machine = used.pop(MACHINE)
    others = max(round(machine - sum(used.values()), 3), 0.0)
    each = {name: per(1000 * seconds, count) for name, seconds in used.items()}
    each[ALL] = per(1000 * sum(used.values()), count)
    return {"cpu_s": {**used, "others": others, MACHINE: machine}, "cpu_ms": each}
