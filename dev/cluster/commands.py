"""Running other programs: their failures become one clear message with the tail of their output."""

import codecs
import io
import os
import select
import shlex
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from dev.cluster.errors import ClusterError

TAIL_LINES = 20
TAIL_COLUMNS = 300
TICK_SECONDS = 1.0
CHUNK_BYTES = 65536

REMEDIES = {
    "go": "install Go (https://go.dev/dl), or start a control plane alone with KUBEBUILDER_ASSETS",
    "openssl": "install it, on Debian: apt-get install openssl",
    "sh": "install a POSIX shell",
}
"""What to do when a program is not there. Debian packages the node needs are packages.py's."""


def tail(output: str, lines: int = TAIL_LINES) -> str:
    """The last lines of a program's output, indented; blank lines and the ends of long ones go."""
    kept = deque((line for line in output.splitlines() if line.strip()), maxlen=lines)
    return "\n".join(f"  {line[:TAIL_COLUMNS]}" for line in kept)


def missing(program: str) -> ClusterError:
    """The fault of a program that is not on PATH."""
    name = Path(program).name
    return ClusterError(f"{name} is not installed: {REMEDIES.get(name, 'install it')}")


def failure(command: tuple[str, ...], status: int, output: str) -> ClusterError:
    """The fault of a program that ended with a status other than 0."""
    shown = shlex.join(command)
    shown = shown if len(shown) <= 200 else f"{shown[:200]} …"
    said = tail(output) or "  (it printed nothing)"
    return ClusterError(f"{shown}\nfailed with exit status {status}:\n{said}")


def run(
    *command: str | Path,
    text: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end and return its standard output; `text` is its standard input.

    `env` is added to this program's environment. Raises ClusterError when the program is missing
    or fails.
    """
    words = tuple(map(str, command))
    try:
        done = subprocess.run(
            words,
            input=text if text is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=cwd,
            env=os.environ | (env or {}),
        )
    except FileNotFoundError as error:
        raise missing(words[0]) from error
    if done.returncode:
        raise failure(words, done.returncode, f"{done.stdout}\n{done.stderr}")
    return done.stdout


def ask(*command: str | Path) -> str:
    """The standard output of a program, empty when it is missing or fails."""
    try:
        return run(*command)
    except ClusterError:
        return ""


def ran(*command: str | Path) -> bool:
    """Whether a program is there and ends well."""
    try:
        run(*command)
    except ClusterError:
        return False
    return True


def watch(
    command: tuple[str | Path, ...],
    *,
    line: Callable[[str], None],
    tick: Callable[[], None],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long program: `line` gets each line it prints, `tick` runs at least once a second.

    Raises ClusterError when the program is missing or fails. Whatever ends the caller early, such
    as Ctrl-C, ends the program and its children too.
    """
    words = tuple(map(str, command))
    try:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            cwd=cwd,
            env=os.environ | (env or {}),
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise missing(words[0]) from error
    try:
        output = _follow(child, line, tick)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        raise
    finally:
        threading.Thread(target=_swallow, args=(child.stdout,), daemon=True).start()
        child.wait()
    if child.returncode:
        raise failure(words, child.returncode, "\n".join(output))


def _follow(
    child: subprocess.Popen[bytes], line: Callable[[str], None], tick: Callable[[], None]
) -> deque[str]:
    stdout = cast("IO[bytes]", child.stdout)
    text = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder("utf-8")("replace"), translate=True
    )
    output: deque[str] = deque(maxlen=200)
    rest = ""
    while True:
        ended = child.poll() is not None  # before the look: what it has printed is there by then
        readable, _, _ = select.select([stdout], [], [], 0 if ended else TICK_SECONDS)
        printed = os.read(stdout.fileno(), CHUNK_BYTES) if readable else b""
        # A service that it started may keep its output open
        over = not printed and (ended or bool(readable))
        *lines, rest = (rest + text.decode(printed, final=over)).split("\n")
        if over and rest:
            lines.append(rest)
        for one in lines:
            output.append(one)
            line(one)
            tick()
        if over:
            return output
        if not lines:
            tick()


def _swallow(stdout: IO[bytes]) -> None:
    """Read on to the end: what keeps it open must not break on what it prints."""
    with stdout:
        while stdout.read(CHUNK_BYTES):
            pass
