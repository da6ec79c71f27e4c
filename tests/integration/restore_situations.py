"""Each situation that a DaapRestore can be in, brought about and held: what gets recorded."""

from collections.abc import Awaitable, Callable

from tests.integration.situations import SPEC, Stage
from tests.support.daapbackups import played
from tests.support.databases import condition
from tests.support.eventually import eventually
from tests.support.restores import Restores

NAME, DATABASE = "orders-before-the-drop", "orders"
LONG_AGO = "2026-01-01T00:00:00Z"


def _restores(stage: Stage) -> Restores:
    return Restores(stage.databases.api, stage.namespace)


async def _synced(stage: Stage) -> None:
    await eventually(
        lambda: _restores(stage).get(NAME),
        lambda obj: condition(obj, "MetadataSynced").get("status") == "True",
    )


async def _asked(stage: Stage) -> None:
    await stage.operators.start()
    moment = await _restores(stage).recoverable(DATABASE, **SPEC)
    await _restores(stage).create(NAME, DATABASE, at=moment)


async def created(stage: Stage) -> None:
    """The operator has not seen it yet."""
    await _restores(stage).create(NAME, DATABASE, at=LONG_AGO)


async def backing_up(stage: Stage) -> None:
    """The state before is being backed up."""
    await _asked(stage)
    await _restores(stage).says(NAME, "SafetyBackupRunning")
    await _synced(stage)


async def completed(stage: Stage) -> None:
    """The database is restored, and serves."""
    async with played(stage.databases.api):
        await _asked(stage)
        await _restores(stage).is_in(NAME, "Completed")


async def backups_off(stage: Stage) -> None:
    """The database has no backups."""
    await stage.operators.start()
    await stage.databases.create(DATABASE, **SPEC)
    made = await stage.databases.ready(DATABASE)
    await _restores(stage).older(made)
    await _restores(stage).create(NAME, DATABASE, at=LONG_AGO)
    await _restores(stage).says(NAME, "BackupsOff", "Stalled")
    await _synced(stage)


async def failed(stage: Stage) -> None:
    """It has failed for good, and nothing was touched."""
    await stage.operators.start()
    await _restores(stage).create(NAME, DATABASE, at=LONG_AGO)
    await _restores(stage).says(NAME, "DatabaseMissing", "Stalled")
    await _synced(stage)


SITUATIONS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    made.__name__.replace("_", "-"): made
    for made in (created, backing_up, completed, backups_off, failed)
}
