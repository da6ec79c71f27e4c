"""Report what was seen: the row, the status, the Events. Each is written only when it differs."""

import logging
from collections.abc import Collection
from typing import Any, Protocol, TypeVar

from daap_operator import raw
from daap_operator.api.meta import Condition, ConditionType, Metadata, Phase, Status
from daap_operator.api.reasons import Interruption, InventoryReason
from daap_operator.engine.announce import phase_of, transitions
from daap_operator.engine.conditions import Inventory, dumped, merge_patch, with_inventory
from daap_operator.engine.subject import Subject, read
from daap_operator.engine.world import World
from daap_operator.errors import Waiting
from daap_operator.findings import Finding
from daap_operator.kube import ApiError, unchanged
from daap_operator.kube.sizes import TOO_LARGE
from daap_operator.mirror import MetadataError, Row, Table

S = TypeVar("S", bound=Status)
S_contra = TypeVar("S_contra", bound=Status, contravariant=True)

PROGRESS_SECONDS = 2.0
"""Least time between two statuses that report nothing but progress: what is under way changes
faster than anybody reads, and every write wakes every watcher."""

REFUSALS_BEFORE_TELLING = 3

REFUSED_SECONDS = 300.0
"""When to try again to write a status that the API server refuses; its event comes first."""

log = logging.getLogger(__name__)


class Reported(Protocol[S_contra]):
    """What a kind says of how its objects are told."""

    @property
    def table(self) -> Table[Any] | None:
        """The table of the inventory that has a row for each; None when none has."""

    @property
    def progress(self) -> Collection[str]:
        """The fields of the status that move while something is under way, by Python's names."""

    def row(self, metadata: Metadata, spec: raw.Object, status: S_contra) -> Row | None:
        """The row of an object; None while it has none."""


async def tell(world: World, reported: Reported[S], subject: Subject[S], status: S) -> float:
    """Write row, status and Events where they differ from what is there.

    Gives back the seconds after which to tell again what was held back just now; 0 for nothing.
    Raises Waiting when the object has changed since it was read: its event is on the way.
    """
    moment = subject.moment(world.now())
    full = with_inventory(status, moment, await _mirrored(world, reported, subject, status))
    after = dumped(full)
    if after == subject.status_before:
        return 0.0
    notes, now = world.notes_of(subject.key), world.monotonic()
    held = notes.progress_told + PROGRESS_SECONDS - now
    if held > 0 and _only_progress(subject.status, full, reported.progress):
        return held
    notes.progress_told = now
    patch = merge_patch(subject.status_before, after)
    await _write(world, subject, patch, full)
    _announce(world, subject, full)
    return 0.0


async def write_ahead(world: World, subject: Subject[S], status: S) -> None:
    """Write into the status what must be known before the pass goes on.

    Nothing is judged by it: conditions, generation and row stay those of the pass before. Raises
    Waiting as `tell` does.
    """
    patch = merge_patch(subject.status_before, dumped(status))
    await _write(world, subject, patch, status)


def latest(world: World, subject: Subject[S]) -> Subject[S]:
    """The same object as the store has it now, after a write of ours.

    Raises Waiting when its spec has changed, or another object has taken its place: what the pass
    has decided on is out of date then, and a status must not speak of a spec that was not applied.
    """
    seen = world.store.get(subject.key)
    now = None if seen is None else read(subject.kind, seen, type(subject.status))
    if now is None or _spec_of(now) != _spec_of(subject):
        raise Waiting(
            Interruption.CHANGED, "The object has changed in the middle of a pass", seconds=0.0
        )
    return now


def _spec_of(subject: Subject[Any]) -> tuple[str, int]:
    """Which spec of which object this is."""
    return subject.metadata.uid, subject.metadata.generation


async def _write(world: World, subject: Subject[S], patch: dict[str, object], full: S) -> None:
    metadata = subject.metadata
    try:
        with unchanged("The object"):
            made = await world.kube.write_status(
                subject.kind,
                metadata.namespace,
                metadata.name,
                patch,
                version=metadata.resource_version,
            )
    except ApiError as error:
        # An object of the largest size there is has no room for a status
        refused = error.invalid or TOO_LARGE in subject.seen
        if refused and _refused_again(world, subject):
            raise _untellable(world, subject, full, error) from error
        raise
    notes = world.notes_of(subject.key)
    notes.status_refusals, notes.untold = 0, ""
    before = world.store.get(subject.key)
    if (now := world.store.put(subject.kind, made)) is not None:
        world.written(subject.kind, before, now)


def _refused_again(world: World, subject: Subject[Any]) -> bool:
    """Whether the API server means it: a webhook may refuse once in a while."""
    notes = world.notes_of(subject.key)
    notes.status_refusals += 1
    return notes.status_refusals >= REFUSALS_BEFORE_TELLING


