"""Two kinds of nobody's, served by the engine: a task in a namespace, and a team that is in none.

A task leaves a receipt, which goes before it does; it has neither phases nor a row. A team counts
its databases, is woken by each of them and wakes them, and has both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from daap_operator import raw
from daap_operator.api.meta import ConditionType, Metadata, Phase, Status
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.conditions import Verdict
from daap_operator.engine.controller import Controller, Outcome, Turn
from daap_operator.engine.kinds import UID, Object, Reader, Ref, Watch, uid
from daap_operator.engine.store import Store
from daap_operator.engine.subject import Subject
from daap_operator.engine.world import World
from daap_operator.errors import Stalled
from daap_operator.findings import Finding, Reason
from daap_operator.kinds import known
from daap_operator.kube import Kind
from daap_operator.metrics import Metric, Samples, objects
from daap_operator.mirror import Table
from daap_operator.settings import Settings

TASK = Kind("toys.example", "v1", "DaapTask", "daaptasks")
TEAM = Kind("toys.example", "v1", "DaapTeam", "daapteams", namespaced=False)

POLL_SECONDS = 1.0
BY_TEAM = "team"


def _itself(task: Object, store: Reader) -> Iterator[Ref]:
    del store
    yield Ref.of(TASK, task)


def _deleting(turn: Turn[Any], reason: Reason, message: str, **phase: Phase) -> Any:
    why = Finding(reason, message)
    return turn.status(Verdict(ready=False, why=why, reconciling=why, phase=phase.get("phase")))


# --- tasks ----------------------------------------------------------------------------------------


class TaskStatus(Status):
    """What was last seen of a task."""

    receipt: str | None = None
    """The Secret that it left."""
    done: int | None = None
    """The steps that are done."""


class TaskController(Controller[TaskStatus]):
    """Tasks."""

    kind = TASK
    status = TaskStatus
    watches = (Watch(TASK, dict, _itself),)
    progress = frozenset({"done"})

    @classmethod
    def made(cls, world: World, settings: Settings) -> Self:
        return cls()

    def __init__(self) -> None:
        self.forgotten: list[Ref] = []
        self.done = 10
        """How far a task has come by now."""

    async def serve(self, turn: Turn[TaskStatus]) -> Outcome[TaskStatus]:
        metadata, kube = turn.subject.metadata, turn.world.kube
        steps = turn.subject.spec.get("steps")
        if not isinstance(steps, int):
            raise Stalled(CommonReason.INVALID_SPEC, f"spec.steps '{steps}' must be a number")
        receipt = turn.subject.status.receipt or f"{metadata.name}-receipt"
        if not turn.subject.status.receipt:
            await turn.note(receipt=receipt)
        if not turn.subject.status.condition(ConditionType.READY):
            place = {"namespace": metadata.namespace, "name": receipt}
            if await kube.get(known.SECRET, metadata.namespace, receipt) is None:
                await kube.create_plain(known.SECRET, {"metadata": place})
        done = min(self.done, steps)
        why = Finding(CommonReason.READY, f"{done} of {steps} steps are done")
        under_way = None if done == steps else why
        verdict = Verdict(ready=done == steps, why=why, reconciling=under_way)
        return Outcome(turn.status(verdict, done=done))

    async def remove(self, turn: Turn[TaskStatus]) -> Outcome[TaskStatus] | None:
        namespace, kube = turn.subject.metadata.namespace, turn.world.kube
        name = turn.subject.status.receipt
        found = await kube.get(known.SECRET, namespace, name) if name else None
        if found is None:
            return None
        own = raw.text(found, "metadata", "uid")
        await kube.delete(known.SECRET, namespace, str(name), uid=own)
        waits = _deleting(turn, CommonReason.DELETING, f"Waiting for Secret {name} to be gone")
        return Outcome(waits, lambda: POLL_SECONDS)

    def forget(self, key: Ref) -> None:
        self.forgotten.append(key)


# --- teams ----------------------------------------------------------------------------------------


class TeamStatus(Status):
    """What was last seen of a team."""

    phase: Phase | None = None
    databases: int | None = None


@dataclass(frozen=True)
class TeamRow:
    """A team in the inventory."""

    id: str
    name: str
    status: str


DAAP_TEAMS = Metric("daap_teams", "gauge", "Teams by phase.", ("phase",), leader_only=True)
TEAMS = Table("teams", TeamRow, unique="name")


def _team_of(database: raw.Object) -> list[str]:
    return [raw.text(database, "spec", "ownerTeam")]


def _its_team(database: Object, store: Reader) -> Iterator[Ref]:
    del store
    for team in _team_of(database):
        yield Ref(TEAM, "", team)


def _itself_and_its_databases(team: Object, store: Reader) -> Iterator[Ref]:
    yield Ref.of(TEAM, team)
    yield from store.refs_by(known.DATABASE, BY_TEAM, raw.text(team, "metadata", "name"))


class TeamController(Controller[TeamStatus]):
    """Teams."""

    kind = TEAM
    status = TeamStatus
    watches = (
        Watch(TEAM, dict, _itself_and_its_databases, indexes={UID: uid}),
        Watch(known.DATABASE, None, _its_team, indexes={BY_TEAM: _team_of}),
    )
    table = TEAMS

    @classmethod
    def made(cls, world: World, settings: Settings) -> Self:
        return cls()

    def __init__(self) -> None:
        self.ended: list[Object] = []

    def gone(self, obj: Object) -> None:
        self.ended.append(obj)

    def samples(self, store: Store) -> list[Samples]:
        seen = [store.get(key) or {} for key in store.refs(TEAM)]
        return [objects.by_phase(DAAP_TEAMS, seen, [Phase.READY])]

    def admit(self, subject: Subject[TeamStatus]) -> None:
        if subject.metadata.name == "nobody":
            raise Stalled(CommonReason.INVALID_SPEC, "metadata.name must not be 'nobody'")

    async def serve(self, turn: Turn[TeamStatus]) -> Outcome[TeamStatus]:
        self.admit(turn.subject)
        has = len(self._databases(turn))
        ready = Finding(CommonReason.READY, f"It has {has} databases")
        return Outcome(
            turn.status(Verdict(ready=True, why=ready, phase=Phase.READY), databases=has)
        )

    async def remove(self, turn: Turn[TeamStatus]) -> Outcome[TeamStatus] | None:
        if not (left := self._databases(turn)):
            return None
        message = f"It still has {', '.join(key.name for key in left)}: delete them"
        return Outcome(
            _deleting(turn, CommonReason.DELETION_BLOCKED, message, phase=Phase.DELETING)
        )

    def row(self, metadata: Metadata, spec: Mapping[str, Any], status: TeamStatus) -> TeamRow:
        return TeamRow(metadata.uid, metadata.name, str(status.phase).lower())

    def _databases(self, turn: Turn[TeamStatus]) -> list[Ref]:
        return turn.world.store.refs_by(known.DATABASE, BY_TEAM, turn.subject.metadata.name)
