"""The probes, asked over the loopback interface."""

import aiohttp
import pytest

from daap_operator import health
from daap_operator.errors import StartError


async def answer(path: str, *, dead: str = "", busy: str = "") -> tuple[int, str]:
    checks = health.Checks(live=lambda: dead, ready=lambda: busy)
    runner, port = await health.serve("127.0.0.1", 0, checks)
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}{path}") as reply,
        ):
            return reply.status, await reply.text()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_probe_is_answered_when_all_is_well(path: str) -> None:
    assert await answer(path) == (200, "ok\n")


async def test_a_process_beyond_help_says_so() -> None:
    assert await answer("/livez", dead="A pass hangs") == (503, "A pass hangs\n")
    assert await answer("/readyz", dead="A pass hangs") == (200, "ok\n")


async def test_a_process_that_is_not_ready_says_why_and_lives() -> None:
    assert await answer("/readyz", busy="Starting") == (503, "Starting\n")
    assert await answer("/livez", busy="Starting") == (200, "ok\n")


async def test_there_is_nothing_else() -> None:
    assert (await answer("/metrics"))[0] == 404


async def test_a_port_that_is_taken_keeps_the_operator_from_starting() -> None:
    checks = health.Checks(live=str, ready=str)
    runner, port = await health.serve("127.0.0.1", 0, checks)
    try:
        with pytest.raises(StartError, match=f"127.0.0.1:{port}.*set DAAP_HEALTH_PORT to a free"):
            await health.serve("127.0.0.1", port, checks)
    finally:
        await runner.cleanup()