def _untellable(world: World, subject: Subject[S], full: S, error: ApiError) -> Waiting:
    """Of an object that no write can pass an Event tells, once, and the log.

    It is as large as it can be; or the API server refuses every write, whatever it changes, while a
    field that a rule reads has a type that the rule does not know: such a field was stored before
    the rule existed.
    """
    notes = world.notes_of(subject.key)
    speaks = full.condition(ConditionType.STALLED) or full.condition(ConditionType.READY)
    message = speaks.message if speaks else ""
    if notes.untold != message:
        notes.untold = message
        _announce(world, subject, full)
        log.warning("Status refused", extra={"key": subject.key, "error": error.message})
    return Waiting(Interruption.STATUS_REFUSED, error.message, seconds=REFUSED_SECONDS)


async def _mirrored(
    world: World, reported: Reported[S], subject: Subject[S], status: S
) -> Inventory | None:
    """Save the row; a metadata database that is away is told in the status and holds up nothing."""
    table = reported.table
    wanted = None if table is None else reported.row(subject.metadata, subject.spec, status)
    notes = world.notes_of(subject.key)
    notes.row_refused = False
    if table is None or wanted is None:
        world.unsynced.discard(subject.key)
        if table is not None and world.mirror.holds(table, subject.metadata.uid):
            await end_row(world, table, subject)
        return None
    try:
        await world.mirror.save(table, wanted)
        if world.store.by_uid(subject.kind, wanted.id) is None:
            # Gone while it was saved, its finalizer removed by force: that may have been noticed,
            # and the row marked, before
            await world.mirror.mark_deleted(table, wanted.id)
    except MetadataError as error:
        notes.row_refused = error.of_one_row
        world.unsynced.add(subject.key)
        _log_refusal(subject, error)
        return Inventory(synced=False, why=error.finding)
    world.unsynced.discard(subject.key)
    return Inventory(
        synced=True, why=Finding(InventoryReason.SYNCED, "The inventory has this state")
    )


async def end_row(world: World, table: Table[Any], subject: Subject[Any]) -> None:
    """Mark the row of an object that has, or is to have, none.

    A metadata database that is away holds up nothing: the sweep marks it then.
    """
    try:
        await world.mirror.mark_deleted(table, subject.metadata.uid)
    except MetadataError as error:
        world.notes_of(subject.key).row_refused = error.of_one_row
        log.warning("Row not marked", extra={"key": subject.key, "error": str(error)})


def _log_refusal(subject: Subject[S], error: MetadataError) -> None:
    """Say once what the status does not: what the metadata database's server said.

    Of a server that is away `mirror` says it, once for all.
    """
    before = subject.status.condition(ConditionType.METADATA_SYNCED)
    if error.of_one_row and (before is None or before.reason != error.finding.reason):
        unforeseen = error if error.finding.reason == InventoryReason.FAILED else None
        extra = {"key": subject.key, "error": str(error)[:2000]}
        log.warning("Row not written", extra=extra, exc_info=unforeseen)


def _only_progress(before: S, after: S, moving: Collection[str]) -> bool:
    """Whether a status tells nothing new but how far something is that was under way already."""
    if not phase_of(before) == phase_of(after) in (Phase.PROVISIONING, Phase.READY, None):
        return False
    if after.condition(ConditionType.RECONCILING) is None:
        return False
    ignored: dict[str, object] = {"conditions": [], **dict.fromkeys(moving)}
    return _what_holds(before) == _what_holds(after) and before.model_copy(
        update=ignored
    ) == after.model_copy(update=ignored)


def _what_holds(status: Status) -> set[tuple[str, str]]:
    return {(condition.type, condition.status) for condition in status.conditions}


def _announce(world: World, subject: Subject[S], after: S) -> None:
    for announcement in transitions(subject.status, after):
        world.announcer.announce(subject.kind, subject.metadata, announcement, world.now())
    ready, stalled = (after.condition(k) for k in (ConditionType.READY, ConditionType.STALLED))
    if _life(subject.status) != _life(after) and ready:
        _log(
            "Readiness changed" if phase_of(after) is None else "Phase changed",
            subject,
            after,
            ready,
        )
    before = subject.status.condition(ConditionType.STALLED)
    if stalled and stalled.reason != (before.reason if before else ""):
        _log("Somebody must act", subject, after, stalled)


def _life(status: Status) -> str | None:
    """The phase, or of a kind without phases whether it is ready."""
    ready = status.condition(ConditionType.READY)
    return phase_of(status) or (ready.status if ready else None)


def _log(event: str, subject: Subject[S], after: S, condition: Condition) -> None:
    phase = phase_of(after)
    log.info(
        event,
        extra={
            "key": subject.key,
            "generation": subject.metadata.generation,
            **({} if phase is None else {"phase": phase}),
            "reason": condition.reason,
            "told": condition.message,
        },
    )
