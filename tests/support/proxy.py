"""A TCP proxy that can be cut: what is behind it has gone away for those who come through it."""

import asyncio
from contextlib import suppress


class Proxy:
    """Listens on a free port of 127.0.0.1, the same one until it is closed."""

    def __init__(self, host: str, port: int) -> None:
        """`host` and `port` are the server's."""
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        """Let connections through; fine when they are already."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._connections:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
        else:
            self._connections.add(back)
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
            self._connections.discard(back)
        finally:
            self._connections.discard(writer)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either side is closed; then the other one is, too."""
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.transport.abort() if reader.exception() else writer.close()
