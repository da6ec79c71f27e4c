"""Whether a database's volumes can grow, asked of the API server only when they should."""

from typing import Any

from daap_operator import raw
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.memory import DatabaseWorld
from daap_operator.kinds.database.phases import Meaning
from daap_operator.kinds.database.seen import Children, Observed
from daap_operator.kinds.database.volumes import (
    Expansion,
    Sizing,
    classes_to_ask,
    data_claims,
    sizing,
)
from daap_operator.kube import ApiError

Object = dict[str, Any]

CLASS_SECONDS = 60.0
"""How long an answer about a StorageClass holds, for all databases together."""


async def size_volumes(world: DatabaseWorld, database: Resolved, children: Children) -> Sizing:
    """What to tell the Cluster of its volumes; asks nothing unless they should grow."""
    asked, claims = database.spec.storage.size, data_claims(children.cluster, children.claims)
    had = raw.text(children.cluster, "spec", "storage", "size")
    classes = {name: await _expansion(world, name) for name in classes_to_ask(asked, claims)}
    return sizing(asked, had, claims, classes)


async def _expansion(world: DatabaseWorld, name: str) -> Expansion:
    """Whether a StorageClass lets volumes grow, as it was a minute ago at the earliest."""
    if not name:
        return Expansion.ABSENT
    known, now = world.storage_classes.get(name), world.monotonic()
    if known is not None and now - known[0] < CLASS_SECONDS:
        return known[1]
    found = await _ask(world, name)
    fresh = {
        other: told
        for other, told in world.storage_classes.items()
        if now - told[0] < CLASS_SECONDS
    }
    world.storage_classes = fresh | {name: (now, found)}
    return found


async def _ask(world: DatabaseWorld, name: str) -> Expansion:
    try:
        found = await world.kube.get(known.STORAGE_CLASS, "", name)
    except ApiError as error:
        if error.status == 403:
            return Expansion.UNKNOWN
        raise
    if found is None:
        return Expansion.ABSENT
    allowed = raw.truth(found, "allowVolumeExpansion")
    return Expansion.ALLOWED if allowed else Expansion.REFUSED


def told_of_volumes(volumes: Sizing, observed: Observed) -> Stalled | Waiting | None:
    """What to report of the volumes; what keeps clients from being served comes first."""
    awaited, problem = observed.awaited, volumes.problem
    if awaited is None or volumes.first or problem is None:
        return problem
    if isinstance(problem, Stalled) and awaited.meaning is Meaning.ACTION:
        return Stalled(awaited.reason, f"{awaited.message}. {problem.finding.message}")
    return None
