"""The recorded objects are what the operator writes today. `make recorded` writes them anew."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from dev.cluster import ControlPlane
from tests.fix_cluster import own_namespace
from tests.integration.situations import NAME, SITUATIONS, Stage
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


def test_every_situation_is_recorded_and_no_other() -> None:
    assert WRITE or recorded.names() == sorted(SITUATIONS)


@pytest.mark.parametrize("name", SITUATIONS)
async def test_a_situation_is_told_as_recorded(
    name: str, stage: Stage, control_plane: ControlPlane
) -> None:
    await SITUATIONS[name](stage)
    meant = {stage.namespace: "shop", stage.elsewhere.namespace: "warehouse"}

    async def printed() -> str:
        get = ("get", "daapdatabase", NAME, "-n", stage.namespace, "-o", "yaml")
        # In a thread: the operator runs in the test's own event loop
        return recorded.text(await asyncio.to_thread(control_plane.kubectl, *get), meant)

    if WRITE:
        recorded.path(name).write_text(await _at_rest(printed))
        return
    await eventually(printed, lambda text: text == recorded.path(name).read_text(), every=0.2)


async def _at_rest(printed: Callable[[], Awaitable[str]]) -> str:
    """What is printed when nothing has changed for a while."""
    seen: list[str] = []

    async def look() -> list[str]:
        seen.append(await printed())
        return seen[-4:]

    return (await eventually(look, lambda last: len(last) == 4 and len({*last}) == 1, every=0.5))[0]
