"""`daap-operator run`: the process, from settings to the end; the clock comes from here."""

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, NoReturn

from daap_operator import __version__, migrate, ports
from daap_operator.api.reasons import InventoryReason
from daap_operator.cancellation import heed
from daap_operator.elector import Candidate, Elector
from daap_operator.errors import Deposed, StartError
from daap_operator.kinds.served import KINDS, Kinds
from daap_operator.kube import Kube, own_namespace
from daap_operator.metrics import Metrics, Seen
from daap_operator.mirror import MetadataError, Mirror, PoolSettings, Server
from daap_operator.settings import Settings
from daap_operator.work import RETRY_SECONDS, Work

log = logging.getLogger(__name__)

SCHEMA_SECONDS = 60.0
"""How long a replica that starts waits for migrations, which may be under way just then."""


def _raise(lost: Deposed) -> NoReturn:
    raise lost


class Operator:
    """One operator. `run` returns when it is told to stop, and leaves nothing running."""

    def __init__(
        self,
        settings: Settings,
        *,
        kinds: Kinds = KINDS,
        deposed: Callable[[Deposed], NoReturn] = _raise,
    ) -> None:
        """`deposed` is called when another replica leads, or may: it has to end the process."""
        self._settings = settings
        self._kinds = kinds
        self._deposed = deposed
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()
        self._not_ready = "Starting"
        self._elector: Elector | None = None
        self._work: Work | None = None
        self._metrics = Metrics([served.kind.name for served in kinds])
        self.health_port = 0
        """Where the probes are answered, once they are."""
        self.metrics_port = 0
        """Where the metrics are, once they are."""

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
            probes = await stack.enter_async_context(self._probes())
            self.health_port = probes.number
            kube = await stack.enter_async_context(
                await Kube.connect(settings.kubeconfig, self._metrics.count_request)
            )
            metrics = await stack.enter_async_context(self._scrapes(kube))
            self.metrics_port = metrics.number
            elector = self._elector = Elector(
                kube, _candidate(settings), monotonic=_uptime, now=_now
            )
            mirror = await stack.enter_async_context(_mirror(settings, elector))
            self._work = Work(
                settings,
                kube.fenced(elector.require),
                mirror,
                self._metrics,
                now=_now,
                kinds=self._kinds,
            )
            await _first(self._lead(elector, self._work), self._stopping.wait())
            self._not_ready = "Stopping"
            await elector.release()
        log.info("Stopped")

    async def _lead(self, elector: Elector, work: Work) -> None:
        await self._await_schema(work.mirror)
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

    async def _look_after_databases(self, work: Work) -> None:
        self._not_ready = "Taking over"
        try:
            await work.mirror.connect()
        except MetadataError as error:  # it is taken up as soon as it can be used
            log.warning("Starting without inventory", extra={"error": str(error)})
        try:
            await work.begin()
            self._not_ready = ""
            self._ready.set()
            there = {f"{each.kind.word}s": len(work.store.refs(each.kind)) for each in self._kinds}
            log.info("Looking after databases", extra=there)
            await work.go_on()
        finally:
            await work.end()

    async def _await_schema(self, mirror: Mirror) -> None:
        """Give the migrations the time that an install or an upgrade takes; then go on without.

        Whoever may write to the inventory can have migrations missing, and it decides nothing.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + SCHEMA_SECONDS
        while True:
            heed()
            try:
                await mirror.check()
            except MetadataError as error:
                outdated = error.finding.reason == InventoryReason.SCHEMA_OUTDATED
                if not outdated or loop.time() >= until:
                    log.warning("Standing by without inventory", extra={"error": str(error)})
                    return
                self._not_ready = str(error)
                log.warning("Waiting for the schema", extra={"error": str(error)})
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    def _probes(self) -> ports.Port:
        settings = self._settings
        address = ports.Address(
            settings.health_host, settings.health_port, "the probes", "DAAP_HEALTH"
        )
        checks = {"live": self._what_is_dead, "ready": self._what_is_missing}
        probes = ports.Probes(ports.Owner(), checks)
        return ports.Port("probes", ports.listen(address), probes.answer, ports.PROBES)

    def _scrapes(self, kube: Kube) -> ports.Port:
        settings = self._settings
        owner, access, certificate = ports.Owner(), None, None
        if settings.metrics_authentication == "kubernetes":
            access = ports.Access(
                lambda token: owner.ask(lambda: ports.reviewed(kube, token)), _uptime
            )
        if settings.metrics_tls_directory:
            certificate = ports.Certificate(settings.metrics_tls_directory)
        address = ports.Address(
            settings.metrics_host, settings.metrics_port, "the metrics", "DAAP_METRICS"
        )
        scrapes = ports.Scrapes(owner, self._page, access)
        listening = ports.listen(address)
        return ports.Port("metrics", listening, scrapes.answer, ports.METRICS, certificate)

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
        if unsafe := migrate.warning(settings.database_url.get_secret_value()):
            log.warning(unsafe)
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
