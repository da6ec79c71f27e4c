"""The parts of a running operator, made from the kinds that it serves."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import chain

from daap_operator import __version__, raw
from daap_operator.api.meta import Metadata
from daap_operator.cancellation import heed
from daap_operator.engine.announce import Announcer, turned_away
from daap_operator.engine.intake import Intake
from daap_operator.engine.kinds import Object, Ref, sources
from daap_operator.engine.kopf_watch import Feed
from daap_operator.engine.loop import Loop
from daap_operator.engine.shares import shared_bytes
from daap_operator.engine.store import Store
from daap_operator.engine.sweep import FIRST_SECONDS, Sweeper, swept
from daap_operator.engine.watchdog import Watchdog
from daap_operator.engine.watches import Watches
from daap_operator.engine.workqueue import PASS_SECONDS, Workqueue
from daap_operator.engine.world import World
from daap_operator.errors import Outage
from daap_operator.kinds.served import KINDS, Kinds
from daap_operator.kube import Kind, Kube
from daap_operator.metrics import Known, Metrics, Seen
from daap_operator.mirror import Mirror
from daap_operator.settings import Settings

log = logging.getLogger(__name__)


RETRY_SECONDS = 2.0
"""Between two tries of what has to succeed before anything can be reconciled."""

WATCH_SECONDS = 5.0
"""How long to wait for the watches at the start; a kind that is not installed is never watched."""

ROOM_SECONDS = 60.0
"""When to list again after memory was freed that somebody had been refused. Whoever fills memory
and frees it has everything listed, so once a minute at most."""

HANGING_SECONDS = PASS_SECONDS + 30.0
"""A pass that has not even been cut off by then: the event loop is beyond help."""


class Work:
    """The parts of a running operator."""

    def __init__(
        self,
        settings: Settings,
        kube: Kube,
        mirror: Mirror,
        metrics: Metrics,
        *,
        now: Callable[[], datetime],
        kinds: Kinds = KINDS,
    ) -> None:
        watches = [watch for kind in kinds for watch in kind.watches]
        self.mirror = mirror
        self.store = Store(watches, most=shared_bytes(settings.memory_limit))
        self._kube = kube
        self._namespaces = settings.watch_namespaces
        self._resync_seconds = settings.resync_interval.total_seconds()
        self._announcer = Announcer(kube, on_drop=lambda kind: metrics.count_drop(kind.name))
        self._world = World(
            kube=kube,
            mirror=mirror,
            store=self.store,
            announcer=self._announcer,
            resync=settings.resync_interval,
            now=now,
            monotonic=time.monotonic,
            wake=self._wake,
            written=self._written,
        )
        made = [kind.made(self._world, settings) for kind in kinds]
        self._controllers = {controller.kind: controller for controller in made}
        self._queue: Workqueue[Ref] = Workqueue(
            Loop(self._world, made).reconcile,
            workers=settings.workers,
            on_pass=lambda key, *came: metrics.count_pass(key.kind.name, *came),
            group=lambda key: key.kind.name,
            share=lambda key: key.namespace,
        )
        self._sweeper = Sweeper(
            mirror,
            [swept(each, self.store, self._queue.add) for each in made if each.table],
            namespaces=self._namespaces,
            seconds=self._resync_seconds,
        )
        self._intake = Intake(
            self.store,
            self._queue,
            watches,
            on_gone=self._on_gone,
            on_turned_away=self._on_turned_away,
            on_room=self._on_room,
        )
        self._gap = asyncio.Event()
        self._room: asyncio.TimerHandle | None = None
        self._watches = Watches(
            Feed(self._intake.event, self.store.reduced),
            kube.credentials,
            sources=sources(watches),
            namespaces=self._namespaces,
            on_listed=self._gap.set,
        )
        self._watchdog = Watchdog(self._watches, kube, self.store)
        self._began = False
        self._listed = False

    async def begin(self) -> None:
        """Watch, and see everything once: a pass must not miss what is already there.

        Listing comes after the watches have begun, so that nothing deleted in between is missed.
        """
        self._began = True
        await self._watches.start(patience=WATCH_SECONDS)
        self._gap.clear()
        while True:
            heed()
            try:
                await self._intake.list_all(self._kube, self._namespaces)
            except Outage as error:
                log.warning("Listing failed", extra={"error": str(error)})
                await asyncio.sleep(RETRY_SECONDS)
            else:
                break
        self._listed = True
        await self._sweeper.sweep(within=FIRST_SECONDS)

    async def go_on(self) -> None:
        """Reconcile until cancelled."""
        for kind in self._controllers:
            for key in self.store.refs(kind):
                self._queue.add(key)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._queue.run())
            tasks.create_task(self._announcer.run())
            tasks.create_task(self._sweeper.run())
            tasks.create_task(self._list_again())
            tasks.create_task(self._intake.complete(self._kube))
            tasks.create_task(self._intake.many.run())
            tasks.create_task(self._watchdog.run())
            tasks.create_task(self.mirror.keep_connected(self._on_change))

    async def end(self) -> None:
        """Stop watching."""
        if self._began:
            await self._watches.stop()

    def what_is_dead(self) -> str:
        """What only a restart repairs; empty when all is well."""
        if self._began and (dead := self._watchdog.what_is_dead()):
            return dead
        since = self._queue.working_since
        if since is not None and asyncio.get_running_loop().time() - since > HANGING_SECONDS:
            return "A pass hangs"
        return ""

    def seen(self, *, leads: bool) -> Seen:
        """What is now; of objects only once all have been seen, and while nobody else leads."""
        return Seen(
            __version__,
            leads,
            {kind.name: self._queue.load(kind.name) for kind in self._controllers},
            watch_restarts=self._watches.restarts,
            known=self._known() if leads and self._listed else None,
        )

    def _wake(self, ref: Ref) -> None:
        if ref.kind in self._controllers:  # a kind that this process does not serve is another's
            self._queue.add(ref)

    def _written(self, kind: Kind, before: Object | None, now: Object) -> None:
        self._intake.written(kind, before, now)

    def _known(self) -> Known:
        made = self._controllers.values()
        behind = {each.kind.name: 0 for each in made if each.table}
        for key in self._world.unsynced:
            behind[key.kind.name] += 1
        samples = [each.samples(self.store) for each in made]  # now: they are read in a thread
        over = dict(self.store.over())
        return Known(chain.from_iterable(samples), self.mirror.away is None, behind, over)

    async def _list_again(self) -> None:
        """LIST at every resync, and when a watch may have missed a deletion."""
        while True:
            heed()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._resync_seconds):
                    await self._gap.wait()
            self._gap.clear()
            self._no_room()
            try:
                await self._intake.list_all(self._kube, self._namespaces)
            except Outage as error:
                log.warning("Listing failed", extra={"error": str(error)})
                await asyncio.sleep(RETRY_SECONDS)
                self._gap.set()

    def _on_room(self) -> None:
        """There is memory again for what there was none for: LIST, but seldom."""
        if self._room is None:
            loop = asyncio.get_running_loop()
            self._room = loop.call_later(ROOM_SECONDS, self._gap.set)

    def _no_room(self) -> None:
        if self._room is not None:
            self._room.cancel()
            self._room = None

    def _on_change(self) -> None:
        """The metadata database is back, or away for another reason: have it told, and written."""
        if self.mirror.away is None:
            self._sweeper.ask()
        for key in self._world.unsynced:
            self._queue.add(key)

    def _on_turned_away(self, kind: Kind, obj: Object) -> None:
        """Nothing is kept of it, so no status says so: an Event does."""
        now = self._world.now()
        # Of others' kinds not even the time of their creation is kept; an Event needs none
        metadata = Metadata.model_validate({"creationTimestamp": now} | obj["metadata"])
        self._announcer.announce(kind, metadata, turned_away(kind, metadata.namespace), now)

    def _on_gone(self, kind: Kind, obj: Object) -> None:
        """The kind may remember the object, and a row may have been left behind."""
        if (controller := self._controllers.get(kind)) is None:
            return
        controller.gone(obj)
        if controller.table is not None:
            self._sweeper.gone(raw.text(obj, "metadata", "uid"))
