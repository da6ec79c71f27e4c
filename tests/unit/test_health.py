"""The probes and the metrics, asked over the loopback interface."""

import aiohttp
import pytest

from daap_operator import health
from daap_operator.errors import StartError


async def page(accept: str) -> tuple[bytes, str]:
    return f"asked for {accept}\n".encode(), "text/plain; version=1.0.0; charset=utf-8"


def answers(*, dead: str = "", busy: str = "") -> health.Answers:
    return health.Answers(live=lambda: dead, ready=lambda: busy, metrics=page)


async def answer(path: str, *, dead: str = "", busy: str = "") -> tuple[int, str]:
    runner, port = await health.serve("127.0.0.1", 0, answers(dead=dead, busy=busy))
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
    assert (await answer("/secrets"))[0] == 404


async def test_the_metrics_come_in_the_format_that_is_asked_for_and_compressed() -> None:
    runner, port = await health.serve("127.0.0.1", 0, answers(dead="A pass hangs"))
    headers = {"Accept": "text/plain", "Accept-Encoding": "gzip"}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/metrics", headers=headers) as reply,
        ):
            assert reply.status == 200
            assert reply.headers["Content-Type"] == "text/plain; version=1.0.0; charset=utf-8"
            assert reply.headers["Content-Encoding"] == "gzip"
            assert await reply.text() == "asked for text/plain\n"
    finally:
        await runner.cleanup()


async def test_a_port_that_is_taken_keeps_the_operator_from_starting() -> None:
    runner, port = await health.serve("127.0.0.1", 0, answers())
    try:
        with pytest.raises(StartError, match=f"127.0.0.1:{port}.*set DAAP_HEALTH_PORT to a free"):
            await health.serve("127.0.0.1", port, answers())
    finally:
        await runner.cleanup()
