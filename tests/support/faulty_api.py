"""A proxy before the API server that plays what goes wrong with watches, on command.

It speaks plain HTTP to its client, and to the API server as the user of a kubeconfig. Without a
command it is not noticed.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import aiohttp
import yaml
from aiohttp import web

from tests.support.api import LAST_TLS_SECONDS, connection

Refusal = Callable[[web.Request], Awaitable[web.StreamResponse | None]]

_PASSED_ON = ("Content-Type", "Accept", "User-Agent")


class Stream:
    """A watch under way."""

    def __init__(self, response: web.StreamResponse) -> None:
        self.response = response
        self.silent = False
        self.over = asyncio.Event()


class FaultyApi:
    """The proxy. An async context manager."""

    def __init__(self, kubeconfig: Path, prefix: str = "") -> None:
        """`prefix` is a path under which alone the API server is found, as with a gateway's."""
        self._server, self._tls = connection(kubeconfig)
        self._prefix = prefix
        self._streams: dict[Stream, str] = {}
        self._refusal: Refusal | None = None
        self.refused = 0
        """How many requests were refused."""
        self.bookmarks = True
        """Whether the API server's bookmarks are passed on."""
        self.forms = True
        """Whether the API server is told in which form its client wants the answer."""
        self.received: Counter[str] = Counter()
        """Bytes of the API server's answers and events that its client got, by kind."""

    # what a test can ask for ----------------------------------------------------------------------

    def watches(self, plural: str = "") -> list[Stream]:
        """The watches under way, of one kind or all."""
        return [stream for stream, kind in self._streams.items() if plural in ("", kind)]

    def fall_silent(self, *plurals: str) -> None:
        """Say no more in the watches of these kinds (or all): no event, no end."""
        for stream in self._of(plurals):
            stream.silent = True

    async def end(self, *plurals: str, saying: bytes = b"") -> None:
        """End the watches of these kinds (or all), after these last words."""
        for stream in self._of(plurals):
            del self._streams[stream]
            with suppress(ConnectionError):
                await stream.response.write(saying)
            stream.over.set()

    def refuse(self, refusal: Refusal | None) -> None:
        """Let this answer requests from now on; those it has no answer for are passed on."""
        self._refusal = refusal
        self.refused = 0

    def _of(self, plurals: tuple[str, ...]) -> list[Stream]:
        return [stream for stream, kind in self._streams.items() if not plurals or kind in plurals]

    # the proxy ------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.refuse(None)
        await self.end()
        await self._runner.cleanup()
        await self._session.close()
        await asyncio.sleep(LAST_TLS_SECONDS)

    def kubeconfig(self, directory: Path) -> Path:
        """A kubeconfig for the proxy's clients."""
        port = self._runner.addresses[0][1]
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "a", "cluster": {"server": f"http://127.0.0.1:{port}{self._prefix}"}}
            ],
            "users": [{"name": "a", "user": {"token": "any"}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "current-context": "a",
        }
        path = directory / "faulty.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not request.path.startswith(f"{self._prefix}/"):
            return web.Response(status=404, text="404: nothing is served here")
        if self._refusal and (answer := await self._refusal(request)) is not None:
            self.refused += 1
            return answer
        try:
            return await self._passed_on(request)
        except aiohttp.ClientError:
            assert request.transport
            request.transport.abort()  # as the API server's own end looks to its client
            return web.Response(status=502)

    async def _passed_on(self, request: web.Request) -> web.StreamResponse:
        async with self._session.request(
            request.method,
            self._server + request.raw_path.removeprefix(self._prefix),
            data=await request.read() or None,
            headers=self._headers(request),
        ) as reply:
            headers = {"Content-Type": reply.headers.get("Content-Type", "application/json")}
            if "Retry-After" in reply.headers:
                headers["Retry-After"] = reply.headers["Retry-After"]
            if is_watch(request) and reply.status == 200:
                return await self._watch(request, reply, headers)
            body = await reply.read()
            self.received[_plural(request)] += len(body)
            return web.Response(status=reply.status, body=body, headers=headers)

    def _headers(self, request: web.Request) -> dict[str, str]:
        left_out = () if self.forms else ("Accept",)
        return {
            k: request.headers[k] for k in _PASSED_ON if k in request.headers and k not in left_out
        }

    async def _watch(
        self, request: web.Request, reply: aiohttp.ClientResponse, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        stream = Stream(response)
        self._streams[stream] = _plural(request)
        pump = asyncio.create_task(self._pump(reply, stream))
        over = asyncio.create_task(stream.over.wait())
        try:
            await asyncio.wait({pump, over}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done() and stream.silent:
                await stream.over.wait()
        finally:
            self._streams.pop(stream, None)
            for task in (pump, over):
                task.cancel()
            await asyncio.wait({pump, over})
        return response

    async def _pump(self, reply: aiohttp.ClientResponse, stream: Stream) -> None:
        with suppress(aiohttp.ClientError, ConnectionError):
            rest = b""
            async for chunk in reply.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    bookmark = json.loads(line)["type"] == "BOOKMARK"
                    if not stream.silent and (self.bookmarks or not bookmark):
                        self.received[self._streams.get(stream, "")] += len(line)
                        await stream.response.write(line + b"\n")


def _plural(request: web.Request) -> str:
    """The last part of a path; of a LIST or a watch the kind's plural."""
    return request.path.rpartition("/")[2]


def is_watch(request: web.Request) -> bool:
    """Whether a request begins a watch."""
    return "watch" in request.query
