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
            task = self._task = asyncio.create_task(self._call())
            task.add_done_callback(self._note)
        return await asyncio.shield(task)

    def _note(self, task: "asyncio.Task[T]") -> None:
        failed = task.cancelled() or task.exception() is not None  # asked, so it is not complained
        self._until = 0.0 if failed else asyncio.get_running_loop().time() + self._seconds
