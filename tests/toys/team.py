"""A toy kind in no namespace: a team, which has a row in the inventory, and databases.

It is woken by each of its databases and wakes them, and is not let go while it has any.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from daap_operator import raw
from daap_operator.api.base import Model
from daap_operator.api.definition import Column, Definition
from daap_operator.api.kind import Kind
from daap_operator.api.meta import Metadata, Phase, Status
from daap_operator.api.reasons import CommonReason
from daap_operator.api.rules import rule, validations
from daap_operator.engine.conditions import Verdict
from daap_operator.engine.controller import Controller, Outcome, Turn
from daap_operator.engine.kinds import UID, Object, Reader, Ref, Watch, uid
from daap_operator.engine.rights import serving, watching
from daap_operator.engine.store import Store
from daap_operator.engine.subject import Subject
from daap_operator.errors import Stalled
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.metrics import Metric, Samples, objects
from daap_operator.mirror import Table

TEAM = Kind("toys.example", "v1", "DaapTeam", "daapteams", namespaced=False)
BY_TEAM = "team"


class TeamSpec(Model):
    """What is asked for."""

    quota: Annotated[int, Field(ge=0, le=1000)] = 10
    """How many databases it may have."""


class TeamStatus(Status):
    """What was last seen."""

    phase: Phase | None = None
    """Its life in one word."""
    databases: Annotated[int | None, Field(ge=0)] = None
    """How many it has."""


class Team(Model):
    """A team, in no namespace."""

    metadata: Metadata
    spec: TeamSpec
    """What is asked for."""
    status: TeamStatus
    """What was last seen."""


NOBODY = "metadata.name must not be 'nobody': choose another"

DEFINITION = Definition(
    kind=TEAM,
    model=Team,
    rules=validations(rule("self.metadata.name != 'nobody'", NOBODY)),
    conditions="`Ready`: it may have databases.",
    columns=(Column("Quota", "integer", ".spec.quota", wide=True),),
)


@dataclass(frozen=True)
class TeamRow:
    """A team in the inventory."""

    id: str
    name: str
    quota: int
    status: str


TEAMS = Table("teams", TeamRow, unique="name")
DAAP_TEAMS = Metric("daap_teams", "gauge", "Teams by phase.", ("phase",), leader_only=True)


def _team_of(database: raw.Object) -> list[str]:
    return [raw.text(database, "spec", "ownerTeam")]


def _its_team(database: Object, store: Reader) -> Iterator[Ref]:
    del store
    yield from (Ref(TEAM, "", team) for team in _team_of(database))


def _itself_and_its_databases(team: Object, store: Reader) -> Iterator[Ref]:
    yield Ref.of(TEAM, team)
    yield from store.refs_by(known.DATABASE, BY_TEAM, raw.text(team, "metadata", "name"))


class TeamController(Controller[TeamStatus]):
    """Teams."""

    kind = TEAM
    status = TeamStatus
    watches = (
        Watch(TEAM, dict, _itself_and_its_databases, indexes={UID: uid}),
        Watch(known.DATABASE, None, _its_team, indexes={BY_TEAM: _team_of}, why="each team's"),
    )
    rights = (*serving(TEAM), *watching(watches))
    table = TEAMS
    metrics = (DAAP_TEAMS,)

    def admit(self, subject: Subject[TeamStatus]) -> None:
        """Refuse what was stored before the CRD had its rule."""
        if subject.metadata.name == "nobody":
            raise Stalled(CommonReason.INVALID_SPEC, NOBODY)

    async def serve(self, turn: Turn[TeamStatus]) -> Outcome[TeamStatus]:
        """Count its databases."""
        self.admit(turn.subject)
        has = len(self._databases(turn))
        verdict = Verdict(True, Finding(CommonReason.READY, f"It has {has}"), phase=Phase.READY)
        return Outcome(turn.status(verdict, databases=has))

    async def remove(self, turn: Turn[TeamStatus]) -> Outcome[TeamStatus] | None:
        """Let it go once it has no databases."""
        if not (left := [key.name for key in self._databases(turn)]):
            return None
        told = f"It still has {', '.join(left)}: delete them"
        why = Finding(CommonReason.DELETION_BLOCKED, told)
        verdict = Verdict(ready=False, why=why, reconciling=why, phase=Phase.DELETING)
        return Outcome(turn.status(verdict, databases=len(left)))

    def row(self, metadata: Metadata, spec: raw.Object, status: TeamStatus) -> TeamRow:
        """Its row, which follows it."""
        quota = raw.number(spec, "quota")
        return TeamRow(metadata.uid, metadata.name, quota, str(status.phase).lower())

    def samples(self, store: Store) -> Iterable[Samples]:
        """How many there are."""
        seen = [store.get(key) or {} for key in store.refs(TEAM)]
        return [objects.by_phase(DAAP_TEAMS, seen, [Phase.READY])]

    def _databases(self, turn: Turn[TeamStatus]) -> list[Ref]:
        return turn.world.store.refs_by(known.DATABASE, BY_TEAM, turn.subject.metadata.name)
