"""What a kubelet and a Service are told."""

from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.http import metrics, probe
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
    assert await probe(running.operator, "/nothing") == (404, "")
    assert await probe(running.operator, "/metrics") == (404, "")


async def test_they_are_answered_by_ipv4_and_by_ipv6(operators: Operators) -> None:
    running = await operators.begin(DAAP_HEALTH_HOST="", DAAP_METRICS_HOST="")

    async def heard() -> list[int]:
        statuses = []
        for host in ("127.0.0.1", "[::1]"):
            statuses.append((await probe(running.operator, "/livez", host=host))[0])
            statuses.append((await metrics(running.operator, host=host))[0])
        return statuses

    await eventually(heard, lambda seen: seen == [200] * 4)
