"""The names that a database is allotted: noted before they are used, given back when of no use.

A name is held only by what has, or can have, a database: an object that is refused a Cluster before
it ever had one would keep the name from everybody else, and it costs nothing.
"""

import logging
from functools import partial

from daap_operator import raw
from daap_operator.api.meta import ConditionType
from daap_operator.engine.bounds import is_out
from daap_operator.engine.kinds import Object, Ref
from daap_operator.errors import Problem, Stalled
from daap_operator.kinds import known
from daap_operator.kinds.database.archives import note_archive
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.live import as_made, backups_now
from daap_operator.kinds.database.memory import (
    DatabaseOutcome,
    DatabaseTurn,
    DatabaseWorld,
    Notes,
    Refused,
)
from daap_operator.kinds.database.naming import NAME, was_made_for
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.database.publish import note_name, note_retained
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.status import ALLOTTED, first_status, given_back_status
from daap_operator.kinds.database.subject import DatabaseSubject, is_valid
from daap_operator.kube.sizes import TOO_LARGE

RETRY_SECONDS = 60.0
"""When to try again to get a Cluster that was refused; later each time that it is refused again."""


_TAKEN = (
    "The name '{0}' is taken in another namespace, and names are unique on the platform: choose "
    "another name, or wait until the DaapDatabase that has it is deleted. The platform team can "
    "find out whose it is: kubectl get daapdatabases --all-namespaces "
    "--field-selector metadata.name={0}"
)
"""Not where: whoever may create a DaapDatabase would learn of namespaces that are not theirs."""

log = logging.getLogger(__name__)


def take_name(world: DatabaseWorld, looked_at: DatabaseSubject) -> None:
    """Promise the platform-wide name to this object; raises Stalled when it is another's."""
    require_name(world, looked_at)
    world.arbiter.promise(looked_at.metadata.name, looked_at.metadata.uid)


def require_name(world: DatabaseWorld, looked_at: DatabaseSubject) -> None:
    """Make sure that the platform-wide name is no other's; raises Stalled when it is."""
    key, name = looked_at.key, looked_at.metadata.name

    def qualified(obj: Object) -> bool:
        other = Ref.of(known.DATABASE, obj)
        return (other == key or _may_claim(obj, world.notes_of(other))) and is_valid(obj)

    holder = world.arbiter.holder(name, qualified)
    if holder is not None and holder != key:
        _log_holder(world, key, holder)
        raise Stalled(DatabaseReason.NAME_TAKEN, _TAKEN.format(name))
    world.notes_of(key).rival = None


def _may_claim(database: Object, notes: Notes) -> bool:
    """Whether nothing is known for which an object would get no database if it had the name."""
    going = raw.value(database, "metadata", "deletionTimestamp")
    fits = not (TOO_LARGE in database or is_out(database))
    return fits and not going and notes.refused is None and not notes.behind


def _log_holder(world: DatabaseWorld, key: Ref, holder: Ref) -> None:
    """For the platform team, who has the name, once."""
    notes = world.notes_of(key)
    if notes.rival != holder:
        notes.rival = holder
        log.info("Name taken", extra={"key": key, "holder": f"{holder.namespace}/{holder.name}"})


async def allot(world: DatabaseWorld, turn: DatabaseTurn, resolved: Resolved) -> None:
    """Put into the status what the children will be called."""
    if not turn.subject.status.cluster_name:
        told = backups_now(world, turn.subject, resolved)
        first = first_status(turn.moment(), resolved, told)
        if _was_refused(turn.subject):  # what it says stays true until there is a Cluster
            await turn.note(**{field: getattr(first, field) for field in ALLOTTED})
        else:
            await turn.note(first)
        world.notes_of(turn.subject.key).behind = False
        _wake_others(world, turn.subject.key)  # this write of our own is no event to them
    await note_retained(world, turn, resolved)
    await note_archive(world, turn, resolved)
    await note_name(world, turn, resolved)


