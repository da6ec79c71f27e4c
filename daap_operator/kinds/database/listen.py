"""Why a database waits: told from what is watched, and asked for where that is silent."""

from daap_operator import raw
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Outage
from daap_operator.kinds.database import causes
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.memory import DatabaseWorld
from daap_operator.kinds.database.reasons import OF_POOLER
from daap_operator.kinds.database.recovering import failed_pod
from daap_operator.kinds.database.seen import Children, Observed
from daap_operator.kinds.database.stuck import PATIENCE_SECONDS, Failure, Stuck
from daap_operator.kinds.database.watched import children_of
from daap_operator.kinds.recovery_read import why_failed
from daap_operator.kube import ApiError


def told_why(world: DatabaseWorld, key: Ref, children: Children, observed: Observed) -> Observed:
    """What was observed, with the cause if one is known; notes since when it waits."""
    notes = world.notes_of(key)
    awaited = observed.awaited
    if awaited is None and not observed.unsettled:
        notes.stuck = None
        return observed
    if notes.stuck is None:
        notes.stuck = Stuck(at=world.now(), due=world.monotonic() + PATIENCE_SECONDS)
    of_pooler = None if awaited is None else awaited.reason in OF_POOLER
    found = causes.cause(children, notes.stuck.heard, of_pooler=of_pooler)
    return causes.explained(observed, found)


async def listened(world: DatabaseWorld, key: Ref, resolved: Resolved) -> bool:
    """Ask for Events if that is due; whether something new was heard."""
    stuck, now = world.notes_of(key).stuck, world.monotonic()
    if stuck is None or now < stuck.due:
        return False
    before = stuck.told
    events = await world.warnings.of(resolved.namespace)
    heard = causes.relevant(events, resolved.cluster, stuck.since)
    children = children_of(world.store, resolved.namespace, resolved.cluster)
    stuck.asked(now, heard, causes.from_events(heard, children))
    return stuck.told != before


FORBIDDEN = 403


async def heard_out(world: DatabaseWorld, key: Ref, resolved: Resolved, observed: Observed) -> bool:
    """Read why a try to restore has failed, once for each; whether something new was read.

    Nothing that is watched tells it. That the log cannot be read ends no pass.
    """
    if resolved.source is None or observed.serving:
        return False
    children = children_of(world.store, resolved.namespace, resolved.cluster)
    pod, notes = failed_pod(children), world.notes_of(key)
    uid = raw.text(pod, "metadata", "uid")
    if pod is None or (notes.restore_failed and notes.restore_failed.pod == uid):
        return False
    try:
        name = raw.text(pod, "metadata", "name")
        why = await why_failed(world.kube, resolved.namespace, name)
    except ApiError as error:
        notes.restore_failed = Failure(uid, "", refused=error.status == FORBIDDEN)
    except Outage:
        return False
    else:
        notes.restore_failed = Failure(uid, why)
    return True
