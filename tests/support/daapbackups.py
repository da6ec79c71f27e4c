"""DaapBackups as tests write them and read them back, and CloudNativePG's part in them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from daap_operator.engine.ownership import owners
from daap_operator.kinds import known
from tests.support.api import Api, ApiError, Object
from tests.support.backups import STORE
from tests.support.databases import Databases, condition, is_ready, phase
from tests.support.eventually import eventually

DONE: Object = {
    "phase": "completed",
    "backupId": "20260301T120100",
    "beginWal": "000000010000000000000004",
    "endWal": "000000010000000000000005",
    "startedAt": "2026-03-01T12:01:00Z",
    "stoppedAt": "2026-03-01T12:02:30Z",
    "majorVersion": 17,
}
"""The status of a Backup that the plugin has made."""
ON: Object = {"store": STORE}
"""The spec.backup of a database that has backups."""


def backup(namespace: str, name: str, database: str) -> Object:
    """A DaapBackup."""
    return {
        "apiVersion": known.DAAP_BACKUP.api_version,
        "kind": known.DAAP_BACKUP.name,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"databaseRef": {"name": database}},
    }


class Backups:
    """DaapBackups of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    async def create(self, name: str, database: str = "orders") -> Object:
        """Create one."""
        made = backup(self.namespace, name, database)
        return await self.api.create(known.DAAP_BACKUP, made)

    async def get(self, name: str) -> Object | None:
        """As it is now."""
        return await self.api.get(known.DAAP_BACKUP, self.namespace, name)

    async def delete(self, name: str) -> None:
        """Ask for its deletion."""
        await self.api.delete(known.DAAP_BACKUP, self.namespace, name)

    async def gone(self, name: str) -> None:
        """Wait until it is no more."""
        await eventually(lambda: self.get(name), lambda obj: obj is None)

    async def is_in(self, name: str, wanted: str) -> Object:
        """Wait until it is in that phase, with what follows it said."""
        found = await eventually(lambda: self.get(name), lambda obj: phase(obj) == wanted)
        assert found
        return found

    async def says(self, name: str, reason: str, kind: str = "Ready") -> Object:
        """Wait until a condition has that reason."""
        found = await eventually(
            lambda: self.get(name), lambda obj: condition(obj, kind).get("reason") == reason
        )
        assert found
        return found

    async def completed(self, name: str) -> Object:
        """Wait until it is Ready."""
        found = await eventually(lambda: self.get(name), is_ready)
        assert found
        return found

    async def made(self) -> dict[str, Object]:
        """The Backups of DaapBackups, by their names."""
        found = await self.api.list(known.BACKUP, self.namespace)
        ours = [obj for obj in found if owners(obj, known.DAAP_BACKUP)]
        return {obj["metadata"]["name"]: obj for obj in ours}

    async def events(self, name: str) -> set[str]:
        """The reasons of the Events on one of them."""
        found = await self.api.list("events", self.namespace)
        return {event["reason"] for event in found if event["regarding"]["name"] == name}

    # CloudNativePG --------------------------------------------------------------------------------

    async def archive(self, cluster: str = "daap-orders") -> str:
        """Give a database with backups its store, and wait until it archives; where."""
        await Databases(self.api, self.namespace).object_store(retention="30d")
        found = await eventually(
            lambda: self.api.get(known.CLUSTER, self.namespace, cluster),
            lambda obj: obj and obj["spec"].get("plugins"),
        )
        assert found
        archive: str = found["spec"]["plugins"][0]["parameters"]["serverName"]
        return archive

    async def backs_up(self, name: str, **status: Any) -> None:
        """Have CloudNativePG say something of the Backup of a DaapBackup."""
        found = await eventually(lambda: self.get(name), _named)
        assert found
        child = found["status"]["backupName"]
        body = {"status": status}
        await self.api.patch(known.BACKUP, self.namespace, child, body, "status")


async def play(api: Api) -> None:
    """Let each Backup be completed, as CloudNativePG would; until cancelled.

    That of a DaapBackup not before this says that it runs: a real one takes longer than that.
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_play_asked_for(api))
        tasks.create_task(_play_others(api))


async def _play_asked_for(api: Api) -> None:
    async for event, obj in api.watch(known.DAAP_BACKUP):
        if event != "DELETED" and _named(obj):
            await _complete(api, obj["metadata"]["namespace"], obj["status"]["backupName"])


async def _play_others(api: Api) -> None:
    async for event, obj in api.watch(known.BACKUP):
        metadata = obj["metadata"]
        over = event == "DELETED" or "deletionTimestamp" in metadata
        begun = (obj.get("status") or {}).get("phase")
        if not (over or begun or owners(obj, known.DAAP_BACKUP)):
            await _complete(api, metadata["namespace"], metadata["name"])


async def _complete(api: Api, namespace: str, name: str) -> None:
    with suppress(ApiError):  # gone meanwhile
        await api.patch(known.BACKUP, namespace, name, {"status": DONE}, "status")


@asynccontextmanager
async def played(api: Api) -> AsyncIterator[None]:
    """Backups are completed meanwhile."""
    playing = asyncio.create_task(play(api))
    try:
        yield
    finally:
        playing.cancel()
        with suppress(asyncio.CancelledError):
            await playing


def _named(obj: Object | None) -> object:
    return obj and phase(obj) == "Running"
