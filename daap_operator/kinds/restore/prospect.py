"""Whether a database can be restored now, and from what, by what the store has of it. Pure.

Kinds do not know each other: a DaapDatabase and a DaapBackup are read as anybody may read them.
Everything is judged before anything is written, and what cannot be restored is touched in no way.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from daap_operator import raw
from daap_operator.api.meta import ConditionType, Metadata
from daap_operator.api.v1alpha1 import BackupPhase, DaapRestoreSpec, RestorePhase, RestoreSource
from daap_operator.api.v1alpha1.database.source import BACKUP_ID_PATTERN
from daap_operator.engine.kinds import Reader, Ref
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.archiver import Archiver, archiver_of
from daap_operator.kinds.recovery import Impossible, moment_text
from daap_operator.kinds.restore.reasons import RestoreReason
from daap_operator.kinds.restore.watched import BEGUN, MOST, WAITING
from daap_operator.kinds.restores import age
from daap_operator.kinds.told import condition
from daap_operator.kinds.windows import window_of
from daap_operator.lines import quoted

_NOTHING_YET = (None, "", RestorePhase.PENDING, RestorePhase.BACKING_UP, RestorePhase.REPLACING)
"""The phases of a DaapRestore that has not replaced its Cluster."""

_MISSING = {
    reason.value: reason for reason in (RestoreReason.STORE_MISSING, RestoreReason.PLUGIN_MISSING)
}
"""Why nothing can be restored, as the database's BackupHealthy says it."""

_WINDOWS = ("status", "serverRecoveryWindow")


class Prospect(NamedTuple):
    """What is to be restored from what."""

    source: RestoreSource
    cluster_uid: str
    """Of the Cluster that is replaced, and of no other."""


class _Place(NamedTuple):
    """The database and its Cluster."""

    name: str
    cluster: raw.Object
    current: Archiver
    version: int


def prospect(store: Reader, metadata: Metadata, spec: DaapRestoreSpec, now: datetime) -> Prospect:
    """What a DaapRestore is to do.

    Raises Waiting for what comes by itself, Stalled where only a person can help, and Impossible.
    """
    namespace, name = metadata.namespace, spec.database_ref.name
    database = store.get(Ref(known.DATABASE, namespace, name))
    if database is None or raw.value(database, "metadata", "deletionTimestamp"):
        raise _gone(name, deleting=database is not None)
    _in_turn(store, metadata, name)
    named = raw.text(database, "status", "clusterName")
    cluster = store.get(Ref(known.CLUSTER, namespace, named)) if named else None
    if cluster is None or _is_going(cluster, database):
        raise Waiting(
            RestoreReason.DATABASE_NOT_READY, f"DaapDatabase {name} has no Cluster at the moment"
        )
    _older(cluster, metadata, name)
    _not_asleep(database, name)
    told = _archiving(database, cluster, name)
    _unprotected(database, name, spec)
    version = raw.number(database, "status", "postgresVersion")
    place = _Place(name, cluster, told, version)
    chosen = _by_moment if spec.at else _by_backup
    source = chosen(store, namespace, place, spec, now)
    if store.get(Ref(known.BARMAN_STORE, namespace, source.store)) is None:
        raise Stalled(
            RestoreReason.STORE_MISSING,
            f"ObjectStore {source.store} does not exist in this namespace: the platform team must "
            "create it",
        )
    return Prospect(source, raw.text(cluster, "metadata", "uid"))


# --- the database ---------------------------------------------------------------------------------


def _gone(name: str, *, deleting: bool) -> Impossible:
    there = "is being deleted" if deleting else "does not exist in this namespace"
    return Impossible(RestoreReason.DATABASE_MISSING, f"DaapDatabase {name} {there}")


