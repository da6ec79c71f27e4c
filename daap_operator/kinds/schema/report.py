"""What a Job has said, and what of that is noted in the status. Pure.

Whoever may create pods in the namespace could write such words: only those of a pod of the
schema's own Job are read, and of these no more than the status has room for.
"""

import json
from datetime import datetime
from typing import NamedTuple

from daap_operator import raw
from daap_operator.api.v1alpha1 import (
    DaapSchemaStatus,
)
from daap_operator.api.v1alpha1.schema.plan import ERROR_LENGTH, MOST_DRIFT, MOST_PENDING
from daap_operator.engine.bounds import KEPT_BYTES
from daap_operator.findings import Finding
from daap_operator.kinds.schema import listed
from daap_operator.kinds.schema.fitting import fitting
from daap_operator.kinds.schema.listed import Fields
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.wording import in_the_spec
from daap_operator.kube import words
from daap_operator.lines import quoted

APPLIED, CHECKED, REFUSED, FAILED = "Applied", "Checked", "Refused", "Failed"
"""How a run ends, as the runner says it."""
STALE = ("FilesChanged", "PlanChanged")
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
    "ImageNotMounted": SchemaReason.IMAGES_UNSUPPORTED,
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


def of_check(
    said: Said,
    status: DaapSchemaStatus,
    wanted: str,
    now: datetime,
    room: int = KEPT_BYTES,
    *,
    images: bool = False,
) -> Fields:
    """What a look has come to; its lists need no more than `room` bytes of memory.

    `images`: which files there are only that look has seen.
    """
    count, plan = listed.count(said.document, "pendingCount"), listed.hashed(said.document, "plan")
    if said.result == CHECKED and count and plan is None:
        said = lost("The report of the last look has no plan: what it found cannot be approved")
    if said.result != CHECKED:
        # That it could not be verified does not say that it is not so any more
        checked = wanted if status.checked == wanted else None
        return over(status) | failed(said, status, now) | {"checked": checked}
    pending, drift = fitting(
        [listed.pending(each) for each in raw.items(said.document, "pending")[:MOST_PENDING]],
        [listed.drift(each) for each in raw.items(said.document, "drift")[:MOST_DRIFT]],
        room,
    )
    found = listed.ledger(said.document) | {
        "checked": wanted,
        "files_checksum": listed.hashed(said.document, "filesChecksum") if images else None,
        "verified_at": now.replace(microsecond=0),
        "plan": plan if count else None,
        "pending": pending,
        "pending_count": count,
        "findings_count": listed.count(said.document, "findingsCount"),
        "destructive_count": listed.count(said.document, "destructiveCount"),
        "drift": drift,
        "drift_count": listed.count(said.document, "driftCount"),
        "last_error": None,
    }
    obstacles = raw.items(said.document, "obstacles")
    if not obstacles and not listed.count(said.document, "obstaclesCount"):
        # What differs may be undone at any time: it is looked at again as what has failed
        again = _again(status, now) if found["drift_count"] and not count else {}
        return over(status) | well() | again | found
    first = obstacles[0] if obstacles else _UNTOLD
    names = f"{raw.text(first, 'file')}: {raw.text(first, 'message')}"
    more = listed.count(said.document, "obstaclesCount") - 1
    told = f"{names} (and {more} more)" if more > 0 else names
    refused = Said(REFUSED, raw.text(first, "reason"), told, said.document)
    return over(status) | failed(refused, status, now) | found


def of_apply(said: Said, status: DaapSchemaStatus, now: datetime) -> Fields:
    """What a run has come to."""
    noted = over(status)
    if said.document:
        noted |= listed.ledger(said.document)
    if raw.items(said.document, "applied") or raw.number(said.document, "appliedMore"):
        noted["last_applied_at"] = now.replace(microsecond=0)
    if said.result == APPLIED:
        done = {"checked": None, "last_error": None, "approved": None}
        return noted | well() | _NOTHING | done
    noted |= failed(said, status, now)
    if said.result == REFUSED:
        return noted | {"checked": None}
    return noted | {"last_error": listed.error(said.document)}


_UNTOLD = {"file": "The files", "message": "what is in their way stands in the log of the Job"}
"""In the place of an obstacle that had no room in the last words, while there is no log."""
_NOTHING: Fields = {
    "plan": None,
    "pending": [],
    "pending_count": 0,
    "findings_count": 0,
    "destructive_count": 0,
}
"""What is pending after a run that has applied everything."""


def over(status: DaapSchemaStatus) -> Fields:
    """A Job has ended."""
    return {"job": None, "runs": (status.runs or 0) + 1}


def well() -> Fields:
    """Nothing is in the way any more."""
    return {"failures": None, "last_failed_at": None, "reason": None, "message": None}


def _again(status: DaapSchemaStatus, now: datetime) -> Fields:
    return {
        "failures": (status.failures or 0) + 1,
        "last_failed_at": now.replace(microsecond=0),
    }


def failed(said: Said, status: DaapSchemaStatus, now: datetime) -> Fields:
    """Why it has failed once more, as the runner says it."""
    return failed_for(reason_of(said), status, now)


def failed_for(why: Finding, status: DaapSchemaStatus, now: datetime) -> Fields:
    """The same, as this process has found it."""
    return _again(status, now) | {
        "reason": str(why.reason),
        "message": why.message[:ERROR_LENGTH],
    }


def reason_of(said: Said) -> Finding:
    """Why a run has failed, or was refused."""
    told = quoted(words.said(in_the_spec(said.message)))
    if said.reason in STALE:
        return Finding(SchemaReason.RUN_LOST, told)
    if not said.document:
        return Finding(SchemaReason.RUN_LOST, told)
    other = SchemaReason.RUN_REFUSED if said.result == REFUSED else SchemaReason.UNAVAILABLE
    return Finding(_REASONS.get(said.reason, other), told)
