"""Squawk, another linter for migrations: a program, which gets a file, little time and little room.

It reads a team's bytes, so nothing of it is trusted: neither that it ends, nor what it prints.
"""

import json
import subprocess
import sysconfig
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from daap_operator.schema import rules
from daap_operator.schema.linting import of_rule
from daap_operator.schema.model import Finding, SqlFile
from daap_operator.schema.squawk_rules import LEFT_OUT, SQUAWKS

FILE_SECONDS = 10.0
ALL_SECONDS = 60.0
MOST_BYTES = 4 * 1024 * 1024
"""Of what it prints of a file."""

_KEPT = {rule.name: rule for rule in SQUAWKS}


class Squawk:
    """Findings of squawk; without it, and when it fails, one that says so."""

    def __init__(self, program: Path | None = None, *, seconds: float = ALL_SECONDS) -> None:
        self._program = program or Path(sysconfig.get_path("scripts")) / "squawk"
        self._left = seconds

    def __call__(self, file: SqlFile) -> Sequence[Finding]:
        """What it finds in a file."""
        if not self._program.is_file():
            return [of_rule(rules.UNLINTED, 1, f"there is no program '{self._program}'")]
        began = time.monotonic()
        seconds = min(FILE_SECONDS, self._left)
        try:
            said = _run(self._program, file.text, seconds)
            return found(said)
        except (OSError, ValueError) as error:
            return [of_rule(rules.UNLINTED, 1, f"squawk failed ({error})")]
        finally:
            self._left = max(0.0, self._left - (time.monotonic() - began))


def found(said: str) -> list[Finding]:
    """The findings in what it has printed, those that are passed on. Raises ValueError."""
    printed = json.loads(said)
    if not isinstance(printed, list):
        raise ValueError("it printed no list")  # noqa: TRY004 - of JSON, and one kind to catch
    return [
        of_rule(_KEPT[each["rule_name"]], each["line"] + 1)
        for each in printed
        if _understood(each) and each["rule_name"] in _KEPT
    ]


def _understood(each: Any) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("rule_name"), str)
        and isinstance(each.get("line"), int)
        and each["line"] >= 0
    )


def _run(program: Path, text: str, seconds: float) -> str:
    """What it prints of a text. Raises OSError, and ValueError when it fails or exceeds a bound."""
    with subprocess.Popen(
        _command(program),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
    ) as process:
        late = threading.Timer(seconds, process.kill)
        feeding = threading.Thread(target=_feed, args=(process.stdin, text.encode()))
        late.start()
        feeding.start()
        printed = process.stdout.read(MOST_BYTES + 1) if process.stdout else b""
        if len(printed) > MOST_BYTES:
            process.kill()
        process.wait()
        late.cancel()
        feeding.join()
    return _judged(process.returncode, printed, seconds)


def _feed(pipe: IO[bytes] | None, content: bytes) -> None:
    """Write what it reads, if it does: a file would need a place, and a container may have none."""
    with suppress(OSError):
        if pipe:
            with pipe:
                pipe.write(content)


def _judged(code: int, printed: bytes, seconds: float) -> str:
    if len(printed) > MOST_BYTES:
        raise ValueError(f"it printed more than {MOST_BYTES} bytes")
    if code < 0:
        raise ValueError(f"it was ended by signal {-code}, after {seconds:g} s at most")
    if code not in {0, 1}:
        raise ValueError(f"it ended with exit code {code}")
    return printed.decode()


def _command(program: Path) -> list[str]:
    """No configuration of its own, from wherever; what is not passed on it need not print."""
    return [
        str(program),
        "--config=/dev/null",
        f"--exclude={','.join(LEFT_OUT)}",
        "--reporter=json",
    ]
