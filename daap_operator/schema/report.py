"""A plan, and what was found, as people read it and as programs do. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from daap_operator import lines
from daap_operator.schema.linting import Rules
from daap_operator.schema.model import Finding, Level, Lock, Obstacle, Part, Plan, Planned, SqlFile
from daap_operator.schema.rules import FAULTS

FORMAT = 1
"""Of the JSON. What a later one adds, readers of this one ignore."""
MOST_LOCKS = 4
"""Of a file, that the table names."""

_FAULTS = {rule.name for rule in FAULTS}
_HEADER = ("FILE", "STATEMENTS", "RUNS", "LOCKS")


def label(file: SqlFile) -> str:
    """A file as messages name it: a fixture with its part."""
    return f"{file.part}/{file.name}" if file.part is Part.FIXTURES else file.name


def stops(plan: Plan, rules: Rules) -> bool:
    """Whether a finding stops a file; what deletes data counts like any warning."""
    return any(
        finding.rule in _FAULTS or rules.stops(finding)
        for planned in plan.pending
        for finding in planned.findings
    )


def linted(plan: Plan) -> str:
    """What was found, and what to write instead where a rule is broken first; then how many."""
    return "".join(f"{line}\n" for line in [*_findings(plan), _counted(plan)])


def planned(plan: Plan) -> str:
    """What would run, what was found in it, what is in the way, and the plan's hash."""
    found = list(_findings(plan))
    if not plan.pending:
        parts = [["nothing is pending"]]
    else:
        parts = [[f"{_files(len(plan.pending))} to apply, in this order:", *_table(plan.pending)]]
    if found:
        parts.append([*found, _counted(plan)])
    if plan.obstacles:
        parts.append(["nothing can be applied:", *(_obstacle(each) for each in plan.obstacles)])
    parts.append([f"plan {plan.hash}"])
    return "\n".join("".join(f"{line}\n" for line in part) for part in parts)


def document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON has it; lists are in the order of applying."""
    return {
        "format": FORMAT,
        "hash": plan.hash,
        **lists(plan),
    }


def lists(plan: Plan) -> dict[str, Any]:
    """What is pending, and what is in the way."""
    return {
        "pending": [_pending(each) for each in plan.pending],
        "obstacles": [
            {
                "reason": each.trouble,
                "file": each.file,
                "line": each.line,
                "message": lines.quoted(each.message),
            }
            for each in plan.obstacles
        ],
    }


def as_json(plan: Plan) -> str:
    """The document, indented, in ASCII."""
    return json.dumps(document(plan), indent=2) + "\n"


def locks(planned: Planned) -> list[Lock]:
    """The locks of all statements, each once, in the order in which they are taken."""
    return list(dict.fromkeys(lock for each in planned.statements for lock in each.locks))


def _pending(planned: Planned) -> dict[str, Any]:
    return {
        "part": planned.file.part,
        "file": planned.file.name,
        "checksum": planned.file.checksum,
        "statements": len(planned.statements),
        "transactional": planned.transactional,
        "locks": [
            {"mode": lock.mode, "relation": lines.quoted(lock.relation)} for lock in locks(planned)
        ],
        "findings": [
            {
                "rule": each.rule,
                "level": each.level,
                "line": each.line,
                "message": each.message,
                "remedy": each.remedy,
                "destructive": each.destructive,
            }
            for each in planned.findings
        ],
    }


def _findings(plan: Plan) -> Iterator[str]:
    told: set[str] = set()
    for planned in plan.pending:
        for each in planned.findings:
            level = f"{each.level}".lower() + (", deletes data" if each.destructive else "")
            yield f"{label(planned.file)}:{each.line}: {level}: {each.rule}: {each.message}"
            if each.remedy and each.rule not in told:
                yield f"    instead: {each.remedy}"
            told.add(each.rule)


def _counted(plan: Plan) -> str:
    found: list[Finding] = [each for planned in plan.pending for each in planned.findings]
    errors = sum(each.level is Level.ERROR for each in found)
    deleting = sum(each.destructive for each in found)
    counts = [_many(errors, "error"), _many(len(found) - errors, "warning")]
    deletes = f", of which {deleting} about data that would be deleted" if deleting else ""
    return f"{_files(len(plan.pending))}: {' and '.join(counts)}{deletes}"


def _table(pending: Sequence[Planned]) -> list[str]:
    rows = [_HEADER, *(_row(each) for each in pending)]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]


def _row(planned: Planned) -> tuple[str, str, str, str]:
    taken = [f"{lock.mode} on {lines.quoted(lock.relation)}" for lock in locks(planned)]
    shown = taken[:MOST_LOCKS] + ([f"{len(taken) - MOST_LOCKS} more"] * (len(taken) > MOST_LOCKS))
    runs = "in one transaction" if planned.transactional else "statement by statement"
    count = len(planned.statements)
    return label(planned.file), str(count), runs, ", ".join(shown) or "none that others wait for"


def _obstacle(obstacle: Obstacle) -> str:
    return f"{obstacle.file}: {obstacle.trouble}: {obstacle.message}"


def _files(count: int) -> str:
    return _many(count, "file")


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
