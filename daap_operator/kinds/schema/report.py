"""What a Job has said, and what of that is noted in the status. Pure.

Whoever may create pods in the namespace could write such words: only those of a pod of the
schema's own Job are read, and of these no more than the status has room for.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from daap_operator import raw
from daap_operator.api.v1alpha1 import (
    DaapSchemaStatus,
    Drift,
    FileFinding,
    LastError,
    PendingFile,
)
from daap_operator.api.v1alpha1.schema.plan import (
    ERROR_LENGTH,
    MESSAGE_LENGTH,
    MOST_DRIFT,
    MOST_FINDINGS,
    MOST_LOCKS,
    MOST_PENDING,
)
from daap_operator.findings import Finding
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kube import words
from daap_operator.lines import quoted

Fields = dict[str, object]

APPLIED, CHECKED, REFUSED, FAILED = "Applied", "Checked", "Refused", "Failed"
"""How a run ends, as the runner says it."""
_STALE = ("FilesChanged", "PlanChanged")
"""Why a run was refused that was ordered of what is not so any more: it is looked at again."""
_REASONS = {
    "LintFailed": SchemaReason.LINT_FAILED,
    "FileFailed": SchemaReason.FILE_FAILED,
    "AppliedFileChanged": SchemaReason.APPLIED_FILE_CHANGED,
    "OutOfOrder": SchemaReason.OUT_OF_ORDER,
    "DestructiveRefused": SchemaReason.DESTRUCTIVE_REFUSED,
    "ApprovalRequired": SchemaReason.APPROVAL_REQUIRED,
    "LockTimeout": SchemaReason.LOCK_TIMEOUT,
    "Unavailable": SchemaReason.UNAVAILABLE,
}


class Said(NamedTuple):
    """A run's report, or what is known of one that has left none."""

    result: str
    reason: str
    message: str
    document: raw.Object


