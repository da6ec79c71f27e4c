"""kopf's requests as its session sees them: which watches and listings were answered, and when.

kopf itself tells neither that a watch is alive nor that a listing is complete.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiohttp

from daap_operator.engine.kinds import Source

LEAST_WATCH_SECONDS = 1.0
"""kopf begins the next watch at once when one ends: a server that ends each one right away (a load
balancer, say) would be asked hundreds of times a second."""


class Place(NamedTuple):
    """What one watch is of: a stream, in a namespace or (empty) in all."""

    source: Source
    namespace: str


Answered = Callable[[Place, bool], None]
"""Called for each answer to kopf: of what, and whether it was a listing (else a watch began)."""


def place(
    path: str, sources: Collection[Source], *, selector: str = "", base: str = ""
) -> Place | None:
    """What a URL's path and its label selector ask for; None for anything that is not watched.

    `base` is the path of the API server's own URL: that of a proxy may have one.
    """
    base = base.rstrip("/")
    if not path.startswith(f"{base}/"):
        return None
    # /apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL, and /api/v1 for the core group
    path = path.removeprefix(base)
    parts = path.split("/")
    prefix = 3 if parts[1] == "api" else 4
    namespace = parts[prefix + 1] if len(parts) == prefix + 3 else ""
    for source in sources:
        if source.selector == selector and unquote(source.kind.path(namespace)) == path:
            return Place(source, namespace if source.kind.namespaced else "")
    return None


def trace(answered: Answered, sources: Collection[Source], server: str) -> aiohttp.TraceConfig:
    """Reports answers, and keeps a pause between the beginnings of two watches.

    `server` is the API server's URL.
    """
    base = unquote(urlsplit(server).path)
    begun: dict[tuple[str, str], float] = {}

    async def on_start(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        start: aiohttp.TraceRequestStartParams,
    ) -> None:
        del session, context
        url, now = start.url, asyncio.get_running_loop().time()
        if "watch" not in url.query:
            return
        what = url.path, _selector(url.query)
        due = begun.get(what, now - LEAST_WATCH_SECONDS) + LEAST_WATCH_SECONDS
        begun[what] = max(now, due)
        if due > now:
            await asyncio.sleep(due - now)

    async def on_end(
        session: aiohttp.ClientSession, context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        del session, context
        url = end.url
        what = place(url.path, sources, selector=_selector(url.query), base=base)
        if what is not None and end.response.status == 200:
            answered(what, "watch" not in url.query)

    made = aiohttp.TraceConfig()
    made.on_request_start.append(on_start)
    made.on_request_end.append(on_end)
    return made


def _selector(query: Mapping[str, str]) -> str:
    return query.get("labelSelector", "")
