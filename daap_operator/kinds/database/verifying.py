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
from daap_operator.kinds import drills, restores
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
    notes.undrilled = None
    name = _due(world, looked_at, resolved, found)
    if name and resolved.backups:
        await _order(world, resolved.owner, drill(resolved.owner, name, resolved.backups.queries))
    else:
        notes.drill_patience.end()
    for each in superfluous(found, resolved.uid):
        await _delete(world, resolved.owner, drill(resolved.owner, each["metadata"]["name"]))


def _due(
    world: DatabaseWorld, looked_at: DatabaseSubject, resolved: Resolved, found: list[Object]
) -> str | None:
    """The name of the drill that is to be made now; None where none is.

    What has been shown since a time of the schedule counts for it: to delete a drill orders none.
    Never beside another one, nor while there is nothing to restore, or the database is stopped or
    being put back in place, because its archive may be another one afterwards.
    """
    if resolved.backups is None or resolved.backups.verify is None:
        return None
    if is_replaced(looked_at) or restores.order_of(world.store, resolved.namespace, resolved.name):
        return None
    planned = planned_now(world, looked_at, resolved)
    facts = Facts.of(*planned) if planned else None
    if facts is None or facts.latest is None or facts.since is None or facts.suspended:
        return None
    if any(not drills.is_over(each) for each in found):
        return None
    shown = facts.seen.verified
    since = max(filter(None, (facts.since, shown.passed, shown.failed)))
    slot = due(resolved.backups.verify, found, resolved.uid, since, world.now())
    return names.drill_name(resolved.name, slot) if slot else None


async def _order(world: DatabaseWorld, owner: Owner, child: Child) -> None:
    ensured = await ensure(world.kube, world.store, owner, child)
    notes = world.notes_of(owner.ref)
    try:
        problem = ensured.problem()
    except ApiError as error:
        log.warning("No drill", extra={"key": owner.ref, "error": str(error)[:2000]})
        first = max(AGAIN_SECONDS, error.retry_after)
        notes.undrilled = _undrilled(world, owner, f"{error.told}{error.remedy}", first)
        if world.monotonic() - notes.drill_patience.since < RETRY_SECONDS:  # it may pass
            notes.undrilled = replace(notes.undrilled, why="")
        return
    if isinstance(problem, Stalled):
        notes.undrilled = _undrilled(world, owner, problem.finding.message, RETRY_SECONDS)
    elif problem:  # it passes by itself, and is nobody's business
        notes.undrilled = _undrilled(world, owner, "", problem.seconds)
    else:
        notes.drill_patience.end()
    if ensured.facts:
        world.wake(child.ref)  # its own controller is told by no event of what was written here


def _undrilled(world: DatabaseWorld, owner: Owner, why: str, first: float) -> Undrilled:
    patience = world.notes_of(owner.ref).drill_patience
    seconds = patience.pause(why, world.monotonic(), first=first)
    return Undrilled(why, world.now() + timedelta(seconds=seconds))


async def _delete(world: DatabaseWorld, owner: Owner, child: Child) -> None:
    """It can wait: what is left is deleted in a later pass."""
    try:
        await delete(world.kube, world.store, owner, child)
    except Waiting:  # it has just changed
        pass
    except ApiError as error:
        told = {"key": owner.ref, "child": child.name, "error": str(error)[:2000]}
        log.warning("Drill not deleted", extra=told)
