"""`/metrics`: for those who may, one page for all who ask at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import pytest

from daap_operator.ports import METRICS, Access, Owner, Scrapes, access, scrapes
from tests.unit.ports import get, lines, serving

SECRET = "daap_database_info"


class Writer:
    """Writes the page, when it may."""

    def __init__(self) -> None:
        self.written = 0
        self.at_once = self.most_at_once = 0
        self.may = asyncio.Event()
        self.may.set()
        self.begun = asyncio.Event()

    async def write(self, accept: str) -> tuple[bytes, str]:
        self.written += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        await self.may.wait()
        self.at_once -= 1
        return f"{SECRET} for {accept}\n".encode(), "text/plain; version=1.0.0; charset=utf-8"


async def review(token: str) -> HTTPStatus:
    return {"good": HTTPStatus.OK, "poor": HTTPStatus.FORBIDDEN}.get(token, HTTPStatus.UNAUTHORIZED)


@asynccontextmanager
async def scraped(writer: Writer, access: Access | None = None) -> AsyncIterator[int]:
    async with serving(Scrapes(Owner(), writer.write, access).answer, METRICS) as port:
        yield port


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ({}, (401, "")),
        ({"Authorization": "Bearer"}, (401, "")),
        ({"Authorization": "Basic good"}, (401, "")),
        ({"Authorization": "Bearer bad"}, (401, "")),
        ({"Authorization": "Bearer poor"}, (403, "")),
        ({"Authorization": "Bearer good"}, (200, f"{SECRET} for \n")),
        ({"Authorization": "bearer good"}, (200, f"{SECRET} for \n")),
    ],
)
async def test_who_may_reads_and_others_get_no_word(
    sent: dict[str, str], answer: tuple[int, str]
) -> None:
    writer = Writer()
    async with scraped(writer, Access(review, lambda: 0.0)) as port:
        assert await get(port, "/metrics", **sent) == answer
    assert writer.written == (answer[0] == 200)


async def test_invented_tokens_of_one_address_keep_no_reader_at_another_out() -> None:
    async with scraped(Writer(), Access(review, lambda: 0.0)) as port:
        async with lines(port, 20, "127.0.0.2") as strangers:
            for number, line in enumerate(strangers[4:]):
                await line.say(f"GET /metrics HTTP/1.1\r\nAuthorization: Bearer {number}\r\n\r\n")
            heard = [await line.heard() for line in strangers[4:]]
        assert sum("429 Too Many" in said for said in heard) == 16 - access.EACH.burst
        assert (await get(port, "/metrics", Authorization="Bearer good"))[0] == 200


async def test_without_authentication_everybody_reads() -> None:
    async with scraped(Writer()) as port:
        assert (await get(port, "/metrics"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/livez", 404), ("GET", "/metrics/x", 404), ("POST", "/metrics", 405)],
)
async def test_there_is_nothing_else(method: str, path: str, status: int) -> None:
    async with scraped(Writer()) as port:
        assert await get(port, path, method=method) == (status, "")


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("application/openmetrics-text;version=1.0.0;q=0.8,text/plain", scrapes.FORMATS[0]),
        ("application/openmetrics-text;version=77.1", scrapes.FORMATS[0]),
        ("text/plain;version=0.0.4", ""),
        ("*/*", ""),
    ],
)
async def test_of_all_that_may_be_asked_for_there_are_few_formats(
    accept: str, format_: str
) -> None:
    async with scraped(Writer()) as port:
        assert await get(port, "/metrics", Accept=accept) == (200, f"{SECRET} for {format_}\n")


async def test_the_page_comes_compressed_to_who_asks_for_that() -> None:
    async with scraped(Writer()) as port, aiohttp.ClientSession() as session:
        for encoding, said in (("gzip, deflate", "gzip"), ("identity", None)):
            headers = {"Accept-Encoding": encoding}
            async with session.get(f"http://127.0.0.1:{port}/metrics", headers=headers) as reply:
                assert reply.headers.get("Content-Encoding") == said
                assert reply.headers["Content-Type"] == "text/plain; version=1.0.0; charset=utf-8"
                assert SECRET in await reply.text()


async def test_one_page_is_written_at_a_time_for_all_who_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scrapes, "PAGE_SECONDS", 1000.0)  # on a busy machine some ask late
    writer = Writer()
    writer.may.clear()
    head = "GET /metrics HTTP/1.1\r\nAccept: {}\r\n\r\n"
    async with scraped(writer) as port, lines(port, METRICS.connections) as opened:
        for number, line in enumerate(opened):
            await line.say(head.format(scrapes.FORMATS[number % 2] or "*/*"))
        await writer.begun.wait()
        writer.may.set()
        said = [await line.heard() for line in opened]
    assert all("200 OK" in each for each in said)
    assert writer.most_at_once == 1
    assert writer.written == len(scrapes.FORMATS)


async def test_a_page_is_given_out_again_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def written(seconds: float) -> int:
        writer = Writer()
        monkeypatch.setattr(scrapes, "PAGE_SECONDS", seconds)
        async with scraped(writer) as port:
            answers: list[Any] = [await get(port, "/metrics") for _ in range(3)]
        assert {status for status, _ in answers} == {200}
        return writer.written

    assert await written(1000.0) == 1
    assert await written(0.0) == 3
