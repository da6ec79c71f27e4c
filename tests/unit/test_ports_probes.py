"""Probes: a status for whoever asks, and the reason for who reads the log."""

import asyncio
import http.client
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from daap_operator.ports import PROBES, Owner, Probes
from tests.unit.ports import get, serving

WORDS = "Waiting for the schema of postgres.internal:5432"


class Checks:
    """What is wrong, to be changed by the test."""

    def __init__(self, **wrong: str) -> None:
        self.wrong = {"live": "", "ready": ""} | wrong
        self.asked = 0

    def look(self, word: str) -> str:
        self.asked += 1
        return self.wrong[word]


@asynccontextmanager
async def probed(checks: Checks, **options: Any) -> AsyncIterator[int]:
    each = {word: partial(checks.look, word) for word in checks.wrong}
    async with serving(Probes(Owner(), each, **options).answer, PROBES) as port:
        yield port


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(each.message, getattr(each, "reason", "")) for each in caplog.records]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/readyz?verbose"])
async def test_all_is_well(path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "daap_operator")
    async with probed(Checks()) as port:
        assert await get(port, path) == (200, "ok\n")
    assert told(caplog) == []


@pytest.mark.parametrize(("word", "other"), [("live", "ready"), ("ready", "live")])
async def test_what_is_wrong_is_told_to_the_log_alone(
    word: str, other: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with probed(Checks(**{word: WORDS})) as port:
        assert await get(port, f"/{word}z") == (503, "")
        assert await get(port, f"/{other}z") == (200, "ok\n")
    assert told(caplog) == [(f"Not {word}", WORDS)]


async def test_the_log_has_each_change_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    checks = Checks(ready="Starting")
    async with probed(checks) as port:
        for wrong in ("Starting", WORDS, ""):
            checks.wrong["ready"] = wrong
            for _ in range(3):
                await get(port, "/readyz")
    expected = [("Not ready", "Starting"), ("Not ready", WORDS), ("Ready again", "")]
    assert told(caplog) == expected


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/metrics", 404), ("GET", "/", 404), ("POST", "/livez", 405)],
)
async def test_there_is_nothing_else(method: str, path: str, status: int) -> None:
    async with probed(Checks()) as port:
        assert await get(port, path, method=method) == (status, "")


async def test_an_event_loop_that_hangs_is_not_live(caplog: pytest.LogCaptureFixture) -> None:
    """The request is made by the event loop that is asked: it hangs until the answer is there."""
    async with probed(Checks(), seconds=0.05) as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        client.request("GET", "/livez")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (503, b"")
        client.close()
        assert told(caplog) == [("Not live", "The event loop has not answered for 0.05 s")]
        assert await get(port, "/livez") == (200, "ok\n")


async def test_those_who_ask_at_the_same_time_cost_one_look() -> None:
    """The event loop that is asked hangs until all of them have asked."""
    checks = Checks()
    async with probed(checks, seconds=20) as port:
        clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(20)]
        for client in clients:
            client.request("GET", "/livez")
        replies = [asyncio.to_thread(client.getresponse) for client in clients]
        answers = [reply.status for reply in await asyncio.gather(*replies)]
        for client in clients:
            client.close()
    assert answers == [200] * 20
    assert checks.asked < 20
