"""TLS before a PostgreSQL that was built without it, as a server with a certificate has it."""

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Self

from tests.support.connections import Connections

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""https://www.postgresql.org/docs/16/protocol-message-formats.html"""

CLOSING_SECONDS = 1.0
"""How long the other side has to say that it closes, too."""


class TlsFront:
    """Listens on a port of its own; an async context manager, which leaves no connection behind."""

    def __init__(self, port: int, certificate: Path, key: Path) -> None:
        self._behind = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._server: asyncio.Server | None = None
        self._connections = Connections(self._serve)
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connections.accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server
        self._server.close()
        await self._connections.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readexactly(len(SSL_REQUEST)) != SSL_REQUEST:
                return
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(self._context)
            there, back = await self._connections.open("127.0.0.1", self._behind)
            await asyncio.gather(_hand_on(reader, back), _hand_on(there, writer))
        except (OSError, asyncio.IncompleteReadError):  # whoever asked has hung up
            pass
        finally:
            await _close(writer)


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close with what is still to be sent, and be done with it before the event loop is."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CLOSING_SECONDS):
            await writer.wait_closed()
    writer.transport.abort()
