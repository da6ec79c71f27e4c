"""The long-running programs of one cluster: started, recorded, found again, stopped.

Only a program recorded in the cluster's `pids` file whose executable and start time still match is
ever signalled: process ids are reused, and another cluster runs the same executables.
"""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import commands
from dev.cluster.errors import ClusterError

READY_POLL_SECONDS = 0.05
END_POLL_SECONDS = 0.01
KILL_SECONDS = 20.0
"""How long the kernel may take to end a killed program, with gigabytes of memory to give back."""

# The child writes its own record before it becomes the program: whenever its parent is killed,
# nothing runs that is not recorded, and nothing starts in a directory that is gone.
# Field 22 of /proc/PID/stat is the start time.
LAUNCH = """
set -e
read -r pid _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ started _ < /proc/self/stat
printf '%s %s %s %s\\n' "$pid" "$started" "$2" "$3" >> "$1"
cd "$4"
program=$3
shift 4
exec "$program" "$@"
"""

_children: set[int] = set()
"""Process ids of the programs this Python process started and must reap."""


@dataclass(frozen=True)
class Record:
    """A started program: process id, start time in clock ticks after boot, name, executable."""

    pid: int
    started: int
    name: str
    program: Path

    @classmethod
    def parse(cls, line: str) -> "Record | None":
        """The record of one line of the `pids` file, None for a line that a full disk cut."""
        found = re.fullmatch(r"(\d+) (\d+) (\S+) (/.+)", line)
        return cls(int(found[1]), int(found[2]), found[3], Path(found[4])) if found else None

    @classmethod
    def of(cls, pid: int, name: str) -> "Record":
        """The record of a running program. Raises OSError when there is none."""
        stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return cls(pid, int(stat[19]), name, Path(f"/proc/{pid}/exe").readlink())

    def line(self) -> str:
        """The record as a line of the `pids` file."""
        return f"{self.pid} {self.started} {self.name} {self.program}"

    def alive(self) -> bool:
        """Whether this program has not ended; one that is being killed has not, a zombie has."""
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text()
            threads = len(list(Path(f"/proc/{self.pid}/task").iterdir()))
        except OSError:
            return False
        state, *rest = text.rsplit(")", 1)[1].split()
        # The first thread may be a zombie while others still hold the program's ports.
        ended = state in "ZX" and threads <= 1
        if ended:
            _reap(self.pid)
        return not ended and int(rest[18]) == self.started and self._executable() in (None, True)

    def running(self) -> bool:
        """Whether this program is alive, and the kernel is not taking it down."""
        return self.alive() and self._executable() is True

    def signal(self, how: signal.Signals) -> None:
        """Send a signal, if it is this program that has the process id."""
        with suppress(ProcessLookupError):
            if self.running():
                os.kill(self.pid, how)

    def _executable(self) -> bool | None:
        """Whether the executable matches; None for a program the kernel is taking down."""
        try:
            link = str(Path(f"/proc/{self.pid}/exe").readlink())
        except FileNotFoundError:
            return None
        except OSError:
            return False
        # A cache that was cleared meanwhile leaves "(deleted)" behind the name.
        return link.removesuffix(" (deleted)") == str(self.program)


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        if pid in _children and os.waitpid(pid, os.WNOHANG)[0]:
            _children.discard(pid)


