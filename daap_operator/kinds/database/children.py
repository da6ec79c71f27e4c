"""Make Cluster, Pooler and ScheduledBackup what they should be, with the fewest requests."""

import logging
from collections.abc import Callable
from typing import Any

from daap_operator import raw
from daap_operator.api.meta import Metadata
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.announce import Announcement
from daap_operator.engine.child import Child, Did, Fact, Owner, Reasons, made_once
from daap_operator.engine.children import ensure, take_over
from daap_operator.engine.kinds import Ref
from daap_operator.engine.ownership import OWNED
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kinds.database.adoption import objections, was_retained
from daap_operator.kinds.database.applied import instances
from daap_operator.kinds.database.certificates import mark
from daap_operator.kinds.database.desired import recovery
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.mark import is_marked, unmarked
from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.desired.resolved import Manifest, Resolved
from daap_operator.kinds.database.desired.scheduled_backup import scheduled_backup
from daap_operator.kinds.database.memory import DatabaseWorld, begin_archive
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.observed import hibernated
from daap_operator.kinds.database.reasons import DatabaseEvent, DatabaseReason
from daap_operator.kinds.database.trim import BY_HAND
from daap_operator.kinds.database.volumes import data_claims, real_size
from daap_operator.kinds.database.watched import children_of
from daap_operator.kube import ApiError, Kind

Object = dict[str, Any]

SETTLE_SECONDS = 5.0
"""How long a changed Cluster counts as changing even when all that can be seen is there: that
PostgreSQL has read its settings again is told nowhere, only if it has to restart for them."""

_REASONS = {
    known.CLUSTER: Reasons(
        pending=DatabaseReason.CLUSTER_PENDING,
        deleted=DatabaseReason.CLUSTER_DELETED,
        leftover=DatabaseReason.LEFTOVER_CHILDREN,
        conflict=DatabaseReason.OBJECT_CONFLICT,
        rejected=DatabaseReason.REJECTED,
    ),
    known.POOLER: Reasons(
        pending=DatabaseReason.POOLER_PENDING,
        deleted=DatabaseReason.POOLER_DELETED,
        leftover=DatabaseReason.LEFTOVER_CHILDREN,
        conflict=DatabaseReason.OBJECT_CONFLICT,
        rejected=DatabaseReason.REJECTED,
    ),
    known.BACKUP: Reasons(
        pending=CommonReason.DELETING,
        deleted=CommonReason.DELETING,
        leftover=CommonReason.DELETING,
        conflict=DatabaseReason.OBJECT_CONFLICT,
        rejected=DatabaseReason.REJECTED,
    ),
    known.SCHEDULED_BACKUP: Reasons(
        pending=DatabaseReason.BACKUP_SCHEDULE_PENDING,
        deleted=DatabaseReason.BACKUP_SCHEDULE_PENDING,
        leftover=DatabaseReason.LEFTOVER_CHILDREN,
        conflict=DatabaseReason.OBJECT_CONFLICT,
        rejected=DatabaseReason.REJECTED,
    ),
}

log = logging.getLogger(__name__)


def database_child(
    kind: Kind, namespace: str, name: str, manifest: Manifest | None = None
) -> Child:
    """A child of a database by its kind, and what is special about it. Pure."""
    return Child(
        kind,
        namespace,
        name,
        _REASONS[kind],
        manifest,
        beside=yielding,
        compared=_compared(kind),
        refused=child_refusal,
    )


async def ensure_children(world: DatabaseWorld, database: Resolved) -> Problem | None:
    """Create what is missing and repair what differs; writes nothing when all is as it should be.

    Gives back what stands in the way. Other trouble (ApiError, Unreachable) is raised: try again.
    """
    try:
        return await _ensure(world, database, _cluster(database)) or await _ensure(
            world, database, _pooler(world, database)
        )
    except (Stalled, Waiting) as problem:  # of what is not taken over
        return problem


def _cluster(database: Resolved) -> Child:
    namespace, name = database.namespace, database.cluster
    return database_child(known.CLUSTER, namespace, name, cluster(database))


