"""One database seen from both sides: by a client in a pod, and by a reader of its status."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.api import Api, Object
from tests.support.clients import Clients
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.promise import Attempt, Comparison, attempts_in, compare

ASK_FOR_EVER = """
import select, time

def ask(connection, seconds):
    until = time.monotonic() + seconds
    connection.send_query(b"SELECT pg_is_in_recovery()")
    while connection.is_busy():
        left = until - time.monotonic()
        if not select.select([connection.socket], [], [], max(left, 0))[0]:
            return "no answer"
        connection.consume_input()
    result = connection.get_result()
    while connection.get_result():
        pass
    if result is None or result.ntuples != 1:
        return result.error_message.decode() if result else "lost"
    return "" if result.get_value(0, 0) == b"f" else "a replica answered"

connection = None
while True:
    begun = time.time()
    try:
        if connection is None:
            connection = psycopg.connect(entry("uri"), connect_timeout=2, **VERIFIED)
        error = ask(connection.pgconn, 1.0)
    except psycopg.Error as lost:
        error = str(lost) or "lost"
    if error and connection is not None:
        connection.pgconn.finish()
        connection = None
    tell({"at": begun, "until": time.time(), "error": error[:200]})
    time.sleep(max(0.0, begun + 0.1 - time.time()))
"""
"""Ten queries a second through the pooler over one connection, which is made again when it fails.
A query that is not answered within a second has failed."""


LAST = 5
"""Queries that have to be answered in a row."""


def now() -> float:
    """Seconds since the epoch, as the pods' clocks have them: nodes are on this machine."""
    return time.time()  # noqa: TID251 - held against what other processes wrote


@dataclass
class Watched:
    """What a database told since the watch began."""

    shop: Databases
    name: str
    statuses: list[tuple[float, Object]] = field(default_factory=list)
    """The DaapDatabase as it was from each moment on."""

    def since(self, moment: float) -> list[Object]:
        """The DaapDatabase in each state it had from then on."""
        before = [obj for at, obj in self.statuses if at <= moment]
        return before[-1:] + [obj for at, obj in self.statuses if at > moment]

    def __str__(self) -> str:
        return "".join(f"{at:.3f} {_brief(obj)}\n" for at, obj in self.statuses)


def _brief(obj: Object) -> str:
    conditions = obj["status"].get("conditions", ())
    told = [f"{c['type']}={c['status']} {c['reason']}: {c['message']!r}" for c in conditions]
    return " | ".join([str(obj["status"].get("phase")), *told])


@asynccontextmanager
async def watching(shop: Databases, name: str) -> AsyncIterator[Watched]:
    """A watch that keeps every status."""
    watched = Watched(shop, name)
    task = asyncio.create_task(_watch(shop.api, watched))
    try:
        yield watched
    finally:
        task.cancel()


async def _watch(api: Api, watched: Watched) -> None:
    query = f"fieldSelector=metadata.namespace%3D{watched.shop.namespace}"
    async for kind, obj in api.watch("daapdatabases", query):
        if obj["metadata"]["name"] == watched.name and kind != "DELETED":
            watched.statuses.append((now(), obj))


@dataclass
class Client:
    """A client in a pod that asks for ever."""

    clients: Clients
    pod: str

    async def attempts(self) -> list[Attempt]:
        """Its log."""
        return attempts_in(await self.clients.said(self.pod))

    async def is_answered(self, *, seconds: float = 120.0) -> None:
        """Wait until its last queries were answered."""

        def answered(seen: list[Attempt]) -> bool:
            return len(seen) > LAST and not any(attempt.error for attempt in seen[-LAST:])

        await eventually(self.attempts, answered, seconds=seconds)

    async def compare(self, watched: Watched, since: float) -> Comparison:
        """Ready held against its log, up to the last attempt."""
        attempts = await self.attempts()
        ready = [
            (at, condition(obj, "Ready").get("status") == "True") for at, obj in watched.statuses
        ]
        return compare(attempts, ready, since=since, until=attempts[-1].until)


@asynccontextmanager
async def asking(watched: Watched, clients: Clients, directory: Path) -> AsyncIterator[Client]:
    """A client that was answered and asks on; what both sides saw is kept in the directory."""
    found = await watched.shop.get(watched.name)
    assert found
    secret = await watched.shop.child("secrets", found["status"]["secretName"])
    assert secret
    client = Client(clients, await clients.start(ASK_FOR_EVER, secret))
    try:
        await client.is_answered()
        yield client
    finally:
        keep(directory, "client.jsonl", await clients.said(client.pod))
        keep(directory, "status.txt", str(watched))


def keep(directory: Path, name: str, text: str) -> None:
    """Write down what was seen, to be looked at afterwards."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text)
