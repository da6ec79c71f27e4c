"""DaapDrills: begin in turn, restore, check, note the result, remove everything, report.

Each step is noted in the status before anything is made, and every name follows from the drill's
own name and uid: a process that ends anywhere leaves nothing that the next one does not find.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Self

from daap_operator import raw
from daap_operator.api.meta import Metadata
from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import (
    DaapDrill,
    DaapDrillSpec,
    DaapDrillStatus,
    DrillPhase,
    RestoreSeconds,
)
from daap_operator.engine.controller import Controller
from daap_operator.engine.kinds import Ref
from daap_operator.engine.patience import PASSING
from daap_operator.engine.store import Store
from daap_operator.engine.subject import validated
from daap_operator.engine.world import World
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.findings import Reason
from daap_operator.kinds import drills, known
from daap_operator.kinds.drill import status
from daap_operator.kinds.drill.cleanup import CHECKED_SECONDS, removed
from daap_operator.kinds.drill.lending import lent
from daap_operator.kinds.drill.memory import Choices, DrillOutcome, DrillSubject, DrillTurn, Memory
from daap_operator.kinds.drill.metrics import METRICS, measured
from daap_operator.kinds.drill.reasons import DrillReason
from daap_operator.kinds.drill.rights import RIGHTS
from daap_operator.kinds.drill.row import DRILLS, Row, row
from daap_operator.kinds.drill.steps import (
    begin,
    checked,
    failed,
    left,
    overdue,
    passed,
    restored,
    sought,
    what_holds,
)
from daap_operator.kinds.drill.watched import WATCHES, waiting
from daap_operator.kinds.recovery import Impossible
from daap_operator.samples import Samples

STALLED_SECONDS = 60.0
"""When to look again at what only a person can change, in case no event says that it is; then after
as long as it has lasted."""

LOOK_SECONDS = 30.0
"""When to look again at what is under way, should no event come. It costs no request."""


class DrillController(Controller[DaapDrillStatus]):
    """DaapDrills."""

    kind = known.DAAP_DRILL
    status = DaapDrillStatus
    watches = WATCHES
    rights = RIGHTS
    table = DRILLS
    metrics = METRICS

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._memories: dict[Ref, Memory] = {}
        self._beginning: set[tuple[str, str]] = set()
        """ObjectStores that a drill is just about to take, by namespace and name: between its turn
        and its note another pass must not find the store free."""

    @classmethod
    def made(cls, world: World, settings: Any) -> Self:
        """The controller for one run of the operator."""
        del world
        return cls(
            Choices(
                image=settings.drill_image,
                seconds=settings.drill_timeout.total_seconds(),
                ports=settings.drill_egress_ports,
            )
        )

    # what becomes of it ---------------------------------------------------------------------------

    async def serve(self, turn: DrillTurn) -> DrillOutcome:
        """Take the drill a step further."""
        if turn.subject.status.over:
            return DrillOutcome(turn.status(status.final(turn.subject.status)))
        if turn.subject.status.result is not None:
            return await self._ended(turn)
        spec = validated(turn.subject.seen, DaapDrill, DaapDrillStatus).spec
        try:
            return await self._taken_further(turn, spec)
        except Impossible as verdict:
            return await self._decided(turn, failed(verdict.finding, turn.world.now()))
        except (Stalled, Waiting) as problem:
            return self._held(turn, problem)

    async def _taken_further(self, turn: DrillTurn, spec: DaapDrillSpec) -> DrillOutcome:
        if turn.subject.status.cluster_name is None:
            await self._begin(turn, spec)
        if overdue(turn, self._choices.seconds):
            why = f"The drill took longer than {self._choices.seconds:.0f} s{what_holds(turn)}"
            raise Impossible(DrillReason.TIMED_OUT, why)
        memory = self._memory(turn)
        if turn.subject.status.phase is not DrillPhase.CHECKING:
            seconds = await restored(turn, memory, self._choices)
            memory.patience.end()
            if seconds is None:
                verdict = status.restoring(turn.subject.status)
                return DrillOutcome(turn.status(verdict), self._soon(turn))
            before = turn.subject.status.restore_seconds or RestoreSeconds()
            served = before.model_copy(update={"total": seconds})
            await turn.note(phase=DrillPhase.CHECKING, restore_seconds=served)
        if borrower := drills.borrower(turn.subject.seen):
            its = turn.subject.status
            verdict = lent(turn.world.store, turn.subject.key, its, borrower)
            return DrillOutcome(turn.status(verdict), self._soon(turn))
        found = await checked(turn, spec, self._choices)
        memory.patience.end()
        if found is None:
            verdict = status.checking(turn.subject.status)
            return DrillOutcome(turn.status(verdict), self._soon(turn))
        return await self._decided(turn, passed(turn.subject.status, found, turn.world.now()))

    async def _begin(self, turn: DrillTurn, spec: DaapDrillSpec) -> None:
        """Take the object store, if it is free and nobody is just about to take it."""
        found = await sought(turn, spec, self._choices)
        place = turn.subject.key.namespace, found.store
        if place in self._beginning:
            told = f"Another DaapDrill has just begun to read ObjectStore {found.store}"
            raise Waiting(DrillReason.QUEUED, told, seconds=5.0)
        self._beginning.add(place)
        try:
            await begin(turn, found)
        finally:
            self._beginning.discard(place)

    def _soon(self, turn: DrillTurn) -> Callable[[], float]:
        return lambda: max(1.0, min(LOOK_SECONDS, left(turn, self._choices.seconds)))

    # the end --------------------------------------------------------------------------------------

    async def _decided(self, turn: DrillTurn, noted: dict[str, object]) -> DrillOutcome:
        """The result is certain: note it, for it must outlive what it was found in."""
        begun = turn.subject.status.cluster_name is not None
        if not begun:
            return DrillOutcome(_final(turn, **noted))
        await turn.note(**noted)
        return await self._ended(turn)

    async def _ended(self, turn: DrillTurn) -> DrillOutcome:
        """Remove everything; the drill is over once nothing is left."""
        if what := await removed(turn):
            told = turn.status(status.removing(turn.subject.status, what))
            return DrillOutcome(told, self._later(turn, DrillReason.REMOVING))
        return DrillOutcome(_final(turn), partial(_wake_others, turn.world, turn.subject.key))

    async def remove(self, turn: DrillTurn) -> DrillOutcome | None:
        """Remove whatever there is of the scratch Cluster, and no backup."""
        if turn.subject.status.over:
            return None
        if not (what := await removed(turn)):
            return None
        told = turn.status(status.deleting(what, _phase(turn.subject)))
        return DrillOutcome(told, self._later(turn, CommonReason.DELETING))

    def _later(self, turn: DrillTurn, why: Reason) -> Callable[[], float]:
        """When to look again at what is being removed: it costs live reads, and may last."""
        patience, now = self._memory(turn).patience, turn.world.monotonic()
        return partial(patience.pause, why, now, first=CHECKED_SECONDS, part=PASSING)

    # what is in the way ---------------------------------------------------------------------------

    def _held(self, turn: DrillTurn, problem: Problem) -> DrillOutcome:
        """It gets no further: look again the later, the longer that has lasted."""
        patience, now = self._memory(turn).patience, turn.world.monotonic()
        what = turn.subject.metadata.uid, problem.finding.reason
        if isinstance(problem, Stalled):
            pause = partial(patience.pause, what, now, first=STALLED_SECONDS)
            outcome = self.refused(turn, problem)
        else:
            pause = partial(patience.pause, what, now, first=problem.seconds, part=PASSING)
            outcome = turn.status(status.underway(problem.finding, _phase(turn.subject)))
        begun = turn.subject.status.cluster_name is not None
        most = left(turn, self._choices.seconds) if begun else float("inf")
        return DrillOutcome(outcome, lambda: max(1.0, min(pause(), most)))

    def refused(self, turn: DrillTurn, refusal: Stalled) -> DaapDrillStatus:
        """What is over stays as it is."""
        if turn.subject.status.over:
            return _final(turn)
        return turn.status(status.held(refusal.finding, _phase(turn.subject)))

    def troubled(self, turn: DrillTurn, trouble: Waiting) -> DaapDrillStatus | None:
        """What is over stays as it is, until its deletion."""
        if turn.subject.status.over and not turn.subject.metadata.deleting:
            return None
        return turn.status(status.underway(trouble.finding, _phase(turn.subject)))

    # what is reported -----------------------------------------------------------------------------

    def row(self, metadata: Metadata, spec: raw.Object, status: DaapDrillStatus) -> Row:
        """Its row, which follows it."""
        return row(metadata, spec, status)

    def samples(self, store: Store) -> Iterator[Samples]:
        """What there is to report of the drills."""
        return measured([store.get(key) or {} for key in store.refs(known.DAAP_DRILL)])

    def last_words(self, subject: DrillSubject) -> dict[str, object]:
        """What stays in the log."""
        return {"result": subject.status.result, "archive": subject.status.archive}

    def forget(self, key: Ref) -> None:
        """Drop the notes."""
        self._memories.pop(key, None)

    def _memory(self, turn: DrillTurn) -> Memory:
        return self._memories.setdefault(turn.subject.key, Memory())


def _wake_others(world: World, key: Ref) -> float:
    """Have those looked at that wait for their turn: of what is written here no event tells.

    Asked when the status is written, so that they see it.
    """
    for ref in waiting(world.store, key.namespace):
        world.wake(ref)
    return world.resync.total_seconds()


def _phase(subject: DrillSubject) -> DrillPhase:
    return subject.status.phase or DrillPhase.PENDING


def _final(turn: DrillTurn, **fields: object) -> DaapDrillStatus:
    """The status of what is over; with what has just come to be known."""
    known_now = turn.subject.status.model_copy(update=fields)
    return turn.status(status.final(known_now), **fields)
