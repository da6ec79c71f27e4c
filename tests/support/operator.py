"""An operator in the test's own event loop, so that its coverage counts."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Self

from daap_operator import __version__, settings
from daap_operator.kinds.served import KINDS, Kinds
from daap_operator.run import Operator
from tests.support.slowness import slowness

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
"""As long as the chart gives it, by the docs."""

PORTS = {
    "DAAP_HEALTH_HOST": "127.0.0.1",
    "DAAP_HEALTH_PORT": "0",
    "DAAP_METRICS_HOST": "127.0.0.1",
    "DAAP_METRICS_PORT": "0",
    "DAAP_DRILL_IMAGE": f"ghcr.io/daap-io/daap-operator:{__version__}",
}
"""An operator on this machine beside others; it does not know the image that the chart gives it."""


class RunningOperator:
    """Runs while the context lasts; `kill` leaves without a word, as SIGKILL would."""

    def __init__(self, environment: dict[str, str], kinds: Kinds = KINDS) -> None:
        self.operator = Operator(settings.read(environment), kinds=kinds)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.operator.run())
        return self

    async def ready(self, seconds: float = READY_SECONDS) -> Self:
        """Wait until it looks after databases; raises what it died of."""
        assert self._task
        waiting = asyncio.create_task(self.operator.ready())
        both = {self._task, waiting}
        async with asyncio.timeout(seconds):
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()
            raise AssertionError("the operator has stopped")
        return self

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Stop it as SIGTERM does."""
        if self._task:
            self.operator.stop()
            await self._ended()
            self._task = None

    async def _ended(self) -> None:
        """Wait for the end; when it does not come, tell what is still going on."""
        assert self._task
        done, _ = await asyncio.wait({self._task}, timeout=STOP_SECONDS)
        if not done:
            slow = await asyncio.to_thread(slowness)
            done, _ = await asyncio.wait({self._task}, timeout=STOP_SECONDS * (slow - 1))
        if not done:
            stacks = "\n".join(f"{t.get_name()}: {t.get_stack()}" for t in asyncio.all_tasks())
            raise AssertionError(f"the operator does not stop:\n{stacks}")
        self._task.result()

    async def kill(self) -> None:
        """Cut it off wherever it is."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()


class Operators:
    """Starts operators, and stops what still runs at the end."""

    def __init__(self, environment: dict[str, str], kinds: Kinds = KINDS) -> None:
        self._environment = environment
        self._kinds = kinds
        self._stack = AsyncExitStack()

    async def start(self, **environment: str) -> RunningOperator:
        """An operator that looks after databases."""
        return await (await self.begin(**environment)).ready()

    async def begin(self, **environment: str) -> RunningOperator:
        """An operator that may not be ready yet."""
        running = RunningOperator(self._environment | environment, self._kinds)
        return await self._stack.enter_async_context(running)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()
