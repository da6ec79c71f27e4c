"""One run's part of the platform: two namespaces, an inventory, an operator, and what befalls them.

The operator reaches the API server and the metadata database through proxies, so that each can go
away for this run alone.
"""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from urllib.parse import urlsplit

import psycopg

from tests.chaos.stage import Stage
from tests.chaos.trap import Trap
from tests.fix_cluster import remove_objects
from tests.support import rights
from tests.support.api import ApiError
from tests.support.operator import PORTS, RunningOperator
from tests.support.proxy import api_server, proxy_to, write_detour
from tests.support.rows import Rows


class World:
    """An async context manager. Everything is up at first, but for the operator."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        mark = secrets.token_hex(4)
        self.namespaces = [f"chaos-{mark}-a", f"chaos-{mark}-b"]
        self._stack = AsyncExitStack()
        self._operator: RunningOperator | None = None
        self._dying: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "World":
        url = await self._database()
        self.rows = Rows(url)
        self.metadata = proxy_to(url, 5432)
        self.api = proxy_to(api_server(self.stage.operator_kubeconfig), 443)
        for proxy in (self.metadata, self.api):
            await proxy.mend()
            self._stack.callback(proxy.cut)
        kubeconfig = self.stage.directory / f"{self.namespaces[0]}.kubeconfig"
        write_detour(self.stage.operator_kubeconfig, self.api, kubeconfig)
        self._address = f"https://127.0.0.1:{self.api.port}"
        self._stack.callback(kubeconfig.unlink)
        self._environment = {
            "KUBECONFIG": str(kubeconfig),
            "DATABASE_URL": _through(url, self.metadata.port),
            "DB_MIN_CONNS": "1",
            "DB_MAX_CONNS": "4",
            **PORTS,
            "DAAP_WATCH_NAMESPACES": ",".join(self.namespaces),
            # One after the other, never at the same time: the next need not wait for the Lease
            "DAAP_LEASE_NAME": self.namespaces[0],
            "DAAP_LEASE_DURATION": "5m",
            "DAAP_IDENTITY": "chaos",
            # Secrets are not watched. Everything else has to come right without the resync
            "DAAP_SECRET_CHECK_INTERVAL": "1s",
            "DAAP_BACKUP_STORE": "backups",
        }
        for side in (0, 1):
            self.stage.standin.barman.keep(self.namespaces[side])
            await self.make_namespace(side)
        await rights.grant_lease(self.stage.api, rights.NAMESPACE, self.namespaces[0])
        return self

    async def _database(self) -> str:
        """A database of this run's own; copied one at a time, as PostgreSQL asks for."""
        postgres, template = self.stage.postgres, self.stage.template
        async with self.stage.copying:
            url = await asyncio.to_thread(postgres.create_database, template=template)
        name = urlsplit(url).path.lstrip("/")
        self._stack.push_async_callback(asyncio.to_thread, postgres.drop_database, name)
        return url

    async def __aexit__(self, *exc: object) -> None:
        await self.kill()
        await self._clear()
        await self._stack.aclose()

    async def _clear(self) -> None:
        """Remove what others see: the stand-in, and operators of tests that look at all namespaces.

        The namespaces stay until the control plane goes: emptying one takes the API server and
        its controllers four hundred requests, as many as all else that a run asks of them.
        """
        for namespace in self.namespaces:
            await remove_objects(self.stage.api, namespace)

    # the operator ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start an operator unless one runs; it may not be ready yet."""
        await self._buried()
        if self._operator is None:
            self._operator = RunningOperator(self._environment)
            await self._operator.__aenter__()

    async def kill(self) -> None:
        """Cut it off."""
        await self._buried()
        if self._operator is not None:
            self._dies()
            await self._buried()

    async def stop(self) -> None:
        """Stop it as SIGTERM does."""
        await self._buried()
        if self._operator is not None:
            stopping, self._operator = self._operator, None
            await stopping.stop()

    async def kill_at(self, write: int, *, answered: bool) -> None:
        """Have it die at one of its next writes; a killed one starts again without the trap."""
        if self._operator is not None:
            spring = partial(self._dies, self._operator)
            self.stage.traps[self._address] = Trap(write, answered, spring)

    def _dies(self, which: RunningOperator | None = None) -> None:
        if self._operator is not None and which in (None, self._operator):
            self.stage.traps.pop(self._address, None)
            self._dying = asyncio.create_task(self._operator.kill())
            self._operator = None

    async def _buried(self) -> None:
        """Wait until the one that dies is dead: there is one operator at most."""
        if self._dying is not None:
            dying, self._dying = self._dying, None
            await dying

    # what it depends on ---------------------------------------------------------------------------

    async def cut_metadata(self) -> None:
        """The metadata database is away."""
        self.metadata.cut()

    async def mend_metadata(self) -> None:
        """It is back."""
        await self.metadata.mend()

    async def cut_api(self) -> None:
        """The operator cannot reach the API server; everybody else can."""
        self.api.cut()

    async def mend_api(self) -> None:
        """It can again."""
        await self.api.mend()

    async def heal(self, seconds: float) -> None:
        """Everything is there, and as it was meant to be; raises what an operator died of.

        The operator may take so long to get ready: another run can have killed the API server.
        """
        await self.metadata.mend()
        await self.api.mend()
        self.stage.traps.pop(self._address, None)
        for namespace in self.namespaces:
            self.stage.standin.wake(namespace)
        for side in (0, 1):
            await self.make_namespace(side)
        await self.start()
        if self._operator is not None:
            await self._operator.ready(seconds)

    async def make_namespace(self, side: int) -> None:
        """Make sure it is there; one that goes is waited for."""
        api, name = self.stage.api, self.namespaces[side]
        while True:
            found = await api.get("namespaces", "", name)
            if found is None:
                with already_there():  # created, and the answer was lost
                    await api.create("namespaces", {"metadata": {"name": name}})
            elif not found["metadata"].get("deletionTimestamp"):
                return
            else:
                await self.start()  # it waits for the finalizers
            await asyncio.sleep(0.2)


@contextmanager
def already_there() -> Iterator[None]:
    """Let a creation be refused because the object is there."""
    try:
        yield
    except ApiError as error:
        if error.status != 409:
            raise


def _through(url: str, port: int) -> str:
    """The same through a proxy on that port."""
    return psycopg.conninfo.make_conninfo(url, host="127.0.0.1", port=port)
