"""What is printed and kept of tests that had a second try."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

Reports = Iterable[pytest.TestReport]

MOST_OF_A_NAME = 120
MOST_OF_A_LINE = 160


@dataclass
class Row:
    """A test that had a second try, and the file that keeps both outputs."""

    test: str
    first: list[pytest.TestReport]
    second: list[pytest.TestReport]
    kept: Path

    @classmethod
    def kept_in(
        cls,
        directory: Path,
        test: str,
        first: list[pytest.TestReport],
        second: list[pytest.TestReport],
    ) -> Self:
        """The row of a test, with its outputs written to a file in `directory`."""
        kept = directory / file_name(test)
        kept.write_text(both(test, first, second))
        return cls(test, first, second, kept)

    def lines(self) -> Iterator[str]:
        """Its row in the closing table, one column a line: the names are too long for one."""
        yield self.test
        yield f"    said first    {one_line(self.first)}"
        yield f"    took          {seconds(self.first):.1f} s, then {seconds(self.second):.1f} s"
        yield f"    both outputs  {self.kept}"


def file_name(test: str) -> str:
    """A file name that tells the test; the file stands in a directory of the run's own."""
    name = re.sub(r"[^\w.=-]+", "-", test.removeprefix("tests/")).strip("-")
    return f"{name[-MOST_OF_A_NAME:]}.txt"


def seconds(reports: Reports) -> float:
    """How long setup, call and teardown took together."""
    return sum(report.duration for report in reports)


def one_line(reports: Reports) -> str:
    """What the first failure comes down to."""
    for report in reports:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            said = crash.message if crash else report.longreprtext
            lines = [line.strip() for line in said.splitlines() if line.strip()]
            line = lines[0] if lines else "nothing"
            return f"in {report.when}: {line}"[:MOST_OF_A_LINE]
    return "nothing"


def output(reports: Sequence[pytest.TestReport]) -> str:
    """What went wrong, and all that was printed and logged, each once."""
    parts: list[str] = []
    printed: dict[str, None] = {}
    for report in reports:
        outcome = "failed" if report.failed else report.outcome
        parts.append(f"--- {report.when}: {outcome} after {report.duration:.2f} s")
        if report.longrepr:
            parts.append(report.longreprtext)
        # Each report has the sections of those before it
        printed |= {f"--- {title}\n{content}": None for title, content in report.sections}
    if not any(report.when == "teardown" for report in reports):
        parts.append("--- ended early: see output.log beside this file")
    return "\n".join([*parts, *printed])


def both(test: str, first: Sequence[pytest.TestReport], second: Sequence[pytest.TestReport]) -> str:
    """The outputs of both tries."""
    return "\n\n".join(
        [test, f"=== first try\n{output(first)}", f"=== second try\n{output(second)}\n"]
    )


def first_failures(out: pytest.TerminalReporter, rows: Iterable[Row]) -> None:
    """Print the first try of each whole, as pytest prints failures."""
    out.write_sep("=", "FIRST TRIES of tests that passed when they were run once more")
    for row in rows:
        out.write_sep("_", row.test, yellow=True)
        out.write_line(output(row.first))


def table(out: pytest.TerminalReporter, rows: list[Row], most: int) -> None:
    """Print the closing table."""
    out.write_sep("=", "unsteady: failed, and passed when run once more", yellow=True)
    for row in rows:
        for line in row.lines():
            out.write_line(line)
    if len(rows) > most:
        out.write_line(
            f"{len(rows)} unsteady tests, more than {most}: the run has failed", red=True
        )
