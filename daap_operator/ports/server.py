"""Connections to a port, within limits, in a thread and an event loop of their own.

Who connects and says nothing costs a place among a few for a few seconds, and loses it to the next
when all are taken; who takes more places than its share loses them even while it is answered. So
the descriptors and the memory that strangers can take are bounded, and a client that sends its
request at once, as a kubelet does, is answered among any number of others.
"""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from daap_operator.ports.budget import Rate, Requests, peer_of
from daap_operator.ports.http import END, Answer, Request, parsed, rendered
from daap_operator.ports.places import Place, victim
from daap_operator.ports.tls import Certificate

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Answer]]

SHUTDOWN_SECONDS = 1.0
"""For the other side to end TLS: asyncio would wait for half a minute, and hold the place."""

EACH, COMMON = Rate(30, 5.0), Rate(400, 150.0)
"""A kubelet asks less than once a second; 150 answers, at 0.7 ms, take a tenth of a core."""

BAD = Answer(HTTPStatus.BAD_REQUEST)
BROKEN = Answer(HTTPStatus.INTERNAL_SERVER_ERROR)


@dataclass(frozen=True)
class Limits:
    """What one port takes."""

    connections: int
    """Open at a time. One more takes the place of another, or is closed itself: see `places`."""
    each: Rate = EACH
    """Requests that every address has answered, whatever others ask."""
    common: Rate = COMMON
    """Requests beyond these, of all together. An address that has had both is closed at once, which
    takes a tenth of what answering does."""
    head_seconds: float = 5.0
    """For a request to arrive, with the TLS handshake."""
    answer_seconds: float = 30.0
    """For it to be answered, and the answer to be taken."""
    patience: float = 2.0
    """For how long of these a place is not given to another of the same address."""
    head_bytes: int = 8192
    again_seconds: float = 1.0
    """How soon to accept again when that has failed."""
    log_seconds: float = 60.0
    """At most one line of a sort is logged in this time."""


SHARE = 4
"""One address has a quarter of the places, as long as others want them."""

PROBES = Limits(connections=64, answer_seconds=10.0)
METRICS = Limits(connections=16)
"""A page may wait in memory for each of them, once more as a whole."""


class Port:
    """Answers at a socket while the context lasts."""

    def __init__(
        self,
        name: str,
        listening: socket.socket,
        handler: Handler,
        limits: Limits,
        certificate: Certificate | None = None,
    ) -> None:
        """`handler` is called in the port's own event loop; what it raises is logged, and 500."""
        self._name = name
        self._listening = listening
        self._handler = handler
        self._limits = limits
        self._certificate = certificate
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._began = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._talks: dict[Place, asyncio.Task[None]] = {}  # the oldest first
        self._requests = Requests(limits.each, limits.common, time.monotonic)
        self._logged: dict[str, float] = {}
        self.number: int = listening.getsockname()[1]
        """The port's number."""

    async def __aenter__(self) -> Self:
        self._thread.start()
        self._began.wait()  # some milliseconds: nothing can come in between and leave it running
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stop()
        await asyncio.to_thread(self._thread.join)
        self._listening.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_trouble)
        accepting = asyncio.create_task(self._accept_all(loop))
        self._stop = lambda: loop.call_soon_threadsafe(accepting.cancel)
        self._began.set()
        with suppress(asyncio.CancelledError):
            await accepting
        for talk in self._talks.values():
            talk.cancel()
        await asyncio.gather(*self._talks.values(), return_exceptions=True)
        await asyncio.sleep(0)  # sockets are closed in the next turn

    async def _accept_all(self, loop: asyncio.AbstractEventLoop) -> None:
        self._listening.settimeout(0)
        while True:
            await self._accept(loop)

    async def _accept(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            connection, address = await loop.sock_accept(self._listening)
        except ConnectionError:  # gone again already
            return
        except OSError as error:
            self._log("Accepting no connections", error, trace=False)
            await asyncio.sleep(self._limits.again_seconds)
            return
        self._admit(connection, Place(peer_of(address[0])))
        await asyncio.sleep(0)  # those that are there have their turn before the next

    def _admit(self, connection: socket.socket, place: Place) -> None:
        if self._requests.of(place.peer) is None:
            self._log("Connections refused: too many requests", place.peer, trace=False)
            connection.close()
            return
        if len(self._talks) >= self._limits.connections and not self._make_room(place.peer):
            connection.close()
            return
        if self._certificate:  # a handshake costs as much as an answer, whatever comes after it
            self._charge(place)
        talk = asyncio.create_task(self._talk(connection, place))
        self._talks[place] = talk
        talk.add_done_callback(lambda _: self._forget(place))

    def _charge(self, place: Place) -> None:
        """Count one request of an address."""
        if share := self._requests.of(place.peer):
            share.take()

    def _make_room(self, newcomer: str) -> bool:
        """Close a connection for one of that address; False when it is to be closed itself."""
        found = victim(
            self._talks,
            newcomer,
            share=self._limits.connections // SHARE,
            patience=self._limits.patience,
            now=asyncio.get_running_loop().time(),
        )
        if found is None:
            return False
        self._talks[found].cancel()
        self._forget(found)
        return True

    def _forget(self, place: Place) -> None:
        self._talks.pop(place, None)

    async def _talk(self, connection: socket.socket, place: Place) -> None:
        """One connection, from being accepted to being closed."""
        reader = asyncio.StreamReader(self._limits.head_bytes)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        tls = self._certificate.context() if self._certificate else None
        transport = None
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                transport, _ = await loop.connect_accepted_socket(
                    lambda: protocol,
                    connection,
                    ssl=tls,
                    ssl_shutdown_timeout=SHUTDOWN_SECONDS if tls else None,
                )
                head = await reader.readuntil(END)
            place.spoke = loop.time()
            if not tls:
                self._charge(place)
            async with asyncio.timeout(self._limits.answer_seconds):
                answer = rendered(await self._answer(head, place.peer))
                await _send(asyncio.StreamWriter(transport, protocol, reader, loop), answer)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass  # gone, silent or no request: theirs, and nothing to log for each of them
        finally:
            if transport is not None:
                transport.abort()
            else:
                connection.close()

    async def _answer(self, head: bytes, peer: str) -> Answer:
        request = parsed(head, peer)
        if request is None:
            return BAD
        try:
            return await self._handler(request)
        except Exception as error:  # noqa: BLE001 - a defect, and no reason to stop answering
            self._log("Request failed", error, trace=True)
            return BROKEN

    def _on_trouble(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        del loop
        self._log(str(context["message"]), context.get("exception"), trace=True)

    def _log(self, message: str, error: BaseException | str | None, *, trace: bool) -> None:
        """Log it, unless that was done a moment ago."""
        now = asyncio.get_running_loop().time()
        if now < self._logged.get(message, now):
            return
        self._logged[message] = now + self._limits.log_seconds
        extra = {"port": self._name, "error": str(error)}
        caught = error if trace and isinstance(error, BaseException) else None
        log.error(message, extra=extra, exc_info=caught)


async def _send(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
