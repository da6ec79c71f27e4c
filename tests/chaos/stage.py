"""What all runs share: a control plane, a stand-in for CloudNativePG, a PostgreSQL, a client."""

import asyncio
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from dev.cluster import ControlPlane
from dev.postgres import Server
from tests.chaos.trap import Traps
from tests.standin.cnpg import StandIn
from tests.support.api import Api, ApiError, Object
from tests.support.schema_runner import Runner

RETRY_SECONDS = 0.2


class Patient(Api):
    """A client that waits for an API server that is away, as a person would."""

    async def call(
        self, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> Object:
        """One request; raises ApiError for what the API server refuses."""
        while True:
            try:
                return await super().call(method, path, body, kind)
            except ApiError as error:
                if error.status < 500:
                    raise
            except (aiohttp.ClientError, OSError):
                pass
            await asyncio.sleep(RETRY_SECONDS)


@dataclass
class Stage:
    """The shared things."""

    plane: ControlPlane
    operator_kubeconfig: Path
    standin: StandIn
    postgres: Server
    template: str
    """The name of a migrated database to copy."""
    api: Patient
    directory: Path
    runner: Runner
    """Who runs the Jobs of schemas."""
    traps: Traps = field(default_factory=dict)
    copying: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the template is copied."""
    away_seconds: float = 0.0
    """For how long the API server was away, in all: time in which nothing can come right."""
    _left_alone_until: float = 0.0
    _restarting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def restart_api_server(self, down: float) -> None:
        """Kill the API server, under everybody who works with it, and start it again.

        It then lives for as long as it was away, whatever the other runs ask for: several of them
        could keep it away for ever on a slow machine. Who asks for it meanwhile has had it.
        """
        if self._restarting.locked() or time.monotonic() < self._left_alone_until:
            return
        async with self._restarting:
            began = time.monotonic()
            await asyncio.to_thread(self.plane.stop, "kube-apiserver", signal.SIGKILL)
            await asyncio.sleep(down)
            await asyncio.to_thread(self.plane.start, "kube-apiserver")
            # Its informers stay away for longer and longer, and no garbage is collected meanwhile
            await asyncio.to_thread(self.plane.stop, "kube-controller-manager", signal.SIGKILL)
            await asyncio.to_thread(self.plane.start, "kube-controller-manager")
            away = time.monotonic() - began
            self.away_seconds += away
            self._left_alone_until = began + 2 * away
