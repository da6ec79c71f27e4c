"""A change counts as applied once it is seen to be, however long CloudNativePG takes for it."""

import time
from typing import Any

from daap_operator.kinds.database.children import SETTLE_SECONDS
from tests.standin.cnpg import StandIn
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.operator import Operators

EDITS: dict[str, dict[str, Any]] = {
    "memory": {"resources": {"limits": {"memory": "2Gi"}}},
    "clients": {"pooler": {"maxClientConnections": 77}},
    "mode": {"pooler": {"mode": "Session"}},
    "version": {"postgresVersion": 18},
}
"""One for each database of the test, by its name."""


async def test_no_change_is_done_before_cloudnativepg_has_taken_it_up(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    await operators.start()
    await edited_while_asleep(databases, standin)
    await nothing_is_done(databases, 3 * SETTLE_SECONDS)
    standin.wake(databases.namespace)
    for name in EDITS:
        await databases.ready(name)


async def test_an_operator_that_starts_later_does_not_take_it_for_done_either(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    operator = await operators.start()
    await edited_while_asleep(databases, standin)
    for name in EDITS:
        await eventually(
            lambda name=name: databases.get(name),  # type: ignore[misc]
            lambda obj: condition(obj, "Reconciling").get("status") == "True",
        )
    await operator.stop()
    await operators.start(DAAP_WATCH_NAMESPACES=databases.namespace)
    await nothing_is_done(databases, SETTLE_SECONDS)
    standin.wake(databases.namespace)
    for name in EDITS:
        await databases.ready(name)


async def edited_while_asleep(databases: Databases, standin: StandIn) -> None:
    """A Ready database for each edit, and the edits made while CloudNativePG does nothing."""
    for name in EDITS:
        await databases.create(name)
    for name in EDITS:
        await databases.ready(name)
    standin.sleep(databases.namespace)
    for name, edit in EDITS.items():
        await databases.edit(name, **edit)


async def nothing_is_done(databases: Databases, seconds: float) -> None:
    """For so long no database says that its present spec is there; all say that they serve."""
    began = time.monotonic()

    async def passed() -> float:
        for name in EDITS:
            obj = await databases.get(name)
            assert not is_ready(obj), f"{name} is done: {obj}"
            assert condition(obj, "Ready")["status"] == "True"
        return time.monotonic() - began

    await eventually(passed, lambda long: long > seconds)