def family(pid: int) -> list[Record]:
    """The records of a running program and of all its descendants."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
            parents.setdefault(parent, []).append(int(path.parent.name))
    members = [pid]
    for member in members:  # grows while it is walked
        members.extend(parents.get(member, ()))
    records = []
    for member in members:
        with suppress(OSError):
            records.append(Record.of(member, f"descendant of {pid}"))
    return records


class Processes:
    """The programs of the cluster in a directory: logs in `NAME.log`, flags in `commands/`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._pids = directory / "pids"

    def recorded(self) -> list[Record]:
        """Every program ever started here, in the order of starting."""
        if not self._pids.exists():
            return []
        lines = self._pids.read_text().splitlines()
        return [record for line in lines if (record := Record.parse(line))]

    def live(self, names: Collection[str] = ()) -> list[Record]:
        """The programs that run now; with `names`, those of them."""
        wanted = [r for r in self.recorded() if not names or r.name in names]
        return [record for record in wanted if record.alive()]

    def log(self, name: str) -> Path:
        """Where a program's output goes."""
        return self.directory / f"{name}.log"

    def start(self, name: str, program: Path, flags: Sequence[str], **env: str) -> None:
        """Start a program and remember its flags for `restart`; `env` is added to ours."""
        folder = self.directory / "commands"
        folder.mkdir(exist_ok=True)
        command = {"program": str(program.resolve()), "flags": list(flags), "env": env}
        (folder / f"{name}.json").write_text(json.dumps(command, indent=1))
        self._launch(name, str(program.resolve()), flags, env)

    def restart(self, name: str) -> None:
        """Start a program again with the flags it had. Raises ClusterError for an unknown one."""
        path = self.directory / "commands" / f"{name}.json"
        if not path.exists():
            known = sorted(p.stem for p in path.parent.glob("*.json"))
            raise ClusterError(f"no program {name} in this cluster; it has {', '.join(known)}")
        command = json.loads(path.read_text())
        self._launch(name, command["program"], command["flags"], command["env"])

    def _launch(
        self, name: str, program: str, flags: Sequence[str], env: Mapping[str, str]
    ) -> None:
        recorded = (str(self._pids), name, program, str(self.directory))
        words = ("sh", "-c", LAUNCH, "sh", *recorded, *flags)
        log = (str(self.log(name)), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # Not Popen: it complains when it is forgotten, and these outlive the one who starts them.
        pid = os.posix_spawnp(
            "sh",
            words,
            os.environ | env,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, *log),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        _children.add(pid)
        # Until the shell has become the program it is neither recorded nor recognised; where it
        # cannot, it ends, and its end is waited for.
        while pid in _children and not any(r.pid == pid and r.running() for r in self.live([name])):
            time.sleep(END_POLL_SECONDS / 10)
            _reap(pid)

    def stop(
        self,
        names: Collection[str] = (),
        *,
        how: signal.Signals = signal.SIGTERM,
        seconds: float = 10,
    ) -> None:
        """Signal the named programs, all when none is named, and wait until they are gone.

        What still runs after `seconds` is killed.
        """
        records = self.live(names)
        stop(records, how=how, seconds=seconds)

    def wait(
        self, what: str, ready: Callable[[], bool], *, seconds: float, needs: Sequence[str]
    ) -> None:
        """Wait until `ready`; `needs` are the programs it takes, the most telling log first.

        Raises ClusterError after `seconds`, or as soon as a needed program has ended.
        """
        deadline = time.monotonic() + seconds
        while True:
            running = {record.name for record in self.live()}
            if gone := [name for name in needs if name not in running]:
                raise ClusterError(
                    f"{gone[0]} ended while waiting for {what}; {self.log(gone[0])} ends with:\n"
                    + self.log_tail(gone[0])
                )
            if ready():
                return
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"{what} did not come within {seconds:.0f} s"
                    + "".join(f"; {n}.log ends with:\n{self.log_tail(n)}" for n in needs[:1])
                )
            time.sleep(READY_POLL_SECONDS)

    def log_tail(self, name: str) -> str:
        """The end of a program's log."""
        log = self.log(name)
        return commands.tail(log.read_text(errors="replace")) if log.exists() else "  (no log)"


def stop(records: Sequence[Record], *, how: signal.Signals, seconds: float) -> None:
    """Signal programs and wait until they are gone; what still runs after `seconds` is killed.

    Raises ClusterError when even that does not end one.
    """
    for signal_sent, patience in ((how, seconds), (signal.SIGKILL, KILL_SECONDS)):
        for record in records:
            record.signal(signal_sent)
        deadline = time.monotonic() + patience
        while any(record.alive() for record in records) and time.monotonic() < deadline:
            time.sleep(END_POLL_SECONDS)
    if stuck := [f"{record.name} (pid {record.pid})" for record in records if record.alive()]:
        raise ClusterError(f"{', '.join(stuck)} cannot be killed: see dmesg, reboot the machine")
