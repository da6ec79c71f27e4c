"""Make the Cluster and the Pooler what they should be, with the fewest requests."""

import logging
from typing import Any

from daap_operator import names, raw
from daap_operator.announce import Announcement
from daap_operator.api.v1alpha1 import Metadata
from daap_operator.cache import Key, Kind
from daap_operator.desired.cluster import cluster
from daap_operator.desired.pooler import pooler
from daap_operator.desired.resolved import Manifest, Resolved
from daap_operator.errors import Stalled, Waiting
from daap_operator.kube import ApiError, Resource
from daap_operator.ownership import first_difference, owner_uid
from daap_operator.trim import OWNED
from daap_operator.world import World

Object = dict[str, Any]

SETTLE_SECONDS = 5.0
"""How long a changed Cluster counts as changing although its status looks settled: CloudNativePG
does not say which generation its status speaks of."""

RESOURCES = {Kind.CLUSTER: Resource.CLUSTERS, Kind.POOLER: Resource.POOLERS}

log = logging.getLogger(__name__)


async def ensure_children(world: World, database: Resolved) -> Stalled | Waiting | None:
    """Create what is missing and mend what differs; writes nothing when all is as it should be.

    Gives back what stands in the way. Other trouble (ApiError, Unreachable) is raised: try again.
    """
    try:
        await _ensure(world, database, Kind.CLUSTER, cluster(database))
        await _ensure(world, database, Kind.POOLER, pooler(database))
    except (Stalled, Waiting) as problem:
        return problem
    return None


async def _ensure(world: World, database: Resolved, kind: Kind, manifest: Manifest) -> None:
    name = manifest["metadata"]["name"]
    actual = world.cache.get(kind, database.namespace, name)
    if actual is None:
        actual = await _create(world, kind, manifest)
    _check_ownership(manifest, actual, database)
    if raw.value(actual, "metadata", "deletionTimestamp"):
        raise Waiting(
            f"{manifest['kind']}Deleted",
            f"{manifest['kind']} {name} is being deleted and will be made again",
        )
    if difference := first_difference(manifest, actual[OWNED]):
        await _mend(world, kind, manifest, actual)
        log.info(
            "Child changed",
            extra={"key": Key(database.namespace, database.name), "child": name, "at": difference},
        )


async def _create(world: World, kind: Kind, manifest: Manifest) -> Object:
    """Create a child; what is there already comes back as it is."""
    metadata, resource = manifest["metadata"], RESOURCES[kind]
    try:
        made = await world.kube.create(resource, manifest)
    except ApiError as error:
        if not error.conflict:
            raise refusal(error, manifest) from error
        # It is there, but not in the watch: it lacks our labels, or its event is on the way
        found = await world.kube.get(resource, metadata["namespace"], metadata["name"])
        if found is None:
            # What was in the way is just being deleted, or nothing was: both are over soon
            told = f"{manifest['kind']} {metadata['name']} has just changed"
            raise Waiting(f"{manifest['kind']}Pending", told, seconds=1.0) from error
        if owner_uid(found) != raw.text(metadata, "labels", names.UID_LABEL):
            return kind.trim(found)
        made = found
    else:
        key = Key(metadata["namespace"], raw.text(metadata, "labels", names.DATABASE_LABEL))
        log.info("Child created", extra={"key": key, "child": metadata["name"]})
        if kind is Kind.CLUSTER:
            _tell_of_loss(world, key, metadata["name"])
    return _kept(world, kind, made)


def _tell_of_loss(world: World, key: Key, cluster: str) -> None:
    """Say aloud when a Cluster had to be made again: its volumes went with the one before."""
    seen = world.cache.database(key)
    if seen is None or not raw.text(seen, "status", "host"):
        return
    note = (
        f"Cluster {cluster} was gone and has been made again. It is empty: "
        "a Cluster's volumes go with it"
    )
    lost = Announcement(warning=True, reason="ClusterRecreated", note=note)
    world.announcer.announce(Metadata.model_validate(seen["metadata"]), lost, world.now())


async def _mend(world: World, kind: Kind, manifest: Manifest, actual: Object) -> None:
    try:
        made = await world.kube.apply(RESOURCES[kind], manifest, uid=actual["metadata"]["uid"])
    except ApiError as error:
        raise refusal(error, manifest) from error
    changed = raw.number(made, "metadata", "generation") != raw.number(
        actual, "metadata", "generation"
    )
    if changed and kind is Kind.CLUSTER:
        key = world.cache.owner(kind, kind.trim(made))
        if key is not None:
            world.notes_of(key).settling_until = world.monotonic() + SETTLE_SECONDS
    _kept(world, kind, made)


def _kept(world: World, kind: Kind, made: Object) -> Object:
    """Put a write's answer into the cache, so that the next pass does not write again."""
    world.cache.put(kind, made)
    return kind.trim(made)


def _check_ownership(manifest: Manifest, actual: Object, database: Resolved) -> None:
    owner = owner_uid(actual)
    if owner == database.uid:
        return
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    place = f"{kind} {name} in namespace {database.namespace}"
    if owner and raw.items(actual, "metadata", "ownerReferences"):
        raise Waiting(
            "LeftoverChildren",
            f"{place} belongs to an earlier DaapDatabase of this name and is being removed",
        )
    raise Stalled(
        "ObjectConflict",
        f"{place} exists and was not made for this DaapDatabase, so it is not touched: "
        "remove or rename it, or give this DaapDatabase another name",
    )


def refusal(error: ApiError, manifest: Manifest) -> Stalled | Waiting | ApiError:
    """What a refused write means for the database. Pure."""
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    if error.conflict or "metadata.uid" in error.fields:
        return Waiting(f"{kind}Pending", f"{kind} {name} has just changed", seconds=1.0)
    if error.namespace_terminating:
        return Waiting("NamespaceTerminating", "The namespace is being deleted", seconds=30.0)
    if error.invalid:
        return Stalled(
            "Rejected",
            f"CloudNativePG refuses the {kind}: {error.message}. "
            "Change the spec accordingly; what was there before is left as it is",
        )
    if error.quota_exceeded:
        return Stalled(
            "QuotaExceeded",
            f"A ResourceQuota of the namespace forbids the {kind}: {error.message}. "
            "Free some of it, or ask the platform team for more",
        )
    if error.absent:
        return Stalled(
            "CloudNativePGMissing",
            f"The API server does not know the kind {kind}: "
            "the platform team must install CloudNativePG",
        )
    if error.status == 403:
        return Stalled(
            "Forbidden",
            f"The operator may not write the {kind}: {error.message}. "
            "The platform team must mend its permissions",
        )
    return error
