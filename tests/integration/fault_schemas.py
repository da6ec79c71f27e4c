"""The matrix of a schema's writes, and what a DaapSchema goes through while one of them fails."""

from functools import partial
from typing import Any

from daap_operator import names
from daap_operator.kinds import known
from tests.integration.fault_matrix import cells
from tests.integration.fault_scenarios import (
    EVERY,
    SECONDS,
    Scenario,
    Trial,
    create,
    create_with_backups,
    serves,
    told,
)
from tests.support.drilling import Drills
from tests.support.eventually import eventually
from tests.support.restores import Restores
from tests.support.schema_plans import WAITS
from tests.support.schema_runner import current
from tests.support.schemas import Schemas
from tests.support.side_effects import CLAIM

STATUS = "patch daapschemas/status"
FILES = {"001_users.sql": "CREATE TABLE users (id int);\n", "002_rows.sql": "SELECT 1;\n"}
HELD = FILES | {"002_rows.sql": f"SELECT 1; -- {WAITS}\n"}

POINTS: dict[str, tuple[str, ...]] = {
    "apply a schema": (
        "patch daapschemas",
        f"{STATUS} claim Planning",
        "create jobs check",
        "upsert schema row planning",
        f"{STATUS} looked",
        f"{STATUS} claim Applying",
        "create jobs apply",
        "upsert schema row applying",
        f"{STATUS} ran",
        "upsert schema row applied",
        f"{STATUS} settled",
        "create events",
    ),
    "change files under way": (
        "delete jobs",
        f"{STATUS} claim Planning",
        "create jobs check",
    ),
    "back up before a schema": (f"{STATUS} backup", "create daapbackups"),
    "rehearse a schema": (
        f"{STATUS} rehearsal Restoring",
        "create daapdrills",
        f"{STATUS} rehearsal Applying",
        "create jobs rehearse",
        f"{STATUS} rehearsal Passed",
        "delete daapdrills",
        f"{STATUS} rehearsal",
    ),
    "delete a schema": (
        "mark schema row deleted",
        "patch daapschemas",
    ),
}
"""What each scenario writes when nothing disturbs it, in about this order."""

DRILLED = ("claim", "under way", "restored", "settled", "deleting")
"""What the DaapDrill of a rehearsal tells meanwhile."""
_APPLIED = {*POINTS["apply a schema"], CLAIM, f"{STATUS} under way", "upsert schema row planned"}
UNDRIVEN: dict[str, set[str]] = {
    "apply a schema": _APPLIED,
    "change files under way": _APPLIED,
    "back up before a schema": {
        *_APPLIED,
        "patch daapbackups",
        *(f"patch daapbackups/status {told}" for told in ("claim", "under way", "settled")),
        *(f"upsert backup row {phase}" for phase in ("pending", "running", "completed")),
        "create backups",
        *(f"patch daapdatabases/status {told}" for told in ("under way", "settled")),
        "upsert row ready",
    },
    "rehearse a schema": {
        *_APPLIED,
        "patch daapdrills",
        *(f"patch daapdrills/status {told}" for told in DRILLED),
        *(f"upsert drill row {phase}" for phase in ("restoring", "checking")),
        "mark drill row deleted",
        *(f"create {made}" for made in ("networkpolicies", "clusters")),
        *(f"delete {made}" for made in ("networkpolicies", "clusters")),
        *(f"patch daapdatabases/status {told}" for told in ("under way", "settled")),
        "upsert row ready",
    },
    "delete a schema": {CLAIM, "upsert schema row applied", "create events"},
}
"""What a scenario writes besides: points of another one, driven there."""

CELLS = cells(POINTS)


def _schemas(trial: Trial) -> Schemas:
    return Schemas(trial.site.api, trial.site.namespace)


# --- what is there before -------------------------------------------------------------------------


async def make_database(trial: Trial) -> None:
    await create(trial)
    await serves(trial)
    await _schemas(trial).files(trial.name, FILES)


async def make_backed_up(trial: Trial) -> None:
    await create_with_backups(trial)
    await _schemas(trial).files(trial.name, FILES)


async def make_recoverable(trial: Trial) -> None:
    await make_backed_up(trial)
    await Restores(trial.site.api, trial.site.namespace).moment(trial.name)


async def make_held(trial: Trial) -> None:
    """A schema of which a Job is applying the files, and does not come to an end."""
    await make_database(trial)
    await _schemas(trial).files(trial.name, HELD)
    await _schemas(trial).create(trial.name, trial.name)
    await _schemas(trial).under_way(trial.name, "apply")


