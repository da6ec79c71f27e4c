"""Telling how far a long step is: one rewritten line on a terminal, else a line now and then."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from dev.cluster import commands

INTERVAL_SECONDS = 15.0
"""Silence allowed off a terminal: CI systems stop builds that print nothing for minutes."""
REDRAW_SECONDS = 0.2


def say(text: str) -> None:
    """Print one line for the reader on stderr; stdout is for what scripts read."""
    print(text, file=sys.stderr, flush=True)


def render(title: str, seconds: float, *, done: int = 0, total: int = 0, detail: str = "") -> str:
    """The state of a step in one line: title, parts done of the total, elapsed time, detail."""
    parts = f" {done}/{total}" if total else ""
    return f"{title}{parts}, {duration(seconds)}" + (f": {detail}" if detail else "")


def duration(seconds: float) -> str:
    """Whole seconds as `42 s` or `3 min 05 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


class Step:
    """One announced step; as a context manager it says when and how long it ended.

    `clock` counts seconds; `stream` decides by `isatty` how the step is shown.
    """

    def __init__(
        self,
        title: str,
        *,
        total: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title, self.total, self.done, self.detail = title, total, 0, ""
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started = clock()
        self._shown_at = self._started

    def advance(self, detail: str) -> None:
        """One more part is being worked on."""
        self.done += 1
        self.detail = detail

    def tick(self) -> None:
        """Show the state if it is time to."""
        now = self._clock()
        terminal = self._stream.isatty()
        if now - self._shown_at < (REDRAW_SECONDS if terminal else INTERVAL_SECONDS):
            return
        self._shown_at = now
        text = render(
            self.title, now - self._started, done=self.done, total=self.total, detail=self.detail
        )
        if terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[K{text[:width]}")
        else:
            self._write(f"{text}\n")

    def run(self, *command: str | Path, cwd: Path | None = None, **env: str) -> None:
        """Run a program as this step; its last line is the detail. Raises ClusterError."""
        commands.watch(command, line=self._last_line, tick=self.tick, cwd=cwd, env=env)

    def _last_line(self, text: str) -> None:
        self.detail = text.strip() or self.detail

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def __enter__(self) -> Self:
        self._write(f"{self.title} …" + ("" if self._stream.isatty() else "\n"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        clear = "\r\x1b[K" if self._stream.isatty() else ""
        ending = "failed after" if kind else "done in"
        self._write(f"{clear}{self.title}: {ending} {duration(self._clock() - self._started)}\n")
