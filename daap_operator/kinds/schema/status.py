"""What the status of a DaapSchema says. Pure."""

from dataclasses import replace

from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import (
    DaapSchemaSpec,
    DaapSchemaStatus,
    LastError,
    RehearsalState,
    SchemaPhase,
)
from daap_operator.engine.conditions import Verdict
from daap_operator.engine.kinds import Ref
from daap_operator.findings import Finding, Reason
from daap_operator.kinds.schema.memory import Memory
from daap_operator.kinds.schema.reasons import SchemaReason

_PASSING = {
    SchemaReason.LOCK_TIMEOUT,
    SchemaReason.UNAVAILABLE,
    SchemaReason.RUN_LOST,
}
"""Failures that pass by themselves, as a rule."""


def underway(why: Finding, phase: SchemaPhase) -> Verdict:
    """It will go on by itself."""
    return Verdict(ready=False, why=why, reconciling=why, phase=phase)


def held(why: Finding, phase: SchemaPhase) -> Verdict:
    """It goes on once somebody has acted."""
    return Verdict(ready=False, why=why, stalled=why, phase=phase)


def checking(status: DaapSchemaStatus, *, memory: Memory) -> Verdict:
    """A Job is looking."""
    if memory.stuck is not None:
        return held(memory.stuck, SchemaPhase.FAILED)
    told = f"Job {status.job} looks at what is to be applied, and at what the database has"
    why = Finding(SchemaReason.PLANNING, f"{told}{_waits(memory.why)}")
    return underway(why, SchemaPhase.PLANNING)


def planned(status: DaapSchemaStatus) -> Verdict:
    """There is something to apply, and nothing is in its way."""
    why = Finding(SchemaReason.PLAN_READY, f"{_plan(status)} is ready{_found(status)}")
    return underway(why, SchemaPhase.PLANNED)


def rehearsing(status: DaapSchemaStatus, drill: str, why: str = "") -> Verdict:
    """A copy of the database is being restored."""
    told = f"{_plan(status)} is rehearsed first: DaapDrill {drill} restores a copy of the database"
    why = f" ({why.rstrip('.')})" if why else ""
    return underway(Finding(SchemaReason.REHEARSING, f"{told}{why}"), SchemaPhase.PLANNED)


def rehearsing_by(status: DaapSchemaStatus, *, memory: Memory) -> Verdict:
    """A Job is applying the plan to the copy."""
    told = f"{_plan(status)} is rehearsed first: Job {status.job} applies it to a restored copy"
    why = Finding(SchemaReason.REHEARSING, f"{told}{_waits(memory.why)}")
    return underway(why, SchemaPhase.PLANNED)


def applying(status: DaapSchemaStatus, *, memory: Memory) -> Verdict:
    """A Job is applying the plan."""
    if memory.stuck is not None:
        return held(memory.stuck, SchemaPhase.FAILED)
    told = f"Job {status.job} applies {_files(status.pending_count or 0)}"
    why = Finding(SchemaReason.APPLYING, f"{told}{_waits(memory.why)}")
    return underway(why, SchemaPhase.APPLYING)


def awaiting(status: DaapSchemaStatus, spec: DaapSchemaSpec, key: Ref) -> Verdict:
    """Somebody has to approve the plan."""
    other, place = "", f"{key.name} --namespace={key.namespace}"
    if spec.approve:
        other = f"spec.approve names another plan, {spec.approve[:12]}…: "
    deletes = ", which deletes data," if status.destructive_count else ""
    told = (
        f"{other}{_plan(status)}{deletes} waits for approval{_found(status)}{_rehearsed(status)}. "
        "Read status.pending, "
        f"and approve it by kubectl patch daapschema {place} --type=merge "
        f'--patch=\'{{"spec":{{"approve":"{status.plan}"}}}}\''
    )
    why = Finding(SchemaReason.APPROVAL_REQUIRED, told)
    return held(why, SchemaPhase.AWAITING_APPROVAL)


