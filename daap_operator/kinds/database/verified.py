"""What the drills of a database have shown, and which one is due. Pure.

What a drill has shown stays in the status when the drill goes: it was so. All of it is about one
archive, so that a Cluster that begins another one begins unproved.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import BackupStatus, DrillPhase
from daap_operator.kinds import drills
from daap_operator.kinds.database.due import last_due
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.windows import utc
from daap_operator.lines import quoted

Object = dict[str, Any]

GRACE = timedelta(hours=6)
"""What a drill may take, or wait for its turn at the store, before it is missed."""

KEPT = 3
"""Drills of the schedule that are kept of each result, the latest ones."""

_LONGEST_ERROR = 1024
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Verified:
    """What the drills of one archive have shown."""

    passed: datetime | None = None
    """When one last passed."""
    backup: str | None = None
    """The id of the backup that was restored then."""
    seconds: int | None = None
    """How long that took."""
    failed: datetime | None = None
    """When one last failed."""
    error: str = ""
    """Which one, and why; empty once a later one has passed."""
    since: datetime | None = None
    """Since when there is something to wait for where none has passed; None while nothing is."""

    @property
    def refuted(self) -> bool:
        """Whether the last one has failed."""
        return self.failed is not None and (self.passed is None or self.passed < self.failed)


NOTHING = Verified()


def verified(
    found: Iterable[Object], uid: str, archive: str, previous: BackupStatus | None
) -> Verified:
    """What the drills of the database with that uid have shown of an archive.

    `previous` is what the status said, for drills that are gone. Only of those that restored the
    latest backup: one that was asked for an earlier moment tells of that.
    """
    before = previous if previous and previous.archive == archive else BackupStatus()
    counted = [drill for drill in found if _counts(drill, uid, archive)]
    passed = max(_ended(counted, DrillPhase.PASSED), key=_when, default=None)
    failed = max(_ended(counted, DrillPhase.FAILED), key=_when, default=None)
    told = _passed(before, passed)
    return _failed(before, failed, told, _begun(counted))


def _counts(drill: Object, uid: str, archive: str) -> bool:
    status, spec = raw.mapping(drill, "status"), raw.mapping(drill, "spec")
    if raw.value(spec, "at") or raw.value(spec, "backup"):
        return False
    ours = raw.text(status, "database", "uid") or uid
    return ours == uid and (raw.text(status, "archive") or archive) == archive


_Ended = tuple[datetime, Object]


def _ended(counted: Iterable[Object], phase: DrillPhase) -> Iterator[_Ended]:
    for drill in counted:
        if raw.text(drill, "status", "phase") == phase and (when := ended(drill)):
            yield when, drill


def ended(drill: Object) -> datetime | None:
    """When a drill that is over was decided, as well as is known."""
    found = raw.moment(drill, "status", "completedAt")
    return utc(found or raw.moment(drill, "metadata", "creationTimestamp"))


def _when(one: _Ended) -> datetime:
    return one[0]


def _passed(before: BackupStatus, latest: _Ended | None) -> Verified:
    if latest is None or (before.last_verified and before.last_verified > latest[0]):
        return Verified(
            before.last_verified, before.verified_backup, before.measured_restore_seconds
        )
    when, drill = latest
    backup = quoted(raw.text(drill, "status", "backupId")) or None
    seconds = raw.number(drill, "status", "restoreSeconds", "total")
    return Verified(when, backup, seconds if seconds > 0 else None)


def _failed(
    before: BackupStatus, latest: _Ended | None, told: Verified, since: datetime | None
) -> Verified:
    failed, error = before.last_verification_failed, before.verification_error or ""
    if latest is not None and (failed is None or failed <= latest[0]):
        failed, error = latest[0], _why(latest[1])
    overcome = failed and told.passed and told.passed >= failed
    return Verified(
        told.passed, told.backup, told.seconds, failed, "" if overcome else error, since
    )


def _why(drill: Object) -> str:
    name = raw.text(drill, "metadata", "name")
    words = raw.text(drill, "status", "error") or "it does not say why"
    return f"DaapDrill {name}: {quoted(words)}"[:_LONGEST_ERROR]


def _begun(counted: Iterable[Object]) -> datetime | None:
    """When the first of the drills was ordered that are there."""
    found = (utc(raw.moment(drill, "metadata", "creationTimestamp")) for drill in counted)
    return min(filter(None, found), default=None)


# --- the schedule ---------------------------------------------------------------------------------


def is_scheduled(drill: Object, uid: str) -> bool:
    """Whether the schedule of the database with that uid has made a drill."""
    marked = raw.text(drill, "metadata", "labels", names.SCHEDULED_LABEL) == "true"
    return marked and belongs_to(drill, uid)


def due(
    schedule: str, found: Iterable[Object], uid: str, since: datetime, now: datetime
) -> datetime | None:
    """The time of the schedule for which a drill is to be made now; None where none is.

    Only the latest of those that have passed since the last drill, or since backups are made.
    """
    ours = [drill for drill in found if is_scheduled(drill, uid)]
    last = max((when for drill in ours if (when := _for(drill, now))), default=since)
    return last_due(schedule, max(last, since), now)


def _for(drill: Object, now: datetime) -> datetime | None:
    """Up to when a drill stands for the times of the schedule.

    Its name says for which it was made, so that the API server's clock does not count alone. One
    that claims to be of the future stands for nothing.
    """
    slot = names.drill_slot(raw.text(drill, "metadata", "name"))
    created = utc(raw.moment(drill, "metadata", "creationTimestamp"))
    end = utc(slot and slot.replace(second=59))
    claims = [when for when in (end, created) if when is not None and when < now + _MINUTE]
    return max(claims, default=None)


def superfluous(found: Iterable[Object], uid: str) -> list[Object]:
    """The drills of the schedule that are over and not among the latest of their result."""
    ours = [drill for drill in found if is_scheduled(drill, uid)]
    there = [each for each in ours if not raw.value(each, "metadata", "deletionTimestamp")]
    return [
        drill
        for phase in drills.OVER
        for _, drill in sorted(_ended(there, phase), key=_when, reverse=True)[KEPT:]
    ]
