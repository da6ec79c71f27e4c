"""DaapRestores as tests write them and read them back."""

from datetime import UTC, datetime, timedelta
from typing import Any

from daap_operator.kinds import known
from tests.support.api import Api, Object
from tests.support.daapbackups import ON
from tests.support.databases import Databases, condition, phase
from tests.support.eventually import eventually

OLDER = timedelta(seconds=1)
"""The API server tells ages to the second, and only an older Cluster is replaced."""


def restore(namespace: str, name: str, database: str, **spec: Any) -> Object:
    """A DaapRestore."""
    return {
        "apiVersion": known.DAAP_RESTORE.api_version,
        "kind": known.DAAP_RESTORE.name,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"databaseRef": {"name": database}, "confirm": database} | spec,
    }


class Restores:
    """DaapRestores of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    async def create(self, name: str, database: str = "orders", **spec: Any) -> Object:
        """Create one."""
        made = restore(self.namespace, name, database, **spec)
        return await self.api.create(known.DAAP_RESTORE, made)

    async def get(self, name: str) -> Object | None:
        """As it is now."""
        return await self.api.get(known.DAAP_RESTORE, self.namespace, name)

    async def delete(self, name: str) -> None:
        """Ask for its deletion."""
        await self.api.delete(known.DAAP_RESTORE, self.namespace, name)

    async def gone(self, name: str) -> None:
        """Wait until it is no more."""
        await eventually(lambda: self.get(name), lambda obj: obj is None)

    async def is_in(self, name: str, *wanted: str) -> Object:
        """Wait until it is in one of some phases."""
        found = await eventually(lambda: self.get(name), lambda obj: phase(obj) in wanted)
        assert found
        return found

    async def says(self, name: str, reason: str, kind: str = "Ready") -> Object:
        """Wait until a condition has that reason."""
        found = await eventually(
            lambda: self.get(name), lambda obj: condition(obj, kind).get("reason") == reason
        )
        assert found
        return found

    async def older(self, database: Object) -> None:
        """Wait until the Cluster of a database is older than whatever is created next."""
        name = database["status"]["clusterName"]
        found = await self.api.get(known.CLUSTER, self.namespace, name)
        assert found
        made = datetime.fromisoformat(found["metadata"]["creationTimestamp"])
        await eventually(_now, lambda now: now > made + 2 * OLDER)

    async def recoverable(self, database: str = "orders", **spec: Any) -> str:
        """Have a database with backups that can be restored to a moment; the moment."""
        databases = Databases(self.api, self.namespace)
        await databases.object_store()
        await databases.create(database, backup=ON, **spec)
        return await self.moment(database)

    async def moment(self, database: str = "orders") -> str:
        """A moment to which a database with backups can be restored, once there is one."""
        databases = Databases(self.api, self.namespace)
        await databases.ready(database)
        found = await eventually(lambda: databases.get(database), _first)
        first = datetime.fromisoformat(str(_first(found)))
        now = await eventually(_now, lambda now: now > first + 2 * OLDER)
        return f"{now - OLDER:%Y-%m-%dT%H:%M:%SZ}"


async def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - ages are told by the API server's clock


def _first(found: Object | None) -> object:
    return ((found or {}).get("status", {}).get("backup") or {}).get("firstRecoverable")
