"""The operator is put together from its kinds: whatever is one more entry is served."""

from typing import Any

import pytest

from daap_operator import settings, work
from daap_operator.engine.kinds import Object, Ref
from daap_operator.engine.shares import UNIT_BYTES
from daap_operator.kinds import known
from daap_operator.kinds.database.controller import DatabaseController
from daap_operator.kube import Kind
from daap_operator.metrics import Metrics
from tests.toys.task import TASK, TaskController
from tests.toys.team import TEAM, TEAMS, TeamController, TeamRow
from tests.unit import builders, fakes
from tests.unit.fake_kube import FakeKube


class Teams(TeamController):
    """They tell what is gone."""

    def __init__(self) -> None:
        self.ended: list[Object] = []

    def gone(self, obj: Object) -> None:
        self.ended.append(obj)


KINDS = (DatabaseController, TaskController, Teams)
NAMES = [each.kind.name for each in KINDS]
CHECKOUT = Ref(TEAM, "", "checkout")


class Kube(FakeKube):
    """An API server that is there."""

    async def credentials(self) -> None: ...


class Mirror(fakes.FakeMirror):
    """An inventory that is there."""

    away = None


@pytest.fixture
async def made() -> work.Work:
    clock = fakes.Clock()
    kube: Any = Kube(clock)
    mirror: Any = Mirror()
    read = settings.read({"DATABASE_URL": "postgresql://a@b/c"})
    return work.Work(read, kube, mirror, Metrics(NAMES), now=clock.now, kinds=KINDS)


def team(name: str = "checkout", **metadata: Any) -> dict[str, Any]:
    """A team that is ready."""
    made = builders.database(status={"phase": "Ready"}, name=name, uid=name, **metadata)
    del made["metadata"]["namespace"]
    return made


async def test_every_kind_has_what_it_declares(made: work.Work) -> None:
    made.store.put(TEAM, team())
    made._listed = True
    seen = made.seen(leads=True)
    assert list(seen.loads) == NAMES
    assert seen.known is not None
    assert list(seen.known.rows_behind) == ["DaapDatabase", "DaapTeam"]
    samples = {one.metric.name: list(one.series) for one in seen.known.samples}
    assert samples["daap_teams"] == [(("Ready",), 1), (("None",), 0)]
    assert "daap_databases" in samples


async def test_what_metrics_say_is_looked_up_before_it_is_written_in_a_thread(
    made: work.Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    made._listed = True
    seen = made.seen(leads=True)
    assert seen.known is not None
    monkeypatch.setattr(made.store, "refs", None)
    assert sum(1 for _ in seen.known.samples) > 1


async def test_a_row_that_is_behind_is_counted_for_its_kind(made: work.Work) -> None:
    made._listed = True
    made._world.unsynced.add(CHECKOUT)
    known_now = made.seen(leads=True).known
    assert known_now is not None
    assert known_now.rows_behind == {"DaapDatabase": 0, "DaapTeam": 1}


@pytest.mark.parametrize(("kind", "asks"), [(TEAM, True), (TASK, False), (known.POD, False)])
async def test_what_is_gone_is_told_to_its_kind_and_a_row_that_is_left_is_swept(
    made: work.Work, kind: Kind, asks: bool
) -> None:
    mirror: Any = made.mirror
    mirror.tables[TEAMS.name]["checkout"] = TeamRow("checkout", "checkout", 0, "ready")
    gone = team()
    made._on_gone(kind, gone)
    teams: Any = made._controllers[TEAM]
    assert teams.ended == ([gone] if kind == TEAM else [])
    assert made._sweeper._asked.is_set() == asks


FLOODS: dict[Kind, dict[str, Any]] = {
    known.BARMAN_STORE: {},
    known.BACKUP: {"labels": {"cnpg.io/cluster": "daap-orders"}},
    known.SCHEDULED_BACKUP: {"labels": {"app.kubernetes.io/managed-by": "daap-operator"}},
}
"""Kinds that are not ours, of which any tenant's objects are kept, with what they need for it."""


@pytest.mark.parametrize("kind", FLOODS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("finalizers", [[], ["daap.io/cleanup"]], ids=["plain", "held"])
async def test_more_objects_than_there_is_memory_for_end_nothing(
    kind: Kind, finalizers: list[str], made: work.Work
) -> None:
    """Of whatever kind: an Event says that there is no memory, and nothing is reconciled for it."""
    made.store._keeping._shares._most = 40 * UNIT_BYTES
    source = next(one for one in made._intake._watches if one.kind == kind)
    for number in range(100):
        metadata = {
            "namespace": "shop",
            "name": f"a-{number}",
            "uid": f"u-{number}",
            "resourceVersion": str(number + 1),
            "creationTimestamp": "2026-03-01T12:00:00Z",
            "finalizers": finalizers,
            **FLOODS[kind],
        }
        status = {"phase": "failed" if number % 2 else "running"}
        made._intake.event(source, "ADDED", {"metadata": metadata, "status": status})
    assert made.store.over()["shop", kind.name] > 50
    assert made.store.weight <= 40 * UNIT_BYTES
    assert not [key for key in made._queue._waiting if key.kind == kind]
