"""Where a database's Cluster archives to, and under which name: allotted once for each Cluster.

The plugin refuses to begin an archive that holds anything, so that a Cluster that is created again
has a name of its own. A Cluster that is there keeps its name, whatever the status says.
"""

from dataclasses import replace
from typing import Any

from daap_operator import raw
from daap_operator.api.v1alpha1 import BackupStatus, SourceStatus
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Stalled
from daap_operator.kinds import known
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kinds.database.desired import backup
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.memory import Archive, DatabaseTurn, DatabaseWorld
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.subject import DatabaseSubject, is_replaced
from daap_operator.kinds.database.trim_backup import WINDOWS
from daap_operator.kinds.windows import window_of

Object = dict[str, Any]


def archived(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved, cluster: Object | None
) -> Resolved:
    """The database with its archive; `cluster` is its Cluster, or that which it takes over.

    One whose Cluster is gone is restored from what that has archived, if there is a base backup.
    """
    live, before = archiver_of(cluster), looked_at.status.backup
    archive, source = before.archive if before else None, resolved.source
    store = resolved.backups.store if resolved.backups else ""
    there = _object_store(world, resolved, store) is not None
    if live:
        archive = live.archive
    elif archive is not None and cluster is None and _is_used(world, looked_at, archive):
        if not is_replaced(looked_at):  # else what was noted is all that it may be made from
            source = _of_before(world, looked_at, resolved, archive) or source
        archive = backup.next_archive_name(archive, resolved.cluster, resolved.uid)
    elif archive is None and resolved.backups and there:
        archive = backup.archive_name(resolved.cluster, resolved.uid)
    told = backup.archiver(resolved.backups, archive, live=live, there=there)
    return replace(resolved, archive=archive, archiver=told, source=source)


async def note_archive(world: DatabaseWorld, turn: DatabaseTurn, resolved: Resolved) -> None:
    """Put the archive's name into the status before a Cluster archives under it.

    In the same write what a new Cluster is restored from: a process that finds the one without the
    other would take the database for one that begins empty.
    """
    archive, status = resolved.archive, turn.subject.status
    if archive is None:
        return
    before = status.backup or BackupStatus()
    place = Ref(known.CLUSTER, resolved.namespace, resolved.cluster)
    used = world.store.get(place) is not None
    if before.archive != archive or (status.source != resolved.source and not used):
        told = backup.begun(before, archive)
        await turn.note(backup=told, source=resolved.source)
    world.notes_of(turn.subject.key).archive = Archive(archive, used)


def lost_for_now(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved
) -> Stalled | None:
    """Why a database whose Cluster is gone is not created again yet; None when it may be.

    What it had is in an archive that cannot be read at the moment. Created without it, it would be
    empty, and under another name nobody would look for what was there.
    """
    before, source = looked_at.status.backup, resolved.source
    place = Ref(known.CLUSTER, resolved.namespace, resolved.cluster)
    if world.store.get(place) is not None or looked_at.status.host is None:
        return None
    if before is None or before.archive is None:
        return None
    if source is None and not _is_used(world, looked_at, before.archive):
        return None
    store, archive = (source or before).store, (source or before).archive
    if not store or _object_store(world, resolved, store) is not None:
        return None
    plugin = world.store.serves(known.BARMAN_STORE)
    why = _LOST.format(archive, store, _NO_STORE if plugin else _NO_PLUGIN)
    return Stalled(DatabaseReason.SOURCE_STORE_MISSING, why)


_LOST = (
    "The Cluster is gone, and what was in it is in the archive '{0}' of ObjectStore '{1}', {2}, "
    "and the database is restored. To begin empty instead, delete this DaapDatabase and create it "
    "again"
)
_NO_STORE = (
    "which does not exist in this namespace: the platform team must create it again, with the same "
    "destinationPath"
)
_NO_PLUGIN = (
    "which cannot be read without the Barman Cloud plugin: the platform team must install it"
)


def _of_before(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved, archive: str
) -> SourceStatus | None:
    """What the data of the lost Cluster is restored from; None where nothing has a base backup.

    Its own archive, or else what it came from itself, to the same moment.
    """
    before, noted = looked_at.status.backup, looked_at.status.source
    store = before.store if before else None
    there = _object_store(world, resolved, store)
    windows = raw.text(there, "status", WINDOWS)
    for name in backup.earlier_archive_names(archive, resolved.cluster, resolved.uid):
        known_once = before and before.last_successful if name == archive else None
        if store and (window_of(windows, name).first_recoverable or known_once):
            return SourceStatus(archive=name, store=store, database_name=resolved.database)
        if noted is not None:
            return noted
    return None


def _object_store(world: DatabaseWorld, resolved: Resolved, name: str | None) -> Object | None:
    return world.store.get(Ref(known.BARMAN_STORE, resolved.namespace, name or ""))


def _is_used(world: DatabaseWorld, looked_at: DatabaseSubject, name: str) -> bool:
    """Whether a Cluster that is gone may have archived under that name.

    A process that did not note the name itself cannot know: a Cluster may have come and gone before
    a status told of it. A name that nothing was kept under costs nothing.
    """
    noted = world.notes_of(looked_at.key).archive
    return noted.used if noted and noted.name == name else True
