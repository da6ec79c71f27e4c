"""A connection that takes only answers of a bounded size.

Whoever may change the schema decides how long a value or an error is, up to a gigabyte, and libpq
and psycopg hold each several times over: an error of 80 MB took a gigabyte. When they have made an
error of it, it is too late. So the bytes that come are counted, and the connection is given up when
there are too many.
"""

import ctypes
import os
import socket
import struct
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection

INTERVAL_SECONDS = 0.1
"""How often psycopg sees whether it is to stop."""

MOST_BYTES = 256 * 1024
"""Of an answer. The largest that is asked for is a page of the sweep, of 25 KB."""

ORDINARY_BYTES = 8 * 1024
"""So many libpq may take in as they come; with half its first buffer it begins to read on."""

ROOM_BYTES = 64 * 1024
"""Of an answer that the kernel takes in before anybody looks."""

# Linux: `struct tcp_info` (linux/tcp.h) has `tcpi_bytes_received` since 4.1, and a filter of a
# socket (linux/filter.h) that returns 0 lets nothing in, which the server sends again later.
_TCP_INFO_BYTES = 136
_RECEIVED = struct.Struct("=Q")
_RECEIVED_AT = 128
_ATTACH_FILTER, _DETACH_FILTER = 26, 27
_NOTHING = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0), 8)
_FILTER = struct.pack("HP", 1, ctypes.addressof(_NOTHING))

T = TypeVar("T")


class AnswerTooLarge(psycopg.OperationalError):
    """What the server sent was more than MOST_BYTES; whether it did what was asked is unknown."""


class BoundedConnection(AsyncConnection[Any]):
    """Raises AnswerTooLarge for an answer of more than MOST_BYTES, and is closed then.

    On Linux, and over TCP: elsewhere nothing says how much has come.
    """

    async def wait(
        self,
        gen: Generator[Any, Any, T],
        interval: float = INTERVAL_SECONDS,
        timeout: float | None = None,  # noqa: ASYNC109 - psycopg's own signature
    ) -> T:
        """Wait for an answer, as psycopg does."""
        try:
            with _line(self.fileno()) as line:
                return await super().wait(_counted(gen, line), interval, timeout)
        except AnswerTooLarge:
            self.pgconn.finish()  # at once: closing in good order would take in the rest
            raise


def _counted(gen: Generator[Any, Any, T], line: socket.socket) -> Generator[Any, Any, T]:
    """The same steps, up to the one that would take in too much."""
    before = _received(line)
    try:
        step = next(gen)
        while True:
            ready = yield step
            found = _received(line) - before
            if found > MOST_BYTES:
                gen.close()
                raise AnswerTooLarge(f"The server's answer has more than {MOST_BYTES} bytes")
            with _shut(line, shut=found > ORDINARY_BYTES):
                step = gen.send(ready)
    except StopIteration as end:
        value: T = end.value
        return value


def _line(fileno: int) -> socket.socket:
    """The connection below libpq."""
    line = socket.socket(fileno=os.dup(fileno))
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_BYTES)
    return line


def _received(line: socket.socket) -> int:
    """Bytes that have come on a connection; 0 where nobody counts them."""
    try:
        info = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        (found,) = _RECEIVED.unpack_from(info, _RECEIVED_AT)
    except (OSError, AttributeError, struct.error):
        return 0
    return int(found)


@contextmanager
def _shut(line: socket.socket, *, shut: bool) -> Iterator[None]:
    """Let nothing in meanwhile: libpq reads a long message for as long as there is more of it."""
    if not shut:
        yield
        return
    try:
        with suppress(OSError):
            line.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, _FILTER)
        yield
    finally:
        with suppress(OSError):
            line.setsockopt(socket.SOL_SOCKET, _DETACH_FILTER, 0)
