"""`daap-operator run`: the operator put together, from settings to tasks."""

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

from daap_operator import __version__, health, migrate, names, raw
from daap_operator.api.reasons import InventoryReason
from daap_operator.cancellation import heed
from daap_operator.elector import Candidate, Elector
from daap_operator.engine.announce import Announcer
from daap_operator.engine.intake import Intake
from daap_operator.engine.kinds import Object, Ref, sources
from daap_operator.engine.store import Store
from daap_operator.engine.sweep import Sweeper
from daap_operator.engine.watchdog import Watchdog
from daap_operator.engine.watches import Watches
from daap_operator.engine.workqueue import PASS_SECONDS, Workqueue
from daap_operator.errors import Deposed, Outage, StartError
from daap_operator.kinds import known
from daap_operator.kinds.database import databases
from daap_operator.kinds.database.controller import reconcile
from daap_operator.kinds.database.desired.resolved import Platform
from daap_operator.kinds.database.watched import WATCHES
from daap_operator.kinds.database.world import World
from daap_operator.kube import Kind, Kube, own_namespace
from daap_operator.metrics import Known, Metrics, Seen
from daap_operator.mirror import MetadataError, Mirror, PoolSettings, Server
from daap_operator.settings import Settings

log = logging.getLogger(__name__)

KINDS = (names.KIND,)
"""The kinds that are reconciled, by name."""

RETRY_SECONDS = 2.0
"""Between two tries of what has to succeed before databases can be looked after."""

WATCH_SECONDS = 5.0
"""How long to wait for the watches at the start; a kind that is not installed is never watched."""

HANGING_SECONDS = PASS_SECONDS + 30.0
"""A pass that has not even been cut off by then: the event loop is beyond help."""


def _raise(lost: Deposed) -> NoReturn:
    raise lost


class Operator:
    """One operator. `run` returns when it is told to stop, and leaves nothing running."""

    def __init__(
        self, settings: Settings, *, deposed: Callable[[Deposed], NoReturn] = _raise
    ) -> None:
        """`deposed` is called when another replica leads, or may: it has to end the process."""
        self._settings = settings
        self._deposed = deposed
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()
        self._not_ready = "Starting"
        self._elector: Elector | None = None
        self._work: Work | None = None
        self._metrics = Metrics(KINDS)
        self.health_port = 0
        """Where the probes are answered, once they are."""

    def stop(self) -> None:
        """Have `run` return."""
        self._stopping.set()

    async def ready(self) -> None:
        """Wait until databases are being looked after."""
        await self._ready.wait()

    async def run(self) -> None:
        """Look after databases, once it is this replica's turn, until told to stop.

        Raises StartError for what keeps it from starting at all.
        """
        settings = self._settings
        log.info("Starting", extra={"version": __version__})
        async with AsyncExitStack() as stack:
            answers = health.Answers(self._what_is_dead, self._what_is_missing, self._page)
            runner, self.health_port = await health.serve(
                settings.health_host, settings.health_port, answers
            )
            stack.push_async_callback(runner.cleanup)
            kube = await stack.enter_async_context(
                await Kube.connect(settings.kubeconfig, self._metrics.count_request)
            )
            elector = self._elector = Elector(
                kube, _candidate(settings), monotonic=_uptime, now=_now
            )
            mirror = await stack.enter_async_context(_mirror(settings, elector))
            self._work = Work(settings, kube.fenced(elector.require), mirror, self._metrics)
            await _first(self._lead(elector, self._work), self._stopping.wait())
            self._not_ready = "Stopping"
            await elector.release()
        log.info("Stopped")

    async def _lead(self, elector: Elector, work: "Work") -> None:
        await self._schema(work.mirror.check)  # it may be another by the time there is work
        self._not_ready = ""  # standing by is all that is asked of a standby
        log.info("Standing by", extra={"lease": elector.lease, "identity": elector.identity})
        await elector.lead()
        await _first(self._hold(elector), self._look_after_databases(work))

    async def _hold(self, elector: Elector) -> None:
        """Hold the Lease; once it is lost, nothing is waited for, not even the end of the work."""
        try:
            await elector.hold()
        except Deposed as lost:
            log.error("No longer leading", extra={"error": str(lost)})  # noqa: TRY400
            self._deposed(lost)

    async def _look_after_databases(self, work: "Work") -> None:
        self._not_ready = "Taking over"
        await self._schema(work.mirror.connect)
        try:
            await work.begin()
            self._not_ready = ""
            self._ready.set()
            log.info(
                "Looking after databases", extra={"databases": len(work.store.refs(known.DATABASE))}
            )
            await work.go_on()
        finally:
            await work.end()

    async def _schema(self, use: Callable[[], Awaitable[None]]) -> None:
        """Wait for a schema that lacks migrations; go on without a server that is away."""
        while True:
            heed()
            try:
                await use()
            except MetadataError as error:
                why = error.finding
                if why.reason != InventoryReason.SCHEMA_OUTDATED:
                    log.warning("Starting without inventory", extra={"error": why.message})
                    return
                self._not_ready = why.message
                log.error("Waiting for the schema", extra={"error": why.message})  # noqa: TRY400
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    def _what_is_missing(self) -> str:
        trouble = self._elector.trouble if self._elector else ""
        return self._not_ready or trouble

    def _what_is_dead(self) -> str:
        return "" if self._work is None else self._work.what_is_dead()

    async def _page(self, accept: str) -> tuple[bytes, str]:
        leads = self._elector is not None and self._elector.leading
        seen = Seen(__version__, leads) if self._work is None else self._work.seen(leads=leads)
        return await self._metrics.page(accept, seen)


