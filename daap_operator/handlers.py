"""kopf: watch events handed on. No decision, no write.

kopf lists and watches, logs in again, and copes with most of what happens to a watch; all else of
it is left unused (docs/adr/0002-kopf-is-the-watch-frame.md).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from random import Random
from typing import Any

import aiohttp
import kopf

from daap_operator import names
from daap_operator.cache import Kind
from daap_operator.intake import WATCHED
from daap_operator.kube import LAST_TLS_SECONDS, Credentials, Resource

Feed = Callable[[Kind, str | None, Mapping[str, Any]], None]
"""Takes the kind, the event's type (None: from a listing) and the object."""

Login = Callable[[], Awaitable[Credentials]]

CONNECT_SECONDS = 10.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0


async def operate(
    feed: Feed,
    listed: Callable[[Kind], None],
    login: Login,
    *,
    namespaces: Collection[str],
    stop: "Future[None]",
) -> None:
    """Run kopf until `stop` is set, or until it gives up.

    `listed` is called whenever kopf has begun a watch anew, from a listing: what was deleted before
    that, it will never tell of.
    """
    registry = kopf.OperatorRegistry()
    register(registry, feed)
    register_login(registry, login, listed)
    await kopf.operator(
        registry=registry,
        settings=settings(cluster_wide=not namespaces),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stop,
    )
    await asyncio.sleep(LAST_TLS_SECONDS)


def register(registry: kopf.OperatorRegistry, feed: Feed) -> None:
    """Register one handler for each watched kind."""
    for kind, (resource, _) in WATCHED.items():
        _register(registry, kind, resource, feed)


def _register(registry: kopf.OperatorRegistry, kind: Kind, resource: Resource, feed: Feed) -> None:
    @kopf.on.event(*_selector(resource), registry=registry, id=f"on_{kind.name.lower()}")
    async def on_event(event: kopf.RawEvent, **_: Any) -> None:
        feed(kind, event["type"], event["object"])


def _selector(resource: Resource) -> tuple[str, str, str]:
    """Group, version and plural, as kopf names a kind."""
    prefix, plural = resource.value
    group, version = prefix.removeprefix("/apis/").split("/")
    return group, version, plural


def register_login(
    registry: kopf.OperatorRegistry, login: Login, listed: Callable[[Kind], None]
) -> None:
    """Have kopf log in as the operator's own client does, with a session that tells of listings."""

    @kopf.on.login(registry=registry, id="login")
    async def log_in(**unused: Any) -> kopf.AiohttpSession:
        del unused
        ours = await login()
        info = _connection_info(ours)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
            headers=info.as_http_headers(),
            trace_configs=[_listings(listed)],
        )
        return kopf.AiohttpSession(server=ours.server, aiohttp_session=session)


def _connection_info(ours: Credentials) -> kopf.ConnectionInfo:
    scheme, _, token = (ours.authorization or "").partition(" ")
    return kopf.ConnectionInfo(
        server=ours.server,
        insecure=ours.insecure,
        ca_path=ours.ca_file,
        ca_data=ours.ca_data,
        certificate_path=ours.certificate_file,
        private_key_path=ours.key_file,
        scheme=scheme or None,
        token=token or None,
    )


def _listings(listed: Callable[[Kind], None]) -> aiohttp.TraceConfig:
    """Tells when the listing of a watched kind was answered."""
    kinds = {resource.value: kind for kind, (resource, _) in WATCHED.items()}

    async def on_request_end(
        session: aiohttp.ClientSession, context: object, end: aiohttp.TraceRequestEndParams
    ) -> None:
        del session, context
        # /apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL
        parts = end.url.path.split("/")
        kind = kinds.get(("/".join(parts[:4]), parts[-1]))
        if kind and end.response.status == 200 and "watch" not in end.url.query:
            listed(kind)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(on_request_end)
    return trace


class Backoffs:
    """kopf's pauses between tries of a request: without end, unlike its default, after which the
    whole operator exits."""

    def __iter__(self) -> Iterator[float]:
        random = Random()  # noqa: S311 - jitter, not cryptography
        pause = FIRST_PAUSE_SECONDS
        while True:
            yield pause * random.uniform(0.8, 1.2)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def settings(*, cluster_wide: bool) -> kopf.OperatorSettings:
    """kopf's settings for watching only."""
    made = kopf.OperatorSettings()
    # Served by name, namespaces need no permission for anything outside of them
    made.scanning.disabled = not cluster_wide
    made.posting.enabled = False
    # kopf removes this finalizer from any object it sees: it must be nobody's
    made.persistence.finalizer = f"{names.GROUP}/unused-by-kopf"
    made.networking.error_backoffs = Backoffs()
    made.networking.enforce_retry_after = True
    made.networking.request_timeout = 30
    made.networking.connect_timeout = CONNECT_SECONDS
    made.watching.connect_timeout = CONNECT_SECONDS
    made.watching.chunk_size = 500
    made.queueing.idle_timeout = 0.2  # workers keep the last event that long: memory at start-up
    made.process.ultimate_exiting_timeout = None
    for resource, selector in WATCHED.values():
        if selector:
            made.watching.label_selectors[_selector(resource)] = selector
    return made
