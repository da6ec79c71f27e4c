"""The session through which kopf asks the API server: what kopf gets to see of the answers.

kopf holds whole listings and whole events, and an object may have megabytes. So it is given little:

- of a listing, its resource version: where the watch is to begin. The objects come from a LIST of
  the operator's own, which follows each listing.
- of an event, which object it is about, and what the store keeps of that. Each says that its object
  is deleted: kopf remembers every other object, and there may be any number of them.
"""

import json
import logging
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp

from daap_operator import raw
from daap_operator.engine.kinds import IDENTITY, Source
from daap_operator.engine.trace import place
from daap_operator.kube import Unreachable
from daap_operator.kube.listing import Page
from daap_operator.kube.sizes import ANSWER_BYTES, marked
from daap_operator.nesting import parsed

log = logging.getLogger(__name__)

Reduce = Callable[[Source, raw.Object], raw.Object]
"""From an object of a stream to what the store keeps of it. Pure: called in kopf's thread."""

KEPT, TYPE = "kept", "type"
"""Keys of an event's object under which stand what the store keeps of it, and what has happened."""

NO_OBJECTS = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
"""A listing in this form has no objects, only the columns that kubectl shows."""

METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
"""Events in this form have their objects' metadata only. What is not about an object is as ever."""

_OF_OBJECTS = ("ADDED", "MODIFIED", "DELETED")


def reducing(
    sources: Collection[Source], reduce: Reduce, server: str
) -> aiohttp.ClientMiddlewareType:
    """Gives kopf little of what the API server answers. `server` is the API server's URL."""
    base = unquote(urlsplit(server).path)

    async def middleware(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        query = request.url.query
        selector = query.get("labelSelector", "")
        what = place(request.url.path, sources, selector=selector, base=base)
        if what is None:
            return await handler(request)
        watch = "watch" in query
        if not watch:
            request.headers["Accept"] = NO_OBJECTS
            request.url = request.url.update_query(limit="1", includeObject="None")
        elif what.source.metadata_only:
            request.headers["Accept"] = METADATA
        response = await handler(request)
        if response.status == 200:
            found: Any = response.content
            found = _Events(found, what.source, reduce) if watch else _Listing(found)
            response.content = found
        return response

    return middleware


class _Content:
    """An answer's content, read in another way."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)


class _Listing(_Content):
    """A listing without its objects, and with nothing to follow."""

    async def read(self) -> bytes:
        content = bytearray()
        async for part in self._content.iter_any():
            content += part
            if len(content) > ANSWER_BYTES:
                raise aiohttp.ClientPayloadError(f"a listing of over {ANSWER_BYTES} bytes")
        return listed(bytes(content))


def listed(content: bytes) -> bytes:
    """A listing without its objects, and with nothing to follow; as it is when it is none."""
    try:
        page = Page(content.decode())
        page.finish()
    except (ValueError, Unreachable):
        return content
    version = raw.text(page.rest, "metadata", "resourceVersion")
    if not version:
        return content
    kept = raw.picked(page.rest, ("apiVersion", "kind"))
    return json.dumps(kept | {"metadata": {"resourceVersion": version}, "items": []}).encode()


class _Events(_Content):
    """The events of a watch, each reduced before kopf has it."""

    def __init__(self, content: aiohttp.StreamReader, source: Source, reduce: Reduce) -> None:
        super().__init__(content)
        self._source = source
        self._reduce = reduce

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """The events, one at a time."""
        del size
        async for line in _lines(self._content, self._source):
            yield event(line, self._source, self._reduce)


async def _lines(content: aiohttp.StreamReader, source: Source) -> AsyncIterator[bytes]:
    line, over = bytearray(), False
    async for part in content.iter_any():
        *ended, rest = part.split(b"\n")
        for piece in ended:
            if not over:
                line += piece
                yield bytes(line)
            line, over = bytearray(), False
        line += rest
        if len(line) > ANSWER_BYTES:  # the API server takes no such object
            log.warning("Event dropped: too large", extra={"kind": source.kind.word})
            line, over = bytearray(), True
    if line:
        yield bytes(line)


def event(line: bytes, source: Source, reduce: Reduce) -> bytes:
    """A watch event as kopf is to have it; what is not about an object stays as it is."""
    try:
        found = parsed(line)
        obj = found["object"]
        if found["type"] not in _OF_OBJECTS or not isinstance(obj, dict):
            return line + b"\n"
    except (ValueError, TypeError, KeyError):
        return line + b"\n"
    shown = raw.picked(obj, ("apiVersion", "kind"))
    shown["metadata"] = raw.picked(raw.mapping(obj, "metadata"), IDENTITY)
    try:
        shown[KEPT] = reduce(source, marked(obj, len(line)))
    except Exception:  # one event that cannot be read must not hold up all behind it
        log.exception("Event dropped", extra={"kind": source.kind.word})
        return json.dumps({"type": "BOOKMARK", "object": shown}).encode() + b"\n"
    shown[TYPE] = found["type"]
    return json.dumps({"type": "DELETED", "object": shown}).encode() + b"\n"
