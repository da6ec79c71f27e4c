"""kopf in a thread and an event loop of its own, kept running.

On its way out kopf cancels every task it finds in its event loop, and now and then it gives up: in
a thread it can do both without harm, and is started again.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from daap_operator.engine.intake import places
from daap_operator.engine.kinds import Source
from daap_operator.engine.kopf_watch import SILENT_SECONDS, Feed, operate
from daap_operator.engine.trace import Place
from daap_operator.kube import Credentials

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0
"""Pauses before kopf is started again."""

STOP_SECONDS = 10.0
"""How long to wait for kopf's end. It writes nothing, and its thread does not keep the process."""

LATE_SECONDS = SILENT_SECONDS - 2.0
"""A watch that is renewed so late did not end by itself: it had gone quiet."""


class Watches:
    """The watches. Events come out in the event loop that made this."""

    def __init__(
        self,
        feed: Feed,
        credentials: Callable[[], Awaitable[Credentials]],
        *,
        sources: Sequence[Source],
        namespaces: Collection[str],
        on_listed: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_listed` is called when a watch has begun from a listing.

        Whatever was there, or was deleted, before is missing from all events: a LIST of our own is
        due.
        """
        self._monotonic = monotonic
        self._feed = feed
        self._credentials = credentials
        self._sources = sources
        self._namespaces = namespaces
        self._places = [
            Place(source, namespace)
            for source in sources
            for namespace in places(source.kind, namespaces)
        ]
        self._on_listed = on_listed
        self._loop = asyncio.get_running_loop()
        self._arrived: deque[tuple[Source, str | None, Mapping[str, Any]]] = deque()
        self._draining = False
        self._unlisted = set(self._places)
        self._all_listed = asyncio.Event()
        self._begun: dict[Place, float] = {}
        self._started = self._monotonic()
        self._asked_to_restart: float | None = None
        self._stopped = threading.Event()
        self._end = asyncio.Event()
        self._running: asyncio.AbstractEventLoop | None = None
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
        """Stop watching, and wait until the thread is done, or for STOP_SECONDS."""
        self._stopped.set()
        self._end_kopf()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, STOP_SECONDS)
        if self._thread.is_alive():
            log.warning("The watches do not end", extra={"waited": STOP_SECONDS})

    def restart(self) -> None:
        """Have kopf started anew, once; until then asking again changes nothing."""
        if self._asked_to_restart is None:
            self._asked_to_restart = self._monotonic()
            self._end_kopf()

    @property
    def restarting_for(self) -> float:
        """For how many seconds kopf has been asked to start anew and has not."""
        asked = self._asked_to_restart
        return 0.0 if asked is None else self._monotonic() - asked

    def overdue(self, first: float, again: float) -> list[Place]:
        """What should have been watched by now, and is not.

        `first`: for so long since kopf was started; `again`: for so long since it last was.
        """
        now = self._monotonic()
        late = []
        for what in self._places:
            begun = self._begun.get(what, self._started)
            patience = again if begun > self._started else first
            if now - max(begun, self._started) > patience:
                late.append(what)
        return late

    # in the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = self._monotonic()
            try:
                asyncio.run(self._watch())
            except Exception:  # whatever it was, watching must go on
                log.warning("kopf failed", exc_info=True)
            if self._monotonic() - started > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            if self._stopped.wait(pause):
                return
            self.restarts += 1
            log.warning("Watches started again", extra={"after": pause, "restarts": self.restarts})
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _watch(self) -> None:
        # kopf waits for a flag of another event loop in a thread that then never ends, and on its
        # own way out for that thread: it gets a flag of its own loop
        self._end = asyncio.Event()
        self._running = asyncio.get_running_loop()
        self._started = self._monotonic()
        self._asked_to_restart = None
        if self._stopped.is_set():
            return
        try:
            await operate(
                Feed(self._arrive, self._feed.reduce),
                self._answered,
                self._log_in,
                sources=self._sources,
                namespaces=self._namespaces,
                stop=self._end,
            )
        finally:
            self._running = None

    async def _log_in(self) -> Credentials:
        """The client's credentials, asked for in the client's own event loop."""
        asked = asyncio.run_coroutine_threadsafe(_awaited(self._credentials()), self._loop)
        return await asyncio.wrap_future(asked)

    def _arrive(self, source: Source, event_type: str | None, obj: Mapping[str, Any]) -> None:
        self._arrived.append((source, event_type, obj))
        if not self._draining:
            self._draining = True
            self._loop.call_soon_threadsafe(self._drain)

    def _answered(self, what: Place, listing: bool) -> None:  # noqa: FBT001 - as it is declared
        self._loop.call_soon_threadsafe(self._note, what, listing, self._monotonic())

    # in the event loop ----------------------------------------------------------------------------

    def _end_kopf(self) -> None:
        running, end = self._running, self._end
        if running is not None:
            with suppress(RuntimeError):  # it has just ended by itself
                running.call_soon_threadsafe(end.set)

    def _drain(self) -> None:
        self._draining = False  # before the last look: what arrives from here on calls again
        while self._arrived:
            source, event_type, obj = self._arrived.popleft()
            try:
                self._feed.event(source, event_type, obj)
            except Exception:  # one event that cannot be read must not hold up all behind it
                log.exception("Event dropped", extra={"kind": source.kind.word})

    def _note(self, what: Place, listing: bool, now: float) -> None:  # noqa: FBT001
        before, self._begun[what] = self._begun.get(what, now), now
        if now - before > LATE_SECONDS:
            log.warning(
                "Watch renewed after silence",
                extra={"kind": what.source.kind.word, "seconds": round(now - before, 1)},
            )
        if listing:
            self._unlisted.discard(what)
            if not self._unlisted:
                self._all_listed.set()
            self._on_listed()


async def _awaited(credentials: Awaitable[Credentials]) -> Credentials:
    return await credentials
