"""The recorded objects are what the operator writes today. `make recorded` writes them anew."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import yaml

from dev.cluster import ControlPlane
from tests.fix_cluster import own_namespace
from tests.integration import (
    backup_situations,
    drill_situations,
    restore_situations,
    schema_situations,
    situations,
)
from tests.integration.situations import Stage
from tests.standin.cnpg import StandIn
from tests.support import recorded
from tests.support.api import Api
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.operator import Operators

WRITE = bool(os.environ.get("DAAP_TESTS_RECORD"))


@pytest.fixture
async def stage(
    api: Api, databases: Databases, operators: Operators, standin: StandIn
) -> AsyncIterator[Stage]:
    async with own_namespace(api, "u") as other:
        yield Stage(databases, Databases(api, other), operators, standin)


SITUATIONS = {
    recorded.DATABASE: (situations.NAME, situations.SITUATIONS),
    recorded.BACKUP: (backup_situations.NAME, backup_situations.SITUATIONS),
    recorded.RESTORE: (restore_situations.NAME, restore_situations.SITUATIONS),
    recorded.DRILL: (drill_situations.NAME, drill_situations.SITUATIONS),
    recorded.SCHEMA: (schema_situations.NAME, schema_situations.SITUATIONS),
}
"""By kind: what the object is called, and how each situation comes about."""


@pytest.mark.parametrize("kind", SITUATIONS)
def test_every_situation_is_recorded_and_no_other(kind: str) -> None:
    assert WRITE or recorded.names(kind) == sorted(SITUATIONS[kind][1])


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, (_, made) in SITUATIONS.items() for name in made]
)
async def test_a_situation_is_told_as_recorded(
    kind: str, name: str, stage: Stage, control_plane: ControlPlane
) -> None:
    called, made = SITUATIONS[kind]
    await made[name](stage)
    meant = {stage.namespace: "shop", stage.elsewhere.namespace: "warehouse"}

    async def printed() -> str:
        get = ("get", kind.lower(), called, "-n", stage.namespace, "-o", "yaml")
        # In a thread: the operator runs in the test's own event loop
        return recorded.text(await asyncio.to_thread(control_plane.kubectl, *get), meant)

    if WRITE:
        recorded.path(name, kind).write_text(await _at_rest(printed))
        return
    wanted = recorded.path(name, kind).read_text()

    async def there() -> str:
        found = await stage.databases.api.get(f"{kind.lower()}s", stage.namespace, called)
        assert found
        del found["metadata"]["managedFields"]  # which kubectl does not print
        return recorded.text(yaml.safe_dump(found), meant)

    await eventually(there, lambda text: text == wanted, every=0.2)  # much less work than kubectl
    await eventually(printed, lambda text: text == wanted, every=0.2)


async def _at_rest(printed: Callable[[], Awaitable[str]]) -> str:
    """What is printed when nothing has changed for a while."""
    seen: list[str] = []

    async def look() -> list[str]:
        seen.append(await printed())
        return seen[-4:]

    return (await eventually(look, lambda last: len(last) == 4 and len({*last}) == 1, every=0.5))[0]
