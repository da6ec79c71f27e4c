"""The table of real failures in docs/reliability.md, read as what has to be seen. Pure."""

import re
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path

from tests.support.api import Object
from tests.support.databases import condition

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
HEADING = "## Real failures"
OF_BACKUPS = "## Real failures of backups"


@dataclass(frozen=True)
class Expected:
    """One row. Where a cell names several reasons, each status has one of them."""

    answered: bool
    phases: frozenset[str]
    ready: bool
    ready_reasons: frozenset[str]
    reconciling: frozenset[str]
    """Reasons; the empty one stands for a condition that is absent."""
    stalled: frozenset[str]
    says: tuple[str, ...]
    """What the messages have to say, each in at least one of the statuses."""
    events: frozenset[str]
    inventory: str

    def __contains__(self, seen: Object) -> bool:
        """Whether a DaapDatabase tells what the row says."""
        ready = condition(seen, "Ready")
        return (
            seen["status"].get("phase") in self.phases
            and (ready.get("status") == "True") is self.ready
            and ready.get("reason") in self.ready_reasons
            and condition(seen, "Reconciling").get("reason", "") in self.reconciling
            and condition(seen, "Stalled").get("reason", "") in self.stalled
        )


def table(text: str) -> dict[str, Expected]:
    """The first table below the heading, by the name of the failure."""
    return {row[0]: _expected(row) for row in _rows(text, HEADING)}


def _rows(text: str, heading: str) -> list[list[str]]:
    section = text.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    lines = takewhile(_is_row, dropwhile(lambda line: not _is_row(line), section.splitlines()))
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return rows[2:]


def _is_row(line: str) -> bool:
    return line.startswith("|")


def _expected(row: list[str]) -> Expected:
    _, clients, phase, ready, reconciling, stalled, says, events, inventory = row
    assert clients in ("answered", "not answered"), row
    assert ready.partition(" ")[0] in ("True", "False"), row
    return Expected(
        answered=clients == "answered",
        phases=frozenset(phase.split(" or ")),
        ready=ready.startswith("True"),
        ready_reasons=frozenset(_quoted(ready)),
        reconciling=_reasons(reconciling),
        stalled=_reasons(stalled),
        says=tuple(_quoted(says)),
        events=frozenset(_quoted(events)),
        inventory=inventory,
    )


def _reasons(cell: str) -> frozenset[str]:
    named = frozenset(_quoted(cell))
    return named | {""} if not named or "absent" in cell else named


def _quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@dataclass(frozen=True)
class ExpectedOfBackups:
    """One row of the table of failures that concern backups."""

    ready: bool
    reason: str
    """Of the condition BackupHealthy, which is False."""
    says: tuple[str, ...]
    """What its message has to say."""
    backup: tuple[str, ...]
    """Phase and reason of a DaapBackup that is created meanwhile."""


def table_of_backups(text: str) -> dict[str, ExpectedOfBackups]:
    """The first table below the other heading, by the name of the failure."""
    return {row[0]: _expected_of_backups(row) for row in _rows(text, OF_BACKUPS)}


def _expected_of_backups(row: list[str]) -> ExpectedOfBackups:
    _, ready, healthy, says, backup, _ = row
    (reason,) = _quoted(healthy)
    return ExpectedOfBackups(
        ready=ready.startswith("True"),
        reason=reason,
        says=tuple(_quoted(says)),
        backup=tuple(_quoted(backup)),
    )


EXPECTED = table(PAGE.read_text())
EXPECTED_OF_BACKUPS = table_of_backups(PAGE.read_text())
