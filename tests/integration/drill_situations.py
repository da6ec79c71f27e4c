"""Each situation that a DaapDrill can be in, brought about and held: what gets recorded."""

from collections.abc import Awaitable, Callable

from tests.integration.situations import SPEC, Stage
from tests.support.databases import condition
from tests.support.drilling import Drills, checked
from tests.support.eventually import eventually
from tests.support.restores import Restores

NAME, DATABASE = "orders-proof", "orders"


def _drills(stage: Stage) -> Drills:
    return Drills(stage.databases.api, stage.namespace)


async def _synced(stage: Stage) -> None:
    await eventually(
        lambda: _drills(stage).get(NAME),
        lambda obj: condition(obj, "MetadataSynced").get("status") == "True",
    )


async def _asked(stage: Stage) -> None:
    await stage.operators.start()
    await Restores(stage.databases.api, stage.namespace).recoverable(DATABASE, **SPEC)
    await _drills(stage).create(NAME, DATABASE)


async def created(stage: Stage) -> None:
    """The operator has not seen it yet."""
    await _drills(stage).create(NAME, DATABASE)


async def checking(stage: Stage) -> None:
    """The backup is restored, and being checked."""
    await _asked(stage)
    await _drills(stage).says(NAME, "CheckingBackup")
    await _synced(stage)


async def passed(stage: Stage) -> None:
    """It has passed, and nothing is left."""
    async with checked(stage.databases.api):
        await _asked(stage)
        await _drills(stage).is_in(NAME, "Passed")


async def corrupt(stage: Stage) -> None:
    """What was restored is damaged."""
    told = 'heap table "orders.public.invoices", block 3: could not read block 3'
    async with checked(stage.databases.api, corrupt=1, corruption=told):
        await _asked(stage)
        await _drills(stage).is_in(NAME, "Failed")


async def backups_off(stage: Stage) -> None:
    """The database has no backups."""
    await stage.operators.start()
    await stage.databases.create(DATABASE, **SPEC)
    await stage.databases.ready(DATABASE)
    await _drills(stage).create(NAME, DATABASE)
    await _drills(stage).says(NAME, "BackupsOff", "Stalled")
    await _synced(stage)


SITUATIONS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    made.__name__.replace("_", "-"): made
    for made in (created, checking, passed, corrupt, backups_off)
}
