"""The table of real failures in docs/reliability.md, read as what has to be seen. Pure."""

import re
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path

from tests.support.api import Object
from tests.support.databases import condition

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
HEADING = "## Real failures"


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
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    lines = takewhile(_is_row, dropwhile(lambda line: not _is_row(line), section.splitlines()))
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {row[0]: _expected(row) for row in rows[2:]}


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


EXPECTED = table(PAGE.read_text())