def _was_refused(looked_at: DatabaseSubject) -> bool:
    """Whether the status says why this very spec got no Cluster."""
    stalled = looked_at.status.condition(ConditionType.STALLED)
    return (
        stalled is not None
        and stalled.observed_generation == looked_at.metadata.generation
        and stalled.reason != DatabaseReason.NAME_TAKEN
    )


def refused_until_later(world: DatabaseWorld, looked_at: DatabaseSubject) -> Stalled | None:
    """Why there is no Cluster, while it is not yet time to try again and nobody has changed it."""
    refused = world.notes_of(looked_at.key).refused
    if refused is None or looked_at.status.cluster_name:
        return None
    unchanged = refused.version == looked_at.metadata.resource_version
    return refused.problem if unchanged and world.monotonic() < refused.due else None


def until_next_try(world: DatabaseWorld, key: Ref) -> float:
    """Seconds until it is time to try again."""
    refused = world.notes_of(key).refused
    return 0.0 if refused is None else max(0.0, refused.due - world.monotonic())


def withdraw(world: DatabaseWorld, looked_at: DatabaseSubject, problem: Problem) -> None:
    """End the promise of the name to an object without one that is refused, or waits.

    Whatever it waits for but the name may never come, and costs nothing meanwhile: whoever can have
    a database comes first.
    """
    notes, taken = world.notes_of(looked_at.key), DatabaseReason.NAME_TAKEN
    news = problem.finding.reason != taken and not notes.behind
    notes.behind |= news
    if world.arbiter.forget(looked_at.seen) or news:
        _wake_others(world, looked_at.key)


async def give_back(
    world: DatabaseWorld, turn: DatabaseTurn, problem: Stalled
) -> DatabaseOutcome | None:
    """Give the names back if the object has no Cluster, and for this problem gets none.

    None when it keeps them. Whoever waits for the name is woken, and this object tries again later.
    """
    if not turn.subject.status.cluster_name:
        withdraw(world, turn.subject, problem)
        return None
    if await _has_cluster(world, turn.subject):
        return None
    status = given_back_status(turn.moment(), as_made(world, turn.subject), problem)
    try:
        await turn.note(status)
    finally:
        world.arbiter.forget(turn.subject.seen)
        _wake_others(world, turn.subject.key)
    _note_refusal(world, turn.subject, problem)
    return DatabaseOutcome(status, partial(until_next_try, world, turn.subject.key))


async def _has_cluster(world: DatabaseWorld, looked_at: DatabaseSubject) -> bool:
    """Whether there is a Cluster of the database, or it has ever served: then clients know of it.

    The store may be behind, and the answer to an earlier request may have been lost.
    """
    status, place = looked_at.status, looked_at.metadata.namespace
    if status.host or status.secret_name or not status.cluster_name:
        return True
    ref = Ref(known.CLUSTER, place, status.cluster_name)
    return _is_of(looked_at, world.store.get(ref)) or _is_of(looked_at, await world.kube.get(*ref))


def _is_of(looked_at: DatabaseSubject, cluster: Object | None) -> bool:
    metadata = looked_at.metadata
    return cluster is not None and (
        belongs_to(cluster, metadata.uid) or was_made_for(cluster, metadata.name)
    )


def end(world: DatabaseWorld, database: raw.Object) -> None:
    """Nothing is left of a database: whoever waits for its name may have it."""
    world.arbiter.forget(database)
    _wake_others(world, Ref.of(known.DATABASE, database))


def _wake_others(world: DatabaseWorld, key: Ref) -> None:
    """Wake whoever waits for the name."""
    for other in world.store.refs_by(known.DATABASE, NAME, key.name):
        if other != key:
            world.wake(other)


def _note_refusal(world: DatabaseWorld, looked_at: DatabaseSubject, problem: Stalled) -> None:
    notes, now, metadata = world.notes_of(looked_at.key), world.monotonic(), looked_at.metadata
    what = metadata.generation, problem.finding.reason
    pause = notes.patience.pause(what, now, first=RETRY_SECONDS)
    notes.refused = Refused(problem, metadata.resource_version, now + pause)
