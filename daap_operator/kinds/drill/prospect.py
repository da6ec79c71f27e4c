"""Whether a database's backups can be restored now, from where, and whose turn it is. Pure.

Kinds do not know each other: a DaapDatabase and a DaapBackup are read as anybody may read them.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from daap_operator import raw
from daap_operator.api.meta import ConditionType, Metadata
from daap_operator.api.v1alpha1 import BackupPhase, DaapDrillSpec, DrilledDatabase, DrillPhase
from daap_operator.api.v1alpha1.database.source import BACKUP_ID_PATTERN
from daap_operator.engine.kinds import Reader, Ref
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.drill.reasons import DrillReason
from daap_operator.kinds.drill.watched import MOST, READING, WAITING
from daap_operator.kinds.recovery import Impossible, moment_text
from daap_operator.kinds.references import database_of
from daap_operator.kinds.told import condition
from daap_operator.kinds.windows import window_of
from daap_operator.lines import quoted

_MISSING = {
    str(reason): reason for reason in (DrillReason.STORE_MISSING, DrillReason.PLUGIN_MISSING)
}
"""Why nothing can be restored, as the database's BackupHealthy says it."""


class Prospect(NamedTuple):
    """What is to be restored from where."""

    database: DrilledDatabase
    store: str
    archive: str
    at: str | None = None
    backup_id: str | None = None
    backup_name: str | None = None
    """A Backup of CloudNativePG that has to be asked for its id."""


class Place(NamedTuple):
    """Where a database's backups are."""

    store: str
    archive: str


def prospect(store: Reader, metadata: Metadata, spec: DaapDrillSpec, now: datetime) -> Prospect:
    """What a drill is to restore.

    Raises Waiting for what comes by itself, Stalled where only a person can help, and Impossible.
    """
    namespace, name = metadata.namespace, spec.database_ref.name
    database = store.get(Ref(known.DATABASE, namespace, name))
    if database is None or raw.value(database, "metadata", "deletionTimestamp"):
        there = "is being deleted" if database is not None else "does not exist in this namespace"
        raise Impossible(DrillReason.DATABASE_MISSING, f"DaapDatabase {name} {there}")
    cluster = raw.text(database, "status", "clusterName")
    if not cluster or store.get(Ref(known.CLUSTER, namespace, cluster)) is None:
        told = f"DaapDatabase {name} has no Cluster at the moment"
        raise Waiting(DrillReason.DATABASE_NOT_READY, told)
    of = DrilledDatabase(name=name, uid=raw.text(database, "metadata", "uid"), cluster_name=cluster)
    place = _archive(database, name)
    found = _target(store, of, place, metadata.namespace, spec, now)
    if store.get(Ref(known.BARMAN_STORE, namespace, found.store)) is None:
        raise Stalled(
            DrillReason.STORE_MISSING,
            f"ObjectStore {found.store} does not exist in this namespace: the platform team must "
            "create it",
        )
    return found


def _archive(database: raw.Object, name: str) -> Place:
    told = raw.mapping(database, "status", "backup")
    place = Place(raw.text(told, "store"), raw.text(told, "archive"))
    healthy = condition(database, ConditionType.BACKUP_HEALTHY)
    if reason := _MISSING.get(raw.text(healthy, "reason")):
        why = quoted(raw.text(healthy, "message"))
        raise Stalled(reason, f"The backups of DaapDatabase {name} cannot be read: {why}")
    if not all(place):
        raise Stalled(
            DrillReason.BACKUPS_OFF,
            f"The backups of DaapDatabase {name} are off, so it has no archive: "
            f"set spec.backup.enabled of DaapDatabase {name} to true",
        )
    return place


def _target(
    store: Reader,
    of: DrilledDatabase,
    place: Place,
    namespace: str,
    spec: DaapDrillSpec,
    now: datetime,
) -> Prospect:
    if spec.backup and re.fullmatch(BACKUP_ID_PATTERN, spec.backup):
        return Prospect(of, *place, backup_id=spec.backup)
    if spec.backup:
        return _by_name(store, of, place, namespace, spec.backup)
    found = raw.text(
        store.get(Ref(known.BARMAN_STORE, namespace, place.store)),
        "status",
        "serverRecoveryWindow",
    )
    first = window_of(found, place.archive).first_recoverable
    if first is None:
        raise Waiting(
            DrillReason.NEVER_BACKED_UP,
            f"The archive {place.archive} of DaapDatabase {of.name} has no base backup yet",
        )
    moment = spec.moment
    if moment is None:
        return Prospect(of, *place)
    if not first <= moment <= now:
        why = "is in the future" if moment > now else f"is before {first:%Y-%m-%dT%H:%M:%SZ}"
        raise Impossible(
            DrillReason.MOMENT_NOT_COVERED,
            f"spec.at '{spec.at}' {why}: the archive {place.archive} does not cover it",
        )
    return Prospect(of, *place, at=moment_text(moment))


