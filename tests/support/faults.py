"""Faults at the transport: what a process sends is recorded, and one of its writes made to fail.

The product knows nothing of it. `installed` wraps the places where bytes leave: the REST layer
below `Kube._request`, and psycopg's cursors and transactions. Which process a request belongs to
follows from the context that its operator was started in.
"""

import asyncio
import errno
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from enum import Enum
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, TypeVar

import aiohttp
import psycopg
import pytest
from psycopg.pq import TransactionStatus

from daap_operator.kube import Kube
from tests.support import side_effects

T = TypeVar("T")
Answer = tuple[int, Any, bytes]
Connection = psycopg.AsyncConnection[Any]

_SEND = Kube._send
_EXECUTE = psycopg.AsyncCursor.execute
_TRANSACTION = psycopg.AsyncConnection.transaction


class Fault(Enum):
    """What can happen to a write."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    CONFLICT = "409"
    INVALID = "422"
    WEBHOOK = "500 failed calling webhook"
    THROTTLED = "429 with Retry-After"
    TIMEOUT = "timeout after it took effect"
    RESET = "connection reset"
    DROPPED_BEFORE = "dropped before commit"
    DROPPED_AFTER = "dropped after commit"
    STATEMENT_TIMEOUT = "statement timeout"
    SERIALIZATION = "serialization failure"
    READ_ONLY = "read-only server"
    UNIQUE = "unique violation"

    @property
    def crash(self) -> bool:
        """Whether the process ends with it."""
        return self in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)


class _Refusal(NamedTuple):
    status: int
    reason: str
    message: str
    headers: Mapping[str, str] = MappingProxyType({})


_REFUSALS = {
    Fault.CONFLICT: _Refusal(409, "Conflict", "Operation cannot be fulfilled: try again"),
    Fault.INVALID: _Refusal(422, "Invalid", "admission webhook denied the request: not today"),
    Fault.WEBHOOK: _Refusal(
        500,
        "InternalError",
        'Internal error occurred: failed calling webhook "vcluster.cnpg.io": connection refused',
    ),
    Fault.THROTTLED: _Refusal(
        429, "TooManyRequests", "too many requests, please try again later", {"Retry-After": "1"}
    ),
}
_SQLSTATES = {
    Fault.STATEMENT_TIMEOUT: "57014",
    Fault.SERIALIZATION: "40001",
    Fault.READ_ONLY: "25006",
    Fault.UNIQUE: "23505",
}


class Process:
    """What one operator process sends, as far as it lives."""

    def __init__(self) -> None:
        self.made: list[str] = []
        """The names of the side effects so far, in their order."""
        self.struck = asyncio.Event()
        """Set once the fault has happened."""
        self.dead = False
        self.claimed = False
        """Whether the inventory takes its writes: before, a write has no effect and no name."""
        self._armed: tuple[str, Fault] | None = None

    def arm(self, point: str, fault: Fault) -> None:
        """Have the fault happen to the next write of that name, once."""
        self._armed = (point, fault)
        self.struck.clear()

    async def writes(self) -> list[str]:
        """The names of the side effects so far, to be waited for."""
        return self.made

    async def request(self, point: str | None, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """A request to the API server."""
        if self.dead:
            raise aiohttp.ClientConnectionError("the process has crashed")
        match fault := self._strikes(point):
            case Fault.CRASH_BEFORE:
                await self._die()
            case Fault.CRASH_AFTER:
                await send()
                await self._die()
            case Fault.TIMEOUT:
                await send()
                raise TimeoutError
            case Fault.RESET:
                raise aiohttp.ClientOSError(errno.ECONNRESET, "Connection reset by peer")
            case None:
                return await send()
        return _answer(_REFUSALS[fault])

    async def statement(
        self, point: str | None, connection: Connection, run: Callable[[], Awaitable[T]]
    ) -> T:
        """A statement, or the end of a transaction."""
        if self.dead:
            raise psycopg.OperationalError("the process has crashed")
        if not self.claimed and point != side_effects.CLAIM:
            point = None
        match fault := self._strikes(point):
            case Fault.CRASH_BEFORE | Fault.DROPPED_BEFORE:
                _cut(connection)
            case Fault.CRASH_AFTER | Fault.DROPPED_AFTER:
                await run()
                _cut(connection)
        if fault in _SQLSTATES:
            await _raise_on_server(connection, _SQLSTATES[fault])
        if fault and fault.crash:
            await self._die()
        if fault is Fault.DROPPED_AFTER:
            await _plain(connection, "SELECT 1")
        return await run()

    def _strikes(self, point: str | None) -> Fault | None:
        """The fault that happens now, if one does."""
        if point is not None:
            self.made.append(point)
        if self._armed is None or self._armed[0] != point:
            return None
        _, fault = self._armed
        self._armed = None
        self.dead = fault.crash
        if not fault.crash:
            self.struck.set()
        return fault

    async def _die(self) -> NoReturn:
        """Nothing comes after this but the end of the task."""
        self.struck.set()
        while True:
            await asyncio.get_running_loop().create_future()


_current: ContextVar[Process | None] = ContextVar("process", default=None)


@contextmanager
def inside(process: Process) -> Iterator[None]:
    """What is started meanwhile belongs to this process."""
    token = _current.set(process)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def installed() -> Iterator[None]:
    """Have processes meet their faults."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kube, "_send", _send)
        patch.setattr(psycopg.AsyncCursor, "execute", _execute)
        patch.setattr(psycopg.AsyncConnection, "transaction", _transaction)
        yield


async def _send(
    self: Kube, method: str, path: str, query: Any, body: Any, headers: dict[str, str], most: int
) -> Answer:
    send = partial(_SEND, self, method, path, query, body, headers, most)
    process = _current.get()
    if process is None:
        return await send()
    media = headers.get("Content-Type", "")
    return await process.request(side_effects.of_request(method, path, body, media), send)


async def _execute(
    self: psycopg.AsyncCursor[Any], query: Any, params: Any = None, **options: Any
) -> psycopg.AsyncCursor[Any]:
    process = _current.get()
    text = query.decode() if isinstance(query, bytes) else str(query)
    point = side_effects.of_statement(text, params) if process else None

    async def run() -> psycopg.AsyncCursor[Any]:
        done: psycopg.AsyncCursor[Any] = await _EXECUTE(self, query, params, **options)
        if process and point == side_effects.CLAIM:
            process.claimed = True
        return done

    if process is None:
        return await run()
    if point and self.connection.info.transaction_status is TransactionStatus.INTRANS:
        point = f"{point} in a transaction"
    return await process.statement(point, self.connection, run)


@asynccontextmanager
async def _transaction(
    self: Connection, *arguments: Any, **options: Any
) -> AsyncIterator[psycopg.AsyncTransaction]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(_TRANSACTION(self, *arguments, **options))
        if (process := _current.get()) is None:
            return
        await process.statement(side_effects.COMMIT, self, stack.aclose)


def _answer(refusal: _Refusal) -> Answer:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": refusal.reason,
        "message": refusal.message,
        "code": refusal.status,
    }
    return refusal.status, refusal.headers, json.dumps(body).encode()


def _cut(connection: Connection) -> None:
    """The network loses the connection: nothing leaves or arrives any more."""
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as own:
        own.shutdown(socket.SHUT_RDWR)


async def _raise_on_server(connection: Connection, sqlstate: str) -> None:
    await _plain(connection, f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")


async def _plain(connection: Connection, sql: str) -> None:
    """A statement of the test's own on the operator's connection."""
    await _EXECUTE(connection.cursor(), sql.encode())
