"""kopf's requests as its session sees them: which watches and listings were answered, and when.

kopf itself tells neither that a watch is alive nor that a listing is complete.
"""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiohttp

from daap_operator.cache import Kind
from daap_operator.intake import WATCHED

LEAST_WATCH_SECONDS = 1.0
"""kopf begins the next watch at once when one ends: a server that ends each one right away (a load
balancer, say) would be asked hundreds of times a second."""


class Place(NamedTuple):
    """What one watch is of: a kind, in a namespace or (empty) in all."""

    kind: Kind
    namespace: str


Answered = Callable[[Place, bool], None]
"""Called for each answer to kopf: of what, and whether it was a listing (else a watch began)."""

_KINDS = {resource.value: kind for kind, (resource, _) in WATCHED.items()}


def place(path: str, base: str = "") -> Place | None:
    """What a URL's path asks for; None for anything that is not watched.

    `base` is the path of the API server's own URL: that of a proxy may have one.
    """
    base = base.rstrip("/")
    if not path.startswith(f"{base}/"):
        return None
    # /apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL, and /api/v1 for the core group
    parts = path.removeprefix(base).split("/")
    prefix = 3 if parts[1] == "api" else 4
    kind = _KINDS.get(("/".join(parts[:prefix]), parts[-1]))
    if kind is None or len(parts) not in (prefix + 1, prefix + 3):
        return None
    return Place(kind, parts[prefix + 1] if len(parts) == prefix + 3 else "")


def trace(answered: Answered, server: str) -> aiohttp.TraceConfig:
    """Reports answers, and keeps a pause between the beginnings of two watches.

    `server` is the API server's URL.
    """
    base = unquote(urlsplit(server).path)
    begun: dict[str, float] = {}

    async def on_start(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        start: aiohttp.TraceRequestStartParams,
    ) -> None:
        del session, context
        what, now = start.url.path, asyncio.get_running_loop().time()
        if "watch" not in start.url.query:
            return
        due = begun.get(what, now - LEAST_WATCH_SECONDS) + LEAST_WATCH_SECONDS
        begun[what] = max(now, due)
        if due > now:
            await asyncio.sleep(due - now)

    async def on_end(
        session: aiohttp.ClientSession, context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        del session, context
        what = place(end.url.path, base)
        if what is not None and end.response.status == 200:
            answered(what, "watch" not in end.url.query)

    made = aiohttp.TraceConfig()
    made.on_request_start.append(on_start)
    made.on_request_end.append(on_end)
    return made
