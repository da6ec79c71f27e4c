"""DaapSchemas: look what there is to apply, have it approved, apply it, look again, report.

All that runs SQL is a Job: this process never parses a file, and never reaches a team's database.
What a Job has found stands in the status, so that a process that ends anywhere goes on from there;
what is applied is decided by the ledger in the database alone.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Self

from daap_operator import raw
from daap_operator.api.meta import Metadata
from daap_operator.api.v1alpha1 import (
    DaapSchema,
    DaapSchemaSpec,
    DaapSchemaStatus,
    SchemaPhase,
)
from daap_operator.engine.controller import Controller
from daap_operator.engine.kinds import Ref
from daap_operator.engine.patience import PASSING
from daap_operator.engine.store import Store
from daap_operator.engine.subject import validated
from daap_operator.engine.world import World
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.schema import prospect, status
from daap_operator.kinds.schema.library import Library
from daap_operator.kinds.schema.look import Look
from daap_operator.kinds.schema.memory import (
    Choices,
    Memory,
    SchemaOutcome,
    SchemaSubject,
    SchemaTurn,
)
from daap_operator.kinds.schema.metrics import METRICS, measured
from daap_operator.kinds.schema.reading import files
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.rights import RIGHTS
from daap_operator.kinds.schema.row import SCHEMAS, Row, row
from daap_operator.kinds.schema.shared import Shared
from daap_operator.kinds.schema.watched import WATCHES
from daap_operator.kinds.warned import Warnings
from daap_operator.samples import Samples

STALLED_SECONDS = 60.0
"""When to look again at what only a person can change, in case no event says that it is; then after
as long as it has lasted."""


class SchemaController(Controller[DaapSchemaStatus]):
    """DaapSchemas."""

    kind = known.DAAP_SCHEMA
    status = DaapSchemaStatus
    watches = WATCHES
    rights = RIGHTS
    table = SCHEMAS
    metrics = METRICS

    def __init__(self, choices: Choices) -> None:
        self._memories: dict[Ref, Memory] = {}
        self._choices = choices
        self._shared: Shared | None = None

    @classmethod
    def made(cls, world: World, settings: Any) -> Self:
        """The controller for one run of the operator."""
        del world
        return cls(
            Choices(
                image=settings.drill_image,
                verify_seconds=settings.schema_verify_interval.total_seconds(),
            )
        )

    # what becomes of it ---------------------------------------------------------------------------

    async def serve(self, turn: SchemaTurn) -> SchemaOutcome:
        """Take the schema a step further."""
        spec = validated(turn.subject.seen, DaapSchema, DaapSchemaStatus).spec
        try:
            return await self._taken_further(turn, spec)
        except (Stalled, Waiting) as problem:
            return self._held(turn, problem)

    async def _taken_further(self, turn: SchemaTurn, spec: DaapSchemaSpec) -> SchemaOutcome:
        look = await self._look(turn, spec)
        outcome = await look.go()
        self._memory(turn).patience.end()
        return outcome

    async def _look(self, turn: SchemaTurn, spec: DaapSchemaSpec) -> Look:
        if not self._choices.image:
            raise Stalled(
                SchemaReason.IMAGE_UNKNOWN,
                "The operator does not know which image the files are to be applied from: the "
                "platform team must set DAAP_DRILL_IMAGE to the operator's own",
            )
        prospect.own_ledger(turn.world.store, turn.subject.metadata, spec)
        of = prospect.prospect(turn.world.store, turn.subject.metadata, spec)
        shared = self._shared_in(turn.world)
        found = await files(turn, spec, shared.library)
        return Look(turn, spec, of, found, self._memory(turn), shared)

    def _shared_in(self, world: World) -> Shared:
        if self._shared is None:
            warned = Warnings(world.kube, world.monotonic)
            self._shared = Shared(self._choices, Library(), warned)
        return self._shared

    # what is in the way ---------------------------------------------------------------------------

    def _held(self, turn: SchemaTurn, problem: Problem) -> SchemaOutcome:
        """It gets no further: look again the later, the longer that has lasted."""
        patience, now = self._memory(turn).patience, turn.world.monotonic()
        what = turn.subject.metadata.uid, problem.finding.reason
        if isinstance(problem, Stalled):
            pause = partial(patience.pause, what, now, first=STALLED_SECONDS)
            return SchemaOutcome(self.refused(turn, problem), pause)
        pause = partial(patience.pause, what, now, first=problem.seconds, part=PASSING)
        verdict = status.underway(problem.finding, status.phase_of(turn.subject.status))
        return SchemaOutcome(turn.status(verdict), pause)

    def refused(self, turn: SchemaTurn, refusal: Stalled) -> DaapSchemaStatus:
        """Somebody has to act."""
        return turn.status(status.held(refusal.finding, SchemaPhase.FAILED))

    def troubled(self, turn: SchemaTurn, trouble: Waiting) -> DaapSchemaStatus | None:
        """It goes on by itself."""
        phase = status.phase_of(turn.subject.status)
        return turn.status(status.underway(trouble.finding, phase))

    # what is reported -----------------------------------------------------------------------------

    def row(self, metadata: Metadata, spec: raw.Object, status: DaapSchemaStatus) -> Row:
        """Its row, which follows it."""
        return row(metadata, spec, status)

    def samples(self, store: Store) -> Iterator[Samples]:
        """What there is to report of the schemas."""
        return measured([store.get(key) or {} for key in store.refs(known.DAAP_SCHEMA)])

    def last_words(self, subject: SchemaSubject) -> dict[str, object]:
        """What stays in the log."""
        return {"current": subject.status.current, "applied": subject.status.applied}

    def forget(self, key: Ref) -> None:
        """Drop the notes."""
        self._memories.pop(key, None)
        if self._shared is not None:
            self._shared.warned.forget(key.namespace)

    def _memory(self, turn: SchemaTurn) -> Memory:
        return self._memories.setdefault(turn.subject.key, Memory())
