"""The probes and the metrics, asked over the loopback interface."""

import errno
import socket
from typing import Any

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


async def seen_from(host: str, port: int) -> int:
    """The status that `/livez` has at an address; 0 where nobody listens."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{host}:{port}/livez") as reply,
        ):
            return reply.status
    except aiohttp.ClientError:
        return 0


@pytest.mark.parametrize(
    ("host", "heard"),
    [
        ("::", {"127.0.0.1": 200, "[::1]": 200}),
        ("::1", {"127.0.0.1": 0, "[::1]": 200}),
        ("127.0.0.1", {"127.0.0.1": 200, "[::1]": 0}),
        ("0.0.0.0", {"127.0.0.1": 200, "[::1]": 0}),
    ],
)
async def test_probes_are_answered_at_the_addresses_asked_for(
    host: str, heard: dict[str, int]
) -> None:
    runner, port = await health.serve(host, 0, answers())
    try:
        assert {address: await seen_from(address, port) for address in heard} == heard
    finally:
        await runner.cleanup()


async def test_where_the_kernel_has_no_ipv6_every_ipv4_address_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = socket.create_server

    def without_ipv6(address: Any, **options: Any) -> socket.socket:
        if options.get("family") == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return create(address, **options)

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    runner, port = await health.serve("::", 0, answers())
    try:
        assert await seen_from("127.0.0.1", port) == 200
    finally:
        await runner.cleanup()


async def test_a_port_that_is_taken_on_ipv4_alone_keeps_the_operator_from_starting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=rf"\[::\]:{port}.*set DAAP_HEALTH_PORT to a free"):
            await health.serve("::", port, answers())


async def test_an_address_of_another_machine_is_told_of_as_one() -> None:
    with pytest.raises(StartError, match=r"\[2001:db8::1\]:0.*DAAP_HEALTH_HOST to an address of"):
        await health.serve("2001:db8::1", 0, answers())


async def test_a_port_that_is_taken_keeps_keeps_the_operator_from_starting() -> None:
    runner, port = await health.serve("127.0.0.1", 0, answers())
    try:
        with pytest.raises(StartError, match=f"127.0.0.1:{port}.*set DAAP_HEALTH_PORT to a free"):
            await health.serve("127.0.0.1", port, answers())
    finally:
        await runner.cleanup()
