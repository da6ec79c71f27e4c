"""Lines for people, at once: a Job's log is read while it runs."""

from typing import TextIO


class Printer:
    """Writes lines; one of them may be begun, and ended when it is known how."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._begun = ""
        self._open = False

    def say(self, line: str) -> None:
        """One line."""
        self._close()
        self._write(f"{line}\n")

    def begin(self, words: str) -> None:
        """The beginning of a line."""
        self._close()
        self._write(words)
        self._begun, self._open = words, True

    def end(self, words: str) -> None:
        """Its end; the whole line again when others have come in between."""
        self._write(f" {words}\n" if self._open else f"{self._begun} {words}\n")
        self._open = False

    def _close(self) -> None:
        if self._open:
            self._write("\n")
        self._open = False

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
