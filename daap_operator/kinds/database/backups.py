"""What is told of backups: the fields, and whether they are as good as was asked for. Pure.

From the ObjectStore's recovery windows: what a Cluster says of backups stays empty with a plugin.
Messages name moments and not ages, so that they change only when something has happened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from daap_operator import names, raw
from daap_operator.api.meta import ConditionType
from daap_operator.api.v1alpha1 import BackupStatus
from daap_operator.engine.conditions import Besides
from daap_operator.findings import Finding
from daap_operator.kinds.database.backups_seen import Facts, Plan, Seen
from daap_operator.kinds.database.due import GRACE, missed_at, next_due
from daap_operator.kinds.database.phases import cluster_phase
from daap_operator.kinds.database.reasons import BackupHealthReason, DatabaseReason
from daap_operator.kinds.database.trim import ARCHIVING
from daap_operator.kinds.database.unproved import at, drills_due, unproved
from daap_operator.kinds.windows import utc
from daap_operator.kube.words import said
from daap_operator.lines import quoted

_PLATFORM = "the platform team must"
_DAYS = {"d": 1, "w": 7, "m": 31}
"""What a day, a week and a month count for, in days; Barman takes a month for 31."""

_LONGEST_ERROR = 1024

_WITHOUT_PLUGIN = (DatabaseReason.PLUGIN_MISSING, DatabaseReason.PLUGIN_FAILING)
"""What CloudNativePG's phase says of a Cluster while it cannot have the plugin do anything."""


@dataclass(frozen=True)
class Told:
    """What the status says of the backups, and until when it is true if nothing happens."""

    status: BackupStatus | None
    healthy: Besides | None = None
    """The condition BackupHealthy; None while backups are turned off."""
    due: datetime | None = None
    """When to judge again by the clock alone; None for never."""


NOTHING = Told(None)
"""Of a database that never had backups."""


def tell(plan: Plan | None, seen: Seen, now: datetime) -> Told:
    """What is told of the backups, by a plan and what is seen at a moment."""
    if plan is None:
        return NOTHING
    facts = Facts.of(plan, seen)
    status = BackupStatus(
        store=plan.told or None,
        archive=plan.archive or None,
        schedule=plan.schedule or None,
        last_successful=facts.window.last_successful or plan.known,
        first_recoverable=facts.window.first_recoverable,
        last_failed=facts.failed,
        last_error=facts.error[:_LONGEST_ERROR] or None,
        verify_schedule=plan.verify or None,
        last_verified=seen.verified.passed,
        verified_backup=seen.verified.backup,
        measured_restore_seconds=seen.verified.seconds,
        last_verification_failed=seen.verified.failed,
        verification_error=seen.verified.error or None,
    )
    if not plan.schedule:
        return Told(status)
    why = next(_in_the_way(facts, now), None)
    said = why or _recoverable(facts)
    due = min((each for each in _appointments(facts, now) if each > now), default=None)
    return Told(status, Besides(ConditionType.BACKUP_HEALTHY, why is None, said), due)


# --- what is in the way ---------------------------------------------------------------------------


def _in_the_way(facts: Facts, now: datetime) -> Iterator[Finding]:
    """What keeps the backups from being as good as was asked for; what counts most comes first."""
    yield from _plugin_missing(facts)
    yield from _store_missing(facts)
    yield from _not_archived(facts)
    yield from _failed(facts)
    yield from _never(facts, now)
    yield from _too_old(facts, now)
    yield from unproved(facts, now)
    yield from _too_short(facts)


def _plugin_missing(facts: Facts) -> Iterator[Finding]:
    phase = cluster_phase(raw.text(facts.seen.cluster, "status", "phase"))
    if not facts.seen.plugin:
        yield Finding(
            BackupHealthReason.PLUGIN_MISSING,
            f"CloudNativePG's Barman Cloud plugin is not installed, so nothing is backed up"
            f"{_piling_up(facts)}: {_PLATFORM} install it",
        )
    elif phase.reason in _WITHOUT_PLUGIN:
        yield Finding(
            BackupHealthReason.PLUGIN_MISSING,
            f"CloudNativePG does not reach its Barman Cloud plugin, so no backup can be made"
            f"{_still_archived(facts)}: {_PLATFORM} make sure that it is installed, and that its "
            "Deployment barman-cloud runs in CloudNativePG's namespace",
        )


def _still_archived(facts: Facts) -> str:
    """What becomes of changes without the plugin: what archives them runs beside PostgreSQL."""
    if not facts.archives:
        return ""
    return _piling_up(facts) if _failing(facts) else ", though changes are still archived"


def _store_missing(facts: Facts) -> Iterator[Finding]:
    named, default = facts.plan.store, "config.backup.store in the chart's values"
    if not named:
        yield Finding(
            BackupHealthReason.STORE_MISSING,
            f"No ObjectStore is named, so {_instead(facts)}: set spec.backup.store to one of this "
            f"namespace, or {_PLATFORM} name a default ({default})",
        )
    elif facts.seen.asked is None:
        yield Finding(
            BackupHealthReason.STORE_MISSING,
            f"ObjectStore '{named}' does not exist in this namespace, so {_instead(facts)}: "
            f"{_PLATFORM} create it, or set spec.backup.store to one that exists",
        )


def _instead(facts: Facts) -> str:
    """What happens for want of the store that is asked for."""
    if facts.archives and facts.seen.store is not None:
        return f"backups go on into '{facts.plan.current}'"
    return f"nothing is backed up{_piling_up(facts)}"


def _piling_up(facts: Facts) -> str:
    return ", and the write-ahead log fills the volume" if facts.archives else ""


