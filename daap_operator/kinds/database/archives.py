"""Where a database's Cluster archives to, and under which name: allotted once for each Cluster.

The plugin refuses to begin an archive that holds anything, so that a Cluster that is created again
has a name of its own. A Cluster that is there keeps its name, whatever the status says.
"""

from dataclasses import replace
from typing import Any

from daap_operator.api.v1alpha1 import BackupStatus, DaapDatabaseStatus
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kinds.database.desired import backup
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.memory import Archive, DatabaseTurn, DatabaseWorld
from daap_operator.kinds.database.subject import DatabaseSubject

Object = dict[str, Any]


def archived(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved, cluster: Object | None
) -> Resolved:
    """The database with its archive; `cluster` is its Cluster, or that which it takes over."""
    live = archiver_of(cluster)
    archive = live.archive if live else _allotted(world, looked_at, resolved, there=bool(cluster))
    store = resolved.backups.store if resolved.backups else ""
    there = world.store.get(Ref(known.BARMAN_STORE, resolved.namespace, store)) is not None
    told = backup.archiver(resolved.backups, archive, live=live, there=there)
    return replace(resolved, archive=archive, archiver=told)


async def note_archive(world: DatabaseWorld, turn: DatabaseTurn, resolved: Resolved) -> None:
    """Put the archive's name into the status before a Cluster archives under it."""
    archive = resolved.archive
    if resolved.backups is None or archive is None:
        return
    before = turn.subject.status.backup or BackupStatus()
    if before.archive != archive:
        await turn.note(backup=before.model_copy(update={"archive": archive}))
    place = Ref(known.CLUSTER, resolved.namespace, resolved.cluster)
    used = world.store.get(place) is not None
    world.notes_of(turn.subject.key).archive = Archive(archive, used)


def _allotted(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved, *, there: bool
) -> str | None:
    """The name for a Cluster that has none yet; None while none is needed."""
    before = looked_at.status.backup
    name = before.archive if before else None
    if resolved.backups is None:
        return name
    if name is None:
        return backup.archive_name(resolved.cluster, resolved.uid)
    if not there and _is_used(world, looked_at, name):
        return backup.next_archive_name(name, resolved.cluster, resolved.uid)
    return name


def _is_used(world: DatabaseWorld, looked_at: DatabaseSubject, name: str) -> bool:
    """Whether a Cluster that is gone may have archived under that name."""
    noted = world.notes_of(looked_at.key).archive
    if noted and noted.name == name:
        return noted.used
    return has_run(looked_at.status)


def has_run(status: DaapDatabaseStatus) -> bool:
    """Whether the status tells of a Cluster that has got as far as an instance."""
    return bool(status.host or status.instances)
