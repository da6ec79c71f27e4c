"""What has come of a run, as JSON: the last words of a Job, and a line in its log. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from daap_operator import lines
from daap_operator.schema import ledger_sum
from daap_operator.schema.drift import Drift
from daap_operator.schema.errors import FileFailedError, RefusedError, SchemaError
from daap_operator.schema.failures import Failure
from daap_operator.schema.model import Applied, Part, Plan

FORMAT = 1
"""Of the JSON. What a later one adds, readers of this one ignore."""
LAST_WORDS_BYTES = 4096
"""https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/"""
LOG_BYTES = 120 * 1024

RUNBOOKS = {"FileFailed": "SchemaFileFailed"}
"""The page of docs/runbooks for a reason, where there is one."""

_LENGTHS = (512, 256, 128, 64)
"""Characters that each text is cut to, until all of them fit."""
_MOST = ((10_000, 10_000), (1_000, 100), (100, 20), (20, 5), (20, 0), (5, 0), (0, 0))
"""Entries that each list is cut to, then, and those of the lists in them: a file without its
findings says more than none."""

_LEAST = 20
"""Bytes that an entry has at least, whatever its texts are cut to."""


class Result(StrEnum):
    """How it ended."""

    APPLIED = "Applied"
    CHECKED = "Checked"
    REFUSED = "Refused"
    FAILED = "Failed"


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and what it has done until then."""

    result: Result
    ledger: str
    reason: str = ""
    message: str = ""
    files_checksum: str = ""
    """Of the files that are there; empty when not all of them could be read."""
    plan: Plan = field(default_factory=Plan)
    done: Sequence[Applied] = ()
    applied: Sequence[Applied] = ()
    """The whole ledger, oldest first."""
    failure: Failure | None = None


def document(outcome: Outcome) -> dict[str, Any]:
    """All of it, as JSON has it; lists in the order of applying."""
    done = {(each.part, each.name) for each in outcome.done}
    pending = [each.file for each in outcome.plan.pending]
    found: dict[str, Any] = {
        "format": FORMAT,
        "result": outcome.result,
        "reason": outcome.reason,
        "runbook": RUNBOOKS.get(outcome.reason),
        "message": outcome.message,
        "filesChecksum": outcome.files_checksum,
        "ledger": outcome.ledger,
        **ledgers(outcome.applied),
        "plan": outcome.plan.hash,
        "lastError": _error(outcome.failure),
        "applied": [_row(each) for each in outcome.done],
        "pending": [
            {"part": each.part, "file": each.name, "checksum": each.checksum}
            for each in pending
            if (each.part, each.name) not in done
        ],
    }
    return {key: value for key, value in found.items() if value is not None}


def ended(error: SchemaError | None, well: Result) -> tuple[Result, str]:
    """How it ended, and the reason, by what was raised; `well` when nothing was."""
    if error is None:
        return well, ""
    if isinstance(error, RefusedError):
        return Result.REFUSED, error.reason
    if isinstance(error, FileFailedError):
        return Result.FAILED, "LockTimeout" if error.failure.in_the_way else "FileFailed"
    return Result.FAILED, "Unavailable"


def ledgers(rows: Sequence[Applied]) -> dict[str, Any]:
    """What is said of a ledger's rows."""
    through = [each for each in rows if each.done is None]
    names = [each.name for each in through if each.part is Part.SCHEMA]
    return {
        "ledgerChecksum": ledger_sum.checksum(through),
        "current": max(names, default=""),
        "count": len(through),
    }


def verification(plan: Plan, drift: Sequence[Drift]) -> dict[str, Any]:
    """What `schema verify` has found, as JSON has it."""
    return {
        "format": FORMAT,
        "verified": not (plan.pending or plan.obstacles or drift),
        "obstacles": [
            {"reason": each.trouble, "file": each.file, "message": each.message}
            for each in plan.obstacles
        ],
        "pending": [
            {"part": each.file.part, "file": each.file.name, "checksum": each.file.checksum}
            for each in plan.pending
        ],
        "drift": drifted(drift),
    }


def drifted(drift: Sequence[Drift]) -> list[dict[str, Any]]:
    """The differences."""
    return [
        {"change": each.change, "kind": each.key.kind, "name": each.key.name}
        | {"file": each.file, "message": each.told()}
        for each in drift
    ]


def told(document: Mapping[str, Any], most_bytes: int) -> str:
    """The JSON in one line, cut as little as it takes to fit; what lists lose is counted."""
    for most, below in _MOST:
        if _entries(document, most, below) * _LEAST > most_bytes:
            continue  # not worth the while of cutting megabytes
        for length in _LENGTHS:
            text = json.dumps(_cut(document, length, most, below), separators=(",", ":"))
            if len(text.encode()) <= most_bytes:
                return text
    return json.dumps({"format": FORMAT, "result": document.get("result", "")})


def _entries(value: Any, most: int, below: int) -> int:
    """How many entries its lists have, and the lists in them, once they are cut."""
    if isinstance(value, Mapping):
        return sum(_entries(each, most, below) for each in value.values())
    if isinstance(value, list):
        return sum(1 + _entries(each, below, below) for each in value[:most])
    return 0


def _error(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    found = {
        "part": failure.part,
        "file": failure.file,
        "line": failure.line,
        "sqlstate": failure.sqlstate,
        "message": failure.message,
    }
    more = {"detail": failure.detail, "hint": failure.hint}
    return found | {field: text for field, text in more.items() if text}


def _row(applied: Applied) -> dict[str, Any]:
    return {
        "part": applied.part,
        "file": applied.name,
        "checksum": applied.checksum,
        "seconds": round(applied.seconds, 3),
        **({"locks": locks} if (locks := list(map(asdict, applied.locks))) else {}),
    }


def _cut(value: Any, length: int, most: int, below: int) -> Any:
    if isinstance(value, str):
        seen = lines.visible(value)
        return seen if len(seen) <= length else f"{seen[: length - 1]}…"
    if isinstance(value, Mapping):
        cut = {key: _cut(each, length, most, below) for key, each in value.items()}
        lost = {
            f"{key}More": len(each) - most
            for key, each in value.items()
            if isinstance(each, list) and len(each) > most
        }
        return cut | lost
    if isinstance(value, list):
        return [_cut(each, length, below, below) for each in value[:most]]
    return value
