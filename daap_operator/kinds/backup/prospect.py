"""Whether a database can be backed up now, from what the store has of it. Pure.

Kinds do not know each other: a DaapDatabase is read as anybody may read it.
"""

from datetime import datetime
from typing import NamedTuple

from daap_operator import raw
from daap_operator.api.meta import ConditionType
from daap_operator.engine.kinds import Reader, Ref
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.archiver import Archiver, archiver_of
from daap_operator.kinds.backup.reasons import BackupReason
from daap_operator.kinds.told import condition
from daap_operator.lines import quoted

_MISSING = {
    reason.value: reason for reason in (BackupReason.STORE_MISSING, BackupReason.PLUGIN_MISSING)
}
"""Why nothing can be written, as the database's BackupHealthy says it."""


class Place(NamedTuple):
    """What is backed up, and where to."""

    cluster: str
    store: str
    archive: str
    postgres_version: int | None


def place(store: Reader, namespace: str, name: str) -> Place:
    """Where a backup of the database goes.

    Raises Waiting while the database is on its way there, and Stalled when only a person can bring
    it there.
    """
    database = store.get(Ref(known.DATABASE, namespace, name))
    if problem := _absent(database, name) or _off(database, name) or _unavailable(database, name):
        raise problem
    cluster = raw.text(database, "status", "clusterName")
    told = archiver_of(store.get(Ref(known.CLUSTER, namespace, cluster)))
    if told is None:
        why = f"DaapDatabase {name} does not archive yet: its Cluster is being given the plugin"
        raise Waiting(BackupReason.ARCHIVE_PENDING, why)
    version = raw.number(database, "status", "postgresVersion")
    return Place(cluster, *told, version or None)


def written_to(store: Reader, namespace: str, name: str, began: datetime | None) -> Archiver | None:
    """Where a backup of a database went that began then; None where that is not known any more.

    It may have waited so long that another Cluster had come, with an archive of its own.
    """
    named = raw.text(store.get(Ref(known.DATABASE, namespace, name)), "status", "clusterName")
    cluster = store.get(Ref(known.CLUSTER, namespace, named))
    made = raw.moment(cluster, "metadata", "creationTimestamp")
    return archiver_of(cluster) if began and made and made <= began else None


def retention(store: Reader, namespace: str, name: str) -> str:
    """How long an ObjectStore keeps backups, in its own words; empty where that is not known."""
    found = store.get(Ref(known.BARMAN_STORE, namespace, name))
    return raw.text(found, "spec", "retentionPolicy")


def _absent(database: raw.Object | None, name: str) -> Problem | None:
    if database is not None:
        return None
    return Waiting(
        BackupReason.DATABASE_MISSING,
        f"DaapDatabase {name} does not exist in this namespace: create it; if the name is wrong, "
        "delete this DaapBackup and create another one",
    )


def _off(database: raw.Object | None, name: str) -> Problem | None:
    """Whether it has no backups: the spec says so, or says nothing and the status has none."""
    asked = raw.value(database, "spec", "backup")
    off = raw.value(asked, "enabled") is False
    if asked is None:
        ready = raw.text(condition(database, ConditionType.READY), "status") == "True"
        off = ready and not raw.text(database, "status", "backup", "schedule")
    if not off:
        return None
    return Stalled(
        BackupReason.BACKUPS_OFF,
        f"The backups of DaapDatabase {name} are off, so it has no archive: "
        f"set spec.backup.enabled of DaapDatabase {name} to true",
    )


def _unavailable(database: raw.Object | None, name: str) -> Problem | None:
    """What is in the way by the database's own conditions."""
    healthy, ready = (condition(database, kind) for kind in _ASKED)
    told = quoted(raw.text(ready, "message"))
    if reason := _MISSING.get(raw.text(healthy, "reason")):
        why = quoted(raw.text(healthy, "message"))
        return Stalled(reason, f"DaapDatabase {name} cannot be backed up: {why}")
    if raw.text(ready, "status") == "True":
        return None
    if raw.text(ready, "reason") == BackupReason.HIBERNATED:
        return Stalled(BackupReason.HIBERNATED, f"DaapDatabase {name} is hibernated: {told}")
    why = f"DaapDatabase {name} is not ready" + (f": {told}" if told else "")
    if raw.text(condition(database, ConditionType.STALLED), "status") == "True":
        return Stalled(BackupReason.DATABASE_NOT_READY, why)
    return Waiting(BackupReason.DATABASE_NOT_READY, why)


_ASKED = (ConditionType.BACKUP_HEALTHY, ConditionType.READY)