def parsed(text: str) -> Said | None:
    """The report that a text is; None when it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not raw.text(found, "result"):
        return None
    result, reason, message = (raw.text(found, field) for field in ("result", "reason", "message"))
    return Said(result, reason, message, found)


def lost(why: str) -> Said:
    """Of a Job that is over and has said nothing."""
    return Said(FAILED, "", why, {})


# --- what is noted --------------------------------------------------------------------------------


def of_check(said: Said, status: DaapSchemaStatus, wanted: str, now: datetime) -> Fields:
    """What a look has come to."""
    if said.result != CHECKED:
        # That it could not be verified does not say that it is not so any more
        checked = wanted if status.checked == wanted else None
        return _over(status) | _failed(said, status, now) | {"checked": checked}
    count = _count(said.document, "pendingCount")
    found = _ledger(said.document) | {
        "checked": wanted,
        "verified_at": now.replace(microsecond=0),
        "plan": _hash(said.document, "plan") if count else None,
        "pending": [_pending(each) for each in raw.items(said.document, "pending")[:MOST_PENDING]],
        "pending_count": count,
        "findings_count": _count(said.document, "findingsCount"),
        "destructive_count": _count(said.document, "destructiveCount"),
        "drift": [_drift(each) for each in raw.items(said.document, "drift")[:MOST_DRIFT]],
        "drift_count": _count(said.document, "driftCount"),
        "last_error": None,
    }
    obstacles = raw.items(said.document, "obstacles")
    if not obstacles:
        # What differs may be undone at any time: it is looked at again as what has failed
        again = _again(status, now) if found["drift_count"] and not count else {}
        return _over(status) | _well() | again | found
    first = obstacles[0]
    names = f"{raw.text(first, 'file')}: {raw.text(first, 'message')}"
    more = _count(said.document, "obstaclesCount") - 1
    told = f"{names} (and {more} more)" if more > 0 else names
    refused = Said(REFUSED, raw.text(first, "reason"), told, said.document)
    return _over(status) | _failed(refused, status, now) | found


def of_apply(said: Said, status: DaapSchemaStatus, now: datetime) -> Fields:
    """What a run has come to."""
    noted = _over(status)
    if said.document:
        noted |= _ledger(said.document)
    if raw.items(said.document, "applied") or raw.number(said.document, "appliedMore"):
        noted["last_applied_at"] = now.replace(microsecond=0)
    if said.result == APPLIED:
        return noted | _well() | _NOTHING | {"checked": None, "last_error": None}
    noted |= _failed(said, status, now)
    if said.result == REFUSED:
        return noted | {"checked": None}
    return noted | {"last_error": _error(said)}


_NOTHING: Fields = {
    "plan": None,
    "pending": [],
    "pending_count": 0,
    "findings_count": 0,
    "destructive_count": 0,
}
"""What is pending after a run that has applied everything."""


def _over(status: DaapSchemaStatus) -> Fields:
    return {"job": None, "runs": (status.runs or 0) + 1}


def _well() -> Fields:
    return {"failures": None, "last_failed_at": None, "reason": None, "message": None}


def _again(status: DaapSchemaStatus, now: datetime) -> Fields:
    return {
        "failures": (status.failures or 0) + 1,
        "last_failed_at": now.replace(microsecond=0),
    }


def _failed(said: Said, status: DaapSchemaStatus, now: datetime) -> Fields:
    why = reason_of(said)
    return _again(status, now) | {
        "reason": str(why.reason),
        "message": why.message[:ERROR_LENGTH],
    }


_OPTIONS = {
    "--on-destructive": "spec.onDestructive",
    "--search-path": "spec.searchPath",
    "--baseline": "spec.baseline",
    "--ignore": "spec.lint.ignore",
    "--ledger": "spec.ledger",
    "--level": "spec.lint.level",
    "--role": "spec.role",
}
"""What the runner calls by its options, as a team has it in the spec."""


def _in_the_spec(text: str) -> str:
    for option, field in _OPTIONS.items():
        text = text.replace(option, field)
    return text


def reason_of(said: Said) -> Finding:
    """Why a run has failed, or was refused."""
    told = quoted(words.said(_in_the_spec(said.message)))
    if said.reason in _STALE:
        return Finding(SchemaReason.RUN_LOST, told)
    if not said.document:
        return Finding(SchemaReason.RUN_LOST, told)
    other = SchemaReason.RUN_REFUSED if said.result == REFUSED else SchemaReason.UNAVAILABLE
    return Finding(_REASONS.get(said.reason, other), told)


# --- the parts of a report ------------------------------------------------------------------------


def _ledger(said: raw.Object) -> Fields:
    return {
        "current": quoted(raw.text(said, "current"))[:253] or None,
        "applied": _count(said, "count"),
        "ledger_checksum": _hash(said, "ledgerChecksum"),
    }


def _pending(said: object) -> PendingFile:
    locks = (
        f"{raw.text(each, 'mode')} on {raw.text(each, 'relation')}"
        for each in raw.items(said, "locks")[:MOST_LOCKS]
    )
    return PendingFile(
        part=quoted(raw.text(said, "part"))[:16],
        file=quoted(raw.text(said, "file"))[:253],
        checksum=_hash(said, "checksum") or "",
        statements=_count(said, "statements"),
        transactional=raw.truth(said, "transactional"),
        locks=[quoted(each)[:256] for each in locks],
        findings=[_finding(each) for each in raw.items(said, "findings")[:MOST_FINDINGS]],
    )


def _finding(said: object) -> FileFinding:
    remedy = raw.text(said, "remedy")
    text = raw.text(said, "message")
    told = _in_the_spec(f"{text}; {remedy}" if remedy else text)
    return FileFinding(
        rule=quoted(raw.text(said, "rule"))[:63],
        level=quoted(raw.text(said, "level"))[:16],
        line=_count(said, "line"),
        message=quoted(told)[:MESSAGE_LENGTH],
        destructive=raw.truth(said, "destructive"),
    )


def _drift(said: object) -> Drift:
    texts: dict[str, Any] = {
        field: quoted(raw.text(said, field))[:most]
        for field, most in (
            ("change", 32),
            ("kind", 32),
            ("name", 256),
            ("file", 253),
            ("message", MESSAGE_LENGTH),
        )
    }
    return Drift(**texts)


def _error(said: Said) -> LastError | None:
    found = raw.mapping(said.document, "lastError")
    if not found:
        return None
    return LastError(
        part=quoted(raw.text(found, "part"))[:16],
        file=quoted(raw.text(found, "file"))[:253],
        line=_count(found, "line"),
        sqlstate=quoted(raw.text(found, "sqlstate"))[:5],
        message=quoted(words.said(raw.text(found, "message")))[:ERROR_LENGTH],
    )


def _hash(said: object, field: str) -> str | None:
    found = raw.text(said, field)
    return found if len(found) == _HASH and set(found) <= _HEX else None


def _count(said: object, field: str) -> int:
    return max(0, raw.number(said, field))


_HASH, _HEX = 64, set("0123456789abcdef")


# --- the pods of a Job ----------------------------------------------------------------------------


def waits(pods: Iterable[raw.Object]) -> str:
    """What a pod of a Job waits for, where that is known; empty: nothing, or there is no pod."""
    for pod in pods:
        for each in raw.items(pod, "status", "containerStatuses"):
            if reason := raw.text(each, "state", "waiting", "reason"):
                said = raw.text(each, "state", "waiting", "message")
                return quoted(words.said(f"{reason} {said}".rstrip()))
        for each in raw.items(pod, "status", "conditions"):
            if raw.text(each, "reason") == "Unschedulable":
                return quoted(words.said(f"Unschedulable: {raw.text(each, 'message')}"))
    return ""


def ended(pod: raw.Object, container: str) -> raw.Object:
    """How a container of a pod has ended: the state `terminated`; empty when it has not."""
    for each in raw.items(pod, "status", "containerStatuses"):
        if raw.text(each, "name") == container:
            return raw.mapping(each, "state", "terminated")
    return {}