def _in_turn(store: Reader, metadata: Metadata, name: str) -> None:
    """Restores of one database take turns until its Cluster is replaced, the oldest first."""
    for index in (BEGUN, WAITING):
        others = store.by(known.DAAP_RESTORE, index, (metadata.namespace, name), MOST)
        first = min((each for each in others if _is_first(each)), key=age, default=None)
        if first is not None and raw.text(first, "metadata", "uid") == metadata.uid:
            return
        if first is not None:
            other = raw.text(first, "metadata", "name")
            raise Waiting(
                RestoreReason.OTHER_RESTORE,
                f"DaapRestore {other} of DaapDatabase {name} came first and is under way: delete "
                "it if it is not to be carried out",
            )


def _is_first(restore: raw.Object) -> bool:
    return raw.text(restore, "status", "phase") in _NOTHING_YET


def _older(cluster: raw.Object, metadata: Metadata, name: str) -> None:
    """A DaapRestore is about a Cluster that it found: never about one that came after it.

    So one that is created again without its status, beside a database that is, replaces nothing.
    """
    made = raw.moment(cluster, "metadata", "creationTimestamp")
    if made is None or made >= metadata.creation_timestamp:
        raise Impossible(
            RestoreReason.CLUSTER_NEWER,
            f"the Cluster of DaapDatabase {name} was created after this DaapRestore, which was "
            "about an earlier one",
        )


def _is_going(cluster: raw.Object, database: raw.Object) -> bool:
    """Whether a Cluster is being deleted, or is about to be for another restore."""
    replaced = raw.text(database, "status", "restore", "replacedClusterUid")
    uid = raw.text(cluster, "metadata", "uid")
    return bool(raw.value(cluster, "metadata", "deletionTimestamp")) or uid == replaced


def _not_asleep(database: raw.Object, name: str) -> None:
    ready = condition(database, ConditionType.READY)
    reasons = {
        raw.text(ready, "reason"),
        raw.text(condition(database, ConditionType.RECONCILING), "reason"),
    }
    if RestoreReason.HIBERNATED in reasons:
        told = quoted(raw.text(ready, "message"))
        raise Stalled(RestoreReason.HIBERNATED, f"DaapDatabase {name} is hibernated: {told}")


def _archiving(database: raw.Object, cluster: raw.Object, name: str) -> Archiver:
    healthy = condition(database, ConditionType.BACKUP_HEALTHY)
    if reason := _MISSING.get(raw.text(healthy, "reason")):
        why = quoted(raw.text(healthy, "message"))
        raise Stalled(reason, f"DaapDatabase {name} cannot be restored: {why}")
    told = archiver_of(cluster)
    if told is None:
        raise Stalled(
            RestoreReason.BACKUPS_OFF,
            f"The backups of DaapDatabase {name} are off, so it has no archive: "
            f"set spec.backup.enabled of DaapDatabase {name} to true",
        )
    return told


def _unprotected(database: raw.Object, name: str, spec: DaapRestoreSpec) -> None:
    if spec.safety_backup == "Skip" and raw.truth(database, "spec", "deletionProtection"):
        raise Stalled(
            RestoreReason.DATABASE_PROTECTED,
            f"spec.deletionProtection of DaapDatabase {name} is true, so its data is not replaced "
            "without a safety backup: set it to false, or create a DaapRestore without "
            "spec.safetyBackup",
        )


# --- the moment -----------------------------------------------------------------------------------


def _by_moment(
    store: Reader, namespace: str, place: _Place, spec: DaapRestoreSpec, now: datetime
) -> RestoreSource:
    moment = spec.moment
    if moment is None:
        raise ValueError("a restore to a moment has one")
    archive = _archive(place, spec)
    windows = raw.text(
        store.get(Ref(known.BARMAN_STORE, namespace, place.current.store)), *_WINDOWS
    )
    first = window_of(windows, archive).first_recoverable
    if moment > now:
        raise _uncovered(f"spec.at '{spec.at}' is in the future")
    if first is None or moment < first:
        since = f"begins at {moment_text(first)}" if first else "has no base backup yet"
        raise _uncovered(
            f"spec.at '{spec.at}' is not covered by the archive {archive}, which {since}{_EARLIER}"
        )
    at = moment_text(moment)
    return RestoreSource(store=place.current.store, archive=archive, at=at)


_EARLIER = (
    ". If the database had an earlier archive that covers it, as status.source.archive of an "
    "earlier DaapRestore says, name that one in spec.archive"
)


