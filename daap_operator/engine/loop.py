"""One pass over one object of whatever kind: serve or remove it, and report what is.

A pass looks at what is and never at what happened. It may be cut short after any request and run
again at any time: the next one ends in the same place.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TypeVar

from daap_operator import names, raw
from daap_operator.api.meta import Status
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.bounds import fit, is_cut
from daap_operator.engine.controller import Controller, Outcome, Turn
from daap_operator.engine.kinds import Ref
from daap_operator.engine.patience import PASSING
from daap_operator.engine.subject import Subject, read
from daap_operator.engine.tell import end_row, tell
from daap_operator.engine.world import World
from daap_operator.errors import Outage, Stalled, Waiting
from daap_operator.kube import unchanged

TRIES_BEFORE_TELLING = 3
"""How often a pass has to fail in a row before the status reports the trouble."""

TRIES_OF_A_DELETION = 2
"""The same for a deletion: three, with a webhook that times out, would take over half a minute."""

LACKING_SECONDS = 5.0
"""When to look again at an object whose parts are being listed, should nothing wake it."""

ROW_SECONDS = 5.0
"""When to try again to write a row that the inventory refused while it takes others; then after a
third of the time that it has been refused."""

S = TypeVar("S", bound=Status)

log = logging.getLogger(__name__)


class Loop:
    """What the workers do with a key."""

    def __init__(self, world: World, controllers: Iterable[Controller[Any]]) -> None:
        self._world = world
        self._controllers = {controller.kind: controller for controller in controllers}

    async def reconcile(self, key: Ref, failures: int) -> float | None:
        """Bring one object to what its spec asks for, as far as that goes now.

        Gives back the seconds after which to look again without an event, None when the object is
        gone. Raises Outage when something does not answer. Safe to cut short and to repeat.
        """
        again = await self._pass(self._controllers[key.kind], key, failures)
        if again is None:
            return None
        notes = self._world.notes_of(key)
        if not notes.row_refused:
            notes.row_patience.end()
            return again
        now = self._world.monotonic()
        return min(again, notes.row_patience.pause("row", now, first=ROW_SECONDS, part=PASSING))

    async def _pass(self, controller: Controller[S], key: Ref, failures: int) -> float | None:
        """The pass itself; the row, which it only reports, may have to be tried again sooner."""
        seen = self._world.store.get(key)
        if seen is None:
            self._world.forget(key)
            controller.forget(key)
            return None
        if key in self._world.store.lacking:  # woken by its namesakes, say: its parts will wake it
            return LACKING_SECONDS
        turn = Turn(self._world, controller, read(controller.kind, seen, controller.status))
        deleting = turn.subject.metadata.deleting
        patience = self._world.notes_of(key).patience
        try:
            again = await (self._remove if deleting else self._serve)(controller, turn)
        except Waiting as wait:
            what, now = (turn.subject.metadata.generation, wait.finding), self._world.monotonic()
            return patience.pause(what, now, first=wait.seconds, part=PASSING)
        except Outage as error:
            if failures + 1 >= (TRIES_OF_A_DELETION if deleting else TRIES_BEFORE_TELLING):
                await self._tell_trouble(controller, turn, error)
            raise
        else:
            patience.end()
            return again

    async def _serve(self, controller: Controller[S], turn: Turn[S]) -> float | None:
        try:
            fit("The object", turn.subject.seen)
            if controller.finalizer and not turn.subject.ours:
                controller.admit(turn.subject)
                await self._hold(turn)
            outcome = await controller.serve(turn)
        except Stalled as refusal:
            outcome = Outcome(controller.refused(turn, refusal))
        return await self._tell(controller, turn, outcome)

    async def _remove(self, controller: Controller[S], turn: Turn[S]) -> float | None:
        if not turn.subject.ours:
            return None
        outcome = await controller.remove(turn)
        if outcome is not None:
            return await self._tell(controller, turn, outcome)
        if controller.table is not None:
            await end_row(self._world, controller.table, turn.subject)
        await self._let_go(controller, turn.subject)
        return None

    async def _tell(self, controller: Controller[S], turn: Turn[S], outcome: Outcome[S]) -> float:
        held = await tell(self._world, controller, turn.subject, outcome.status)
        if held:
            return held
        return self._world.resync.total_seconds() if outcome.again is None else outcome.again()

    async def _tell_trouble(self, controller: Controller[S], turn: Turn[S], error: Outage) -> None:
        """Let the status say why nothing moves; if that fails too, the log does."""
        trouble = Waiting(CommonReason.RETRYING, f"{error.told}; trying again{error.remedy}")
        with suppress(
            Outage, Stalled, Waiting
        ):  # a spec that came meanwhile has had no trouble yet
            turn.latest()
            status = controller.troubled(turn, trouble)
            if status is not None:
                await tell(self._world, controller, turn.subject, status)

    # the finalizer --------------------------------------------------------------------------------

    async def _hold(self, turn: Turn[Any]) -> None:
        """Put our finalizer on the object: from now on there may be children."""
        metadata = turn.subject.metadata
        finalizers = [*await self._finalizers(turn.subject), names.FINALIZER]
        with unchanged("The object"):
            made = await self._world.kube.set_finalizers(
                turn.subject.kind,
                metadata.namespace,
                metadata.name,
                finalizers,
                version=metadata.resource_version,
            )
        self._world.store.put(turn.subject.kind, made)
        turn.latest()

    async def _finalizers(self, subject: Subject[Any]) -> list[str]:
        """Those that are on the object; asked for where only some of them were kept."""
        metadata = subject.metadata
        if not is_cut(metadata.finalizers):
            return list(metadata.finalizers)
        found = await self._world.kube.get(*subject.key)
        return raw.items(found, "metadata", "finalizers")

    async def _let_go(self, controller: Controller[S], subject: Subject[S]) -> None:
        """Remove the finalizer from the object as it is now."""
        kind, metadata = subject.kind, subject.metadata
        found = await self._world.kube.get(kind, metadata.namespace, metadata.name)
        if found is None or raw.text(found, "metadata", "uid") != metadata.uid:
            return
        left = [f for f in raw.items(found, "metadata", "finalizers") if f != names.FINALIZER]
        version = raw.text(found, "metadata", "resourceVersion")
        with unchanged("The object", reason=CommonReason.DELETING):
            made = await self._world.kube.set_finalizers(
                kind, metadata.namespace, metadata.name, left, version=version
            )
        if left:  # without any the object is gone, and its event is to find it in the store
            self._world.store.put(kind, made)
            controller.gone(made)
        words = controller.last_words(subject)
        log.info("%s deleted", kind.word.capitalize(), extra={"key": subject.key, **words})
