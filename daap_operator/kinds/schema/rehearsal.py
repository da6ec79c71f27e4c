"""Whether a plan is rehearsed, how far that is, and what it came to. Pure."""

from datetime import datetime

from daap_operator import raw
from daap_operator.api.v1alpha1 import (
    DaapSchemaSpec,
    DaapSchemaStatus,
    OnDestructive,
    Rehearsal,
    RehearsalState,
    RehearsedFile,
    SchemaRehearsal,
)
from daap_operator.api.v1alpha1.schema.plan import MOST_PENDING
from daap_operator.findings import Finding
from daap_operator.kinds.schema import listed, report
from daap_operator.kinds.schema.fitting import rehearsed
from daap_operator.kinds.schema.listed import Fields
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.report import Said
from daap_operator.lines import quoted

_OVER = (RehearsalState.PASSED, RehearsalState.FAILED)
_LONGEST_SECONDS = 10**9
"""Of a file; what takes longer, or is no number, was not said by the runner."""
_OF_THE_PLAN = ("FileFailed", "LintFailed", "AppliedFileChanged", "OutOfOrder")
"""Why a run fails on any copy."""


def asked(spec: DaapSchemaSpec, status: DaapSchemaStatus) -> bool:
    """Whether what is pending is to be rehearsed. What is refused anyway is not."""
    if spec.on_destructive is OnDestructive.REFUSE and status.destructive_count:
        return False
    found = spec.rehearsal is Rehearsal.WHEN_FINDINGS and bool(status.findings_count)
    return bool(status.pending_count) and (found or spec.rehearsal is Rehearsal.ALWAYS)


def current(status: DaapSchemaStatus, wanted: str) -> SchemaRehearsal | None:
    """The rehearsal of what is pending now, as it is to be looked at; None where there is none."""
    its = status.rehearsal
    return its if its and (its.plan, its.of) == (status.plan, wanted) else None


def under_way(its: SchemaRehearsal) -> bool:
    """Whether its result is not known yet."""
    return its.state not in _OVER


def leftover(spec: DaapSchemaSpec, status: DaapSchemaStatus, wanted: str, attempt: str) -> str:
    """The DaapDrill whose copy is of no use any more; empty: there is none.

    `wanted` and `attempt` are what is to be looked at, and tried, as the status has them.
    """
    its = status.rehearsal
    if its is None or its.drill is None:
        return ""
    same = current(status, wanted) is not None and status.attempted == attempt
    useful = under_way(its) and same and asked(spec, status)
    return "" if useful else its.drill


def put_away(its: SchemaRehearsal) -> Fields:
    """What is noted once the drill is deleted: of what has come to nothing, nothing."""
    if under_way(its):
        return {"rehearsal": None, "job": None}
    return {"rehearsal": its.model_copy(update={"drill": None})}


def begun(plan: str, wanted: str, drill: str, now: datetime) -> SchemaRehearsal:
    """A rehearsal for which a copy is about to be ordered."""
    return SchemaRehearsal(
        plan=plan,
        of=wanted,
        state=RehearsalState.RESTORING,
        drill=drill,
        started_at=now.replace(microsecond=0),
        files=[],
    )


def applying(its: SchemaRehearsal, drill: raw.Object) -> SchemaRehearsal:
    """The copy serves: how long that took, and how late its state is."""
    seconds = raw.value(drill, "status", "restoreSeconds", "total")
    update = {
        "state": RehearsalState.APPLYING,
        "recovered_to": raw.moment(drill, "status", "recoveredTo"),
        "restore_seconds": max(0, seconds) if isinstance(seconds, int) else None,
    }
    return its.model_copy(update=update)


# --- what came of it ------------------------------------------------------------------------------


def ended(
    said: Said, status: DaapSchemaStatus, its: SchemaRehearsal, now: datetime, seen: raw.Object
) -> Fields:
    """What a run on the copy has come to, as far as the object that is `seen` has room for it."""
    found = its.model_copy(update=_measured(said))
    if said.result == report.APPLIED:
        passed = found.model_copy(update={"state": RehearsalState.PASSED})
        return report.over(status) | report.well() | {"rehearsal": rehearsed(passed, seen)}
    why = report.reason_of(said)
    if said.reason in _OF_THE_PLAN:
        error = listed.error(said.document)
        broken = found.model_copy(update={"state": RehearsalState.FAILED, "error": error})
        told = Finding(SchemaReason.REHEARSAL_FAILED, why.message)
        noted = {"rehearsal": rehearsed(broken, seen)}
        return report.over(status) | report.failed_for(told, status, now) | noted
    lost = Finding(SchemaReason.RUN_LOST, f"The rehearsal has no result: {why.message}")
    stale = {"checked": None} if said.reason in report.STALE else {}
    return given_up(lost, status, its, now) | stale


def given_up(why: Finding, status: DaapSchemaStatus, its: SchemaRehearsal, now: datetime) -> Fields:
    """What is noted of one that says nothing of the plan: it counts for none any more."""
    void = its.model_copy(update={"of": ""})
    return report.over(status) | report.failed_for(why, status, now) | {"rehearsal": void}


def _measured(said: Said) -> Fields:
    rows = raw.items(said.document, "applied")
    milliseconds = [_milliseconds(each) for each in rows]
    files = [
        RehearsedFile(
            part=quoted(raw.text(each, "part"))[:16],
            file=quoted(raw.text(each, "file"))[:253],
            milliseconds=took,
            locks=listed.locks(each),
        )
        for each, took in zip(rows[:MOST_PENDING], milliseconds, strict=False)
    ]
    whole = not raw.number(said.document, "appliedMore")
    return {"files": files, "milliseconds": sum(milliseconds) if whole else None}


def _milliseconds(said: object) -> int:
    found = raw.value(said, "seconds")
    if not isinstance(found, int | float) or not 0 <= found <= _LONGEST_SECONDS:
        return 0
    return round(1000 * found)
