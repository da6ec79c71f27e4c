"""DaapSchemas and their files as tests write them, and read them back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from daap_operator import names
from daap_operator.kinds import known
from tests.support.api import Api, Object
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually

FIVE = {
    "001_users.sql": "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);\n",
    "002_orders.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, owner bigint NOT NULL"
    " REFERENCES users (id));\n",
    "003_orders_by_owner.sql": "CREATE INDEX CONCURRENTLY orders_by_owner ON orders (owner);\n",
    "004_status.sql": "CREATE TYPE status AS ENUM ('new', 'paid');\n",
    "005_orders_status.sql": "ALTER TABLE orders ADD COLUMN status status;\n",
}
"""A schema of five files, one of which cannot run in a transaction."""

PLANS = {"001_users.sql": "INSERT INTO users VALUES (1, 'first') ON CONFLICT DO NOTHING;\n"}
"""Its fixtures."""


def schema(namespace: str, name: str, database: str, **spec: Any) -> Object:
    """A DaapSchema of the ConfigMap of its own name."""
    files = {"schema": [{"configMap": {"name": name}}]}
    return {
        "apiVersion": known.DAAP_SCHEMA.api_version,
        "kind": known.DAAP_SCHEMA.name,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"databaseRef": {"name": database}} | files | spec,
    }


class Schemas:
    """DaapSchemas of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    async def files(self, name: str, data: dict[str, str], *, labelled: bool = True) -> Object:
        """Create a ConfigMap with files, or have it hold these alone."""
        labels = {names.SCHEMA_FILES_LABEL: "true"} if labelled else {}
        metadata = {"namespace": self.namespace, "name": name, "labels": labels}
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        live = await self.api.get(known.CONFIG_MAP, self.namespace, name)
        if live is None:
            return await self.api.create(known.CONFIG_MAP, made)
        gone = dict.fromkeys(live.get("data", {}).keys() - data.keys())
        patch = {"metadata": {"labels": labels}, "data": gone | data}
        return await self.api.patch(known.CONFIG_MAP, self.namespace, name, patch)

    async def create(self, name: str, database: str = "orders", **spec: Any) -> Object:
        """Create one."""
        return await self.api.create(
            known.DAAP_SCHEMA, schema(self.namespace, name, database, **spec)
        )

    async def edit(self, name: str, **spec: Any) -> Object:
        """Change its spec."""
        return await self.api.patch(known.DAAP_SCHEMA, self.namespace, name, {"spec": spec})

    async def get(self, name: str) -> Object | None:
        """As it is now."""
        return await self.api.get(known.DAAP_SCHEMA, self.namespace, name)

    async def says(self, name: str, reason: str, *, seconds: float = 60) -> Object:
        """Wait until Ready has that reason."""
        found = await eventually(
            lambda: self.get(name),
            lambda obj: condition(obj, "Ready").get("reason") == reason,
            seconds=seconds,
        )
        assert found
        return found

    async def waits(
        self, name: str, holds: Callable[[Object], object], *, seconds: float = 60
    ) -> Object:
        """Wait until something holds of it that has a status."""
        found = await eventually(
            lambda: self.get(name),
            lambda obj: bool(obj and obj.get("status") and holds(obj)),
            seconds=seconds,
        )
        assert found
        return found

    async def under_way(self, name: str, mode: str) -> Object:
        """Wait until there is a Job of it that looks or applies, as its status says."""
        wanted = {"check": "Planning", "apply": "Applying", "rehearse": "Rehearsing"}[mode]
        found = await self.waits(
            name,
            lambda obj: (
                condition(obj, "Ready").get("reason") == wanted and obj["status"].get("job")
            ),
        )
        job = found["status"]["job"]
        await eventually(self.runs, lambda jobs: job in jobs)
        return found

    async def after(self, obj: Object) -> None:
        """Wait until whatever is created next is younger, by the second that ages are told in."""
        made = datetime.fromisoformat(obj["metadata"]["creationTimestamp"])
        await eventually(_now, lambda now: now > made + timedelta(seconds=1))

    async def delete(self, name: str) -> None:
        """Ask for its deletion."""
        await self.api.delete(known.DAAP_SCHEMA, self.namespace, name)

    async def gone(self, name: str) -> None:
        """Wait until it is no more."""
        await eventually(lambda: self.get(name), lambda obj: obj is None)

    async def applied(self, name: str, current: str, *, seconds: float = 60) -> Object:
        """Wait until everything up to a file is applied and verified."""
        found = await eventually(
            lambda: self.get(name),
            lambda obj: is_at(obj, current),
            seconds=seconds,
        )
        assert found
        return found

    async def runs(self) -> list[str]:
        """The Jobs of schemas, by name, that are there."""
        found = await self.api.list(known.JOB, self.namespace)
        return sorted(
            each["metadata"]["name"]
            for each in found
            if names.SCHEMA_LABEL in each["metadata"].get("labels", {})
        )


async def ready(databases: Databases, name: str = "orders") -> None:
    """There is a database to apply files to."""
    await databases.create(name)
    await databases.ready(name)


def is_at(obj: Object | None, current: str) -> bool:
    """Whether a schema is ready, and so far."""
    ready = condition(obj, "Ready").get("status") == "True"
    return bool(ready and obj and obj["status"].get("current") == current)


async def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - ages are told by the API server's clock
