"""DaapRestores: judge, have the state before backed up, have the Cluster replaced, report.

The Cluster is its database's, and so is the work: what is to be done stands in the status of the
DaapRestore, where the database's controller reads it, and how far it is in that of the database.
"""

from collections.abc import Callable, Iterator
from functools import partial

from daap_operator import raw
from daap_operator.api.meta import Metadata
from daap_operator.api.v1alpha1 import (
    DaapRestore,
    DaapRestoreSpec,
    DaapRestoreStatus,
    RestorePhase,
    SafetyBackupStatus,
)
from daap_operator.engine.controller import Controller
from daap_operator.engine.kinds import Ref
from daap_operator.engine.patience import PASSING
from daap_operator.engine.store import Store
from daap_operator.engine.subject import validated
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.kinds.recovery import Impossible
from daap_operator.kinds.restore import status
from daap_operator.kinds.restore.memory import Memory, RestoreOutcome, RestoreSubject, RestoreTurn
from daap_operator.kinds.restore.metrics import METRICS, measured
from daap_operator.kinds.restore.progress import progress
from daap_operator.kinds.restore.reasons import RestoreReason
from daap_operator.kinds.restore.rights import RIGHTS
from daap_operator.kinds.restore.row import RESTORES, Row, row
from daap_operator.kinds.restore.steps import (
    backed_up,
    begin,
    database_of,
    database_ref,
    may_go_on,
    overtaken,
    verify,
)
from daap_operator.kinds.restore.watched import WATCHES
from daap_operator.samples import Samples

STALLED_SECONDS = 60.0
"""When to look again at what only a person can change, in case no event says that it is; then after
as long as it has lasted."""

LOOK_SECONDS = 5.0
"""When to look again at what this operator writes itself, of which no event tells: the status of
the database, and of the DaapBackup. It costs no request."""


