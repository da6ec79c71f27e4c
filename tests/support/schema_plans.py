"""What a run of a schema's files finds and does where a database is no more than its ledger. Pure.

For tests whose control plane runs no containers: SQL is never parsed. A few words in it say what
becomes of a file.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from daap_operator.kinds.schema.orders import MEASURE
from daap_operator.schema.files_sum import files_checksum

Object = dict[str, Any]

BROKEN, UNSAFE, DELETES = "BROKEN", "UNSAFE", "DROP"
"""What is in the SQL of a file that PostgreSQL refuses, the linter stops, or that deletes data."""
WAITS, UNREACHABLE = "WAITS", "UNREACHABLE"
"""The same of a file that never ends, and before which the database is lost."""
DRIFT: Object = {
    "change": "Unknown",
    "kind": "column",
    "name": "public.orders.note",
    "file": "",
    "message": "column public.orders.note is there, and no file made it: text",
}
"""What a look may find of a ledger's `drift`."""
FIXTURES = "fixtures"
REHEARSE = "rehearse"
"""The mode of a run on a copy; its command is `apply`."""


class File(NamedTuple):
    """One file as a pod has it."""

    part: str
    name: str
    sql: str
    of_image: bool = False

    @property
    def checksum(self) -> str:
        """SHA-256 of its bytes."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


class Row(NamedTuple):
    """A file in a ledger."""

    part: str
    file: str
    checksum: str
    job: str


class Order(NamedTuple):
    """What a Job was asked to do, as its arguments have it."""

    mode: str
    options: dict[str, str]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Order":
        """From the arguments of the container."""
        _, mode, *rest = arguments
        mode = REHEARSE if MEASURE in rest else mode
        pairs = (each.removeprefix("--").partition("=") for each in rest if each.startswith("--"))
        return cls(mode, {name: value for name, _, value in pairs})

    @property
    def ledger(self) -> str:
        """The name of the ledger."""
        return self.options["ledger"]


@dataclass
class Ledger:
    """A ledger of one database."""

    rows: list[Row] = field(default_factory=list)
    """Every file that was ever applied, in order; a fixture each time."""
    drift: list[Object] = field(default_factory=list)
    """What somebody has changed by hand."""

    def through(self, length: int | None = None) -> dict[tuple[str, str], str]:
        """The checksums of what is applied, or was when there were so many rows."""
        return {(row.part, row.file): row.checksum for row in self.rows[:length]}


def run(order: Order, files: Sequence[File], ledger: Ledger) -> Object:
    """The report of a run; what it applies is in the ledger then."""
    checksum = _checksum(files)
    head = {"format": 1, "reason": "", "message": "", "filesChecksum": checksum}
    head |= {"ledger": order.ledger}
    others = _checksum([each for each in files if not each.of_image])
    seen = {"files": checksum, "files-but-images": others}
    assert seen.keys() & order.options.keys(), order
    if any(order.options.get(option, found) != found for option, found in seen.items()):
        told = f"the files have the checksum {checksum}"
        return head | {"result": "Refused", "reason": "FilesChanged", "message": told}
    if order.mode == "check":
        return head | _checked(files, ledger)
    return head | _applied(order, files, ledger)


def _checksum(files: Sequence[File]) -> str:
    return files_checksum((each.part, each.name, each.checksum) for each in files)


def _checked(files: Sequence[File], ledger: Ledger) -> Object:
    left, stopped = pending(files, ledger), _obstacles(files, ledger)
    listed = [_listed(each) for each in left]
    findings = [each for file in listed for each in file["findings"]]
    return {
        "result": "Checked",
        **_said(ledger),
        "plan": plan_hash(left),
        "stopped": bool(stopped),
        "pending": listed,
        "obstacles": stopped,
        "drift": ledger.drift,
        "pendingCount": len(left),
        "findingsCount": len(findings),
        "destructiveCount": sum(each["destructive"] for each in findings),
        "obstaclesCount": len(stopped),
        "driftCount": len(ledger.drift),
    }


def _applied(order: Order, files: Sequence[File], ledger: Ledger) -> Object:
    left, stopped, approved = pending(files, ledger), _obstacles(files, ledger), order.options
    if stopped:
        return _refused(stopped[0]["reason"], stopped[0]["message"])
    if left and order.mode != REHEARSE and not _covers(approved["plan"], files, ledger):
        return _refused("PlanChanged", f"the plan is {plan_hash(left)}")
    deletes = [each.name for each in left if DELETES in each.sql]
    if deletes and approved["on-destructive"] == "refuse":
        return _refused("DestructiveRefused", f"{deletes[0]} deletes data")
    done: list[Row] = []
    for each in left:
        if UNREACHABLE in each.sql:
            told = {"message": "the database was not reached within 60 s"}
            head = {"result": "Failed", "reason": "Unavailable"} | told
            return head | _said(ledger) | {"applied": [_row(row) for row in done]}
        if BROKEN in each.sql:
            return _failed(each) | _said(ledger) | {"applied": [_row(row) for row in done]}
        done.append(Row(each.part, each.name, each.checksum, order.options["job"]))
        ledger.rows.append(done[-1])
    locks = [{"mode": "ACCESS EXCLUSIVE", "relation": "orders"}]
    more = {"locks": locks} if order.mode == REHEARSE else {}
    return {"result": "Applied", **_said(ledger), "applied": [_row(row) | more for row in done]}


def never_ends(order: Order, files: Sequence[File]) -> bool:
    """Whether a run waits for a lock that is never given back."""
    return order.mode == "apply" and any(WAITS in each.sql for each in files)


# --- plans ----------------------------------------------------------------------------------------


def pending(files: Sequence[File], ledger: Ledger, length: int | None = None) -> list[File]:
    """The files that are to be applied, in order."""
    there = ledger.through(length)
    left = [
        each
        for each in files
        if (known := there.get((each.part, each.name))) is None
        or (each.part == FIXTURES and known != each.checksum)
    ]
    return sorted(left, key=lambda each: (each.part == FIXTURES, each.name))


def plan_hash(left: Sequence[File]) -> str:
    """The hash of a plan."""
    told = json.dumps([(each.part, each.name, each.checksum) for each in left])
    return hashlib.sha256(told.encode()).hexdigest()


def _covers(approved: str, files: Sequence[File], ledger: Ledger) -> bool:
    """Whether what is left is the approved plan, or the rest of it."""
    lengths = range(len(ledger.rows), -1, -1)
    return any(plan_hash(pending(files, ledger, length)) == approved for length in lengths)


def _obstacles(files: Sequence[File], ledger: Ledger) -> list[Object]:
    there = ledger.through()
    changed = [
        _obstacle("AppliedFileChanged", each, "has changed since it was applied")
        for each in files
        if each.part != FIXTURES
        and there.get((each.part, each.name), each.checksum) != each.checksum
    ]
    left = pending(files, ledger)
    unsafe = [_obstacle("LintFailed", each, _UNSAFE) for each in left if UNSAFE in each.sql]
    return changed + unsafe


_UNSAFE = (
    "line 1: index-blocks-writes: CREATE INDEX orders_by_user: nobody can write to the table while "
    "the index is built"
)


def _obstacle(reason: str, file: File, message: str) -> Object:
    return {"reason": reason, "file": file.name, "message": message}


# --- parts of a report ----------------------------------------------------------------------------


def _said(ledger: Ledger) -> Object:
    there = ledger.through()
    names = [name for part, name in there if part != FIXTURES]
    told = json.dumps(sorted((*key, checksum) for key, checksum in there.items()))
    return {
        "ledgerChecksum": hashlib.sha256(told.encode()).hexdigest(),
        "current": max(names, default=""),
        "count": len(there),
    }


def _listed(file: File) -> Object:
    finding = {"rule": "drop-table", "level": "Warning", "line": 1, "destructive": True}
    finding |= {"message": "deletes the table with all its rows", "remedy": "have a backup"}
    return {
        "part": file.part,
        "file": file.name,
        "checksum": file.checksum,
        "statements": file.sql.count(";"),
        "transactional": "CONCURRENTLY" not in file.sql,
        "locks": [],
        "findings": [finding] if DELETES in file.sql else [],
    }


def _row(row: Row) -> Object:
    return {"part": row.part, "file": row.file, "checksum": row.checksum, "seconds": 0.1}


def _refused(reason: str, message: str) -> Object:
    return {"result": "Refused", "reason": reason, "message": message}


def _failed(file: File) -> Object:
    error = {"part": file.part, "file": file.name, "line": 1, "sqlstate": "42601"}
    error |= {"message": 'syntax error at or near "BROKEN"'}
    message = f"{file.name}:1: syntax error"
    return {"result": "Failed", "reason": "FileFailed", "message": message, "lastError": error}
