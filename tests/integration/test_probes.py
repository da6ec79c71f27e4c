"""What a kubelet and a Service are told."""

import pytest

from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.http import probe
from tests.support.operator import Operators


async def test_live_and_ready_once_databases_are_looked_after(
    databases: Databases, operators: Operators
) -> None:
    running = await operators.begin()

    async def live() -> tuple[int, str]:
        return await probe(running.operator, "/livez")

    await eventually(live, lambda seen: seen == (200, "ok\n"))
    await running.ready()
    assert await probe(running.operator, "/readyz") == (200, "ok\n")
    assert (await probe(running.operator, "/nothing"))[0] == 404


@pytest.mark.parametrize("path", ["/livez", "/metrics"])
async def test_they_are_answered_by_ipv4_and_by_ipv6(path: str, operators: Operators) -> None:
    running = await operators.begin(DAAP_HEALTH_HOST="")

    async def heard() -> list[int]:
        hosts = ("127.0.0.1", "[::1]")
        return [(await probe(running.operator, path, host=host))[0] for host in hosts]

    await eventually(heard, lambda seen: seen == [200, 200])
