"""The matrix of the toys' writes, and what tasks and teams go through while one of them fails."""

from typing import Any

from daap_operator.kinds.served import Kinds
from tests.integration.fault_matrix import cells
from tests.integration.fault_scenarios import EVERY, SECONDS, Scenario, Trial, told
from tests.support.api import Object
from tests.support.eventually import eventually
from tests.support.side_effects import CLAIM
from tests.support.toys import WITH_TASKS, WITH_TEAMS, Toys, team_rows
from tests.toys.task import JOB, TASK
from tests.toys.team import TEAM

EVENTS = "create events"
STATUS = "patch daaptasks/status"

POINTS: dict[str, tuple[str, ...]] = {
    "create a task": (
        "patch daaptasks",
        f"{STATUS} claim",
        "create jobs",
        f"{STATUS} under way",
        f"{STATUS} settled",
        EVENTS,
    ),
    "change a task": ("delete jobs", "create jobs", f"{STATUS} under way", f"{STATUS} settled"),
    "delete a task": ("delete jobs", f"{STATUS} deleting", "patch daaptasks"),
    "create a team": (
        "patch daapteams",
        "upsert team row ready",
        "patch daapteams/status settled",
        EVENTS,
    ),
    "delete a team": ("mark team row deleted", "patch daapteams"),
}
"""What each scenario writes when nothing disturbs it, in about this order."""

UNDRIVEN: dict[str, set[str]] = {
    "change a task": {EVENTS},
    "delete a task": {EVENTS},
    "create a team": {CLAIM},
    "delete a team": {CLAIM},
}
"""What a scenario writes besides: points of another one, driven there."""

SERVED: dict[str, Kinds] = {
    name: WITH_TASKS if name.endswith("task") else WITH_TEAMS for name in POINTS
}
"""The kinds that the operator of a scenario serves."""

CELLS = cells(POINTS)


# --- the states -----------------------------------------------------------------------------------


def _tasks(trial: Trial) -> Toys:
    return Toys(trial.site.api, TASK, trial.site.namespace)


def _teams(trial: Trial) -> Toys:
    return Toys(trial.site.api, TEAM)


async def _becomes(trial: Trial, toys: Toys, **wanted: Any) -> None:
    """Wait until all there is is what is wanted."""

    async def seen() -> dict[str, Any]:
        found = await toys.get(trial.name)
        rows = [] if toys.kind == TASK else await team_rows(trial.site.rows, trial.name)
        jobs = await trial.site.api.list(JOB, trial.site.namespace)
        return {
            "told": told(found),
            "jobs": {job["metadata"]["name"]: job["spec"]["completions"] for job in jobs},
            "rows": [_said(row, found) for row in rows],
        }

    def same(there: dict[str, Any]) -> bool:
        return there == {"jobs": {}, "rows": [], **wanted}

    await eventually(seen, same, seconds=SECONDS, every=EVERY)


def _said(row: Object, found: Object | None) -> tuple[str, bool, bool]:
    """A row's status, whether it is live, and whether it is that of the object."""
    uid = found["metadata"]["uid"] if found else None
    return row["status"], row["deleted_at"] is None, str(row["id"]) == uid


async def _works(trial: Trial, steps: int) -> None:
    wanted = {"Ready": "True", "current": True}
    await _becomes(trial, _tasks(trial), told=wanted, jobs={f"{trial.name}-task": steps})


async def done(trial: Trial) -> None:
    await _works(trial, 1)


async def done_again(trial: Trial) -> None:
    await _works(trial, 2)


async def serves(trial: Trial) -> None:
    wanted = {"phase": "Ready", "Ready": "True", "MetadataSynced": "True", "current": True}
    await _becomes(trial, _teams(trial), told=wanted, rows=[("ready", True, True)])


async def task_gone(trial: Trial) -> None:
    await _becomes(trial, _tasks(trial), told=None)


async def team_gone(trial: Trial) -> None:
    await _becomes(trial, _teams(trial), told=None, rows=[("deleted", False, False)])


# --- the steps ------------------------------------------------------------------------------------


async def create_task(trial: Trial) -> None:
    await _tasks(trial).create(trial.name, steps=1)


async def make_task(trial: Trial) -> None:
    await create_task(trial)
    await done(trial)


async def change_task(trial: Trial) -> None:
    await _tasks(trial).edit(trial.name, steps=2)


async def delete_task(trial: Trial) -> None:
    await _tasks(trial).delete(trial.name)


async def clear_task(trial: Trial) -> None:
    await delete_task(trial)
    await task_gone(trial)


async def create_team(trial: Trial) -> None:
    await _teams(trial).create(trial.name)


async def make_team(trial: Trial) -> None:
    await create_team(trial)
    await serves(trial)


async def delete_team(trial: Trial) -> None:
    await _teams(trial).delete(trial.name)


async def clear_team(trial: Trial) -> None:
    await delete_team(trial)
    await team_gone(trial)


SCENARIOS = {
    "create a task": Scenario(create_task, done, of_ready=False, clear=clear_task),
    "change a task": Scenario(change_task, done_again, make=make_task, clear=clear_task),
    "delete a task": Scenario(delete_task, task_gone, make=make_task),
    "create a team": Scenario(create_team, serves, of_ready=False, clear=clear_team),
    "delete a team": Scenario(delete_team, team_gone, make=make_team, events=1),
}
