"""What a kind brings along to be served, and what a pass hands it: the engine's interfaces.

A controller says what its kind is and decides; it never writes a status, a row, an Event or a
finalizer. Those are the loop's, so that they are alike for every kind.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from daap_operator import raw
from daap_operator.api.kind import Kind
from daap_operator.api.meta import Metadata, Phase, Status
from daap_operator.engine.child import Owner
from daap_operator.engine.conditions import Moment, Verdict, with_verdict
from daap_operator.engine.kinds import Object, Ref, Right, Watch
from daap_operator.engine.store import Store
from daap_operator.engine.subject import Subject
from daap_operator.engine.tell import Reported, latest, tell, write_ahead
from daap_operator.engine.world import World
from daap_operator.errors import Stalled, Waiting
from daap_operator.mirror import Row, Table
from daap_operator.samples import Metric, Samples

S = TypeVar("S", bound=Status)


@dataclass(frozen=True)
class Outcome(Generic[S]):
    """What came of serving or removing an object, as far as that goes now."""

    status: S
    """The whole of it, for the generation that the pass saw."""
    again: Callable[[], float] | None = None
    """Seconds after which to look again if no event comes first; asked once the status is written,
    which takes its time. None for a resync."""


class Turn(Generic[S]):
    """One pass over one object, as its controller sees it."""

    def __init__(self, world: World, reported: Reported[S], subject: Subject[S]) -> None:
        self.world = world
        self.subject = subject
        """The object as this pass knows it; after each write of its own, as it is then."""
        self._reported = reported

    @property
    def owner(self) -> Owner:
        """Whom its children are for."""
        return Owner(*self.subject.key, self.subject.metadata.uid)

    def moment(self) -> Moment[S]:
        """What a new status is made from."""
        return self.subject.moment(self.world.now())

    def status(self, verdict: Verdict, **fields: object) -> S:
        """The previous status with these fields, and the verdict's conditions."""
        previous = self.subject.status.model_copy(update=fields)
        return with_verdict(previous, self.moment(), verdict)

    async def note(self, status: S | None = None, /, **fields: object) -> None:
        """Write into the status what must be known before the pass goes on.

        Fields alone judge nothing: conditions, generation and row stay those of the pass before. A
        whole status is reported in full. Raises Waiting when the spec has moved on meanwhile.
        """
        if status is None:
            noted = self.subject.status.model_copy(update=fields)
            await write_ahead(self.world, self.subject, noted)
        else:
            await tell(self.world, self._reported, self.subject, status)
        self.latest()

    def latest(self) -> None:
        """Take the object as the store has it now.

        Raises Waiting when its spec has moved on, or another object has taken its place.
        """
        self.subject = latest(self.world, self.subject)


class Controller(ABC, Generic[S]):
    """One kind: what it is made of, and what its objects come to.

    A kind that has a `table` has the index UID among its watches.
    """

    kind: ClassVar[Kind]
    status: type[S]
    """The model of its status."""
    watches: ClassVar[tuple[Watch, ...]]
    """What is watched for it; itself, and whatever wakes it."""
    rights: ClassVar[tuple[Right, ...]] = ()
    """What the operator must be allowed for it: the chart grants it."""
    table: ClassVar[Table[Any] | None] = None
    """The inventory's, with a row for each object."""
    metrics: ClassVar[tuple[Metric, ...]] = ()
    """Its own, which `samples` reports; in the order of the docs."""
    progress: ClassVar[Collection[str]] = frozenset()
    """The fields of the status that move while something is under way, by Python's names."""
    finalizer: ClassVar[bool] = True
    """Whether an object is held until `remove` has done its work."""

    @classmethod
    def made(cls, world: World, settings: Any) -> Self:
        """The controller for one run of the operator, by its Settings; they know the kinds' API."""
        del world, settings
        return cls()

    # what becomes of an object --------------------------------------------------------------------

    def admit(self, subject: Subject[S]) -> None:
        """Raise Stalled for an object that must not even be begun, and so gets no finalizer.

        Asked of an object that has none. `serve` has to judge the spec itself: it changes.
        """

    @abstractmethod
    async def serve(self, turn: Turn[S]) -> Outcome[S]:
        """Bring the object to what its spec asks for, as far as that goes now.

        Raises Stalled when the spec cannot be followed, Waiting when the pass has to end without
        news, and Outage when something does not answer. Safe to cut short and to repeat.
        """

    async def remove(self, turn: Turn[S]) -> Outcome[S] | None:
        """Take the deletion a step further; None once the object may go, with its finalizer.

        Called only for an object that has our finalizer.
        """
        del turn
        return None

    def refused(self, turn: Turn[S], refusal: Stalled) -> S:
        """The status of an object whose spec is not followed."""
        why = refusal.finding
        return turn.status(
            Verdict(ready=False, why=why, stalled=why, phase=self._phase(Phase.ERROR))
        )

    def troubled(self, turn: Turn[S], trouble: Waiting) -> S | None:
        """The status of an object whose passes fail; None when there is nothing to report it in.

        May raise whatever `serve` may: then nothing is reported either.
        """
        why = trouble.finding
        deleting = turn.subject.metadata.deleting
        phase = self._phase(Phase.DELETING) if deleting else None
        return turn.status(Verdict(ready=False, why=why, reconciling=why, phase=phase))

    def _phase(self, phase: Phase) -> Phase | None:
        return phase if "phase" in self.status.model_fields else None

    # what is reported -----------------------------------------------------------------------------

    def row(self, metadata: Metadata, spec: raw.Object, status: S) -> Row | None:
        """The row of an object; None while it has none."""
        del metadata, spec, status
        return None

    def samples(self, store: Store) -> Iterable[Samples]:
        """What the metrics say of all objects.

        What is given back is read in another thread, where the store must not be looked into.
        """
        del store
        return ()

    def last_words(self, subject: Subject[S]) -> Mapping[str, object]:
        """The fields of the log line that says that an object was let go."""
        del subject
        return {}

    # when it is gone ------------------------------------------------------------------------------

    def gone(self, obj: Object) -> None:
        """The watches say that an object is no more, or it was let go and others hold it yet.

        `obj` is what was kept of it.
        """

    def forget(self, key: Ref) -> None:
        """A pass has found nothing: what was remembered of the object can go."""
