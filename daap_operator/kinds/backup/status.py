"""What the status of a DaapBackup says. Pure."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from daap_operator import raw
from daap_operator.api.v1alpha1 import BackupPhase, DaapBackupStatus
from daap_operator.engine.conditions import Verdict
from daap_operator.findings import Finding
from daap_operator.kinds.backup.reasons import BackupReason
from daap_operator.kinds.cnpg_backups import COMPLETED, FAILED, error
from daap_operator.kube.words import said
from daap_operator.lines import quoted

_NOT_ARCHIVED = "walArchivingFailing"
"""CloudNativePG's phases of a Backup that are told apart, besides that of one that has failed; all
others are of one that is under way."""

_DAYS = {"d": 1, "w": 7, "m": 28}
"""At least, of a unit of a store's retention."""

_ERROR = 1024


class Told(NamedTuple):
    """What a Backup comes to."""

    finding: Finding
    over: bool = False
    """Whether this is the end."""
    doubtful: bool = False
    """Whether it looks as if it had failed, which may pass."""


def told(backup: raw.Object, *, database: str, exists: bool, in_the_way: str = "") -> Told:
    """What a Backup comes to; `exists` is whether its database is there.

    `in_the_way` is why it is not begun, where that is known.
    """
    name, phase = raw.text(backup, "metadata", "name"), raw.text(backup, "status", "phase")
    if phase == COMPLETED:
        return Told(Finding(BackupReason.COMPLETED, ""), over=True)
    if phase == FAILED:
        why = f"CloudNativePG says that Backup {name} has failed: {error(backup)}"
        return Told(Finding(BackupReason.FAILING, f"{why}. It may try again"), doubtful=True)
    if not exists:
        why = f"DaapDatabase {database} is gone, and Backup {name} is not completed"
        return Told(Finding(BackupReason.DATABASE_MISSING, why), doubtful=True)
    if phase == _NOT_ARCHIVED:
        why = (
            f"Backup {name} waits for the write-ahead log, which cannot be archived: the platform "
            "team must find out why; the DaapDatabase's condition BackupHealthy says more"
        )
        return Told(Finding(BackupReason.ARCHIVING_FAILING, why))
    if in_the_way and not is_begun(backup):
        why = f"CloudNativePG has not begun Backup {name} yet{in_the_way}"
        return Told(Finding(BackupReason.PENDING, why))
    return Told(Finding(BackupReason.RUNNING, f"CloudNativePG is making Backup {name}"))


def is_begun(backup: raw.Object) -> bool:
    """Whether CloudNativePG has ever said anything of a Backup but that it waits."""
    return raw.text(backup, "status", "phase") not in ("", "pending")


def in_the_way(cluster: raw.Object | None, *, late: bool) -> str:
    """Why a Backup of a Cluster is not begun, as the rest of a sentence; empty if nothing is known.

    Of a Cluster that it cannot get on with, and of no other, CloudNativePG gives a reason. `late`
    is whether it has taken long.
    """
    words = [raw.text(cluster, "status", field) for field in ("phase", "phaseReason")]
    if all(words):
        return f", and says of its Cluster: {quoted(said(': '.join(words)))}"
    if not late:
        return ""
    return (
        ". It makes one backup of a database at a time: if no other one is being made, the "
        "platform team must find out why, by the Backup's Events and CloudNativePG's log"
    )


def facts(backup: raw.Object) -> dict[str, Any]:
    """What a Backup says of itself, as fields of the status; what it does not say is left out."""
    found: dict[str, Any] = {
        "backup_id": _id(raw.text(backup, "status", "backupId")),
        "begin_wal": raw.text(backup, "status", "beginWal")[:64],
        "end_wal": raw.text(backup, "status", "endWal")[:64],
        "started_at": _moment(backup, "startedAt", "reconciliationStartedAt"),
        "stopped_at": _moment(backup, "stoppedAt", "reconciliationTerminatedAt"),
        "postgres_version": max(0, raw.number(backup, "status", "majorVersion")),
    }
    return {name: value for name, value in found.items() if value}


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


def _id(text: str) -> str:
    """What a backup is called in its archive; empty for what could lead out of that.

    Whoever may write a Backup's status can have written it, and it becomes part of a path there.
    """
    return text if _ID.fullmatch(text) else ""


def _moment(backup: raw.Object, *fields: str) -> datetime | None:
    """The first of some moments: the plugin's own come at the end, and never with a failure."""
    found = next(filter(None, (raw.moment(backup, "status", field) for field in fields)), None)
    return found and found.astimezone(UTC).replace(microsecond=0)


def underway(why: Finding, phase: BackupPhase) -> Verdict:
    """It will go on by itself."""
    return Verdict(ready=False, why=why, reconciling=why, phase=phase)


def held(why: Finding, phase: BackupPhase) -> Verdict:
    """It goes on once somebody has acted."""
    return Verdict(ready=False, why=why, stalled=why, phase=phase)


def failed(why: Finding) -> Verdict:
    """It has failed for good."""
    return held(why, BackupPhase.FAILED)


def failure(reason: BackupReason, why: str) -> Finding:
    """What is said of a backup that has failed for good."""
    return Finding(
        reason, f"{why}. This DaapBackup stays as it is: remove the cause and create another one"
    )


def cut(text: str) -> str:
    """A text as `status.error` takes it."""
    return text[:_ERROR]


def final(status: DaapBackupStatus, database: str, retention: str) -> Verdict:
    """What stays to be said of what is over. `retention` is the store's, empty if not known."""
    if status.phase is BackupPhase.COMPLETED:
        where = _where(status)
        told = f"Backup {status.backup_id or status.backup_name} of DaapDatabase {database} {where}"
        why = Finding(BackupReason.COMPLETED, f"{told}; {_until(status.stopped_at, retention)}")
        return Verdict(ready=True, why=why, phase=BackupPhase.COMPLETED)
    deleted = status.error is None
    reason = BackupReason.DELETED if deleted else BackupReason.FAILED
    return failed(failure(reason, _lost(status) if deleted else _failed(status)))


def _failed(status: DaapBackupStatus) -> str:
    where = f" into ObjectStore {status.store}" if status.store else ""
    return (
        f"The backup{where} failed: {status.error}. What the store answered, if that is it, is in "
        "the log of the container plugin-barman-cloud of the database's pods"
    )


def _lost(status: DaapBackupStatus) -> str:
    return f"Backup {status.backup_name} was deleted before it was completed"


def _where(status: DaapBackupStatus) -> str:
    if not (status.archive and status.store):
        return "is in the database's archive"
    return f"is in the archive {status.archive} of ObjectStore {status.store}"


def _until(stopped: datetime | None, retention: str) -> str:
    """Until when it can be restored, as far as that can be known today."""
    kept = _kept(retention)
    # A status that somebody has forged may hold what no calendar has
    if stopped is None or kept is None or not 1970 <= stopped.year < 9000:
        return "it can be restored for as long as the store keeps it"
    day = (stopped.astimezone(UTC) + kept).date()
    return f"it can be restored until {day} at least, by the store's retention of {retention}"


def _kept(retention: str) -> timedelta | None:
    count = raw.whole(retention[:-1], digits=4)
    days = _DAYS.get(retention[-1:])
    return timedelta(days=count * days) if count and days else None
