"""Proof on a schedule that the backups of a database restore: one DaapDrill for each time of it.

The time of the schedule is in the drill's name, so that a pass that is cut off anywhere, and runs
again, makes it once. Nothing here stands in the way of the database itself.
"""

import logging
from dataclasses import replace
from datetime import timedelta

from daap_operator import names
from daap_operator.engine.child import Child, Owner
from daap_operator.engine.children import delete, ensure
from daap_operator.engine.kinds import Object
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import drills
from daap_operator.kinds.database.backups_seen import Facts
from daap_operator.kinds.database.desired.drill import drill
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.live import planned_now
from daap_operator.kinds.database.memory import DatabaseWorld, Undrilled
from daap_operator.kinds.database.subject import DatabaseSubject, is_replaced
from daap_operator.kinds.database.verified import due, superfluous
from daap_operator.kube import ApiError

AGAIN_SECONDS, RETRY_SECONDS = 5.0, 60.0
"""When to try again to have a drill made that could not be, or that somebody has to act for; then
after as long as it has lasted."""

log = logging.getLogger(__name__)


async def verify(world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved) -> None:
    """Have the drill made that is due, and those of the schedule deleted that are not needed.

    What refuses a drill is noted, and reported with the backups. Raises Outage as any step.
    """
    notes, found = world.notes_of(looked_at.key), drills.latest_of(world.store, looked_at.key)
    owner, name = resolved.owner, _due(world, looked_at, resolved, found)
    notes.undrilled = None
    if name and resolved.backups:
        notes.undrilled = await _order(world, owner, drill(owner, name, resolved.backups.queries))
    for each in superfluous(found, resolved.uid):
        left = await _left(world, owner, drill(owner, each["metadata"]["name"]))
        if left and notes.undrilled is None:
            notes.undrilled = _undrilled(world, owner, "", AGAIN_SECONDS)
    if notes.undrilled is None:
        notes.drill_patience.end()


def _due(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved, found: list[Object]
) -> str | None:
    """The name of the drill that is to be made now; None where none is.

    What has been shown since a time of the schedule counts for it: to delete a drill orders none.
    Never beside another one, nor while there is nothing to restore, or the database is stopped or
    being put back in place, because its archive may be another one afterwards.
    """
    schedule = resolved.backups.verify if resolved.backups else None
    if schedule is None or is_replaced(looked_at):
        return None
    planned = planned_now(world, looked_at, resolved)
    facts = Facts.of(*planned) if planned else None
    if facts is None or facts.latest is None or facts.since is None or facts.suspended:
        return None
    if any(not drills.is_over(each) for each in found):
        return None
    shown = facts.seen.verified
    since = max(filter(None, (facts.since, shown.passed, shown.failed)))
    slot = due(schedule, found, resolved.uid, since, world.now())
    return names.drill_name(resolved.name, slot) if slot else None


async def _order(world: DatabaseWorld, owner: Owner, child: Child) -> Undrilled | None:
    """Have it made; what is in the way, None once it is there."""
    ensured = await ensure(world.kube, world.store, owner, child)
    if ensured.facts:
        world.wake(child.ref)  # its own controller is told by no event of what was written here
    try:
        problem = ensured.problem()
    except ApiError as error:
        log.warning("No drill", extra={"key": owner.ref, "error": str(error)[:2000]})
        first = max(AGAIN_SECONDS, error.retry_after)
        found = _undrilled(world, owner, f"{error.told}{error.remedy}", first)
        since = world.notes_of(owner.ref).drill_patience.since
        passing = world.monotonic() - since < RETRY_SECONDS
        return replace(found, why="") if passing else found
    if isinstance(problem, Stalled):
        return _undrilled(world, owner, problem.finding.message, RETRY_SECONDS)
    # What passes by itself is nobody's business
    return _undrilled(world, owner, "", problem.seconds) if problem else None


def _undrilled(world: DatabaseWorld, owner: Owner, why: str, first: float) -> Undrilled:
    patience = world.notes_of(owner.ref).drill_patience
    seconds = patience.pause(why, world.monotonic(), first=first)
    return Undrilled(why, world.now() + timedelta(seconds=seconds))


async def _left(world: DatabaseWorld, owner: Owner, child: Child) -> bool:
    """Have it deleted; whether that has to be tried again."""
    try:
        await delete(world.kube, world.store, owner, child)
    except Waiting:  # it has just changed
        return True
    except ApiError as error:
        told = {"key": owner.ref, "child": child.name, "error": str(error)[:2000]}
        log.warning("Drill not deleted", extra=told)
        return True
    world.wake(child.ref)  # its own controller is told by no event of this either
    return False
