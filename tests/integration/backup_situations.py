"""Each situation that a DaapBackup can be in, brought about and held: what gets recorded."""

from collections.abc import Awaitable, Callable

from daap_operator.kinds.backup import controller
from tests.integration.situations import SPEC, Stage
from tests.support.daapbackups import DONE, ON, Backups
from tests.support.databases import condition
from tests.support.eventually import eventually

NAME, DATABASE = "orders-before-migration", "orders"


def _backups(stage: Stage) -> Backups:
    return Backups(stage.databases.api, stage.namespace)


async def _create(stage: Stage) -> None:
    await _backups(stage).create(NAME, DATABASE)


async def _synced(stage: Stage) -> None:
    await eventually(
        lambda: _backups(stage).get(NAME),
        lambda obj: condition(obj, "MetadataSynced").get("status") == "True",
    )


# --- before and on the way ------------------------------------------------------------------------


async def created(stage: Stage) -> None:
    """The operator has not seen it yet."""
    await _create(stage)


async def waiting(stage: Stage) -> None:
    """Its database does not exist yet."""
    await stage.operators.start()
    await _create(stage)
    await _backups(stage).says(NAME, "DatabaseMissing", "Reconciling")
    await _synced(stage)


async def running(stage: Stage) -> None:
    """CloudNativePG is making it."""
    await stage.operators.start()
    await stage.databases.create(DATABASE, **SPEC, backup=ON)
    await stage.databases.ready(DATABASE)
    await _backups(stage).archive()
    await _create(stage)
    await _backups(stage).is_in(NAME, "Running")
    await _synced(stage)


async def completed(stage: Stage) -> None:
    """It can be restored."""
    await running(stage)
    await _backups(stage).backs_up(NAME, **DONE)
    await _backups(stage).completed(NAME)


# --- somebody must act ----------------------------------------------------------------------------


async def backups_off(stage: Stage) -> None:
    """The database has no backups."""
    await stage.operators.start()
    await stage.databases.create(DATABASE, **SPEC)
    await stage.databases.ready(DATABASE)
    await _create(stage)
    await _backups(stage).says(NAME, "BackupsOff", "Stalled")
    await _synced(stage)


async def failed(stage: Stage) -> None:
    """It has failed for good."""
    patience, controller.DOUBT_SECONDS = controller.DOUBT_SECONDS, 0.0
    try:
        await running(stage)
        why = "error while executing barman-cloud-backup: exit status 4"
        await _backups(stage).backs_up(NAME, phase="failed", error=why)
        await _backups(stage).is_in(NAME, "Failed")
    finally:
        controller.DOUBT_SECONDS = patience


# --- deletion -------------------------------------------------------------------------------------


async def deleting(stage: Stage) -> None:
    """Being deleted: it waits for what a finalizer holds."""
    await completed(stage)
    backups = _backups(stage)
    (made,) = await backups.made()
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    await backups.api.patch("backups", stage.namespace, made, hold)
    await backups.delete(NAME)
    await eventually(
        lambda: backups.get(NAME),
        lambda obj: "example.com/hold" in condition(obj, "Ready").get("message", ""),
    )


SITUATIONS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    made.__name__.replace("_", "-"): made
    for made in (created, waiting, running, completed, backups_off, failed, deleting)
}