async def make_applied(trial: Trial) -> None:
    await make_database(trial)
    await order(trial)
    await applied(trial)


# --- what is done ---------------------------------------------------------------------------------


async def order(trial: Trial) -> None:
    await _schemas(trial).create(trial.name, trial.name)


async def order_with_backup(trial: Trial) -> None:
    await _schemas(trial).create(trial.name, trial.name, backupBefore=True)


async def order_with_rehearsal(trial: Trial) -> None:
    await _schemas(trial).create(trial.name, trial.name, rehearsal="Always")


async def correct(trial: Trial) -> None:
    await _schemas(trial).files(trial.name, FILES)


async def delete(trial: Trial) -> None:
    await _schemas(trial).delete(trial.name)


# --- what it comes to -----------------------------------------------------------------------------


async def _seen(trial: Trial) -> dict[str, Any]:
    rows = await trial.site.rows.execute(
        "SELECT status FROM schemas WHERE name = %s AND deleted_at IS NULL", trial.name
    )
    jobs = await trial.site.api.list(
        known.JOB, trial.site.namespace, f"labelSelector={names.SCHEMA_LABEL}"
    )
    cluster = await trial.site.api.get(known.CLUSTER, trial.site.namespace, trial.cluster)
    uid = (cluster or {}).get("metadata", {}).get("uid")
    applied = current().applied(trial.site.namespace)
    return {
        "told": told(await _schemas(trial).get(trial.name)),
        "unfinished": [job["metadata"]["name"] for job in jobs if not _over(job)],
        "rows": [row["status"] for row in rows],
        "applied": {file: count for (of, file), count in applied.items() if of == uid},
    }


def _over(job: dict[str, Any]) -> bool:
    conditions = job.get("status", {}).get("conditions", ())
    return any(each["type"] in ("Complete", "Failed") for each in conditions)


async def applied(trial: Trial) -> None:
    """Each file was applied once, one row says so, and no Job runs on."""
    wanted = {
        "told": {"phase": "Applied", "Ready": "True", "MetadataSynced": "True", "current": True},
        "unfinished": [],
        "rows": ["applied"],
        "applied": dict.fromkeys(FILES, 1),
    }
    await eventually(
        partial(_seen, trial), lambda there: there == wanted, seconds=2 * SECONDS, every=EVERY
    )


async def applied_and_backed_up(trial: Trial) -> None:
    """The same after one backup."""
    await applied(trial)
    backups = await trial.site.api.list(known.DAAP_BACKUP, trial.site.namespace)
    assert [each["status"]["phase"] for each in backups] == ["Completed"]


async def applied_and_rehearsed(trial: Trial) -> None:
    """The same after one rehearsal, of which nothing is left."""
    await applied(trial)
    found = await _schemas(trial).get(trial.name)
    assert found
    assert found["status"]["rehearsal"]["state"] == "Passed"
    await eventually(Drills(trial.site.api, trial.site.namespace).left, lambda left: not left)
    drills = await trial.site.api.list(known.DAAP_DRILL, trial.site.namespace)
    assert drills == []


async def gone(trial: Trial) -> None:
    """Nothing of it is left but what it has applied."""
    wanted: dict[str, Any] = {
        "told": None,
        "unfinished": [],
        "rows": [],
        "applied": dict.fromkeys(FILES, 1),
    }
    await eventually(
        partial(_seen, trial), lambda there: there == wanted, seconds=2 * SECONDS, every=EVERY
    )


async def clear(trial: Trial) -> None:
    await _schemas(trial).delete(trial.name)
    await _schemas(trial).gone(trial.name)
    for found in await trial.site.api.list(known.DAAP_BACKUP, trial.site.namespace):
        name = found["metadata"]["name"]
        await trial.site.api.delete(known.DAAP_BACKUP, trial.site.namespace, name)
    await trial.site.databases.delete(trial.name)
    await trial.site.databases.gone(trial.name)


SCENARIOS = {
    "apply a schema": Scenario(order, applied, make=make_database, clear=clear),
    "change files under way": Scenario(correct, applied, make=make_held, clear=clear),
    "back up before a schema": Scenario(
        order_with_backup, applied_and_backed_up, make=make_backed_up, clear=clear
    ),
    "rehearse a schema": Scenario(
        order_with_rehearsal, applied_and_rehearsed, make=make_recoverable, clear=clear
    ),
    "delete a schema": Scenario(delete, gone, make=make_applied, clear=clear),
}
