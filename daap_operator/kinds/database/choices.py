"""A database with every choice made: from its spec, its status, and its Cluster in the store."""

from daap_operator.api.reasons import CommonReason
from daap_operator.engine.kinds import Object, Ref
from daap_operator.errors import Stalled
from daap_operator.kinds import known
from daap_operator.kinds.database import adoption, offer, origin
from daap_operator.kinds.database.adoption import major_version, was_retained
from daap_operator.kinds.database.archives import archived
from daap_operator.kinds.database.desired.resolved import Origin, Resolved, resolve
from daap_operator.kinds.database.memory import DatabaseWorld
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.database.subject import (
    DatabaseSubject,
    cluster_of,
    database,
    is_going,
)


def resolved_now(
    world: DatabaseWorld, looked_at: DatabaseSubject, begun: Origin | None = None
) -> Resolved:
    """The database with every choice made; raises Stalled when its spec cannot be had."""
    wanted = database(looked_at.seen)
    running = _cluster(world, looked_at)
    found = _of(looked_at, running)
    if begun or not origin.is_sought(wanted):
        of_source = begun.postgres_version if begun else None
        offer.check(wanted, world.platform, running=major_version(running or {}) or of_source)
    left = adoption.left(found) if found else None
    resolved = resolve(wanted, world.platform, left=left, origin=begun)
    asked = resolved.spec.locale
    if asked and (why := asked.objection(resolved.postgres_version)):
        raise Stalled(CommonReason.INVALID_SPEC, f"spec.locale {why}")
    return archived(world, looked_at, resolved, found)


def _cluster(world: DatabaseWorld, looked_at: DatabaseSubject) -> Object | None:
    """What has the name of its Cluster, whoever's it is."""
    return world.store.get(Ref(known.CLUSTER, looked_at.key.namespace, cluster_of(looked_at)))


def there(world: DatabaseWorld, looked_at: DatabaseSubject) -> Object | None:
    """Its Cluster, or one that an earlier DaapDatabase left."""
    return _of(looked_at, _cluster(world, looked_at))


def _of(looked_at: DatabaseSubject, cluster: Object | None) -> Object | None:
    """The Cluster if it is the database's, or one that an earlier DaapDatabase left.

    One that is deleted to be restored in place counts for nothing.
    """
    if cluster and is_going(looked_at, cluster):
        return None
    key, uid = looked_at.key, looked_at.metadata.uid
    if cluster and (belongs_to(cluster, uid) or was_retained(cluster, key.namespace, key.name)):
        return cluster
    return None
