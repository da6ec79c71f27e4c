"""What a database with `spec.source` is made from, asked once: of the store, or the inventory."""

from typing import Any

from daap_operator.api.v1alpha1 import DaapDatabase
from daap_operator.errors import Waiting
from daap_operator.kinds.database import origin
from daap_operator.kinds.database.desired.resolved import Origin
from daap_operator.kinds.database.fitness import judged
from daap_operator.kinds.database.memory import DatabaseWorld
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.row import DATABASES
from daap_operator.kinds.database.subject import DatabaseSubject, database
from daap_operator.mirror import MetadataError

Object = dict[str, Any]

RETRY_SECONDS = 10.0
"""When to ask again an inventory that does not answer."""


async def sought(
    world: DatabaseWorld, looked_at: DatabaseSubject, there: Object | None
) -> Origin | None:
    """What a database is to be made from, while that is not decided; else None.

    `there` is its Cluster, or that which it takes over: then there is nothing to decide. Raises
    Stalled for what only a person can change, and Waiting for what may still come.
    """
    if "source" not in looked_at.spec or there is not None:
        return None
    wanted = database(looked_at.seen)
    if not origin.is_sought(wanted):
        return None
    store, platform = world.store, world.platform
    source = origin.seen(store, wanted, platform) or await _remembered(world, wanted)
    return judged(store, wanted, platform, world.now(), source)


async def _remembered(world: DatabaseWorld, wanted: DaapDatabase) -> origin.Kept:
    """The source of a database, which is no DaapDatabase any more."""
    place = origin.place(wanted)
    try:
        row = await world.mirror.newest_deleted(
            DATABASES, place, origin.REMEMBERED, known="archive"
        )
    except MetadataError as error:
        told = (
            f"There is no DaapDatabase '{place[1]}', and the inventory, which knows what is kept "
            f"of one that was deleted, does not answer: {error.finding.message}"
        )
        raise Waiting(DatabaseReason.SOURCE_PENDING, told, seconds=RETRY_SECONDS) from error
    return origin.deleted(wanted, row)
