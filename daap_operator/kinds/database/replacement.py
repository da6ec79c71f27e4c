"""A database put back in place: its Cluster deleted, and created again from an archive.

A DaapRestore says what from, and which Cluster. That is noted in the database's own status before
anything is deleted, in one write with the name of the next archive. From then on the note alone is
what the Cluster is created from, and the uid in it the only one that is ever deleted: whatever ends
a pass anywhere, the next one neither deletes twice nor creates an empty database.
"""

import logging

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import (
    BackupStatus,
    DaapDatabaseStatus,
    RestoredStatus,
    SourceStatus,
)
from daap_operator.engine.children import delete
from daap_operator.engine.kinds import Object, Ref
from daap_operator.errors import Waiting
from daap_operator.kinds import known, restores
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kinds.database.children import database_child
from daap_operator.kinds.database.desired.backup import archive_name, begun, next_archive_name
from daap_operator.kinds.database.desired.resolved import Manifest, Resolved
from daap_operator.kinds.database.desired.secret import app_secret, kept_credentials
from daap_operator.kinds.database.memory import Archive, DatabaseTurn, DatabaseWorld
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.ownership import belongs_to, cluster_owners
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.removal import volume_claims
from daap_operator.kinds.database.subject import DatabaseSubject, cluster_of, is_going
from daap_operator.kube import ApiError

LOOK_SECONDS = 2.0
"""When to look again at what is being deleted; then after a third of the time that it takes."""


log = logging.getLogger(__name__)


async def take_on(world: DatabaseWorld, turn: DatabaseTurn) -> None:
    """Note a restore that is asked for, unless its Cluster is not there any more.

    Judged by a live read: what is noted here is deleted.
    """
    looked_at = turn.subject
    status, metadata = looked_at.status, looked_at.metadata
    order = restores.order_of(world.store, metadata.namespace, metadata.name)
    before = status.restore
    if order is None or not status.cluster_name or (before and before.uid == order.uid):
        return
    cluster = await world.kube.get(known.CLUSTER, metadata.namespace, status.cluster_name)
    if cluster is None or raw.text(cluster, "metadata", "uid") != order.cluster_uid:
        return
    if not belongs_to(cluster, metadata.uid) or raw.value(cluster, "metadata", "deletionTimestamp"):
        return
    archive = _next_archive(looked_at, cluster)
    await turn.note(
        source=SourceStatus(
            database=metadata.name,
            namespace=metadata.namespace,
            archive=order.archive,
            store=order.store,
            at=order.at,
            backup_id=order.backup_id,
            database_name=status.database_name or names.database_name(metadata.name),
        ),
        restore=RestoredStatus(
            name=order.name, uid=order.uid, replaced_cluster_uid=order.cluster_uid
        ),
        backup=begun(status.backup or BackupStatus(), archive),
    )
    world.notes_of(looked_at.key).archive = Archive(archive, used=False)


def _next_archive(looked_at: DatabaseSubject, cluster: Object) -> str:
    """The name of the archive of the next Cluster: the plugin begins only an empty one."""
    name, uid = cluster_of(looked_at), looked_at.metadata.uid
    told = archiver_of(cluster)
    noted = looked_at.status.backup.archive if looked_at.status.backup else None
    used = told.archive if told else noted
    return next_archive_name(used, name, uid) if used else archive_name(name, uid)


async def made_way(
    world: DatabaseWorld, looked_at: DatabaseSubject, database: Resolved
) -> Waiting | None:
    """Delete the Cluster that is to be replaced, and keep the password for the next one.

    None once the next one may be created, or is there; else what is waited for.
    """
    noted = looked_at.status.restore
    if noted is None or noted.cluster_uid:
        return None
    place = Ref(known.CLUSTER, database.namespace, database.cluster)
    seen = world.store.get(place)
    if seen is None or not raw.value(seen, "metadata", "deletionTimestamp"):
        seen = await world.kube.get(*place)
    if seen is not None and not is_going(looked_at, seen):
        world.store.put(known.CLUSTER, seen)
        return None
    if seen is not None:
        await _no_more_backups(world, database)
        await _delete(world, looked_at, place, seen)
        return _waiting(noted, f"Cluster {place.name}")
    if blockers := await volume_claims(world, looked_at):
        return _waiting(noted, " and ".join(blocker.what for blocker in blockers))
    if left := await _leftover(world, database):
        return _waiting(noted, f"Secret {left}")
    return None


