"""What the status of a DaapRestore says. Pure."""

from typing import Any

from daap_operator import raw
from daap_operator.api.meta import ConditionType
from daap_operator.api.v1alpha1 import DaapRestoreStatus, RestorePhase, SafetyBackupStatus
from daap_operator.engine.conditions import Verdict
from daap_operator.findings import Finding, Reason
from daap_operator.kinds.restore.reasons import RestoreReason
from daap_operator.lines import quoted

_ERROR = 2048


def underway(why: Finding, phase: RestorePhase) -> Verdict:
    """It will go on by itself."""
    return Verdict(ready=False, why=why, reconciling=why, phase=phase)


def held(why: Finding, phase: RestorePhase) -> Verdict:
    """It goes on once somebody has acted."""
    return Verdict(ready=False, why=why, stalled=why, phase=phase)


def replacing(status: DaapRestoreStatus, database: str) -> Verdict:
    """The database's controller is to replace the Cluster."""
    told = (
        f"The Cluster of DaapDatabase {database} is being replaced, to restore it to "
        f"{target(status)}. {way_back(status)}"
    )
    return underway(Finding(RestoreReason.REPLACING, told), RestorePhase.REPLACING)


def final(status: DaapRestoreStatus, database: str) -> Verdict:
    """What stays to be said of what is over."""
    if status.phase is RestorePhase.COMPLETED:
        told = f"DaapDatabase {database} was restored to {target(status)}. {way_back(status)}"
        why = Finding(RestoreReason.COMPLETED, told)
        return Verdict(ready=True, why=why, phase=RestorePhase.COMPLETED)
    return held(Finding(_reason(status), status.error or _UNTOLD), RestorePhase.FAILED)


def failure(why: str) -> str:
    """What is said of a restore that has failed before anything was replaced."""
    told = (
        f"Nothing was replaced: {why}. This DaapRestore stays as it is: create another one if the "
        "restore is still wanted"
    )
    return told[:_ERROR]


def superseded(status: DaapRestoreStatus, by: str) -> str:
    """What is said of a restore that another one has overtaken."""
    told = f"DaapRestore {by} has replaced what this one was restoring. {way_back(status)}"
    return told[:_ERROR]


def target(status: DaapRestoreStatus) -> str:
    """The moment that is restored, and where from."""
    source = status.source
    if source is None:
        return "an unknown moment"
    moment = source.at or f"the end of the backup {source.backup_id}"
    return f"{moment}, from the archive {source.archive} of ObjectStore {source.store}"


def way_back(status: DaapRestoreStatus) -> str:
    """How to get the state before."""
    safety = status.safety_backup
    if safety is None:
        return "Its state before was not backed up"
    where = (
        f" (backup {safety.backup_id} in the archive {safety.archive})" if safety.archive else ""
    )
    return (
        f"Its state before is in DaapBackup {safety.name}{where}: to get that back, create a "
        f"DaapRestore with spec.backup '{safety.name}'"
    )


def facts(before: SafetyBackupStatus, backup: raw.Object) -> SafetyBackupStatus:
    """What a DaapBackup that is completed says of itself."""
    status = raw.mapping(backup, "status")
    found: dict[str, Any] = {
        "archive": quoted(raw.text(status, "archive"))[:253],
        "backup_id": quoted(raw.text(status, "backupId"))[:253],
        "stopped_at": raw.moment(status, "stoppedAt"),
    }
    return before.model_copy(update={name: value for name, value in found.items() if value})


_UNTOLD = failure("why is not known any more")


def _reason(status: DaapRestoreStatus) -> Reason:
    """As it was first told."""
    stalled = status.condition(ConditionType.STALLED)
    found = stalled.reason if stalled else ""
    known = {str(reason): reason for reason in RestoreReason}
    return known.get(found, RestoreReason.CANNOT_BE_RESTORED)
