"""One call at a time, whose result all get who ask meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """A call that is made once for all who ask at the same time. One event loop owns it."""

    def __init__(self, call: Callable[[], Coroutine[Any, Any, T]], seconds: float = 0.0) -> None:
        """`seconds` is how long a result is given out after it came."""
        self._call = call
        self._seconds = seconds
        self._task: asyncio.Task[T] | None = None
        self._until = 0.0

    async def get(self) -> T:
        """The result. Raises what the call raised, which is not kept.

        Who no longer waits cancels nothing: others may.
        """
        task = self._task
        if task is None or (task.done() and asyncio.get_running_loop().time() >= self._until):
            task = self._task = asyncio.create_task(self._made())
            task.add_done_callback(_ask_for_its_exception)
        return await asyncio.shield(task)

    async def _made(self) -> T:
        # Not in a callback: who asks between the task's end and that would have another call made
        result = await self._call()
        self._until = asyncio.get_running_loop().time() + self._seconds
        return result


def _ask_for_its_exception(task: "asyncio.Task[T]") -> None:
    """So that asyncio does not complain of one that nobody waited for."""
    if not task.cancelled():
        task.exception()
