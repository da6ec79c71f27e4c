"""The matrix of a backup's writes, and what a DaapBackup goes through while one of them fails."""

from typing import Any

from tests.integration.fault_matrix import cells
from tests.integration.fault_scenarios import (
    EVERY,
    SECONDS,
    Scenario,
    Trial,
    create_with_backups,
    told,
)
from tests.support.api import Object
from tests.support.daapbackups import Backups
from tests.support.eventually import eventually
from tests.support.side_effects import CLAIM

EVENTS = "create events"
STATUS = "patch daapbackups/status"

POINTS: dict[str, tuple[str, ...]] = {
    "create a backup": (
        "patch daapbackups",
        f"{STATUS} claim",
        "create backups",
        "upsert backup row running",
        f"{STATUS} under way",
        "upsert backup row completed",
        f"{STATUS} settled",
        EVENTS,
    ),
    "delete a backup": ("delete backups", "mark backup row deleted", "patch daapbackups"),
}
"""What each scenario writes when nothing disturbs it, in about this order."""

UNDRIVEN: dict[str, set[str]] = {
    "create a backup": {CLAIM},
    "delete a backup": {EVENTS, CLAIM, f"{STATUS} deleting"},
}
"""What a scenario writes besides: points of another one, driven there."""

CELLS = cells(POINTS)


# --- the states -----------------------------------------------------------------------------------


def _backups(trial: Trial) -> Backups:
    return Backups(trial.site.api, trial.site.namespace)


async def _becomes(trial: Trial, **wanted: Any) -> None:
    """Wait until all there is is what is wanted: the object, its rows, the Backups."""

    async def seen() -> dict[str, Any]:
        found = await _backups(trial).get(trial.name)
        rows = await trial.site.rows.execute(
            "SELECT * FROM backups WHERE name = %s ORDER BY deleted_at IS NULL", trial.name
        )
        return {
            "told": told(found),
            "backups": len(await _backups(trial).made()),
            "rows": [_said(row, found) for row in rows],
        }

    await eventually(seen, lambda there: there == wanted, seconds=SECONDS, every=EVERY)


def _said(row: Object, found: Object | None) -> tuple[str, bool, bool]:
    """A row's status, whether it is live, and whether it is that of the object."""
    uid = found["metadata"]["uid"] if found else None
    return row["status"], row["deleted_at"] is None, str(row["id"]) == uid


async def completed(trial: Trial) -> None:
    said = {"phase": "Completed", "Ready": "True", "MetadataSynced": "True", "current": True}
    await _becomes(trial, told=said, backups=1, rows=[("completed", True, True)])


async def gone(trial: Trial) -> None:
    await _becomes(trial, told=None, backups=0, rows=[("deleted", False, False)])


# --- the steps ------------------------------------------------------------------------------------


async def create(trial: Trial) -> None:
    await _backups(trial).create(trial.name, trial.name)


async def make(trial: Trial) -> None:
    await create_with_backups(trial)
    await create(trial)
    await completed(trial)


async def delete(trial: Trial) -> None:
    await _backups(trial).delete(trial.name)


async def clear(trial: Trial) -> None:
    await delete(trial)
    await gone(trial)
    await clear_database(trial)


async def clear_database(trial: Trial) -> None:
    await trial.site.databases.delete(trial.name)
    await trial.site.databases.gone(trial.name)


SCENARIOS = {
    "create a backup": Scenario(create, completed, make=create_with_backups, clear=clear),
    "delete a backup": Scenario(delete, gone, make=make, events=4, clear=clear_database),
}
