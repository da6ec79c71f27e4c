"""A stand-in for PgBouncer: lends the server's sessions, for a transaction or for a client's stay.

https://www.postgresql.org/docs/16/protocol-message-formats.html
"""

import asyncio
import os
import secrets
import socket
import struct
from collections import deque
from contextlib import suppress
from typing import Literal, Self

import psycopg

from tests.support.connections import Connections

CANCEL = 80877102
SSL, GSS = 80877103, 80877104
TRUSTED = struct.pack("!cii", b"R", 8, 0)
READY = b"Z\0\0\0\5I"
ASKS = (b"Q", b"S")
"""Query and Sync: what the server answers with a ReadyForQuery."""
TERMINATE = b"X"


class Session:
    """A session of the server."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    @classmethod
    async def log_in(cls, url: str) -> Self:
        """A new one; libpq logs in, and hands its socket over."""
        made = cls(await asyncio.to_thread(psycopg.connect, url))
        line = socket.socket(fileno=os.dup(made._connection.fileno()))
        made.reader, made.writer = await asyncio.open_connection(sock=line)
        return made

    def close(self) -> None:
        """End it, and whatever is going on in it."""
        self.writer.close()
        self._connection.close()


class Pooler:
    """Listens on a free port of 127.0.0.1, and trusts everybody. An async context manager."""

    def __init__(
        self,
        url: str,
        *,
        mode: Literal["transaction", "session"] = "transaction",
        size: int = 5,
        in_turn: bool = False,
    ) -> None:
        """At most `size` sessions of the server at `url` are lent at once.

        `in_turn`: the one that was idle the longest goes first, else the one of the shortest.
        """
        self._url = url
        self._mode = mode
        self._in_turn = in_turn
        self._places = asyncio.Semaphore(size)
        self._idle: deque[Session] = deque()
        self._all: list[Session] = []
        self._connections = Connections(self._serve)
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connections.accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._connections.close()
        for session in self._all:
            session.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await _welcomed(reader, writer):
                await self._relay(reader, writer)
        writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on what the client asks, then what the server answers, until the client goes."""
        lent: Session | None = None
        try:
            while (message := await _message(reader))[:1] != TERMINATE:
                lent = lent or await self._lend()
                lent.writer.write(message)
                if (
                    message[:1] in ASKS
                    and await _answered(lent, writer)
                    and self._mode != "session"
                ):
                    self._take_back(lent)
                    lent = None
        finally:
            if lent is not None:  # amid a transaction, or its own
                lent.close()
                self._places.release()

    async def _lend(self) -> Session:
        await self._places.acquire()
        if self._idle:
            return self._idle.popleft() if self._in_turn else self._idle.pop()
        session = await Session.log_in(self._url)
        self._all.append(session)
        return session

    def _take_back(self, session: Session) -> None:
        self._idle.append(session)
        self._places.release()


async def _welcomed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Let a client in, with a key of its own to cancel with; False when it came for that."""
    while True:
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        (code,) = struct.unpack("!i", (await reader.readexactly(length - 4))[:4])
        if code == CANCEL:
            return False
        if code not in (SSL, GSS):
            break
        writer.write(b"N")
    writer.write(TRUSTED)
    for name, value in (("server_version", "16.0"), ("client_encoding", "UTF8")):
        body = f"{name}\0{value}\0".encode()
        writer.write(struct.pack("!ci", b"S", len(body) + 4) + body)
    writer.write(struct.pack("!ci", b"K", 12) + secrets.token_bytes(8) + READY)
    return True


async def _answered(session: Session, writer: asyncio.StreamWriter) -> bool:
    """Hand on an answer; whether the transaction is over with it."""
    while True:
        message = await _message(session.reader)
        writer.write(message)
        if message[:1] == b"Z":
            await writer.drain()
            return message[-1:] == b"I"


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!i", head[1:])
    return head + await reader.readexactly(length - 4)
