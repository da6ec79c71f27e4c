"""More objects wait for one other than are woken at once: none of them is left behind."""

import asyncio

from daap_operator.engine.many import AT_ONCE
from daap_operator.kinds import known
from daap_operator.kinds.backup.controller import STALLED_SECONDS
from tests.support.api import Api, Object
from tests.support.daapbackups import Backups
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators

MANY = AT_ONCE + 30


async def test_all_that_wait_for_a_database_see_it_go(
    api: Api, namespace: str, databases: Databases, operators: Operators
) -> None:
    backups = Backups(api, namespace)
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await asyncio.gather(*(backups.create(f"b-{each}") for each in range(MANY)))

    async def reasons() -> list[str]:
        found = await api.list(known.DAAP_BACKUP, namespace)
        return [reason(each) for each in found]

    await eventually(reasons, lambda found: found == ["BackupsOff"] * MANY)
    await databases.delete("orders")
    await databases.gone("orders")
    # They look by themselves after STALLED_SECONDS
    missing = ["DatabaseMissing"] * MANY
    await eventually(reasons, lambda found: found == missing, seconds=STALLED_SECONDS / 2)


def reason(backup: Object) -> str:
    return str(condition(backup, "Ready").get("reason"))
