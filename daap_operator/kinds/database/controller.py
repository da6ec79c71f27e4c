"""One pass over one database: see, decide, apply what differs, tell what is.

A pass looks at what is and never at what happened. It may be cut short after any request and run
again at any time: the next one ends in the same place.
"""

import logging
from contextlib import suppress
from dataclasses import replace
from typing import Any

from daap_operator import names, raw
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Outage, Problem, Stalled, Waiting
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.kinds.database import adoption, offer
from daap_operator.kinds.database.adoption import major_version, was_retained
from daap_operator.kinds.database.applied import lacking
from daap_operator.kinds.database.children import ensure_children
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.defaults import asked_in_vain
from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.desired.resolved import Left, Resolved, resolve
from daap_operator.kinds.database.growth import size_volumes, told_of_volumes
from daap_operator.kinds.database.listen import listened, told_why
from daap_operator.kinds.database.logins import LOOK_SECONDS, logged_in
from daap_operator.kinds.database.observed import Children, Observed, observe
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.database.publish import note_name, note_retained, publish
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.removal import finalize, protection
from daap_operator.kinds.database.status import (
    Published,
    deleting_status,
    first_status,
    observed_status,
    refused_status,
)
from daap_operator.kinds.database.subject import (
    DatabaseSubject,
    cluster_of,
    database,
    is_valid,
    subject,
)
from daap_operator.kinds.database.tell import latest, tell
from daap_operator.kinds.database.trim import OWNED
from daap_operator.kinds.database.watched import children_of
from daap_operator.kinds.database.world import World
from daap_operator.kube import unchanged

TRIES_BEFORE_TELLING = 3
"""How often a pass has to fail in a row before the status reports the trouble."""

TRIES_OF_A_DELETION = 2
"""The same for a deletion: three, with a webhook that times out, would take over half a minute."""

ROW_SECONDS = 5.0
"""When to try again to write a row that the inventory refused while it takes others."""

STALLED_SECONDS = 60.0
"""When to look again at what only a person can repair, in case no event says that it is."""

log = logging.getLogger(__name__)


async def reconcile(world: World, key: Ref, failures: int) -> float | None:
    """Bring one database to what its spec asks for, as far as that goes now.

    Gives back the seconds after which to look again without an event, None when the object is gone.
    Raises Outage when something does not answer. Safe to cut short and to repeat.
    """
    again = await _pass(world, key, failures)
    if again is not None and world.notes_of(key).row_refused:
        return min(again, ROW_SECONDS)
    return again


async def _pass(world: World, key: Ref, failures: int) -> float | None:
    """The pass itself; the row, which it only tells, may have to be tried again sooner."""
    seen = world.store.get(key)
    if seen is None:
        world.notes.pop(key, None)
        world.unsynced.discard(key)
        return None
    looked_at = subject(seen)
    try:
        if not looked_at.metadata.deleting:
            return await _serve(world, looked_at, seen)
        if held := await protection(world, looked_at):
            return await _keep(world, looked_at, seen, held)
        return await finalize(world, looked_at)
    except Waiting as wait:
        return wait.seconds
    except Outage as error:
        deleting_ = looked_at.metadata.deleting
        if failures + 1 >= (TRIES_OF_A_DELETION if deleting_ else TRIES_BEFORE_TELLING):
            await _tell_trouble(world, looked_at, seen, error)
        raise


async def _serve(world: World, looked_at: DatabaseSubject, seen: dict[str, Any]) -> float:
    try:
        resolved = _resolved(world, looked_at, seen)
        _take_name(world, looked_at)
    except Stalled as refusal:
        status = refused_status(looked_at.moment(world.now()), _as_made(world, looked_at), refusal)
        return await tell(world, looked_at, status) or world.resync.total_seconds()
    looked_at = await _prepare(world, looked_at, resolved)
    _tell_end_of_life(world, looked_at)
    seen_now = await _maintain(world, looked_at, resolved)
    status = observed_status(looked_at.moment(world.now()), resolved, *seen_now)
    return await tell(world, looked_at, status) or _again(world, looked_at.key, seen_now[1])


def _resolved(world: World, looked_at: DatabaseSubject, seen: dict[str, Any]) -> Resolved:
    """The database with every choice made; raises Stalled when its spec cannot be had."""
    wanted = database(seen)
    running = world.store.get(Ref(known.CLUSTER, looked_at.key.namespace, cluster_of(looked_at)))
    offer.check(wanted, world.platform, running=major_version(running or {}))
    resolved = resolve(wanted, world.platform, left=_left(world, looked_at))
    asked = resolved.spec.locale
    if asked and (why := asked.objection(resolved.postgres_version)):
        raise Stalled(CommonReason.INVALID_SPEC, f"spec.locale {why}")
    return resolved


def _tell_end_of_life(world: World, looked_at: DatabaseSubject) -> None:
    """Once a day: the API server keeps Events for an hour."""
    notes, now = world.notes_of(looked_at.key), world.now()
    told = offer.end_of_life(looked_at.status.postgres_version, world.platform, now)
    if told is not None and notes.end_of_life_told != now.date():
        notes.end_of_life_told = now.date()
        world.announcer.announce(known.DATABASE, looked_at.metadata, told, now)


def _left(world: World, looked_at: DatabaseSubject) -> Left | None:
    """What the database's Cluster, or the one that an earlier DaapDatabase left, was made as."""
    key, uid = looked_at.key, looked_at.metadata.uid
    there = world.store.get(Ref(known.CLUSTER, key.namespace, cluster_of(looked_at)))
    if there is None:
        return None
    ours = belongs_to(there, uid) or was_retained(there, key.namespace, key.name)
    return adoption.left(there) if ours else None