def _by_backup(
    store: Reader, namespace: str, place: _Place, spec: DaapRestoreSpec, now: datetime
) -> RestoreSource:
    del now
    named = spec.backup or ""
    if re.fullmatch(BACKUP_ID_PATTERN, named):
        return _by_id(place, spec, named)
    backup = store.get(Ref(known.DAAP_BACKUP, namespace, named))
    if backup is None:
        raise Impossible(
            RestoreReason.CANNOT_BE_RESTORED,
            f"spec.backup '{named}': there is no DaapBackup of that name in this namespace",
        )
    return _by_object(place, spec, named, backup)


def _by_object(
    place: _Place, spec: DaapRestoreSpec, named: str, backup: raw.Object
) -> RestoreSource:
    """What a DaapBackup says of itself."""
    status, told = raw.mapping(backup, "status"), f"spec.backup '{named}'"
    of = raw.text(backup, "spec", "databaseRef", "name")
    phase = raw.text(status, "phase")
    if of != place.name:
        why = f"{told} is a backup of DaapDatabase {quoted(of)}, not of {place.name}"
        raise Impossible(RestoreReason.CANNOT_BE_RESTORED, why)
    if phase == BackupPhase.FAILED:
        raise Impossible(RestoreReason.CANNOT_BE_RESTORED, f"{told} has failed")
    found = [raw.text(status, field) for field in ("backupId", "archive", "store")]
    if phase != BackupPhase.COMPLETED:
        raise Waiting(RestoreReason.BACKUP_NOT_COMPLETED, f"{told} is not completed yet")
    if not all(found):
        why = f"{told} does not say where it is: its status was lost. Name its id instead"
        raise Impossible(RestoreReason.CANNOT_BE_RESTORED, why)
    backup_id, archive, store = found
    if spec.archive and spec.archive != archive:
        why = f"{told} is in the archive {archive}, and spec.archive is '{spec.archive}'"
        raise Impossible(RestoreReason.CANNOT_BE_RESTORED, why)
    version = raw.number(status, "postgresVersion")
    if version and place.version and version != place.version:
        why = (
            f"{told} is of PostgreSQL {version}, and DaapDatabase {place.name} runs "
            f"{place.version}: restore it beside, with spec.source of a new DaapDatabase"
        )
        raise Impossible(RestoreReason.CANNOT_BE_RESTORED, why)
    return RestoreSource(store=store, archive=archive, backup_id=backup_id)


def _by_id(place: _Place, spec: DaapRestoreSpec, backup_id: str) -> RestoreSource:
    """A backup by its id, which is when it began, in UTC: its archive began with its Cluster."""
    archive = _archive(place, spec)
    began = _began(backup_id)
    made = raw.moment(place.cluster, "metadata", "creationTimestamp")
    if archive == place.current.archive and (began is None or made is None or began < made):
        raise _uncovered(
            f"spec.backup '{backup_id}' is not in the archive {archive}, which began later"
            f"{_EARLIER}"
        )
    return RestoreSource(store=place.current.store, archive=archive, backup_id=backup_id)


def _began(backup_id: str) -> datetime | None:
    try:
        return datetime.strptime(backup_id, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _archive(place: _Place, spec: DaapRestoreSpec) -> str:
    """The archive: one of this very database, so that no other one's data replaces its own."""
    cluster = raw.text(place.cluster, "metadata", "name")
    archive = spec.archive or place.current.archive
    own = rf"{re.escape(cluster)}-[0-9a-f]{{8}}(-[1-9][0-9]{{0,5}})?"
    if archive != place.current.archive and not re.fullmatch(own, archive):
        raise Impossible(
            RestoreReason.CANNOT_BE_RESTORED,
            f"spec.archive '{archive}' is not an archive of DaapDatabase {place.name}, whose begin "
            f"with '{cluster}-': restore it beside, with spec.source of a new DaapDatabase",
        )
    return archive


def _uncovered(why: str) -> Impossible:
    return Impossible(RestoreReason.MOMENT_NOT_COVERED, why)