def _by_name(
    store: Reader, of: DrilledDatabase, place: Place, namespace: str, named: str
) -> Prospect:
    backup, told = store.get(Ref(known.DAAP_BACKUP, namespace, named)), f"spec.backup '{named}'"
    if backup is None:
        return Prospect(of, *place, backup_name=named)
    owner, status = database_of(backup)[1], raw.mapping(backup, "status")
    if owner != of.name:
        why = f"{told} is a backup of DaapDatabase {quoted(owner)}, not of {of.name}"
        raise Impossible(DrillReason.CANNOT_BE_RESTORED, why)
    if raw.text(status, "phase") == BackupPhase.FAILED:
        raise Impossible(DrillReason.CANNOT_BE_RESTORED, f"{told} has failed")
    if raw.text(status, "phase") != BackupPhase.COMPLETED:
        raise Waiting(DrillReason.BACKUP_NOT_COMPLETED, f"{told} is not completed yet")
    found = [raw.text(status, field) for field in ("store", "archive", "backupId")]
    if not all(found):
        why = f"{told} does not say where it is: its status was lost. Name its id instead"
        raise Impossible(DrillReason.CANNOT_BE_RESTORED, why)
    return Prospect(of, found[0], found[1], backup_id=found[2])


def backup_id_of(backup: raw.Object | None, prospect: Prospect) -> str:
    """The id of a Backup of CloudNativePG, read as it is now; raises Impossible and Waiting."""
    told, cluster = f"spec.backup '{prospect.backup_name}'", prospect.database.cluster_name
    if backup is None or raw.text(backup, "spec", "cluster", "name") != cluster:
        why = f"{told}: DaapDatabase {prospect.database.name} has no backup of that name"
        raise Impossible(DrillReason.CANNOT_BE_RESTORED, why)
    phase, found = (raw.text(backup, "status", field) for field in ("phase", "backupId"))
    if phase == "failed":
        raise Impossible(DrillReason.CANNOT_BE_RESTORED, f"{told} has failed")
    if phase != "completed" or not re.fullmatch(BACKUP_ID_PATTERN, found):
        raise Waiting(DrillReason.BACKUP_NOT_COMPLETED, f"{told} is not completed yet")
    return found


# --- whose turn it is -----------------------------------------------------------------------------


def in_turn(store: Reader, metadata: Metadata, object_store: str) -> None:
    """Raise Waiting while another drill has the object store: one that is begun, or an older one.

    One that waits for something else than its turn holds up nobody.
    """
    if other := next(_before(store, metadata, object_store), None):
        raise Waiting(
            DrillReason.QUEUED,
            f"DaapDrill {raw.text(other, 'metadata', 'name')} comes first: one drill at a time "
            f"reads ObjectStore {object_store}",
            seconds=60.0,
        )


def _before(store: Reader, metadata: Metadata, object_store: str) -> Iterator[raw.Object]:
    place, mine = metadata.namespace, (metadata.creation_timestamp, metadata.uid)
    for each in store.by(known.DAAP_DRILL, READING, (place, object_store), MOST):
        if raw.text(each, "metadata", "uid") != metadata.uid:
            yield each
    for each in store.by(known.DAAP_DRILL, WAITING, place, MOST):
        if _age(each, mine) and _ready(each) and _store_of(store, each) == object_store:
            yield each


def _store_of(store: Reader, drill: raw.Object) -> str:
    """Of one that has noted none yet."""
    database = store.get(Ref(known.DATABASE, *database_of(drill)))
    return raw.text(database, "status", "backup", "store")


def _ready(drill: raw.Object) -> bool:
    reason = raw.text(condition(drill, ConditionType.READY), "reason")
    unread = raw.text(drill, "status", "phase") in ("", DrillPhase.PENDING)
    return unread and reason in ("", DrillReason.QUEUED)


def _age(drill: raw.Object, mine: tuple[datetime, str]) -> bool:
    made = raw.moment(drill, "metadata", "creationTimestamp")
    return made is not None and (made, raw.text(drill, "metadata", "uid")) < mine
