"""Make the Cluster and the Pooler what they should be, with the fewest requests."""

import logging
from typing import Any

from daap_operator import names, raw
from daap_operator.api.meta import Metadata
from daap_operator.engine.announce import Announcement
from daap_operator.engine.kinds import Ref
from daap_operator.engine.ownership import first_difference
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database.adoption import objections, was_retained
from daap_operator.kinds.database.certificates import mark
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.mark import is_marked, unmarked
from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.desired.resolved import Manifest, Resolved
from daap_operator.kinds.database.memory import DatabaseWorld
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.ownership import belongs_to, owners
from daap_operator.kinds.database.reasons import DatabaseEvent, DatabaseReason
from daap_operator.kinds.database.trim import BY_HAND, OWNED
from daap_operator.kinds.database.volumes import data_claims, real_size
from daap_operator.kinds.database.watched import children_of, owner
from daap_operator.kube import ApiError, Kind, refusal

Object = dict[str, Any]

SETTLE_SECONDS = 5.0
"""How long a changed Cluster counts as changing even when all that can be seen is there: that
PostgreSQL has read its settings again is told nowhere, only if it has to restart for them."""

PENDING = {
    "Cluster": DatabaseReason.CLUSTER_PENDING,
    "Pooler": DatabaseReason.POOLER_PENDING,
}
DELETED = {
    "Cluster": DatabaseReason.CLUSTER_DELETED,
    "Pooler": DatabaseReason.POOLER_DELETED,
}

log = logging.getLogger(__name__)


async def ensure_children(world: DatabaseWorld, database: Resolved) -> Stalled | Waiting | None:
    """Create what is missing and repair what differs; writes nothing when all is as it should be.

    Gives back what stands in the way. Other trouble (ApiError, Unreachable) is raised: try again.
    """
    try:
        await _ensure(world, database, known.CLUSTER, cluster(database))
        wanted = pooler(database, certificates=_certificates(world, database))
        await _ensure(world, database, known.POOLER, wanted)
    except (Stalled, Waiting) as problem:
        return problem
    return None


def _certificates(world: DatabaseWorld, database: Resolved) -> str:
    cluster = world.store.get(Ref(known.CLUSTER, database.namespace, database.cluster))
    return mark(cluster, world.store.get(Ref(known.POOLER, database.namespace, database.pooler)))


async def _ensure(world: DatabaseWorld, database: Resolved, kind: Kind, manifest: Manifest) -> None:
    name = manifest["metadata"]["name"]
    actual = world.store.get(Ref(kind, database.namespace, name))
    if actual is None:
        actual = await _create(world, kind, manifest)
    if not belongs_to(actual, database.uid) and was_retained(
        actual, database.namespace, database.name
    ):
        actual = await _take_over(world, kind, manifest, database)
    _check_ownership(manifest, actual, database)
    if raw.value(actual, "metadata", "deletionTimestamp"):
        raise Waiting(
            DELETED[manifest["kind"]],
            f"{manifest['kind']} {name} is being deleted and will be made again",
        )
    manifest = yielding(manifest, actual)
    compared = manifest if is_marked(actual[OWNED]) else unmarked(manifest)
    if difference := first_difference(compared, actual[OWNED]):
        await _repair(world, kind, manifest, actual)
        log.info(
            "Child changed",
            extra={"key": ref(database.namespace, database.name), "child": name, "at": difference},
        )


async def _create(world: DatabaseWorld, kind: Kind, manifest: Manifest) -> Object:
    """Create a child; what is there already comes back as it is."""
    metadata = manifest["metadata"]
    try:
        made = await world.kube.create(kind, manifest)
    except ApiError as error:
        if not error.conflict:
            raise child_refusal(error, manifest) from error
        # It is there, but not in the watch: it lacks our labels, or its event is on the way
        found = await world.kube.get(kind, metadata["namespace"], metadata["name"])
        if found is None:
            # What was in the way is just being deleted, or nothing was: both are over soon
            told = f"{manifest['kind']} {metadata['name']} has just changed"
            raise Waiting(PENDING[manifest["kind"]], told, seconds=1.0) from error
        if not belongs_to(found, raw.text(metadata, "labels", names.UID_LABEL)):
            return world.store.kept(kind, found)
        made = found
    else:
        key = ref(metadata["namespace"], raw.text(metadata, "labels", names.DATABASE_LABEL))
        log.info("Child created", extra={"key": key, "child": metadata["name"]})
        if kind is known.CLUSTER:
            _tell_of_loss(world, key, metadata["name"])
    return _kept(world, kind, made)


