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
TABLES = ("databases", "backups", "restores", "drills", "schemas")
MADE = ("networkpolicies", "jobs")
"""What only drills make, besides Clusters."""
DRILLED = (*MADE, "daapdrills", "objectstores")
"""What is looked at for the sake of drills only."""
SCHEMAS = ("daapschemas", "configmaps", "jobs")
"""What is looked at for the sake of schemas only, or of drills."""
PLURALS = (
    *("daapdatabases", *CHILDREN, *BELOW, *KEPT, "backups", *MADE, "objectstores"),
    *SCHEMAS[:2],
)


@dataclass(frozen=True)
class Seen:
    """The objects by their plural, and the rows."""

    objects: dict[str, list[Object]]
    rows: list[Row]
    backup_rows: list[Row] = field(default_factory=list)
    restore_rows: list[Row] = field(default_factory=list)
    drill_rows: list[Row] = field(default_factory=list)
    schema_rows: list[Row] = field(default_factory=list)

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
        kept = (*self.backup_rows, *self.restore_rows, *self.drill_rows, *self.schema_rows)
        rows = (*self.rows, *kept)
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


async def see(
    api: Api, namespaces: list[str], rows: Rows, *, drilled: bool = True, schemas: bool = True
) -> Seen:
    """Look at everything; at what only drills or schemas make where there may have been some."""
    left_out = set() if drilled else {*DRILLED}
    left_out = left_out - {*SCHEMAS} if schemas else left_out | {*SCHEMAS[:2]}
    plurals = [plural for plural in PLURALS if plural not in left_out]
    asked = [(plural, namespace) for plural in plurals for namespace in namespaces]
    answers = await asyncio.gather(*(listed(api, *one) for one in asked))
    objects: dict[str, list[Object]] = {plural: [] for plural in PLURALS}
    for (plural, _), found in zip(asked, answers, strict=True):
        objects[plural] += found
    return Seen(objects, *await rows.tables(*TABLES))


async def listed(api: Api, plural: str, namespace: str) -> list[Object]:
    """The objects of a kind in a namespace, each knowing its plural."""
    return [obj | {"plural": plural} for obj in await api.list(plural, namespace)]
