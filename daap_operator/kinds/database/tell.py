"""Tell what was seen: the row, the status, the Events. Each is written only when it differs."""

import logging

from daap_operator.api.meta import Condition, ConditionType
from daap_operator.api.reasons import Interruption, InventoryReason
from daap_operator.api.v1alpha1 import DaapDatabaseStatus, Phase
from daap_operator.engine.announce import transitions
from daap_operator.engine.conditions import Inventory, dumped, merge_patch, with_inventory
from daap_operator.errors import Waiting
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.kinds.database.row import DATABASES, row
from daap_operator.kinds.database.subject import DatabaseSubject, subject
from daap_operator.kinds.database.world import World
from daap_operator.kube import ApiError, unchanged
from daap_operator.mirror import MetadataError

PROGRESS_SECONDS = 2.0
"""Least time between two statuses that report nothing but progress: a Cluster passes through its
phases faster than anybody reads, and every write wakes every watcher."""

REFUSALS_BEFORE_TELLING = 3

REFUSED_SECONDS = 300.0
"""When to try again to write a status that the API server refuses; its event comes first."""

log = logging.getLogger(__name__)


async def tell(world: World, looked_at: DatabaseSubject, status: DaapDatabaseStatus) -> float:
    """Write row, status and Events where they differ from what is there.

    Gives back the seconds after which to tell again what was held back just now; 0 for nothing.
    Raises Waiting when the object has changed since it was read: its event is on the way.
    """
    moment = looked_at.moment(world.now())
    full = with_inventory(status, moment, await _mirrored(world, looked_at, status))
    after = dumped(full)
    if after == looked_at.status_before:
        return 0.0
    notes, now = world.notes_of(looked_at.key), world.monotonic()
    held = notes.progress_told + PROGRESS_SECONDS - now
    if held > 0 and _only_progress(looked_at.status, full):
        return held
    notes.progress_told = now
    patch = merge_patch(looked_at.status_before, after)
    await _write(world, looked_at, patch, full)
    _announce(world, looked_at, full)
    return 0.0


async def note(
    world: World, looked_at: DatabaseSubject, status: DaapDatabaseStatus
) -> DatabaseSubject:
    """Write into the status what must be known before the pass goes on; the object afterwards.

    Nothing is judged by it: conditions, generation and row stay those of the pass before. Raises
    Waiting as `tell` and `latest` do.
    """
    patch = merge_patch(looked_at.status_before, dumped(status))
    await _write(world, looked_at, patch, status)
    return latest(world, looked_at)


def latest(world: World, looked_at: DatabaseSubject) -> DatabaseSubject:
    """The same object as the store has it now, after a write of ours.

    Raises Waiting when its spec has changed, or another object has taken its place: what the pass
    has decided on is out of date then, and a status must not speak of a spec that was not applied.
    """
    seen = world.store.get(looked_at.key)
    now = None if seen is None else subject(seen)
    if now is None or _spec_of(now) != _spec_of(looked_at):
        raise Waiting(
            Interruption.CHANGED, "The object has changed in the middle of a pass", seconds=0.0
        )
    return now


def _spec_of(looked_at: DatabaseSubject) -> tuple[str, int]:
    """Which spec of which object this is."""
    return looked_at.metadata.uid, looked_at.metadata.generation


async def _write(
    world: World, looked_at: DatabaseSubject, patch: dict[str, object], full: DaapDatabaseStatus
) -> None:
    metadata = looked_at.metadata
    try:
        with unchanged("The object"):
            made = await world.kube.write_status(
                known.DATABASE,
                metadata.namespace,
                metadata.name,
                patch,
                version=metadata.resource_version,
            )
    except ApiError as error:
        if error.invalid and _refused_again(world, looked_at):
            raise _untellable(world, looked_at, full, error) from error
        raise
    notes = world.notes_of(looked_at.key)
    notes.status_refusals, notes.untold = 0, ""
    world.store.put(known.DATABASE, made)