class RestoreController(Controller[DaapRestoreStatus]):
    """DaapRestores."""

    kind = known.DAAP_RESTORE
    status = DaapRestoreStatus
    watches = WATCHES
    rights = RIGHTS
    table = RESTORES
    metrics = METRICS

    def __init__(self) -> None:
        self._memories: dict[Ref, Memory] = {}

    # what becomes of it ---------------------------------------------------------------------------

    async def serve(self, turn: RestoreTurn) -> RestoreOutcome:
        """Take the restore a step further."""
        if turn.subject.status.over:
            return RestoreOutcome(_final(turn))
        spec = validated(turn.subject.seen, DaapRestore, DaapRestoreStatus).spec
        try:
            return await self._taken_further(turn, spec)
        except Impossible as verdict:
            return _failed(turn, verdict.finding)
        except (Stalled, Waiting) as problem:
            return self._held(turn, problem)

    async def _taken_further(self, turn: RestoreTurn, spec: DaapRestoreSpec) -> RestoreOutcome:
        if turn.subject.status.phase in (RestorePhase.REPLACING, RestorePhase.RESTORING):
            return await self._followed(turn)
        if turn.subject.status.source is None:
            await begin(turn, spec)
        safety = turn.subject.status.safety_backup
        if safety is not None:
            safety = await backed_up(turn, safety)
        return await self._ordered(turn, safety)

    async def _ordered(
        self, turn: RestoreTurn, safety: SafetyBackupStatus | None
    ) -> RestoreOutcome:
        """Have the database's controller replace the Cluster, if it is still the same one."""
        if not may_go_on(turn.world.store, turn.subject):
            await verify(turn)
        wanted = turn.subject.status.model_copy(update={"safety_backup": safety})
        verdict = status.replacing(wanted, database_of(turn.subject))
        await turn.note(turn.status(verdict, safety_backup=safety))
        self._memory(turn).patience.end()
        return RestoreOutcome(turn.status(verdict), _soon)

    async def _followed(self, turn: RestoreTurn) -> RestoreOutcome:
        """How far the database's controller is."""
        store, uid = turn.world.store, turn.subject.metadata.uid
        database = store.get(database_ref(turn.subject))
        found = progress(database, uid)
        if found is None and turn.subject.status.phase is RestorePhase.RESTORING:
            return _over(turn, *await overtaken(turn))
        if found is None:
            if not may_go_on(store, turn.subject):
                await verify(turn)
            turn.world.wake(database_ref(turn.subject))
            verdict = status.replacing(turn.subject.status, database_of(turn.subject))
            return RestoreOutcome(turn.status(verdict), _soon)
        if found.done:
            completed_at = turn.world.now().replace(microsecond=0)
            return RestoreOutcome(
                _final(turn, phase=RestorePhase.COMPLETED, completed_at=completed_at)
            )
        name, now = database_of(turn.subject), turn.subject.status
        told = f"DaapDatabase {name} is being restored to {status.target(now)}"
        if found.stalled:
            told = f"{told}, and gets no further: {found.told}. {status.way_back(now)}"
            why = Finding(RestoreReason.RESTORE_STALLED, told)
            return RestoreOutcome(turn.status(status.held(why, RestorePhase.RESTORING)), _soon)
        why = Finding(RestoreReason.RESTORING, f"{told}. {status.way_back(now)}")
        return RestoreOutcome(turn.status(status.underway(why, RestorePhase.RESTORING)), _soon)

    def _held(self, turn: RestoreTurn, problem: Problem) -> RestoreOutcome:
        """It gets no further: look again the later, the longer that has lasted."""
        patience, now = self._memory(turn).patience, turn.world.monotonic()
        what = turn.subject.metadata.uid, problem.finding.reason
        again: Callable[[], float]
        if isinstance(problem, Stalled):
            again = partial(patience.pause, what, now, first=STALLED_SECONDS)
            return RestoreOutcome(self.refused(turn, problem), again)
        verdict = status.underway(problem.finding, _phase(turn.subject))
        if problem.finding.reason is RestoreReason.SAFETY_BACKUP:
            return RestoreOutcome(turn.status(verdict), _soon)
        again = partial(patience.pause, what, now, first=problem.seconds, part=PASSING)
        return RestoreOutcome(turn.status(verdict), again)

    def refused(self, turn: RestoreTurn, refusal: Stalled) -> DaapRestoreStatus:
        """What is over stays as it is."""
        if turn.subject.status.over:
            return _final(turn)
        return turn.status(status.held(refusal.finding, _phase(turn.subject)))

    def troubled(self, turn: RestoreTurn, trouble: Waiting) -> DaapRestoreStatus | None:
        """What is over stays as it is."""
        if turn.subject.status.over:
            return None
        return turn.status(status.underway(trouble.finding, _phase(turn.subject)))

    # what is reported -----------------------------------------------------------------------------

    def row(self, metadata: Metadata, spec: raw.Object, status: DaapRestoreStatus) -> Row:
        """Its row, which follows it."""
        return row(metadata, spec, status)

    def samples(self, store: Store) -> Iterator[Samples]:
        """What there is to report of the restores."""
        return measured([store.get(key) or {} for key in store.refs(known.DAAP_RESTORE)])

    def forget(self, key: Ref) -> None:
        """Drop the notes."""
        self._memories.pop(key, None)

    def _memory(self, turn: RestoreTurn) -> Memory:
        return self._memories.setdefault(turn.subject.key, Memory())


# --- the words ------------------------------------------------------------------------------------


def _phase(subject: RestoreSubject) -> RestorePhase:
    known_phase = subject.status.phase
    if known_phase in (RestorePhase.REPLACING, RestorePhase.RESTORING):
        return known_phase
    return RestorePhase.BACKING_UP if subject.status.source else RestorePhase.PENDING


def _soon() -> float:
    return LOOK_SECONDS


def _failed(turn: RestoreTurn, why: Finding) -> RestoreOutcome:
    """It has failed, and nothing was replaced."""
    return _over(turn, RestoreReason(why.reason), status.failure(why.message))


def _over(turn: RestoreTurn, reason: RestoreReason, error: str) -> RestoreOutcome:
    verdict = status.held(Finding(reason, error), RestorePhase.FAILED)
    return RestoreOutcome(turn.status(verdict, error=error))


def _final(turn: RestoreTurn, **fields: object) -> DaapRestoreStatus:
    """The status of what is over; with what has just come to be known."""
    known_now = turn.subject.status.model_copy(update=fields)
    return turn.status(status.final(known_now, database_of(turn.subject)), **fields)