async def _first(*work: Coroutine[Any, Any, object]) -> None:
    """Do all of it until one part ends, and cut off the others; raises what that part raised."""
    tasks = [asyncio.create_task(part) for part in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


class Work:
    """The parts of a running operator."""

    def __init__(self, settings: Settings, kube: Kube, mirror: Mirror, metrics: Metrics) -> None:
        self.mirror = mirror
        self.store = Store(WATCHES)
        self._kube = kube
        self._namespaces = settings.watch_namespaces
        self._resync_seconds = settings.resync_interval.total_seconds()
        self._announcer = Announcer(kube)
        self._world = _world(settings, self)
        self._queue: Workqueue[Ref] = Workqueue(
            partial(reconcile, self._world),
            workers=settings.workers,
            on_pass=lambda _, result, seconds: metrics.count_pass(names.KIND, result, seconds),
            group=lambda _: names.KIND,
        )
        self._sweeper = Sweeper(
            mirror,
            [databases.swept(self.store, self._queue.add)],
            namespaces=self._namespaces,
            seconds=self._resync_seconds,
        )
        self._intake = Intake(self.store, self._queue, WATCHES, on_gone=self._on_gone)
        self._gap = asyncio.Event()
        self._watches = Watches(
            self._intake.event,
            kube.credentials,
            sources=sources(WATCHES),
            namespaces=self._namespaces,
            on_listed=self._gap.set,
        )
        self._watchdog = Watchdog(self._watches, kube, self.store)
        self._began = False
        self._listed = False

    @property
    def kube(self) -> Kube:
        """The API server."""
        return self._kube

    @property
    def announcer(self) -> Announcer:
        """The Events."""
        return self._announcer

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
        await self._sweeper.sweep()

    async def go_on(self) -> None:
        """Look after databases until cancelled."""
        for key in self.store.refs(known.DATABASE):
            self._queue.add(key)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._queue.run())
            tasks.create_task(self._announcer.run())
            tasks.create_task(self._sweeper.run())
            tasks.create_task(self._list_again())
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
        objects = None
        if leads and self._listed:
            behind = {names.KIND: len(self._world.unsynced)}
            objects = Known(databases.samples(self.store), self.mirror.away is None, behind)
        return Seen(
            __version__,
            leads,
            {kind: self._queue.load(kind) for kind in KINDS},
            watch_restarts=self._watches.restarts,
            known=objects,
        )

    async def _list_again(self) -> None:
        """LIST at every resync, and when a watch may have missed a deletion."""
        while True:
            heed()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._resync_seconds):
                    await self._gap.wait()
            self._gap.clear()
            try:
                await self._intake.list_all(self._kube, self._namespaces)
            except Outage as error:
                log.warning("Listing failed", extra={"error": str(error)})
                await asyncio.sleep(RETRY_SECONDS)
                self._gap.set()

    def _on_change(self) -> None:
        """The metadata database is back, or away for another reason: have it told, and written."""
        if self.mirror.away is None:
            self._sweeper.ask()
        for key in self._world.unsynced:
            self._queue.add(key)

    def _on_gone(self, kind: Kind, obj: Object) -> None:
        """A name that was promised is free again, and a row may have been left behind."""
        if kind == known.DATABASE:
            self._world.arbiter.forget(obj)
            self._sweeper.gone(raw.text(obj, "metadata", "uid"))


def _now() -> datetime:
    return datetime.now(UTC)


def _uptime() -> float:
    """Seconds that go on while the process is stopped, and the machine is asleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _candidate(settings: Settings) -> Candidate:
    return Candidate(
        identity=settings.identity or f"{socket.gethostname()}_{secrets.token_hex(4)}",
        namespace=settings.lease_namespace or own_namespace() or "default",
        name=settings.lease_name,
        seconds=settings.lease_duration.total_seconds(),
    )


def _mirror(settings: Settings, elector: Elector) -> Mirror:
    files = migrate.shipped()
    try:
        parameters = migrate.parameters(settings.database_url.get_secret_value())
    except migrate.MigrationError as error:
        raise StartError(str(error)) from None
    server = Server(
        parameters,
        PoolSettings(
            most=settings.db_max_conns,
            fewest=settings.db_min_conns,
            lifetime=settings.db_max_conn_lifetime,
            idle=settings.db_max_conn_idle_time,
        ),
        missing_migrations=lambda applied: migrate.missing(files, applied),
        migration_job=settings.migration_job,
    )
    return Mirror(server, elector)


def _world(settings: Settings, work: Work) -> World:
    return World(
        kube=work.kube,
        mirror=work.mirror,
        store=work.store,
        announcer=work.announcer,
        platform=Platform(
            default_postgres_version=settings.default_postgres_version,
            postgres_versions=settings.postgres_versions,
            postgres_image=settings.postgres_image,
            cluster_domain=settings.cluster_domain,
        ),
        resync=settings.resync_interval,
        secret_check=settings.secret_check_interval,
        now=_now,
        monotonic=time.monotonic,
    )