def refusing(status: DaapSchemaStatus) -> Verdict:
    """The plan deletes data, and none may."""
    told = (
        f"{_plan(status)} deletes data, and spec.onDestructive is Refuse{_found(status)}: take the "
        "statements out that delete, or set spec.onDestructive to Approve"
    )
    return held(Finding(SchemaReason.DESTRUCTIVE_REFUSED, told), SchemaPhase.FAILED)


def failed(status: DaapSchemaStatus, retry: str) -> Verdict:
    """The last run has failed, or something is in the way."""
    reason = _reason(status)
    why = Finding(reason, f"{_told(status, reason)}. {retry}")
    verdict = underway if reason in _PASSING else held
    return verdict(why, SchemaPhase.FAILED)


def settled(status: DaapSchemaStatus) -> Verdict:
    """Nothing is to be applied: the schema is there, or the database has something else, too."""
    files = _files(status.applied or 0)
    if not status.drift_count:
        of = f", the last of the schema {status.current}" if status.current else ""
        told = f"{files} applied{of}, and the database is as they have made it"
        why = Finding(CommonReason.READY, told)
        return Verdict(ready=True, why=why, phase=SchemaPhase.APPLIED)
    first = status.drift[0].message if status.drift else "see the log of the Job"
    more = f" (and {status.drift_count - 1} more)" if status.drift_count > 1 else ""
    told = (
        f"{files} applied, and the database is not as they have made it: {first}{more}. Nothing is "
        "repaired: add a file that makes it so, or undo the change"
    )
    return held(Finding(SchemaReason.DRIFTED, told), SchemaPhase.APPLIED)


def verifying(status: DaapSchemaStatus, *, memory: Memory) -> Verdict:
    """The same while a Job compares: what is applied stays so."""
    verdict = settled(status)
    if memory.stuck is None:
        return verdict
    told = f"{verdict.why.message}. It cannot be compared now: {memory.stuck.message}"
    return replace(verdict, why=Finding(verdict.why.reason, told))


def phase_of(status: DaapSchemaStatus) -> SchemaPhase:
    """The phase that it stays in while something else is in the way."""
    return status.phase or SchemaPhase.PENDING


def _rehearsed(status: DaapSchemaStatus) -> str:
    its = status.rehearsal
    if its is None or its.plan != status.plan or its.state is not RehearsalState.PASSED:
        return ""
    took = "" if its.milliseconds is None else f" in {its.milliseconds / 1000:.1f} s"
    return f"; it was applied to a restored copy{took}, see status.rehearsal"


def _told(status: DaapSchemaStatus, reason: Reason) -> str:
    if reason is SchemaReason.REHEARSAL_FAILED:
        return _rehearsal(status)
    error = status.last_error
    of_file = reason in (SchemaReason.FILE_FAILED, SchemaReason.LOCK_TIMEOUT)
    if error is None or not error.file or not of_file:
        return status.message or "The last run failed, and why is not known any more"
    told = _line(error)
    if reason is SchemaReason.FILE_FAILED:
        return f"{told}. Correct the file, and it is applied at once"
    return told


def _rehearsal(status: DaapSchemaStatus) -> str:
    error = status.rehearsal.error if status.rehearsal else None
    told = _line(error) if error and error.file else status.message or "why is not known any more"
    return (
        f"The plan fails on a restored copy of the database, and is not applied: {told}. Correct "
        "the file, and the plan is rehearsed at once, or set spec.rehearsal to Never"
    )


def _line(error: LastError) -> str:
    line = f", line {error.line}" if error.line else ""
    code = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    return f"{error.part} file {error.file}{line}: {error.message}{code}"


def _reason(status: DaapSchemaStatus) -> Reason:
    known = {str(reason): reason for reason in SchemaReason}
    return known.get(status.reason or "", SchemaReason.RUN_LOST)


def _plan(status: DaapSchemaStatus) -> str:
    return f"The plan {(status.plan or '')[:12]}… of {_files(status.pending_count or 0)}"


def _found(status: DaapSchemaStatus) -> str:
    if not status.findings_count:
        return ""
    many = "1 finding" if status.findings_count == 1 else f"{status.findings_count} findings"
    return f", with {many} in status.pending"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _waits(waits: str) -> str:
    return f" (its pod waits: {waits})" if waits else ""