async def _take_over(
    world: DatabaseWorld, kind: Kind, manifest: Manifest, database: Resolved
) -> Object:
    """Make a child ours that an earlier DaapDatabase left behind; raises Stalled when it must not.

    Judged as it is now, and written only if it still is so. The Cluster comes first, and it has
    the data: whoever may have it may have its Pooler.
    """
    name = manifest["metadata"]["name"]
    found = await world.kube.get(kind, database.namespace, name)
    if found is None or not was_retained(found, database.namespace, database.name):
        raise Waiting(PENDING[manifest["kind"]], f"{name} has just changed", seconds=1.0)
    if raw.value(found, "metadata", "deletionTimestamp"):
        raise Waiting(DELETED[manifest["kind"]], f"{name}, retained earlier, is just being deleted")
    claims = children_of(world.store, database.namespace, database.cluster).claims
    volumes = real_size(data_claims(found, claims))
    if kind is known.CLUSTER and (why := objections(found, database, volumes)):
        raise Stalled(
            DatabaseReason.OBJECT_CONFLICT,
            f"Cluster {name} in namespace {database.namespace} was retained by an earlier "
            f"DaapDatabase of this name and is not taken over: {'; '.join(why)}. "
            "To begin empty, delete this DaapDatabase, remove the Cluster, and create it again",
        )
    manifest = yielding(manifest, world.store.kept(kind, found))
    made = await _repair(world, kind, manifest, found, version=found["metadata"]["resourceVersion"])
    key = ref(database.namespace, database.name)
    log.info("Child taken over", extra={"key": key, "child": name})
    if kind is known.CLUSTER:
        note = f"Cluster {name}, retained by an earlier DaapDatabase, was taken over with its data"
        _announce(world, key, Announcement(warning=False, reason=DatabaseEvent.ADOPTED, note=note))
    return made


def _tell_of_loss(world: DatabaseWorld, key: Ref, cluster: str) -> None:
    """Say aloud when a Cluster had to be made again: its volumes went with the one before."""
    if not raw.text(world.store.get(key), "status", "host"):
        return
    note = (
        f"Cluster {cluster} was gone and has been made again. It is empty: "
        "a Cluster's volumes go with it"
    )
    _announce(
        world, key, Announcement(warning=True, reason=DatabaseEvent.CLUSTER_RECREATED, note=note)
    )


def _announce(world: DatabaseWorld, key: Ref, announcement: Announcement) -> None:
    if seen := world.store.get(key):
        metadata = Metadata.model_validate(seen["metadata"])
        world.announcer.announce(known.DATABASE, metadata, announcement, world.now())


async def _repair(
    world: DatabaseWorld, kind: Kind, manifest: Manifest, actual: Object, *, version: str = ""
) -> Object:
    uid = actual["metadata"]["uid"]
    try:
        made = await world.kube.apply(kind, manifest, uid=uid, version=version)
    except ApiError as error:
        raise child_refusal(error, manifest) from error
    changed = raw.number(made, "metadata", "generation") != raw.number(
        actual, "metadata", "generation"
    )
    if changed and kind is known.CLUSTER:
        key = owner(made)
        if key is not None:
            world.notes_of(key).settling_until = world.monotonic() + SETTLE_SECONDS
    return _kept(world, kind, made)


def _kept(world: DatabaseWorld, kind: Kind, made: Object) -> Object:
    """Put a write's answer into the store, so that the next pass does not write again."""
    world.store.put(kind, made)
    return world.store.kept(kind, made)


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


def _check_ownership(manifest: Manifest, actual: Object, database: Resolved) -> None:
    if belongs_to(actual, database.uid):
        return
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    place = f"{kind} {name} in namespace {database.namespace}"
    if owners(actual):
        raise Waiting(
            DatabaseReason.LEFTOVER_CHILDREN,
            f"{place} belongs to an earlier DaapDatabase of this name and is being removed",
        )
    raise Stalled(
        DatabaseReason.OBJECT_CONFLICT,
        f"{place} exists and was not made for this DaapDatabase, so it is not touched: "
        "remove or rename it, or give this DaapDatabase another name",
    )


def child_refusal(error: ApiError, manifest: Manifest) -> Stalled | Waiting | ApiError:
    """What a refused write means for the database. Pure."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    if error.conflict or "metadata.uid" in error.fields:
        return Waiting(PENDING[kind], f"{kind} {name} has just changed", seconds=1.0)
    if error.invalid:
        return Stalled(
            DatabaseReason.REJECTED,
            f"CloudNativePG refuses the {kind}: {error.message}. "
            "Change the spec accordingly, or ask the platform team where the value is not yours; "
            "what was there before is left as it is",
        )
    if error.absent:
        return Stalled(
            DatabaseReason.CLOUDNATIVEPG_MISSING,
            f"The API server does not know the kind {kind}: "
            "the platform team must install CloudNativePG",
        )
    return refusal(error, f"the {kind}")