def _pooler(world: DatabaseWorld, database: Resolved) -> Child:
    namespace, name = database.namespace, database.pooler
    of_cluster = world.store.get(Ref(known.CLUSTER, namespace, database.cluster))
    certificates = mark(of_cluster, world.store.get(Ref(known.POOLER, namespace, name)))
    manifest = pooler(database, certificates=certificates)
    return database_child(known.POOLER, namespace, name, manifest)


async def ensure_schedule(
    world: DatabaseWorld, database: Resolved, *, served: bool, settled: bool
) -> Problem | None:
    """The same of the ScheduledBackup, once the Cluster archives.

    One that would be suspended is not created: a database costs one write for it. `served` says
    whether clients have ever been served, `settled` whether no change is under way.
    """
    place, name = database.namespace, database.cluster
    cluster = world.store.get(Ref(known.CLUSTER, place, name))
    there = world.store.get(Ref(known.SCHEDULED_BACKUP, place, name))
    child = database_child(known.SCHEDULED_BACKUP, place, name)
    if database.backups and database.archiver:
        suspended = not served or hibernated(cluster or {})
        if there is None and (suspended or not _archives(world, database, settled=settled)):
            return None
        child = database_child(
            known.SCHEDULED_BACKUP,
            place,
            name,
            scheduled_backup(database, database.backups, suspended=suspended),
        )
    owner = _of_retained(there, database) if child.manifest is None else None
    try:
        return await _ensure(world, database, child, owner)
    except (Stalled, Waiting) as problem:
        return problem


def _of_retained(schedule: Object | None, database: Resolved) -> Owner | None:
    """Whose a ScheduledBackup was that was retained with the Cluster and is not wanted any more."""
    if schedule is None or not was_retained(schedule, database.namespace, database.name):
        return None
    return database.owner._replace(
        uid=raw.text(schedule, "metadata", "labels", known.DATABASE.uid_label)
    )


def _archives(world: DatabaseWorld, database: Resolved, *, settled: bool) -> bool:
    """Whether the plugin is at work: a backup that is asked for earlier fails."""
    children = children_of(world.store, database.namespace, database.cluster)
    pods = instances(children)
    at_work = bool(pods) and all(raw.truth(pod, "asked", "archives") for pod in pods)
    return archiver_of(children.cluster) is not None and (at_work or settled)


async def _ensure(
    world: DatabaseWorld, database: Resolved, child: Child, owner: Owner | None = None
) -> Problem | None:
    owner = owner or database.owner
    ensured = await ensure(world.kube, world.store, owner, child)
    if ensured.foreign and was_retained(ensured.foreign, database.namespace, database.name):
        await _take_over(world, database, child)
        ensured = await ensure(world.kube, world.store, owner, child)
    for fact in ensured.facts:
        _note(world, owner.ref, child, fact)
    return ensured.problem()


def _note(world: DatabaseWorld, key: Ref, child: Child, fact: Fact) -> None:
    """What a write means to the database beyond the child itself."""
    if child.kind is not known.CLUSTER:
        return
    if fact.did is Did.CREATED:
        _tell_of_loss(world, key, child)
        begin_archive(world.notes_of(key))
    if fact.respecified:
        world.notes_of(key).settling_until = world.monotonic() + SETTLE_SECONDS


async def _take_over(world: DatabaseWorld, database: Resolved, child: Child) -> None:
    """Make a child ours that an earlier DaapDatabase left behind; raises Stalled when it must not.

    Judged as it is now, and written only if it still is so. The Cluster comes first, and it has
    the data: whoever may have it may have its Pooler.
    """
    name = child.name
    found = await world.kube.get(*child.ref)
    if found is None or not was_retained(found, database.namespace, database.name):
        raise Waiting(child.reasons.pending, f"{name} has just changed", seconds=1.0)
    if raw.value(found, "metadata", "deletionTimestamp"):
        told = f"{name}, which was retained earlier, is being deleted"
        raise Waiting(child.reasons.deleted, told)
    if child.kind is known.CLUSTER and (why := _objections(world, database, found)):
        raise Stalled(
            DatabaseReason.OBJECT_CONFLICT,
            f"Cluster {name} in namespace {database.namespace} was retained by an earlier "
            f"DaapDatabase of this name and is not taken over: {'; '.join(why)}. "
            "To start empty, delete this DaapDatabase and the Cluster, and create it again",
        )
    key = ref(database.namespace, database.name)
    _note(world, key, child, await take_over(world.kube, world.store, child, found))
    log.info("Child taken over", extra={"key": key, "child": name})
    if child.kind is known.CLUSTER:
        note = f"Cluster {name}, retained by an earlier DaapDatabase, was taken over with its data"
        _announce(world, key, Announcement(warning=False, reason=DatabaseEvent.ADOPTED, note=note))


