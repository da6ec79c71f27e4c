"""The matrix of a drill's writes, and what a DaapDrill goes through while one of them fails."""

from typing import Any

from daap_operator.kinds import known
from tests.integration import fault_matrix
from tests.integration.fault_matrix import cells
from tests.integration.fault_scenarios import (
    EVERY,
    SECONDS,
    Scenario,
    Trial,
    create_with_backups,
    told,
)
from tests.support.drilling import Drills
from tests.support.eventually import eventually
from tests.support.restores import Restores
from tests.support.side_effects import CLAIM

STATUS = "patch daapdrills/status"

POINTS: dict[str, tuple[str, ...]] = {
    "drill a database": (
        "patch daapdrills",
        f"{STATUS} claim",
        "create networkpolicies",
        "create clusters",
        f"{STATUS} restored",
        "create jobs",
        "upsert drill row checking",
        f"{STATUS} under way",
        f"{STATUS} result",
        "delete jobs",
        "delete clusters",
        "delete networkpolicies",
        "upsert drill row passed",
        f"{STATUS} settled",
    ),
}
"""What the scenario writes when nothing disturbs it, in about this order."""

OTHERS = {
    *(CLAIM, "create events", "upsert drill row restoring", f"{STATUS} deleting"),
    "patch daapdatabases/status settled",  # with what the drill has proved
}
CARRIED_OUT = {*POINTS["drill a database"], *OTHERS}
UNDRIVEN: dict[str, set[str]] = {
    "drill a database": OTHERS,
    # What the drills of a database's schedule write themselves, as far as they come
    "verify": fault_matrix.UNDRIVEN["verify"] | CARRIED_OUT,
    "forget old drills": {
        *fault_matrix.UNDRIVEN["forget old drills"],
        *CARRIED_OUT,
        "mark drill row deleted",
    },
}
"""What it writes besides: points of others, driven there."""

CELLS = cells(POINTS)


def _drills(trial: Trial) -> Drills:
    return Drills(trial.site.api, trial.site.namespace)


async def make(trial: Trial) -> None:
    """Its first backup is CloudNativePG's."""
    await create_with_backups(trial)
    await Restores(trial.site.api, trial.site.namespace).moment(trial.name)


async def drill(trial: Trial) -> None:
    await _drills(trial).create(trial.name, trial.name)


async def passed(trial: Trial) -> None:
    """Passed once, one row says so, and nothing of it is left beside the database."""

    async def seen() -> dict[str, Any]:
        rows = await trial.site.rows.execute(
            "SELECT status FROM drills WHERE name = %s AND deleted_at IS NULL", trial.name
        )
        clusters = await trial.site.api.list(known.CLUSTER, trial.site.namespace)
        return {
            "told": told(await _drills(trial).get(trial.name)),
            "left": await _drills(trial).left(),
            "clusters": len(clusters),
            "rows": [row["status"] for row in rows],
        }

    wanted = {
        "told": {"phase": "Passed", "Ready": "True", "MetadataSynced": "True", "current": True},
        "left": [],
        "clusters": 1,
        "rows": ["passed"],
    }
    await eventually(seen, lambda there: there == wanted, seconds=2 * SECONDS, every=EVERY)


async def clear(trial: Trial) -> None:
    await _drills(trial).delete(trial.name)
    await _drills(trial).gone(trial.name)
    await trial.site.databases.delete(trial.name)
    await trial.site.databases.gone(trial.name)


SCENARIOS = {
    "drill a database": Scenario(drill, passed, make=make, clear=clear),
}