def _not_archived(facts: Facts) -> Iterator[Finding]:
    told = _failing(facts)
    if not told or not facts.archives:
        return
    since = utc(raw.moment(told[0], "lastTransitionTime"))
    words = said(raw.text(told[0], "message"))
    yield Finding(
        BackupHealthReason.ARCHIVING_FAILING,
        f"Changes are not archived{f' since {at(since)}' if since else ''}, so they could not be "
        f"restored, and the write-ahead log fills the volume: {_PLATFORM} make sure that "
        f"ObjectStore '{facts.plan.told}' can be reached, that its bucket is there and that its "
        f"credentials hold{_answered(facts)}{_quoted(words)}",
    )


def _failing(facts: Facts) -> list[object]:
    return [c for c in raw.items(facts.seen.cluster, "status", "conditions") if _is_failing(c)]


def _is_failing(condition: object) -> bool:
    kind, status = raw.text(condition, "type"), raw.text(condition, "status")
    return kind == ARCHIVING and status == "False"


def _failed(facts: Facts) -> Iterator[Finding]:
    failed, latest = facts.failed, facts.window.last_successful
    if failed is None or (latest and latest >= failed):
        return
    again = next_due(facts.plan.schedule, failed)
    yield Finding(
        BackupHealthReason.BACKUP_FAILED,
        f"The backup of {at(failed)} failed{_until(facts)}: {_PLATFORM} find out why"
        f"{_answered(facts)}{f'. The next one is due at {at(again)}' if again else ''}"
        f"{_quoted(facts.error)}",
    )


def _until(facts: Facts) -> str:
    return f" (the latest one that can be restored: {at(facts.latest)})" if facts.latest else ""


def _never(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.latest is not None:
        return
    since = facts.since
    if facts.plan.known is not None and facts.window.last_successful is None:
        message = (
            f"ObjectStore '{facts.plan.told}' tells of no backup, as one that was created again "
            f"does until the next one: the latest that is known is of {at(facts.plan.known)}"
        )
    elif not facts.archives:
        message = "No backup has been made yet: archiving is being set up"
    elif since is None or facts.suspended or now < since + GRACE:
        # The same before and after the ScheduledBackup is there, which costs no write of the status
        message = "No backup has been made yet: the first one follows once the database serves"
    else:
        message = (
            f"ObjectStore '{facts.plan.told}' has no backup, although they are made since "
            f"{at(since)}, so nothing can be restored: {_PLATFORM} look at the Backups of Cluster "
            f"{facts.cluster} ({_command(facts)})"
        )
    yield Finding(BackupHealthReason.NEVER_BACKED_UP, message)


def _too_old(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.latest is None or facts.suspended:
        return
    missed = missed_at(facts.plan.schedule, facts.latest)
    if missed is None or now < missed[1]:
        return
    yield Finding(
        BackupHealthReason.BACKUP_TOO_OLD,
        f"The latest backup is of {at(facts.latest)}, and none has been made since the one that "
        f"was due at {at(missed[0])}: {_PLATFORM} look at the ScheduledBackup and the Backups of "
        f"Cluster {facts.cluster} ({_command(facts)})",
    )


def _too_short(facts: Facts) -> Iterator[Finding]:
    asked = facts.plan.retention
    kept = raw.text(facts.seen.store, "spec", "retentionPolicy")
    if not asked or not kept or _days(kept) >= _days(asked):
        return
    yield Finding(
        BackupHealthReason.RETENTION_TOO_SHORT,
        f"spec.backup.retention asks for {asked}, and ObjectStore '{facts.plan.told}' keeps "
        f"backups for {quoted(kept)}: {_PLATFORM} raise its spec.retentionPolicy, or set "
        "spec.backup.retention to no more",
    )


def _days(retention: str) -> float:
    """The days in a retention; without end for what is not understood: nothing is claimed of it."""
    number = raw.whole(retention[:-1], digits=9)
    unit = _DAYS.get(retention[-1:])
    return number * unit if number and unit else float("inf")


def _recoverable(facts: Facts) -> Finding:
    window = facts.window
    first, last = at(window.first_recoverable), at(window.last_successful)
    paused = "; none is made while the database is stopped" if facts.suspended else ""
    return Finding(
        BackupHealthReason.RECOVERABLE,
        f"Any moment since {first} can be restored; the latest backup is of {last}{paused}",
    )


def _appointments(facts: Facts, now: datetime) -> Iterator[datetime]:
    """The moments at which something else is true although nothing has happened."""
    if facts.suspended:
        return
    if facts.latest is None:
        if facts.since is not None:
            yield facts.since + GRACE
    elif missed := missed_at(facts.plan.schedule, facts.latest):
        yield missed[1]
    yield from drills_due(facts, now)


def _command(facts: Facts) -> str:
    selector = f"{names.CNPG_CLUSTER_LABEL}={facts.cluster}"
    namespace = raw.text(facts.seen.cluster, "metadata", "namespace")
    return f"kubectl get backups.postgresql.cnpg.io --namespace {namespace} --selector {selector}"


def _answered(facts: Facts) -> str:
    """Where to read what the store answered: CloudNativePG tells the exit status alone."""
    instances = f"{names.CNPG_POD_ROLE_LABEL}=instance"
    selector = f"{names.CNPG_CLUSTER_LABEL}={facts.cluster},{instances}"
    namespace = raw.text(facts.seen.cluster, "metadata", "namespace")
    return (
        f"; what the store answered: kubectl logs --namespace {namespace} --selector {selector} "
        f"--container {names.BACKUP_CONTAINER} --tail 50"
    )


def _quoted(words: str) -> str:
    return f". CloudNativePG says: {quoted(words)}" if words else ""