def _refused_again(world: World, looked_at: DatabaseSubject) -> bool:
    """Whether the API server means it: a webhook may refuse once in a while."""
    notes = world.notes_of(looked_at.key)
    notes.status_refusals += 1
    return notes.status_refusals >= REFUSALS_BEFORE_TELLING


def _untellable(
    world: World, looked_at: DatabaseSubject, full: DaapDatabaseStatus, error: ApiError
) -> Waiting:
    """Of an object that no write can pass an Event tells, once, and the log.

    The API server refuses every write, whatever it changes, while a field that a rule reads has a
    type that the rule does not know: such a field was stored before the rule existed.
    """
    notes = world.notes_of(looked_at.key)
    speaks = full.condition(ConditionType.STALLED) or full.condition(ConditionType.READY)
    message = speaks.message if speaks else ""
    if notes.untold != message:
        notes.untold = message
        _announce(world, looked_at, full)
        log.warning("Status refused", extra={"key": looked_at.key, "error": error.message[:1000]})
    return Waiting(Interruption.STATUS_REFUSED, error.message, seconds=REFUSED_SECONDS)


async def _mirrored(
    world: World, looked_at: DatabaseSubject, status: DaapDatabaseStatus
) -> Inventory | None:
    """Save the row; a metadata database that is away is told in the status and holds up nothing."""
    wanted = row(looked_at.metadata, looked_at.spec, status)
    notes = world.notes_of(looked_at.key)
    notes.row_refused = False
    if wanted is None:
        world.unsynced.discard(looked_at.key)
        return None
    try:
        await world.mirror.save(DATABASES, wanted)
        if world.store.by_uid(known.DATABASE, wanted.id) is None:
            # Gone while it was saved, its finalizer removed by force: that may have been noticed,
            # and the row marked, before
            await world.mirror.mark_deleted(DATABASES, wanted.id)
    except MetadataError as error:
        notes.row_refused = error.of_one_row
        world.unsynced.add(looked_at.key)
        return Inventory(synced=False, why=error.finding)
    world.unsynced.discard(looked_at.key)
    return Inventory(
        synced=True, why=Finding(InventoryReason.SYNCED, "The inventory has this state")
    )


def _only_progress(before: DaapDatabaseStatus, after: DaapDatabaseStatus) -> bool:
    """Whether a status tells nothing new but how far something is that was under way already."""
    if not before.phase is after.phase in (Phase.PROVISIONING, Phase.READY):
        return False
    if after.condition(ConditionType.RECONCILING) is None:
        return False
    ignored: dict[str, object] = {
        "conditions": [],
        "instances": None,
        "postgres_version": None,
        "ready_instances": None,
        "storage": None,
    }
    return _what_holds(before) == _what_holds(after) and before.model_copy(
        update=ignored
    ) == after.model_copy(update=ignored)


def _what_holds(status: DaapDatabaseStatus) -> set[tuple[str, str]]:
    return {(condition.type, condition.status) for condition in status.conditions}


def _announce(world: World, looked_at: DatabaseSubject, after: DaapDatabaseStatus) -> None:
    for announcement in transitions(looked_at.status, after):
        world.announcer.announce(looked_at.kind, looked_at.metadata, announcement, world.now())
    ready, stalled = (after.condition(k) for k in (ConditionType.READY, ConditionType.STALLED))
    if looked_at.status.phase is not after.phase and ready:
        _log("Phase changed", looked_at, after, ready)
    before = looked_at.status.condition(ConditionType.STALLED)
    if stalled and stalled.reason != (before.reason if before else ""):
        _log("Somebody must act", looked_at, after, stalled)


def _log(
    event: str, looked_at: DatabaseSubject, after: DaapDatabaseStatus, condition: Condition
) -> None:
    log.info(
        event,
        extra={
            "key": looked_at.key,
            "generation": looked_at.metadata.generation,
            "phase": after.phase,
            "reason": condition.reason,
            "told": condition.message,
        },
    )
