"""The last backup of a database, made before its data is deleted, where that was asked for.

Noted before it is made. What cannot be made holds the deletion, and the message says what to do;
only what is going anyway, with its namespace or by another's hand, is not waited for.
"""

import logging
from dataclasses import dataclass
from typing import Any

from daap_operator import names, raw
from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import BackupStatus
from daap_operator.engine.child import Owner, in_the_way
from daap_operator.engine.children import delete, ensure
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Problem, Waiting
from daap_operator.findings import Finding
from daap_operator.kinds import cnpg_backups, known
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kinds.database.children import database_child
from daap_operator.kinds.database.desired.backup import final_backup_name, is_final_wanted
from daap_operator.kinds.database.live import backups_now
from daap_operator.kinds.database.memory import DatabaseTurn, DatabaseWorld
from daap_operator.kinds.database.observed import hibernated
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.database.reasons import BackupHealthReason
from daap_operator.kinds.database.subject import DatabaseSubject, cluster_of
from daap_operator.kube.words import said
from daap_operator.lines import quoted

Object = dict[str, Any]

RETRY_SECONDS, LONGEST_RETRY_SECONDS = 60.0, 3600.0
"""When a backup that has failed is made again: twice as long after each failure."""

REFUSED_SECONDS = 60.0
"""When to try again to create one that is refused."""

PATIENCE_SECONDS = 60.0
"""How long CloudNativePG may take to begin one before somebody is told to look."""

_WITHOUT = "to delete the database without it, set spec.backup.onDelete to 'Keep'"
_MISSING = frozenset({BackupHealthReason.PLUGIN_MISSING, BackupHealthReason.STORE_MISSING})

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """Why a deletion does not go on yet."""

    why: Finding
    seconds: float = float("inf")
    """When to look again if nothing happens."""


async def final_backup(world: DatabaseWorld, turn: DatabaseTurn) -> Held | None:
    """Have the last backup made; what it waits for, None once nothing more is to be backed up.

    Raises Waiting and Outage as any step of a deletion.
    """
    cluster = await _to_back_up(world, turn.subject)
    if cluster is None:
        return None
    owner = turn.owner
    name = await _noted(turn, cluster_of(turn.subject))
    child = database_child(known.BACKUP, owner.namespace, name)
    found = world.store.get(child.ref)
    if found is not None and (problem := in_the_way(child, owner, found)):
        return _blocked(problem.finding.message)
    if found is not None:
        return await _followed(world, turn.subject, owner, found)
    if why := _impossible(world, turn.subject, cluster):
        return _blocked(why)
    return await _begun(world, turn.subject, owner, name)


async def _to_back_up(world: DatabaseWorld, looked_at: DatabaseSubject) -> Object | None:
    """The Cluster whose data is to be backed up before it goes; None where nothing is.

    A Cluster that is going anyway, as in a namespace that is being deleted, cannot be backed up any
    more; in one that has never had a primary there is nothing.
    """
    if not is_final_wanted(looked_at.spec, world.platform.backup):
        return None
    place = Ref(known.CLUSTER, looked_at.metadata.namespace, cluster_of(looked_at))
    found = world.store.get(place) or await _live(world, place)
    if found is None or not belongs_to(found, looked_at.metadata.uid):
        return None
    if raw.value(found, "metadata", "deletionTimestamp"):
        return None
    served = looked_at.status.host or raw.text(found, "status", "currentPrimary")
    return found if served else None


async def _live(world: DatabaseWorld, place: Ref) -> Object | None:
    found = await world.kube.get(*place)
    return None if found is None else world.store.kept(place.kind, found)


async def _noted(turn: DatabaseTurn, cluster: str) -> str:
    """The Backup's name, written down before it is made."""
    noted = turn.subject.status.backup or BackupStatus()
    if noted.final_backup is None:
        made = final_backup_name(cluster, turn.subject.metadata.uid)
        noted = noted.model_copy(update={"final_backup": made})
        await turn.note(backup=noted)
    return noted.final_backup or ""


