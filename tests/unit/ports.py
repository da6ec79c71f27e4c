"""A port of the operator, and clients of all sorts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from daap_operator.ports import Address, Answer, Limits, Port, Request, listen

LOOPBACK = "127.0.0.1"

Handler = Callable[[Request], Coroutine[Any, Any, Answer]]


def address(host: str = LOOPBACK, port: int = 0) -> Address:
    return Address(host, port, "the probes", "DAAP_HEALTH")


@asynccontextmanager
async def serving(handler: Handler, limits: Limits, **options: Any) -> AsyncIterator[int]:
    """The port's number."""
    async with Port("tried", listen(address()), handler, limits, **options) as port:
        yield port.number


async def get(
    port: int, path: str, *, host: str = LOOPBACK, method: str = "GET", **headers: str
) -> tuple[int, str]:
    """Status and text; (0, "") where nobody answers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://{host}:{port}{path}"
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=sent) as reply,
        ):
            return reply.status, await reply.text()
    except aiohttp.ClientError:
        return 0, ""


class Line:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, source: str = LOOPBACK) -> "Line":
        return cls(*await asyncio.open_connection(LOOPBACK, port, local_addr=(source, 0)))

    async def say(self, text: str) -> None:
        self._writer.write(text.encode())
        await self._writer.drain()

    async def heard(self) -> str:
        """All that is said before the other side closes."""
        try:
            async with asyncio.timeout(20):
                return (await self._reader.read()).decode(errors="replace")
        except ConnectionError:
            return ""

    def close(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def lines(port: int, number: int, source: str = LOOPBACK) -> AsyncIterator[list[Line]]:
    """So many connections from an address of this machine, opened one after the other."""
    opened = [await Line.open(port, source) for _ in range(number)]
    try:
        yield opened
    finally:
        for line in opened:
            line.close()
        await asyncio.sleep(0)
