"""What there is of a database now, as the store has it."""

from dataclasses import replace
from typing import Any

from daap_operator import raw
from daap_operator.engine.kinds import Ref
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds import drills, known
from daap_operator.kinds.database import recovering
from daap_operator.kinds.database.applied import lacking
from daap_operator.kinds.database.backups import NOTHING, Told, tell
from daap_operator.kinds.database.backups_seen import Plan, Seen
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.listen import told_why
from daap_operator.kinds.database.memory import DatabaseWorld
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.database.seen import Children, Observed
from daap_operator.kinds.database.subject import DatabaseSubject, cluster_of
from daap_operator.kinds.database.verified import verified
from daap_operator.kinds.database.watched import CLUSTER, MOST_PARTS, children_of

Object = dict[str, Any]


def observed_now(world: DatabaseWorld, key: Ref, resolved: Resolved) -> Observed:
    """What is there, against what is asked for; notes since when it waits."""
    children = _ours(children_of(world.store, resolved.namespace, resolved.cluster), resolved.uid)
    observed = observe(
        children,
        instances=resolved.spec.instances,
        poolers=resolved.spec.pooler.instances,
        image=resolved.image,
    )
    if not observed.unsettled:
        missing = lacking(children, cluster(resolved), pooler(resolved))
        observed = replace(observed, unsettled=missing or _reloading(world, key))
    told = told_why(world, key, children, observed)
    if resolved.source is None:
        return told
    failure = world.notes_of(key).restore_failed
    status = raw.mapping(world.store.get(key), "status")
    return recovering.explained(told, resolved.source, children, failure, status)


def _reloading(world: DatabaseWorld, key: Ref) -> str:
    """What PostgreSQL may still be doing with new settings: it tells only that it must restart."""
    notes = world.notes_of(key)
    if notes.settling_until <= world.monotonic():
        notes.settling_until = 0.0
        return ""
    return "PostgreSQL is applying its settings"


def as_made(world: DatabaseWorld, looked_at: DatabaseSubject) -> Observed:
    """What is there of an object whose spec is not followed, against what was last made of it."""
    metadata = looked_at.metadata
    found = children_of(world.store, metadata.namespace, cluster_of(looked_at))
    children = _ours(found, metadata.uid)
    return observe(
        children,
        instances=raw.number(children.cluster, OWNED, "spec", "instances"),
        poolers=raw.number(children.pooler, OWNED, "spec", "instances"),
        image=raw.text(children.cluster, OWNED, "spec", "imageName"),
    )


def backups_now(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved | None
) -> Told:
    """What there is of the backups; notes until when that is so.

    Without `resolved` against what was last made of the spec.
    """
    previous, now = looked_at.status.backup, world.now()
    planned = planned_now(world, looked_at, resolved)
    told = tell(*planned, now) if planned else NOTHING
    if told.status and previous and previous.final_backup:
        noted = told.status.model_copy(update={"final_backup": previous.final_backup})
        told = replace(told, status=noted)
    notes = world.notes_of(looked_at.key)
    retry = notes.undrilled.due if notes.undrilled else None
    notes.backups_due = min(filter(None, (told.due, retry)), default=None)
    return told


def planned_now(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved | None
) -> tuple[Plan, Seen] | None:
    """How a database is backed up, and what is seen of that; None for one that never was."""
    metadata, previous = looked_at.metadata, looked_at.status.backup
    place = metadata.namespace, resolved.cluster if resolved else cluster_of(looked_at)
    there = world.store.get(Ref(known.CLUSTER, *place))
    cluster = there if there and belongs_to(there, metadata.uid) else None
    plan = Plan.of(resolved, previous, cluster) if resolved else Plan.as_made(previous, cluster)
    return (plan, _backups(world, plan, looked_at, place, cluster)) if plan else None


def _backups(
    world: DatabaseWorld,
    plan: Plan,
    looked_at: DatabaseSubject,
    place: tuple[str, str],
    cluster: Object | None,
) -> Seen:
    """What is seen of the backups of a Cluster, by its namespace and name."""
    namespace, _ = place
    store, asked = (
        world.store.get(Ref(known.BARMAN_STORE, namespace, name))
        for name in (plan.told, plan.store)
    )
    refused = world.notes_of(looked_at.key).undrilled
    return Seen(
        plugin=world.store.serves(known.BARMAN_STORE),
        store=store,
        asked=asked,
        cluster=cluster,
        schedule=world.store.get(Ref(known.SCHEDULED_BACKUP, *place)),
        backups=tuple(world.store.by(known.BACKUP, CLUSTER, place, MOST_PARTS, latest=True)),
        verified=verified(
            drills.latest_of(world.store, looked_at.key),
            looked_at.metadata.uid,
            plan.archive,
            looked_at.status.backup,
        ),
        undrilled=refused.why if refused else "",
    )


def _ours(children: Children, uid: str) -> Children:
    """Without what belongs to another: its state is not ours to tell, its password not to give."""

    def own(child: dict[str, Any] | None) -> bool:
        return child is not None and belongs_to(child, uid)

    return Children(
        cluster=children.cluster if own(children.cluster) else None,
        pooler=children.pooler if own(children.pooler) else None,
        deployment=children.deployment if own(children.pooler) else None,
        endpoints=children.endpoints if own(children.cluster) else (),
        pooler_endpoints=children.pooler_endpoints if own(children.pooler) else (),
        account=children.account if own(children.cluster) else None,
        pods=children.pods if own(children.cluster) else (),
        claims=children.claims if own(children.cluster) else (),
    )