def _impossible(world: DatabaseWorld, looked_at: DatabaseSubject, cluster: Object) -> str:
    """Why no backup can be made now, with the remedy; empty where one can."""
    if hibernated(cluster):
        return "the database is hibernated: wake it up"
    told, there = archiver_of(cluster), world.store.serves(known.BARMAN_STORE)
    if told and there:
        store = Ref(known.BARMAN_STORE, looked_at.metadata.namespace, told.store)
        there = world.store.get(store) is not None
    if told and there:
        return ""
    healthy = backups_now(world, looked_at, None).healthy
    if healthy and healthy.why.reason in _MISSING:
        return healthy.why.message
    return "its Cluster does not archive yet: this comes by itself once it has the plugin"


async def _begun(
    world: DatabaseWorld, looked_at: DatabaseSubject, owner: Owner, name: str
) -> Held | None:
    """Have the Backup made; None where the namespace is being deleted, which takes no more."""
    cluster = cluster_of(looked_at)
    child = database_child(known.BACKUP, owner.namespace, name, manifest(owner, name, cluster))
    problem: Problem | None = (await ensure(world.kube, world.store, owner, child)).problem()
    if problem is None:
        return _under_way(name)
    if problem.finding.reason == CommonReason.NAMESPACE_TERMINATING:
        log.warning("No final backup: the namespace is being deleted", extra={"key": owner.ref})
        return None
    seconds = problem.seconds if isinstance(problem, Waiting) else REFUSED_SECONDS
    return _blocked(problem.finding.message, seconds)


def manifest(owner: Owner, name: str, cluster: str) -> Object:
    """The Backup to apply; without an owner, as nothing of a database that waits for it has."""
    labels = {
        "app.kubernetes.io/name": "daapdatabase",
        "app.kubernetes.io/part-of": "daap",
        names.DATABASE_LABEL: owner.name,
    }
    return cnpg_backups.manifest(owner, name, cluster, labels=labels)


async def _followed(
    world: DatabaseWorld, looked_at: DatabaseSubject, owner: Owner, backup: Object
) -> Held | None:
    """What has become of the Backup; None once all of it is in the store."""
    phase, name = (raw.text(backup, *path) for path in (("status", "phase"), ("metadata", "name")))
    if phase == cnpg_backups.COMPLETED and raw.text(backup, "status", "endWal"):
        return None
    if phase == cnpg_backups.FAILED:
        return await _again(world, looked_at, owner, backup)
    begun = raw.text(backup, "status", "startedAt") or phase == cnpg_backups.COMPLETED
    created = raw.moment(backup, "metadata", "creationTimestamp") or world.now()
    left = PATIENCE_SECONDS - (world.now() - created).total_seconds()
    if begun or left > 0:
        return _under_way(name, float("inf") if begun else left)
    where = f"--namespace {owner.namespace}"
    return _blocked(
        f"CloudNativePG has not begun Backup {name} yet: the platform team must find out why "
        f"(kubectl describe backups.postgresql.cnpg.io {name} {where})"
    )


async def _again(
    world: DatabaseWorld, looked_at: DatabaseSubject, owner: Owner, backup: Object
) -> Held:
    """A Backup that has failed is deleted and made again, the later, the more often it did."""
    notes, now, uid = world.notes_of(looked_at.key), world.monotonic(), backup["metadata"]["uid"]
    before = notes.final_failed
    if before is None or before[0] != uid:
        before = notes.final_failed = (uid, now, before[2] + 1 if before else 0)
    _, since, times = before
    left = since + min(RETRY_SECONDS * 2**times, LONGEST_RETRY_SECONDS) - now
    name, words = backup["metadata"]["name"], quoted(said(cnpg_backups.error(backup)))
    told = (
        f"it failed, and is tried again by itself: the platform team must find out why. "
        f"CloudNativePG says: {words}"
    )
    if left <= 0:
        await delete(
            world.kube, world.store, owner, database_child(known.BACKUP, owner.namespace, name)
        )
        return _blocked(told, 1.0)
    return _blocked(told, left)


def _under_way(name: str, seconds: float = float("inf")) -> Held:
    told = f"Waiting for the final backup, Backup {name}, to be complete; {_WITHOUT}"
    return Held(Finding(CommonReason.DELETING, told), seconds)


def _blocked(why: str, seconds: float = float("inf")) -> Held:
    told = f"The final backup that spec.backup.onDelete asks for is not made: {why}; or, {_WITHOUT}"
    return Held(Finding(CommonReason.DELETION_BLOCKED, told), seconds)
