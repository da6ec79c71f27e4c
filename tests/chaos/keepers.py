"""People who care for backups: who make them, restore from them, and keep the stores.

A further kind that is about a database's backups comes in here: what people do with it, below;
when, in `keeping_rules`; what must hold of it, in `kept`.
"""

from typing import Any

from tests.chaos.lives import Lives
from tests.chaos.people import People, Refused
from tests.chaos.plan import Slot
from tests.chaos.stage import Stage
from tests.chaos.world import already_there
from tests.support.api import ApiError, Object
from tests.support.daapbackups import backup
from tests.support.databases import phase
from tests.support.drilling import drill
from tests.support.restores import restore

BACKUPS, RESTORES, DRILLS = "daapbackups", "daaprestores", "daapdrills"
STORES = "objectstores"
STORE = "backups"
"""The platform's default in a run."""


class Keepers:
    """Those of one run."""

    def __init__(self, stage: Stage, namespaces: list[str], lives: Lives, people: People) -> None:
        self._stage, self._api = stage, stage.api
        self._namespaces = namespaces
        self._lives = lives
        self._people = people

    async def _create(self, plural: str, obj: Object) -> None:
        try:
            with already_there():
                await self._api.create(plural, obj)
        except ApiError as error:
            raise Refused from error

    # backups --------------------------------------------------------------------------------------

    async def back_up(self, slot: Slot, number: int) -> None:
        """Ask for a backup now."""
        name = f"{slot.name}-{number}"
        await self._create(BACKUPS, backup(self._namespaces[slot.side], name, slot.name))

    async def delete_backup(self, slot: Slot, number: int) -> None:
        """Delete a DaapBackup, whatever has become of it."""
        await self._api.delete(BACKUPS, self._namespaces[slot.side], f"{slot.name}-{number}")

    # restores -------------------------------------------------------------------------------------

    async def restore(self, slot: Slot, number: int, *, safety: bool) -> None:
        """Have a database put back: to a backup of it, or to a moment ago."""
        database = await self._people.database(slot)
        target = await self._target(slot, database)
        if not safety:
            target["safetyBackup"] = "Skip"
        place = self._namespaces[slot.side], f"{slot.name}-{number}"
        await self._create(RESTORES, restore(*place, slot.name, **target))
        if made := await self._api.get(RESTORES, *place):  # perhaps the one that was there
            self._lives.restore_asked(database, made)

    async def _target(self, slot: Slot, database: Object) -> dict[str, Any]:
        digits = database["metadata"]["uid"][:8]  # not of an earlier one that had the name
        for made in await self._api.list(BACKUPS, self._namespaces[slot.side]):
            if phase(made) == "Completed" and digits in made["status"].get("archive", ""):
                return {"backup": made["metadata"]["name"]}
        told = (database.get("status") or {}).get("backup") or {}
        return {"at": told.get("lastSuccessful") or "2026-01-01T00:00:00Z"}

    async def cancel_restore(self, slot: Slot, number: int) -> None:
        """Delete a DaapRestore, which stops it if nothing was replaced yet."""
        await self._api.delete(RESTORES, self._namespaces[slot.side], f"{slot.name}-{number}")

    # drills ---------------------------------------------------------------------------------------

    async def drill(self, slot: Slot, number: int, *, aimed: bool) -> None:
        """Have it proved that a database can be restored: to the latest, or as a restore would."""
        target = await self._target(slot, await self._people.database(slot)) if aimed else {}
        place = self._namespaces[slot.side], f"{slot.name}-{number}"
        await self._create(DRILLS, drill(*place, slot.name, **target))

    async def cancel_drill(self, slot: Slot, number: int) -> None:
        """Delete a DaapDrill, whatever has become of it."""
        await self._api.delete(DRILLS, self._namespaces[slot.side], f"{slot.name}-{number}")

    async def clear(self) -> None:
        """Delete what has a finalizer of the operator's: nobody would end it after the run."""
        for plural in (DRILLS, RESTORES, BACKUPS):
            for namespace in self._namespaces:
                for made in await self._api.list(plural, namespace):
                    await self._api.delete(plural, namespace, made["metadata"]["name"])

    async def copy(self, slot: Slot, of: str, spec: dict[str, Any]) -> None:
        """Create a database from the backups of one that is there, or that was."""
        await self._people.create(slot, spec | {"source": {"database": of}})

    # the platform team ----------------------------------------------------------------------------

    async def delete_store(self, side: int) -> None:
        """Delete the ObjectStore; what is in the bucket stays."""
        await self._api.delete(STORES, self._namespaces[side], STORE)

    async def create_store(self, side: int) -> None:
        """Create the ObjectStore; it tells of nothing that is in the bucket."""
        await make_store(self._stage, self._namespaces[side])

    async def unplug(self) -> None:
        """The Barman Cloud plugin does not run."""
        for namespace in self._namespaces:
            self._stage.standin.barman.unplug(namespace)

    async def plug(self) -> None:
        """It runs again."""
        for namespace in self._namespaces:
            self._stage.standin.plug(namespace)


async def make_store(stage: Stage, namespace: str) -> None:
    """Make sure that the ObjectStore is there, in a namespace that is."""
    body = {
        "apiVersion": "barmancloud.cnpg.io/v1",
        "kind": "ObjectStore",
        "metadata": {"namespace": namespace, "name": STORE},
        "spec": {"configuration": {"destinationPath": f"s3://{STORE}/{namespace}/"}},
    }
    try:
        with already_there():
            await stage.api.create(STORES, body)
    except ApiError as error:
        raise Refused from error
