"""The certificate of a port: verified by who reads, renewed while it is served."""

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from shutil import copy

import aiohttp
import pytest

from daap_operator.errors import StartError
from daap_operator.ports import METRICS, Answer, Certificate, Request
from daap_operator.ports.budget import Rate
from dev.cluster import pki
from tests.unit.ports import lines, serving

NAME = "daap-operator-metrics.daap-system.svc"


async def ok(request: Request) -> Answer:
    return Answer(HTTPStatus.OK, b"ok\n")


@pytest.fixture
def authority(tmp_path: Path) -> pki.Authority:
    made = pki.Authority(tmp_path / "authority")
    made.create()
    return made


@pytest.fixture
def mounted(authority: pki.Authority, tmp_path: Path) -> Path:
    (tmp_path / "mounted").mkdir()
    issue(authority, tmp_path / "mounted", "first")
    return tmp_path / "mounted"


def issue(authority: pki.Authority, directory: Path, name: str) -> None:
    """Another certificate in that directory, as a kubelet renews it."""
    authority.issue(name, pki.subject(name), [f"DNS:{NAME}"])
    for end in ("crt", "key"):
        new = directory / f"new.{end}"
        copy(authority.path(f"{name}.{end}"), new)
        os.replace(new, directory / f"tls.{end}")  # noqa: PTH105 - at once, as a link is renewed


async def seen(port: int, authority: pki.Authority) -> str:
    """Whose certificate a client is shown that verifies it."""
    context = ssl.create_default_context(cafile=str(authority.path("ca.crt")))
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=NAME
    )
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert b"200 OK" in await reader.read()
    subject = writer.get_extra_info("peercert")["subject"]
    writer.close()
    return str(dict(pair[0] for pair in subject)["commonName"])


async def test_a_certificate_is_served_and_a_renewed_one_at_once(
    authority: pki.Authority, mounted: Path
) -> None:
    async with serving(ok, METRICS, certificate=Certificate(str(mounted))) as port:
        assert await seen(port, authority) == "first"
        issue(authority, mounted, "second")
        assert await seen(port, authority) == "second"


async def test_a_pair_that_does_not_go_together_leaves_the_previous_one(
    authority: pki.Authority, mounted: Path
) -> None:
    async with serving(ok, METRICS, certificate=Certificate(str(mounted))) as port:
        (mounted / "tls.key").write_text("half of a")
        assert await seen(port, authority) == "first"
        issue(authority, mounted, "second")
        assert await seen(port, authority) == "second"


async def test_plain_http_is_not_answered_where_there_is_a_certificate(mounted: Path) -> None:
    async with (
        serving(ok, METRICS, certificate=Certificate(str(mounted))) as port,
        lines(port, 1) as (line,),
    ):
        await line.say("GET / HTTP/1.1\r\n\r\n")
        assert "200" not in await line.heard()


async def test_a_handshake_has_the_time_of_a_head_and_a_place_of_its_own(
    authority: pki.Authority, mounted: Path
) -> None:
    limits = replace(METRICS, connections=4, head_seconds=30.0)
    async with (
        serving(ok, limits, certificate=Certificate(str(mounted))) as port,
        lines(port, 20) as opened,
    ):
        assert await seen(port, authority) == "first"
        assert await opened[0].heard() == ""


async def test_handshakes_are_counted_also_of_who_asks_for_nothing(
    authority: pki.Authority, mounted: Path
) -> None:
    """Each takes as long as an answer: who only begins them must not keep the port busy."""
    limits = replace(METRICS, each=Rate(5, 0.0), common=Rate(20, 0.0))
    context = ssl.create_default_context(cafile=str(authority.path("ca.crt")))
    shaken = 0
    async with serving(ok, limits, certificate=Certificate(str(mounted))) as port:
        for _ in range(100):
            with suppress(OSError):
                _, writer = await asyncio.open_connection(
                    "127.0.0.1",
                    port,
                    ssl=context,
                    server_hostname=NAME,
                    local_addr=("127.0.0.2", 0),
                )
                shaken += 1
                writer.transport.abort()
        for _ in range(5):
            assert await seen(port, authority) == "first"
    assert shaken == 25


async def test_no_client_trusts_it_by_itself(mounted: Path) -> None:
    async with (
        serving(ok, METRICS, certificate=Certificate(str(mounted))) as port,
        aiohttp.ClientSession() as session,
    ):
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"https://127.0.0.1:{port}/")


def remove_key(directory: Path) -> None:
    (directory / "tls.key").unlink()


def spoil_certificate(directory: Path) -> None:
    (directory / "tls.crt").write_text("no certificate")


@pytest.mark.parametrize("spoil", [remove_key, spoil_certificate])
def test_a_certificate_that_cannot_be_used_keeps_the_operator_from_starting(
    spoil: Callable[[Path], None], mounted: Path
) -> None:
    spoil(mounted)
    with pytest.raises(StartError, match=r"DAAP_METRICS_TLS_DIRECTORY='.*put a certificate there"):
        Certificate(str(mounted))
