"""When a database is looked at again if no event comes first."""

from collections.abc import Iterator

from daap_operator import raw
from daap_operator.engine.kinds import Ref
from daap_operator.engine.patience import PASSING
from daap_operator.errors import Problem, Stalled
from daap_operator.kinds.database.logins import LOOK_SECONDS
from daap_operator.kinds.database.memory import DatabaseWorld

STALLED_SECONDS = 60.0
"""When to look again at what only a person can repair, in case no event says that it is; then after
as long as it has lasted."""


def when(world: DatabaseWorld, key: Ref, problem: Problem | None) -> float:
    """When to look again if no event comes first."""
    notes, now = world.notes_of(key), world.monotonic()
    waits = [world.resync.total_seconds() * world.random.uniform(0.8, 1.2)]
    waits += _patiently(world, key, problem)
    if notes.settling_until:
        waits.append(max(0.0, notes.settling_until - now))
        if notes.settling_until <= now:  # this pass may have reported it: one more, and no third
            notes.settling_until = 0.0
    if notes.login_refused:
        waits.append(notes.login_patience.pause("login", now, first=LOOK_SECONDS, part=PASSING))
    else:
        notes.login_patience.end()
    if notes.backups_due is not None:
        waits.append(max(0.0, (notes.backups_due - world.now()).total_seconds()))
    if notes.stuck is not None and problem is None:
        waits.append(max(1.0, notes.stuck.due - now))
    if notes.secret_due is not None and (problem is None or notes.secret_due > now):
        # It may have come due in this very pass, after the Secret was last thought of
        waits.append(max(0.0, notes.secret_due - now))
    return min(waits)


def _patiently(world: DatabaseWorld, key: Ref, problem: Problem | None) -> Iterator[float]:
    """When to look again at what is in the way: the longer it has been there, the later."""
    patience, now = world.notes_of(key).patience, world.monotonic()
    if problem is None:
        patience.end()
        return
    generation = raw.number(world.store.get(key), "metadata", "generation")
    what = generation, problem.finding.reason
    if isinstance(problem, Stalled):
        yield patience.pause(what, now, first=STALLED_SECONDS)
    else:
        yield patience.pause(what, now, first=problem.seconds, part=PASSING)
