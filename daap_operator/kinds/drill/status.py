"""What the status of a DaapDrill says. Pure."""

from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import DaapDrillStatus, DrillPhase
from daap_operator.engine.conditions import Verdict
from daap_operator.findings import Finding, Reason
from daap_operator.kinds.drill.reasons import DrillReason

_ERROR = 2048


def underway(why: Finding, phase: DrillPhase) -> Verdict:
    """It will go on by itself."""
    return Verdict(ready=False, why=why, reconciling=why, phase=phase)


def held(why: Finding, phase: DrillPhase) -> Verdict:
    """It goes on once somebody has acted."""
    return Verdict(ready=False, why=why, stalled=why, phase=phase)


def restoring(status: DaapDrillStatus) -> Verdict:
    """The backup is being restored."""
    return underway(
        Finding(
            DrillReason.RESTORING,
            f"{what(status)} is being restored into the scratch Cluster {status.cluster_name}",
        ),
        DrillPhase.RESTORING,
    )


def checking(status: DaapDrillStatus) -> Verdict:
    """The restored database is being checked."""
    told = f"{what(status)} was restored, and the database in it is being checked"
    return underway(Finding(DrillReason.CHECKING, told), DrillPhase.CHECKING)


def lent(status: DaapDrillStatus, borrower: str, phase: DrillPhase) -> Verdict:
    """The restored database is a DaapSchema's for now."""
    told = f"{what(status)} was restored, and DaapSchema {borrower} rehearses its plan on it"
    return underway(Finding(DrillReason.LENT, told), phase)


def removing(status: DaapDrillStatus, left: str) -> Verdict:
    """The result is certain, and something is left to be removed."""
    told = f"{_told(status)}. Waiting for {left} to be gone"
    phase = status.phase or DrillPhase.RESTORING
    return underway(Finding(DrillReason.REMOVING, told), phase)


def deleting(left: str, phase: DrillPhase) -> Verdict:
    """The drill is being deleted, and something of it is left."""
    told = f"Waiting for {left} to be gone"
    return underway(Finding(CommonReason.DELETING, told), phase)


def final(status: DaapDrillStatus) -> Verdict:
    """What stays to be said of what is over."""
    if status.result is DrillPhase.PASSED:
        why = Finding(DrillReason.PASSED, _told(status))
        return Verdict(ready=True, why=why, phase=DrillPhase.PASSED)
    return held(Finding(_reason(status), _told(status)), DrillPhase.FAILED)


def cut(text: str) -> str:
    """A text as `status.error` takes it."""
    return text[:_ERROR]


def what(status: DaapDrillStatus) -> str:
    """What is restored, for people."""
    until = "with every change that was archived"
    if status.at:
        until = f"to {status.at}"
    elif status.backup_id and status.result is None:
        until = f"to the end of backup {status.backup_id}"
    return f"The archive {status.archive} of ObjectStore {status.store}, {until},"


def _told(status: DaapDrillStatus) -> str:
    if status.result is not DrillPhase.PASSED:
        return (
            f"{status.error or _UNTOLD}. This DaapDrill stays as it is: create another one "
            "once the cause is removed"
        )
    seconds, checks = status.restore_seconds, status.checks
    took = f" in {seconds.total} s" if seconds and seconds.total is not None else ""
    told = f"{what(status)} was restored{took}"
    if checks is None:
        return told
    answered = f", {len(checks.queries)} queries answered" if checks.queries else ""
    return (
        f"{told}: {checks.relations} tables and indexes without damage, {checks.rows} rows in "
        f"{checks.tables} tables{answered}"
    )


_UNTOLD = "The drill failed, and why is not known any more"


def _reason(status: DaapDrillStatus) -> Reason:
    known = {str(reason): reason for reason in DrillReason}
    return known.get(status.reason or "", DrillReason.CHECKS_FAILED)
