"""DaapDrills as tests write them and read them back, and who carries them out."""

from datetime import datetime, timedelta
from typing import Any

from daap_operator import names
from daap_operator.engine.child import Owner
from daap_operator.kinds import known
from daap_operator.kinds.database.desired import backup, schedule
from daap_operator.kinds.database.desired.drill import drill
from tests.support.api import Api, Object
from tests.support.eventually import eventually

EVERY_SECOND = "* * * * * *"


def always_due(written: str, uid: str, spread: timedelta) -> str:
    """In place of `six_fields`: a drill is due at once, and again in each minute."""
    return EVERY_SECOND if uid.startswith("verify ") else schedule.six_fields(written, uid, spread)


PATCHED = (backup, "six_fields", always_due)
"""What to patch, so that a test need not wait until a drill is due."""


class Drills:
    """DaapDrills of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    async def all(self) -> list[Object]:
        """All there are, in the order of their names."""
        found = await self.api.list(known.DAAP_DRILL, self.namespace)
        return sorted(found, key=lambda obj: str(obj["metadata"]["name"]))

    async def get(self, name: str) -> Object | None:
        """As it is now."""
        return await self.api.get(known.DAAP_DRILL, self.namespace, name)

    async def names(self) -> list[str]:
        """Their names."""
        return [obj["metadata"]["name"] for obj in await self.all()]

    async def create(self, name: str, database: str) -> Object:
        """Somebody orders one by hand."""
        body = {
            "apiVersion": known.DAAP_DRILL.api_version,
            "kind": known.DAAP_DRILL.name,
            "metadata": {"namespace": self.namespace, "name": name},
            "spec": {"databaseRef": {"name": database}},
        }
        return await self.api.create(known.DAAP_DRILL, body)

    async def scheduled(self, database: Object, slot: datetime) -> str:
        """One as the schedule of a database makes it for a time; its name."""
        metadata = database["metadata"]
        owner = Owner(known.DATABASE, self.namespace, metadata["name"], metadata["uid"])
        name = names.drill_name(metadata["name"], slot)
        made = drill(owner, name, ()).manifest
        assert made
        await self.api.create(known.DAAP_DRILL, made)
        return name

    async def ends(self, name: str, database: Object, ended: datetime, **status: Any) -> None:
        """It has passed, unless the status says otherwise."""
        told: Object = {
            "phase": "Passed",
            "result": status.get("phase", "Passed"),
            "completedAt": ended.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "archive": database["status"]["backup"]["archive"],
            "backupId": "20260301T031200",
            "restoreSeconds": {"total": 77},
            "database": {
                "name": database["metadata"]["name"],
                "uid": database["metadata"]["uid"],
                "clusterName": database["status"]["clusterName"],
            },
        }
        body = {"status": told | status}
        await self.api.patch(known.DAAP_DRILL, self.namespace, name, body, "status")

    async def made(self, count: int = 1) -> list[str]:
        """Wait until there are so many; their names."""
        return await eventually(self.names, lambda found: len(found) == count)

    async def delete(self) -> None:
        """Ask for the deletion of all there are."""
        for name in await self.names():
            await self.api.delete(known.DAAP_DRILL, self.namespace, name)

    async def clear(self) -> None:
        """Take away all there are, and wait until they are gone."""
        await self.delete()
        await eventually(self.names, lambda found: not found)
