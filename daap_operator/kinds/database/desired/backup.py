"""What a database's backups are to be: where to, under which name, and who archives. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from daap_operator import raw
from daap_operator.api.v1alpha1 import (
    BackupStatus,
    DaapDatabaseSpec,
    DeletionPolicy,
    DrillQuery,
    OnDelete,
)
from daap_operator.kinds.archiver import Archiver
from daap_operator.kinds.database.desired.schedule import six_fields


@dataclass(frozen=True)
class BackupDefaults:
    """The platform team's choices for a database that makes none."""

    enabled: bool = False
    """Whether a database without `spec.backup` has backups."""
    store: str = ""
    """Name of the ObjectStore in the database's namespace; empty for none."""
    schedule: str = "@daily"
    spread: timedelta = timedelta(minutes=30)
    """By how much a minute that a schedule names is put off at most."""
    on_delete: OnDelete = OnDelete.KEEP
    """What a deletion does with the backups of a database that does not say."""


@dataclass(frozen=True)
class Backups:
    """The backups that a database is to have."""

    store: str
    """Name of the ObjectStore that is asked for; empty when nobody names one."""
    schedule: str
    """In CloudNativePG's six fields, UTC."""
    retention: str | None = None
    """How far back it must be possible to restore to; None for what the store keeps."""
    verify: str | None = None
    """When drills are made, in six fields, UTC; None for never."""
    queries: tuple[DrillQuery, ...] = ()
    """What the database that a drill has restored is asked."""


def wanted(spec: DaapDatabaseSpec, uid: str, defaults: BackupDefaults) -> Backups | None:
    """The backups that a database is to have; None for none."""
    asked = spec.backup
    if not (defaults.enabled if asked is None else asked.enabled):
        return None
    schedule = (asked and asked.schedule) or defaults.schedule
    verify = asked.verify if asked else None
    return Backups(
        store=(asked and asked.store) or defaults.store,
        schedule=six_fields(schedule, uid, defaults.spread),
        retention=asked.retention if asked else None,
        # At another time than the backup where both are to be at some time of the day
        verify=six_fields(verify.schedule, f"verify {uid}", defaults.spread) if verify else None,
        queries=verify.queries if verify else (),
    )


def is_final_wanted(spec: raw.Object, defaults: BackupDefaults) -> bool:
    """Whether one more backup is to be made before the data of a database is deleted.

    By the spec as it stands, for an object that is older than today's rules is deleted as well.
    """
    if raw.text(spec, "deletionPolicy") == DeletionPolicy.RETAIN:
        return False
    asked = raw.value(spec, "backup")
    on = defaults.enabled if asked is None else raw.value(asked, "enabled") is not False
    return on and (raw.text(asked, "onDelete") or defaults.on_delete) == OnDelete.FINAL_BACKUP


def final_backup_name(cluster: str, uid: str) -> str:
    """The name of the Backup that is made before the data of a database is deleted."""
    return f"{cluster}-final-{uid.replace('-', '')[:_UID_DIGITS]}"


# --- the name of the archive ----------------------------------------------------------------------


def archive_name(cluster: str, uid: str) -> str:
    """The name of the archive of a database's first Cluster."""
    tail = f"-{uid.replace('-', '')[:_UID_DIGITS]}"
    return f"{cluster[: _LONGEST - len(tail)]}{tail}"


def next_archive_name(used: str, cluster: str, uid: str) -> str:
    """The name for a Cluster that is created again: the plugin begins only an empty archive."""
    first = archive_name(cluster, uid)
    if used == first:
        return f"{first}-2"
    number = re.fullmatch(rf"{re.escape(first)}-([1-9][0-9]{{0,5}})", used)
    return f"{first}-{int(number[1]) + 1}" if number else first


def earlier_archive_names(newest: str, cluster: str, uid: str) -> Iterator[str]:
    """The names that a database's Clusters have had, from the newest on backwards."""
    first = archive_name(cluster, uid)
    number = re.fullmatch(rf"{re.escape(first)}-([1-9][0-9]{{0,5}})", newest)
    yield newest
    for each in range(min(int(number[1]) - 1, _MOST_EARLIER) if number else 0, 1, -1):
        yield f"{first}-{each}"
    if newest != first:
        yield first


def begun(before: BackupStatus, archive: str) -> BackupStatus:
    """What a status says once another archive is to be begun: nothing is in that yet."""
    if before.archive == archive:
        return before
    told = dict.fromkeys(("last_successful", "first_recoverable", "last_failed", "last_error"))
    return before.model_copy(update=told | {"archive": archive})


_MOST_EARLIER = 100
"""Names that are gone through at most: whoever may write a status can make the number any."""
_UID_DIGITS = 8
_LONGEST = 56
"""Leaves room for a number, within the 63 characters of a name."""


# --- who archives ---------------------------------------------------------------------------------


def archiver(
    backups: Backups | None, archive: str | None, *, live: Archiver | None, there: bool
) -> Archiver | None:
    """What the plugin in the Cluster is to be told; None for a Cluster without it.

    `live` is what it is told now, `there` whether the ObjectStore that is asked for exists. A
    Cluster whose plugin names a store that is missing may not start: so one is attached, or changed
    for another, only when it exists. It is never detached because it vanishes.
    """
    if backups is None:
        return None
    if backups.store and archive and there:
        return Archiver(backups.store, archive)
    return live


# --- what is told ---------------------------------------------------------------------------------


def allotted(
    previous: BackupStatus | None,
    backups: Backups | None,
    archive: str | None,
    told: Archiver | None,
) -> BackupStatus | None:
    """What the status says of the choices: without backups only where those are that there were."""
    if backups is None:
        kept = previous if previous and previous.archive else None
        return kept and kept.model_copy(update={"schedule": None, "verify_schedule": None})
    store = told.store if told else backups.store
    before = previous or BackupStatus()
    # Another name is noted before it is used, and nowhere else
    chosen = {"store": store or None, "archive": before.archive or archive}
    when = {"schedule": backups.schedule, "verify_schedule": backups.verify}
    return before.model_copy(update=chosen | when)
