"""`/metrics`: one page for all who ask at the same time, for those who may read it."""

import asyncio
import gzip
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, NamedTuple

from daap_operator.ports.access import Access
from daap_operator.ports.http import Answer, Request
from daap_operator.ports.owner import Owner
from daap_operator.ports.shared import Shared

PAGE_SECONDS = 1.0
"""A page is not written more often than this."""

FORMATS = ("application/openmetrics-text", "")
"""What may be asked for, as an Accept header; the last one is whatever else is asked for."""

REFUSED = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "1"},
    HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": "GET"},
}
"""What is answered besides a status: never a word."""

Write = Callable[[str], Coroutine[Any, Any, tuple[bytes, str]]]
"""Takes an Accept header, and gives back what is to be read and its content type."""


class _Page(NamedTuple):
    text: bytes
    compressed: bytes
    content_type: str


class Scrapes:
    """Answers scrapes. One event loop owns it, that of its port."""

    def __init__(self, owner: Owner, write: Write, access: Access | None) -> None:
        """`write` is called in the operator's event loop. Without `access` everybody may read."""
        self._owner = owner
        self._write = write
        self._access = access
        self._writing = asyncio.Lock()
        self._pages = {accept: self._shared(accept) for accept in FORMATS}

    async def answer(self, request: Request) -> Answer:
        """Answer a request."""
        status = await self._status(request)
        if status != HTTPStatus.OK:
            return Answer(status, headers=REFUSED.get(status, {}))
        *known, other = FORMATS
        accept = next((each for each in known if each in request.header("Accept")), other)
        page = await self._pages[accept].get()
        headers = {"Content-Type": page.content_type, "Vary": "Accept, Accept-Encoding"}
        if "gzip" in request.header("Accept-Encoding"):
            return Answer(status, page.compressed, headers | {"Content-Encoding": "gzip"})
        return Answer(status, page.text, headers)

    async def _status(self, request: Request) -> HTTPStatus:
        if request.path != "/metrics":
            return HTTPStatus.NOT_FOUND
        if request.method != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED
        if self._access is None:
            return HTTPStatus.OK
        return await self._access.judge(_token(request), request.peer)

    def _shared(self, accept: str) -> Shared[_Page]:
        return Shared(lambda: self._written(accept), PAGE_SECONDS)

    async def _written(self, accept: str) -> _Page:
        async with self._writing:  # one at a time, whatever the format
            text, content_type = await self._owner.ask(lambda: self._write(accept))
            # A database is five lines that are much alike
            return _Page(text, await asyncio.to_thread(gzip.compress, text, 6), content_type)


def _token(request: Request) -> str:
    scheme, _, token = request.header("Authorization").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