def _objections(world: DatabaseWorld, database: Resolved, found: Object) -> list[str]:
    claims = children_of(world.store, database.namespace, database.cluster).claims
    return objections(found, database, real_size(data_claims(found, claims)))


def _tell_of_loss(world: DatabaseWorld, key: Ref, child: Child) -> None:
    """Say aloud when a Cluster had to be made again: its volumes went with the one before."""
    status = raw.mapping(world.store.get(key), "status")
    restored = raw.mapping(status, "restore")
    if not raw.text(status, "host") or (restored and not raw.text(restored, "clusterUid")):
        return  # new, or deleted to be restored in place
    source = recovery.of_cluster(raw.mapping(child.manifest, "spec"))
    now = "It is empty: a Cluster's volumes go with it"
    if source:
        until = source.at or source.backup_id or "the latest change that was archived"
        now = f"It is being restored from archive {source.archive} to {until}"
    note = f"Cluster {child.name} was gone and has been created again. {now}"
    _announce(
        world, key, Announcement(warning=True, reason=DatabaseEvent.CLUSTER_RECREATED, note=note)
    )


def _announce(world: DatabaseWorld, key: Ref, announcement: Announcement) -> None:
    if seen := world.store.get(key):
        metadata = Metadata.model_validate(seen["metadata"])
        world.announcer.announce(known.DATABASE, metadata, announcement, world.now())


def yielding(manifest: Manifest, actual: Object) -> Manifest:
    """The manifest without the settings that somebody else has put into the live Cluster. Pure."""
    by_hand = raw.texts(actual, BY_HAND)
    if not by_hand:
        return manifest
    postgresql = manifest["spec"]["postgresql"]
    ours = {k: v for k, v in postgresql.get("parameters", {}).items() if k not in by_hand}
    kept = {k: v for k, v in postgresql.items() if k != "parameters"}
    made = kept | ({"parameters": ours} if ours else {})
    return manifest | {"spec": manifest["spec"] | {"postgresql": made}}


def _compared(kind: Kind) -> Callable[[Manifest, Object], Manifest]:
    """What of a manifest must differ from what is there to be worth a write."""
    special = {known.SCHEDULED_BACKUP: _as_it_is, known.BACKUP: made_once}
    return special.get(kind, _worth_a_write)


def _as_it_is(manifest: Manifest, actual: Object) -> Manifest:
    del actual
    return manifest


def _worth_a_write(manifest: Manifest, actual: Object) -> Manifest:
    """The manifest without its mark where there is none: an upgrade writes nothing. Pure."""
    return manifest if is_marked(actual[OWNED]) else unmarked(manifest)


def child_refusal(error: ApiError, manifest: Manifest) -> Problem | ApiError:
    """What a refused write means where CloudNativePG has the say; else the error. Pure."""
    kind = manifest["kind"]
    if error.invalid:
        return Stalled(
            DatabaseReason.REJECTED,
            f"CloudNativePG refuses the {kind}: {error.words}. "
            "Change the spec accordingly, or ask the platform team if the value is not yours; "
            "what was there before is left as it is",
        )
    if error.absent:
        return Stalled(
            DatabaseReason.CLOUDNATIVEPG_MISSING,
            f"The API server does not know the kind {kind}: "
            "the platform team must install CloudNativePG",
        )
    return error
