"""kopf: watch events handed on. No decision, no write.

kopf lists and watches, logs in again, and copes with most of what happens to a watch; all else of
it is left unused (docs/adr/0002-kopf-is-the-watch-frame.md). It runs in a thread and an event loop
of its own, because on its way out it cancels every task it finds there, and is started again when
it gives up.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from random import Random
from typing import Any

import kopf

from daap_operator import names
from daap_operator.cache import Kind
from daap_operator.intake import WATCHED
from daap_operator.kube import Credentials, Resource

log = logging.getLogger(__name__)

Feed = Callable[[Kind, str | None, Mapping[str, Any]], None]
"""Takes the kind, the event's type (None: from a listing) and the object."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Pauses before kopf is started again."""

LISTING_SECONDS = 30.0
"""Objects listed later than this after a start come from a watch that was begun anew."""


class Watches:
    """kopf in its own thread, kept running. Events come out in the event loop that made it."""

    def __init__(
        self,
        feed: Feed,
        credentials: Callable[[], Awaitable[Credentials]],
        *,
        namespaces: Collection[str],
        on_gap: Callable[[], None],
    ) -> None:
        """`on_gap` is called when deletions may have been missed: a LIST is due."""
        self._feed = feed
        self._credentials = credentials
        self._namespaces = namespaces
        self._on_gap = on_gap
        self._loop = asyncio.get_running_loop()
        self._arrived: deque[tuple[Kind, str | None, Mapping[str, Any]]] = deque()
        self._draining = False
        self._stop: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)
        self._started = 0.0
        self.restarts = -1
        """How often kopf had to be started again."""

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    async def stop(self) -> None:
        """Stop watching, and wait until the thread is done."""
        if not self._stop.done():
            self._stop.set_result(None)
        await asyncio.to_thread(self._thread.join)

    # in the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.done():
            self.restarts += 1
            self._started = time.monotonic()
            if self.restarts:
                self._loop.call_soon_threadsafe(self._on_gap)
            try:
                asyncio.run(self._watch())
            except Exception:  # whatever it was, watching must go on
                log.warning("kopf failed", exc_info=True)
            if time.monotonic() - self._started > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            with suppress(TimeoutError):
                self._stop.result(timeout=pause)
                return
            log.warning("Watches ended; starting them again", extra={"after": pause})
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _watch(self) -> None:
        registry = kopf.OperatorRegistry()
        register(registry, self._arrive)
        register_login(registry, self._borrow_credentials)
        await kopf.operator(
            registry=registry,
            settings=settings(),
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=self._stop,
        )

    async def _borrow_credentials(self) -> Credentials:
        """The client's credentials, asked for in the client's own event loop."""
        asked = asyncio.run_coroutine_threadsafe(_awaited(self._credentials()), self._loop)
        return await asyncio.wrap_future(asked)

    def _arrive(self, kind: Kind, event_type: str | None, obj: Mapping[str, Any]) -> None:
        self._arrived.append((kind, event_type, obj))
        if not self._draining:
            self._draining = True
            self._loop.call_soon_threadsafe(self._drain)

    # in the event loop ----------------------------------------------------------------------------

    def _drain(self) -> None:
        self._draining = False  # before the last look: what arrives from here on calls again
        while self._arrived:
            kind, event_type, obj = self._arrived.popleft()
            if event_type is None and time.monotonic() - self._started > LISTING_SECONDS:
                self._on_gap()
            self._feed(kind, event_type, obj)


async def _awaited(credentials: Awaitable[Credentials]) -> Credentials:
    return await credentials


class Backoffs:
    """kopf's pauses between tries of a request: without end, unlike its default, after which the
    whole operator exits."""

    def __iter__(self) -> Iterator[float]:
        random = Random()  # noqa: S311 - jitter, not cryptography
        pause = 0.5
        while True:
            yield pause * random.uniform(0.8, 1.2)
            pause = min(pause * 2, 15.0)


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
    registry: kopf.OperatorRegistry, credentials: Callable[[], Awaitable[Credentials]]
) -> None:
    """Have kopf log in as the operator's own client does."""

    @kopf.on.login(registry=registry, id="login")
    async def login(**unused: Any) -> kopf.ConnectionInfo:
        del unused
        ours = await credentials()
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


def settings() -> kopf.OperatorSettings:
    """kopf's settings for watching only."""
    made = kopf.OperatorSettings()
    made.posting.enabled = False
    # kopf removes this finalizer from any object it sees: it must be nobody's
    made.persistence.finalizer = f"{names.GROUP}/unused-by-kopf"
    made.networking.error_backoffs = Backoffs()
    made.networking.enforce_retry_after = True
    made.networking.request_timeout = 30
    made.networking.connect_timeout = 10
    made.watching.connect_timeout = 10
    made.watching.chunk_size = 500
    made.queueing.idle_timeout = 0.2  # workers keep the last event that long: memory at start-up
    made.process.ultimate_exiting_timeout = None
    for resource, selector in WATCHED.values():
        if selector:
            made.watching.label_selectors[_selector(resource)] = selector
    return made