async def renew_backups(
    world: DatabaseWorld, looked_at: DatabaseSubject, database: Resolved
) -> None:
    """Before a Cluster is created where one was lost: have the next archive begin with a backup."""
    place = Ref(known.CLUSTER, database.namespace, database.cluster)
    if looked_at.status.host is not None and world.store.get(place) is None:
        await _no_more_backups(world, database)


async def _no_more_backups(world: DatabaseWorld, database: Resolved) -> None:
    """Delete the ScheduledBackup: created again, it makes the first backup of the next Cluster."""
    child = database_child(known.SCHEDULED_BACKUP, database.namespace, database.cluster)
    if world.store.get(child.ref) is not None:
        await delete(world.kube, world.store, database.owner, child)


async def _delete(
    world: DatabaseWorld, looked_at: DatabaseSubject, place: Ref, seen: Object
) -> None:
    """Delete the Cluster, as it was seen; what it owns goes first."""
    metadata = raw.mapping(seen, "metadata")
    if raw.value(metadata, "deletionTimestamp") or not belongs_to(seen, looked_at.metadata.uid):
        return
    uid, version = raw.text(metadata, "uid"), raw.text(metadata, "resourceVersion")
    try:
        left = await world.kube.delete(*place, uid=uid, version=version, propagation="Foreground")
    except ApiError as error:
        if not error.conflict:
            raise
        raise Waiting(
            DatabaseReason.REPLACING, f"Cluster {place.name} has just changed", seconds=1.0
        ) from error
    if left is None:
        world.store.remove(known.CLUSTER, seen)
    else:
        world.store.put(known.CLUSTER, left)


async def _leftover(world: DatabaseWorld, database: Resolved) -> str:
    """Create the credentials that the next Cluster is to have; names what is still in the way.

    CloudNativePG takes a Secret that is there and is no Cluster's as it is.
    """
    authority, credentials = f"{database.cluster}-ca", app_secret(database.cluster)
    there: dict[str, Object | None] = {}
    for name in (authority, credentials):
        there[name] = await world.kube.get(known.SECRET, database.namespace, name)
        if cluster_owners(there[name] or {}):
            return name
    if there[credentials] is None and (manifest := await _kept(world, database)):
        await world.kube.create_plain(known.SECRET, manifest)
        key = ref(database.namespace, database.name)
        log.info("Secret created", extra={"key": key, "child": credentials})
    return ""


async def _kept(world: DatabaseWorld, database: Resolved) -> Manifest | None:
    """The credentials as clients have them; None where none were ever published."""
    status = raw.mapping(
        world.store.get(Ref(known.DATABASE, database.namespace, database.name)), "status"
    )
    published = raw.text(status, "secretName")
    if not published:
        return None
    found = await world.kube.get(known.SECRET, database.namespace, published)
    if found is None or not belongs_to(found, database.uid):
        return None
    username, password = (raw.decoded(found, "data", key) for key in ("username", "password"))
    return kept_credentials(database, username, password) if username and password else None


def served_since(
    world: DatabaseWorld, looked_at: DatabaseSubject, *, served: bool, serves: bool
) -> bool:
    """Whether clients have been served from this Cluster, as far as its first backup is concerned.

    What served before a Cluster was lost or replaced is gone, and the ScheduledBackup with it.
    """
    place = Ref(known.SCHEDULED_BACKUP, looked_at.metadata.namespace, cluster_of(looked_at))
    return serves if looked_at.status.source and world.store.get(place) is None else served


def with_restore(
    world: DatabaseWorld, looked_at: DatabaseSubject, status: DaapDatabaseStatus
) -> DaapDatabaseStatus:
    """The status with the Cluster that it speaks of, once that is the restored one."""
    noted = status.restore
    place = Ref(known.CLUSTER, looked_at.metadata.namespace, cluster_of(looked_at))
    cluster = world.store.get(place)
    if noted is None or noted.cluster_uid or cluster is None or is_going(looked_at, cluster):
        return status
    if not belongs_to(cluster, looked_at.metadata.uid):
        return status
    uid = raw.text(cluster, "metadata", "uid")
    return status.model_copy(update={"restore": noted.model_copy(update={"cluster_uid": uid})})


def _waiting(noted: RestoredStatus, what: str) -> Waiting:
    told = (
        f"DaapRestore {noted.name} restores the database: waiting for {what} to be gone, so that "
        "the Cluster can be created again from the archive"
    )
    return Waiting(DatabaseReason.REPLACING, told, seconds=LOOK_SECONDS)
