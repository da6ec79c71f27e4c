"""kopf in a thread and an event loop of its own, kept running.

On its way out kopf cancels every task it finds in its event loop, and now and then it gives up: in
a thread it can do both without harm, and is started again.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from daap_operator.cache import Kind
from daap_operator.handlers import Feed, operate
from daap_operator.kube import Credentials

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
"""Pauses before kopf is started again."""


class Watches:
    """The watches. Events come out in the event loop that made this."""

    def __init__(
        self,
        feed: Feed,
        credentials: Callable[[], Awaitable[Credentials]],
        *,
        namespaces: Collection[str],
        on_listed: Callable[[], None],
    ) -> None:
        """`on_listed` is called when a watch has begun from a listing.

        Whatever was deleted before is missing from all events: a LIST of our own is due.
        """
        self._feed = feed
        self._credentials = credentials
        self._namespaces = namespaces
        self._on_listed = on_listed
        self._loop = asyncio.get_running_loop()
        self._arrived: deque[tuple[Kind, str | None, Mapping[str, Any]]] = deque()
        self._draining = False
        self._unlisted = set(Kind)
        self._all_listed = asyncio.Event()
        self._stop: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="watches", daemon=True)
        self.restarts = 0
        """How often kopf had to be started again."""

    async def start(self, *, patience: float) -> None:
        """Begin to watch, and wait until every kind is watched, or for so many seconds.

        A kind that is not installed is not watched; that must not keep the others waiting.
        """
        self._thread.start()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._all_listed.wait()

    @property
    def alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    async def stop(self) -> None:
        """Stop watching, and wait until the thread is done."""
        if not self._stop.done():
            self._stop.set_result(None)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    # in the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = time.monotonic()
            try:
                asyncio.run(self._watch())
            except Exception:  # whatever it was, watching must go on
                log.warning("kopf failed", exc_info=True)
            if time.monotonic() - started > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            with suppress(TimeoutError):
                self._stop.result(timeout=pause)
                return
            self.restarts += 1
            log.warning("Watches started again", extra={"after": pause, "restarts": self.restarts})
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _watch(self) -> None:
        await operate(
            self._arrive,
            self._listed,
            self._log_in,
            namespaces=self._namespaces,
            stop=self._stop,
        )

    async def _log_in(self) -> Credentials:
        """The client's credentials, asked for in the client's own event loop."""
        asked = asyncio.run_coroutine_threadsafe(_awaited(self._credentials()), self._loop)
        return await asyncio.wrap_future(asked)

    def _arrive(self, kind: Kind, event_type: str | None, obj: Mapping[str, Any]) -> None:
        self._arrived.append((kind, event_type, obj))
        if not self._draining:
            self._draining = True
            self._loop.call_soon_threadsafe(self._drain)

    def _listed(self, kind: Kind) -> None:
        self._loop.call_soon_threadsafe(self._note_listed, kind)

    # in the event loop ----------------------------------------------------------------------------

    def _drain(self) -> None:
        self._draining = False  # before the last look: what arrives from here on calls again
        while self._arrived:
            self._feed(*self._arrived.popleft())

    def _note_listed(self, kind: Kind) -> None:
        self._unlisted.discard(kind)
        if not self._unlisted:
            self._all_listed.set()
        self._on_listed()


async def _awaited(credentials: Awaitable[Credentials]) -> Credentials:
    return await credentials
