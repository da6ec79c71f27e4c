"""All there is in a run's namespaces and in its inventory, at one moment."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.support.api import Api, Object
from tests.support.databases import condition
from tests.support.rows import Row, Rows

CHILDREN = ("clusters", "poolers", "secrets")
BELOW = ("deployments", "persistentvolumeclaims")
KEPT = ("daapbackups", "daaprestores", "daapdrills")
MADE = ("networkpolicies", "jobs")
"""What only drills make, besides Clusters."""
DRILLED = (*MADE, "daapdrills", "objectstores")
"""What is looked at for the sake of drills only."""
PLURALS = ("daapdatabases", *CHILDREN, *BELOW, *KEPT, "backups", *MADE, "objectstores")


@dataclass(frozen=True)
class Seen:
    """The objects by their plural, and the rows."""

    objects: dict[str, list[Object]]
    rows: list[Row]
    backup_rows: list[Row] = field(default_factory=list)
    restore_rows: list[Row] = field(default_factory=list)
    drill_rows: list[Row] = field(default_factory=list)

    def one(self, plural: str, namespace: str, name: str) -> Object | None:
        """The object of that name."""
        for obj in self.objects[plural]:
            metadata = obj["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name):
                return obj
        return None

    @property
    def versions(self) -> Any:
        """What moves with every change of anything."""
        versions = {
            (obj["metadata"]["uid"], obj["metadata"]["resourceVersion"])
            for found in self.objects.values()
            for obj in found
        }
        rows = (*self.rows, *self.backup_rows, *self.restore_rows, *self.drill_rows)
        return versions, {(row["id"], row["updated_at"]) for row in rows}


def told(obj: Object) -> str:
    """An object as a sentence names it."""
    return f"{obj['plural']} {obj['metadata']['namespace']}/{obj['metadata']['name']}"


def says(obj: Object) -> str:
    """What an object's status says, in short."""
    status = obj.get("status") or {}
    conditions = [
        f"{c['type']}={c['status']} {c.get('reason')}: {c.get('message')}"
        for c in status.get("conditions") or ()
    ]
    return f"{status.get('phase')} ({'; '.join(conditions)})"


def moves(database: Object) -> bool:
    """Whether the operator has something to do yet for a database, as it says itself."""
    metadata, status = database["metadata"], database.get("status") or {}
    going = bool(metadata.get("deletionTimestamp"))
    if going or status.get("observedGeneration") != metadata["generation"]:
        return True
    return bool(condition(database, "Reconciling"))


async def see(api: Api, namespaces: list[str], rows: Rows, *, drilled: bool = True) -> Seen:
    """Look at everything; at what only drills make where there may have been some."""
    plurals = [plural for plural in PLURALS if drilled or plural not in DRILLED]
    asked = [(plural, namespace) for plural in plurals for namespace in namespaces]
    answers = await asyncio.gather(*(listed(api, *one) for one in asked))
    objects: dict[str, list[Object]] = {plural: [] for plural in PLURALS}
    for (plural, _), found in zip(asked, answers, strict=True):
        objects[plural] += found
    return Seen(objects, *await rows.tables("databases", "backups", "restores", "drills"))


async def listed(api: Api, plural: str, namespace: str) -> list[Object]:
    """The objects of a kind in a namespace, each knowing its plural."""
    return [obj | {"plural": plural} for obj in await api.list(plural, namespace)]
