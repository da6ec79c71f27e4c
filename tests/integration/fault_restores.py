"""The matrix of a restore's writes, and what a DaapRestore goes through while one of them fails."""

from typing import Any

from daap_operator.kinds import known
from tests.integration.fault_matrix import cells
from tests.integration.fault_scenarios import (
    EVERY,
    SECONDS,
    Scenario,
    Trial,
    create_with_backups,
    told,
)
from tests.support.databases import is_ready
from tests.support.eventually import eventually
from tests.support.restores import Restores
from tests.support.side_effects import CLAIM

STATUS, OF_DATABASE = "patch daaprestores/status", "patch daapdatabases/status"

POINTS: dict[str, tuple[str, ...]] = {
    "restore a database": (
        "patch daaprestores",
        f"{STATUS} claim",
        "create daapbackups",
        "upsert restore row backing_up",
        "upsert restore row replacing",
        f"{OF_DATABASE} restore",
        "delete scheduledbackups",
        "delete clusters",
        f"{STATUS} under way",
        "create secrets",
        "create clusters",
        "create scheduledbackups",
        "upsert restore row completed",
        f"{STATUS} settled",
    ),
}
"""What the scenario writes when nothing disturbs it, in about this order."""

UNDRIVEN: dict[str, set[str]] = {
    "restore a database": {
        CLAIM,
        "create backups",
        "create events",
        "patch daapbackups",
        *(f"patch daapbackups/status {told}" for told in ("claim", "under way", "settled")),
        *(f"upsert backup row {phase}" for phase in ("pending", "running", "completed")),
        *(f"{OF_DATABASE} {told}" for told in ("under way", "settled")),
        *(f"upsert row {phase}" for phase in ("error", "ready")),
        "upsert restore row restoring",
        "upsert restore row pending",
        "replace secrets",
        "patch poolers",
    },
}
"""What it writes besides: points of others, driven there."""

CELLS = cells(POINTS)


def _restores(trial: Trial) -> Restores:
    return Restores(trial.site.api, trial.site.namespace)


async def make(trial: Trial) -> None:
    """Its first backup is CloudNativePG's: one that the trial told of itself would come between."""
    await create_with_backups(trial)
    await _restores(trial).moment(trial.name)


async def restore(trial: Trial) -> None:
    moment = await _restores(trial).moment(trial.name)
    await _restores(trial).create(trial.name, trial.name, at=moment)


async def completed(trial: Trial) -> None:
    """Restored once: one Cluster, from the archive, and a database that serves."""

    async def seen() -> dict[str, Any]:
        api, place = trial.site.api, trial.site.namespace
        found = await _restores(trial).get(trial.name)
        clusters = await api.list(known.CLUSTER, place)
        database = await trial.site.databases.get(trial.name)
        noted = (database or {}).get("status", {}).get("restore") or {}
        rows = await trial.site.rows.execute(
            "SELECT status FROM restores WHERE name = %s AND deleted_at IS NULL", trial.name
        )
        return {
            "told": told(found),
            "begun": [list(each["spec"]["bootstrap"]) for each in clusters],
            "noted": [each["metadata"]["uid"] == noted.get("clusterUid") for each in clusters],
            "backups": len(await api.list(known.DAAP_BACKUP, place)),
            "ready": is_ready(database),
            "rows": [row["status"] for row in rows],
        }

    wanted = {
        "told": {"phase": "Completed", "Ready": "True", "MetadataSynced": "True", "current": True},
        "begun": [["recovery"]],
        "noted": [True],
        "backups": 1,
        "ready": True,
        "rows": ["completed"],
    }
    await eventually(seen, lambda there: there == wanted, seconds=2 * SECONDS, every=EVERY)


async def clear(trial: Trial) -> None:
    await _restores(trial).delete(trial.name)
    await _restores(trial).gone(trial.name)
    for found in await trial.site.api.list(known.DAAP_BACKUP, trial.site.namespace):
        name = found["metadata"]["name"]
        await trial.site.api.delete(known.DAAP_BACKUP, trial.site.namespace, name)
    await trial.site.databases.delete(trial.name)
    await trial.site.databases.gone(trial.name)


SCENARIOS = {
    "restore a database": Scenario(restore, completed, make=make, loses=True, clear=clear),
}
