"""Questions to the operator's own event loop, from that of a port."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Owner:
    """The event loop that it is made in. It owns whatever is not the ports' own."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def ask(self, question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Have it answer; to be awaited in another event loop. Raises what the question raises."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question(), self._loop))
