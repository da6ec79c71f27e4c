"""The connections of a test's server, none of which is left to the garbage collector.

A task that is cancelled before its first step runs no `finally`. So whoever serves a connection
cannot be the only one to close it.
"""

import asyncio
from collections.abc import Awaitable, Callable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Connections:
    """What a server has accepted, and what it has opened in turn. One event loop owns it."""

    def __init__(self, serve: Serve) -> None:
        """`serve` may leave its connections open: they are closed when it has returned."""
        self._serve = serve
        self._writers: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection: what `asyncio.start_server` is to call."""
        task = asyncio.get_running_loop().create_task(self._served(reader, writer))
        self._writers[task] = [writer]
        task.add_done_callback(self._done)

    async def open(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection for the one that is served by the task that asks. Raises OSError."""
        reader, writer = await asyncio.open_connection(host, port)
        task = asyncio.current_task()
        assert task
        self._writers[task].append(writer)
        return reader, writer

    def abort(self) -> None:
        """Reset all of them."""
        for writers in self._writers.values():
            for writer in writers:
                writer.transport.abort()

    def cancel(self) -> None:
        """Serve nobody any more, and reset what is still open, in the event loop's next rounds."""
        for task in self._writers:
            task.cancel()

    async def close(self) -> None:
        """The same, and wait for it."""
        self.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        await asyncio.sleep(0)  # what is reset tells its protocol in the next round

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer)

    def _done(self, task: asyncio.Task[None]) -> None:
        for writer in self._writers.pop(task):
            if not writer.transport.is_closing():  # closed ones may still have something to send
                writer.transport.abort()