async def _keep(
    world: World, looked_at: DatabaseSubject, seen: dict[str, Any], protection: str
) -> float:
    """Go on looking after a database whose deletion is held."""
    published: Published | None = None
    problem: Problem | None = None
    try:
        resolved = _resolved(world, looked_at, seen)
        looked_at = await note_name(world, looked_at, resolved)
        _, problem, published = await _maintain(world, looked_at, resolved)
    except Stalled as refusal:  # of a spec that breaks today's rules the children stay as they are
        problem = refusal
    why = Finding(CommonReason.DELETION_PROTECTED, protection)
    await tell(world, looked_at, deleting_status(looked_at.moment(world.now()), why, published))
    return _again(world, looked_at.key, problem)


async def _maintain(
    world: World, looked_at: DatabaseSubject, resolved: Resolved
) -> tuple[Observed, Problem | None, Published | None]:
    """Children and Secret as they should be: what was seen, what stands in the way, the Secret."""
    children = children_of(world.store, resolved.namespace, resolved.cluster)
    volumes = await size_volumes(world, resolved, children)
    sized = replace(resolved, volume_size=volumes.size, resize_volumes=volumes.resize)
    problem = await ensure_children(world, sized)
    observed = _observe(world, looked_at.key, sized)
    if problem is None and await listened(world, looked_at.key, sized):
        observed = _observe(world, looked_at.key, sized)
    observed = await logged_in(world, looked_at.key, sized, observed)
    published: Published | None = None
    try:
        published = await publish(world, resolved, observed, looked_at.status)
    except (Stalled, Waiting) as trouble:
        problem = problem or trouble
    problem = problem or told_of_volumes(volumes, observed)
    if problem is None and observed.serving:
        problem = asked_in_vain(resolved.defaults, looked_at.metadata.annotations)
    return observed, problem, published


def _take_name(world: World, looked_at: DatabaseSubject) -> None:
    """Make sure that the platform-wide name is this object's; raises Stalled when it is not."""
    key, name = looked_at.key, looked_at.metadata.name
    holder = world.arbiter.holder(name, is_valid)
    if holder is not None and holder != key:
        raise Stalled(
            DatabaseReason.NAME_TAKEN,
            f"The name '{name}' is taken by the DaapDatabase in namespace '{holder.namespace}', "
            "and names are unique on the platform: choose another name, or wait until that one "
            "is deleted",
        )
    world.arbiter.promise(name, looked_at.metadata.uid)


async def _prepare(world: World, looked_at: DatabaseSubject, resolved: Resolved) -> DatabaseSubject:
    """Put our finalizer on the object, and into its status what its children will be called."""
    metadata = looked_at.metadata
    if not looked_at.ours:
        finalizers = [*metadata.finalizers, names.FINALIZER]
        with unchanged("The object"):
            made = await world.kube.set_finalizers(
                known.DATABASE,
                metadata.namespace,
                metadata.name,
                finalizers,
                version=metadata.resource_version,
            )
        world.store.put(known.DATABASE, made)
        looked_at = latest(world, looked_at)
    if not looked_at.status.cluster_name:
        await tell(world, looked_at, first_status(looked_at.moment(world.now()), resolved))
        looked_at = latest(world, looked_at)
    looked_at = await note_retained(world, looked_at, resolved)
    return await note_name(world, looked_at, resolved)


def _observe(world: World, key: Ref, resolved: Resolved) -> Observed:
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
    return told_why(world, key, children, observed)


def _reloading(world: World, key: Ref) -> str:
    """What PostgreSQL may still be doing with new settings: it tells only that it must restart."""
    notes = world.notes_of(key)
    if notes.settling_until <= world.monotonic():
        notes.settling_until = 0.0
        return ""
    return "PostgreSQL is taking up its settings"


def _as_made(world: World, looked_at: DatabaseSubject) -> Observed:
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


def _again(world: World, key: Ref, problem: Problem | None) -> float:
    """When to look again if no event comes first."""
    notes, now = world.notes_of(key), world.monotonic()
    waits = [world.resync.total_seconds() * world.random.uniform(0.8, 1.2)]
    if isinstance(problem, Stalled):
        waits.append(STALLED_SECONDS)
    elif problem is not None:
        waits.append(problem.seconds)
    if notes.settling_until:
        waits.append(max(0.0, notes.settling_until - now))
        if notes.settling_until <= now:  # this pass may have reported it: one more, and no third
            notes.settling_until = 0.0
    if notes.login_refused:
        waits.append(LOOK_SECONDS)
    if notes.stuck is not None and problem is None:
        waits.append(max(1.0, notes.stuck.due - now))
    if notes.secret_due is not None and (problem is None or notes.secret_due > now):
        # It may have come due in this very pass, after the Secret was last thought of
        waits.append(max(0.0, notes.secret_due - now))
    return min(waits)


async def _tell_trouble(
    world: World, looked_at: DatabaseSubject, seen: dict[str, Any], error: Outage
) -> None:
    """Let the status say why nothing moves; if that fails too, the log does."""
    trouble = Waiting(CommonReason.RETRYING, f"{error}; it is tried again{error.remedy}")
    with suppress(Outage, Stalled, Waiting):  # a spec that came meanwhile has had no trouble yet
        looked_at = latest(world, looked_at)
        moment = looked_at.moment(world.now())
        if looked_at.metadata.deleting:
            status = deleting_status(moment, trouble.finding)
        else:
            resolved = _resolved(world, looked_at, seen)
            observed = _observe(world, looked_at.key, resolved)
            status = observed_status(moment, resolved, observed, trouble, None)
        if looked_at.status.cluster_name:
            await tell(world, looked_at, status)
