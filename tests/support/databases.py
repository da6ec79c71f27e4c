"""DaapDatabases as tests write them and read them back."""

from typing import Any

from tests.support.api import Api, Object
from tests.support.eventually import SECONDS, eventually

CHILDREN = ("clusters", "poolers", "deployments", "secrets", "persistentvolumeclaims")
"""What belongs to databases, by plural."""

NAMESPACE_SECONDS = 90.0


def database(namespace: str, name: str, **spec: Any) -> Object:
    """A DaapDatabase."""
    return {
        "apiVersion": "daap.io/v1alpha1",
        "kind": "DaapDatabase",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"ownerTeam": "checkout", **spec},
    }


def condition(obj: Object | None, kind: str) -> Object:
    """A condition; empty when it is not there."""
    conditions = ((obj or {}).get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c["type"] == kind), {})


def phase(obj: Object | None) -> str:
    """The phase; empty when there is none."""
    return str(((obj or {}).get("status") or {}).get("phase") or "")


def is_ready(obj: Object | None) -> bool:
    """Ready for its present generation, and nothing under way: kstatus' Current."""
    ready = condition(obj, "Ready")
    return (
        obj is not None
        and ready.get("status") == "True"
        and ready.get("observedGeneration") == obj["metadata"]["generation"]
        and obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
        and not condition(obj, "Reconciling")
        and not condition(obj, "Stalled")
    )


class Databases:
    """DaapDatabases of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    async def create(self, name: str, **spec: Any) -> Object:
        """Create one."""
        return await self.api.create("daapdatabases", database(self.namespace, name, **spec))

    async def object_store(self, name: str = "backups", *, retention: str = "") -> Object:
        """An ObjectStore, as the platform team creates it; without a retention it keeps all."""
        body = {
            "apiVersion": "barmancloud.cnpg.io/v1",
            "kind": "ObjectStore",
            "metadata": {"namespace": self.namespace, "name": name},
            "spec": {
                "configuration": {"destinationPath": f"s3://{name}/"},
                **({"retentionPolicy": retention} if retention else {}),
            },
        }
        return await self.api.create("objectstores", body)

    async def edit(self, name: str, **spec: Any) -> Object:
        """Change its spec."""
        return await self.api.patch("daapdatabases", self.namespace, name, {"spec": spec})

    async def delete(self, name: str, body: object = None) -> None:
        """Ask for its deletion."""
        await self.api.delete("daapdatabases", self.namespace, name, body)

    async def get(self, name: str) -> Object | None:
        """As it is now."""
        return await self.api.get("daapdatabases", self.namespace, name)

    async def child(self, plural: str, name: str) -> Object | None:
        """A child as it is now."""
        return await self.api.get(plural, self.namespace, name)

    async def ready(self, name: str, *, seconds: float = SECONDS) -> Object:
        """Wait until it is Ready with nothing under way."""
        found = await eventually(lambda: self.get(name), is_ready, seconds=seconds)
        assert found
        return found

    async def stalled(self, name: str, reason: str, *, seconds: float = SECONDS) -> Object:
        """Wait until it is Stalled with that reason."""
        found = await eventually(
            lambda: self.get(name),
            lambda obj: condition(obj, "Stalled").get("reason") == reason,
            seconds=seconds,
        )
        assert found
        return found

    async def gone(self, name: str, *, seconds: float = SECONDS) -> None:
        """Wait until it is no more."""
        await eventually(lambda: self.get(name), lambda obj: obj is None, seconds=seconds)

    async def namespace_gone(self) -> None:
        """Wait until the namespace is no more.

        Its controller comes 5 seconds after the deletion, and 5 more, 10, 20 after a try that
        failed, as one does while an API server's cache is behind.
        """
        await eventually(
            lambda: self.api.get("namespaces", "", self.namespace),
            lambda found: found is None,
            seconds=NAMESPACE_SECONDS,
        )

    async def remains(self) -> set[str]:
        """What there is of databases in the namespace, as plural/name."""
        return {
            f"{plural}/{obj['metadata']['name']}"
            for plural in CHILDREN
            for obj in await self.api.list(plural, self.namespace)
        }

    async def events(self, name: str) -> set[str]:
        """The reasons of the Events on one of them."""
        found = await self.api.list("events", self.namespace)
        return {event["reason"] for event in found if event["regarding"]["name"] == name}
