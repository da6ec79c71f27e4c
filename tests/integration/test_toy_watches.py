"""What the watches of toys miss is made up for, and a kind that is not installed costs little."""

from pathlib import Path
from typing import TypeVar

import pytest

from daap_operator.engine import watchdog
from dev.cluster import ControlPlane
from tests.support import toys
from tests.support.api import Api
from tests.support.audit import Audit
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.faulty_api import FaultyApi
from tests.support.operator import Operators
from tests.support.rows import Rows
from tests.support.toys import Toys, team_rows
from tests.toys.task import JOB, TASK
from tests.toys.team import TEAM

T = TypeVar("T")


async def test_kinds_that_are_not_installed_are_asked_for_ever_less(
    api: Api,
    control_plane: ControlPlane,
    databases: Databases,
    tasks: Toys,
    toy_operators: Operators,
    toy_user: str,
    toy_audit: Audit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Databases are served meanwhile, and the kinds once they are there."""
    looks, asked = list[int](), {"daaptasks", "daapteams"}
    look = watchdog.Watchdog.look

    def requests() -> int:
        return sum(r.resource in asked for r in toy_audit.requests())

    async def counted(self: watchdog.Watchdog) -> None:
        looks.append(requests())
        await look(self)

    monkeypatch.setattr(watchdog.Watchdog, "look", counted)
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(watchdog, "ABSENT_SECONDS", 3.0)
    await toys.remove(api)
    for kind in (TASK, TEAM):
        which = f"{kind.plural}.{kind.group}"
        await eventually(
            lambda which=which: api.get("customresourcedefinitions", "", which),  # type: ignore[misc]
            lambda found: found is None,
        )
    try:
        await toys.start(api, toy_operators, toy_user)
        listed = requests()
        await eventually(lambda: _value(looks), lambda seen: seen and seen[-1] > listed)
        began = len(looks)
        await eventually(lambda: _value(len(looks)), lambda count: count >= began + 40)
        assert looks[-1] - looks[began] <= 10, "of 40 looks few may ask"
        await databases.create("orders")
        await databases.ready("orders")
    finally:
        toys.install(control_plane)
    await tasks.create("pack", steps=1)
    await tasks.ready("pack")
    await tasks.delete("pack")
    await tasks.gone("pack")


async def _value(of: T) -> T:
    return of


def _nothing(left: list[str]) -> bool:
    return not left


async def test_what_happens_while_no_operator_runs_is_made_up_for(
    api: Api,
    tasks: Toys,
    teams: Toys,
    toy_operators: Operators,
    toy_user: str,
    rows: Rows,
) -> None:
    deleted, forced = (f"{which}-{tasks.namespace}" for which in ("deleted", "forced"))
    await toys.grant(api, toy_user, toys.WITH_TOYS)
    first = await toy_operators.start()
    for name in ("deleted", "robbed"):
        await tasks.create(name, steps=1)
        await tasks.ready(name)
    for name in (deleted, forced):
        await teams.create(name)
        await teams.ready(name)
    await first.stop()
    await tasks.delete("deleted")
    await api.delete(JOB, tasks.namespace, "robbed-task", {"propagationPolicy": "Background"})
    await teams.delete(deleted)
    await api.patch(TEAM, "", forced, {"metadata": {"finalizers": None}})
    await teams.delete(forced)
    await toy_operators.start()
    await tasks.gone("deleted")
    assert await toys.job_of(tasks, "deleted") is None
    await eventually(lambda: toys.job_of(tasks, "robbed"))
    await teams.gone(deleted)
    for name in (deleted, forced):
        await eventually(
            lambda name=name: team_rows(rows, name),  # type: ignore[misc]
            lambda found: [row["status"] for row in found] == ["deleted"],
        )


async def test_what_a_watch_has_missed_is_made_up_for(
    api: Api,
    control_plane: ControlPlane,
    tasks: Toys,
    teams: Toys,
    toy_operators: Operators,
    toy_user: str,
    tmp_path: Path,
) -> None:
    name = f"team-{tasks.namespace}"
    await toys.grant(api, toy_user, toys.WITH_TOYS)
    async with FaultyApi(control_plane.user_kubeconfig(toy_user)) as proxy:
        running = await toy_operators.start(KUBECONFIG=str(proxy.kubeconfig(tmp_path)))
        await tasks.create("robbed", steps=1)
        await tasks.ready("robbed")
        await teams.create(name)
        await teams.ready(name)
        watched = ("daaptasks", "daapteams", "jobs")
        await eventually(
            lambda: _value(sum(bool(proxy.watches(w)) for w in watched)), lambda n: n == 3
        )
        proxy.fall_silent(*watched)
        robbed = await toys.job_of(tasks, "robbed")
        await api.delete(JOB, tasks.namespace, "robbed-task", {"propagationPolicy": "Background"})
        await teams.delete(name)
        await proxy.end(*watched)
        await teams.gone(name)
        await eventually(
            lambda: toys.job_of(tasks, "robbed"),
            lambda job: robbed and job and job["metadata"]["uid"] != robbed["metadata"]["uid"],
        )
        await running.stop()
