"""Cleans up after a test run that was killed: its servers would run for ever.

The watchdog is a process that reads which servers there are, and acts at the end of its input. The
pipe's other end is ours alone, and the kernel closes it however we end.
"""

import atexit
import functools
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
left = {}
for line in sys.stdin:
    directory = line[1:].rstrip("\\n")
    if line[0] == "+":
        left[directory] = None
    else:
        left.pop(directory, None)
if left:
    from pathlib import Path
    from dev.postgres import Postgres
    for directory in left:
        Postgres(Path(directory), durable=False).remove()
"""


class _Watchdog:
    """One for this process, started when there is something to watch."""

    def __init__(self) -> None:
        read, self._write = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=Path(__file__).parents[2],
            stdin=read,
            start_new_session=True,  # out of reach of Ctrl-C
        )
        os.close(read)
        atexit.register(self._end)

    def tell(self, line: str) -> None:
        os.write(self._write, f"{line}\n".encode())

    def _end(self) -> None:
        os.close(self._write)
        self._process.wait()


_watchdog = functools.cache(_Watchdog)


def watch(directory: Path) -> None:
    """From now on the server of `directory` is removed when this process ends."""
    _watchdog().tell(f"+{directory}")


def release(directory: Path) -> None:
    """It is removed already, or is to stay."""
    if _watchdog.cache_info().currsize:
        _watchdog().tell(f"-{directory}")
