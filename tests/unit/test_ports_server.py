"""A port's limits: who says nothing, or too much, costs little and keeps nobody else waiting."""

import asyncio
import gc
import logging
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from daap_operator.ports import Answer, Limits, Request
from daap_operator.ports.budget import Rate
from tests.support.eventually import eventually
from tests.unit.ports import Line, get, lines, serving

FEW = Limits(connections=4, head_seconds=30.0, answer_seconds=30.0)
"""Slow enough that no deadline comes by itself."""

GET = "GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def ok(request: Request) -> Answer:
    return Answer(HTTPStatus.OK, b"ok\n")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# --- one request ----------------------------------------------------------------------------------


async def test_a_connection_is_for_one_request_and_closed_then() -> None:
    async with serving(ok, FEW) as port, lines(port, 1) as (line,):
        await line.say(GET + GET)
        said = await line.heard()
    assert said.count("HTTP/1.1 200 OK") == 1
    assert "Connection: close" in said
    assert said.endswith("\r\n\r\nok\n")


@pytest.mark.parametrize(
    "head",
    [
        "GET /\r\n\r\n",
        "GET / HTTP/2\r\n\r\n",
        "\x16\x03\x01 hello\r\n\r\n",
        "GET / HTTP/1.1\r\n" + "".join(f"X-{n}: y\r\n" for n in range(200)) + "\r\n",
    ],
    ids=["no version", "another version", "TLS", "many headers"],
)
async def test_what_is_no_request_is_answered_without_a_word(head: str) -> None:
    async with serving(ok, FEW) as port, lines(port, 1) as (line,):
        await line.say(head)
        assert (await line.heard()).startswith("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n")


async def test_a_head_has_a_size() -> None:
    async with serving(ok, FEW) as port, lines(port, 1) as (line,):
        await line.say("GET / HTTP/1.1\r\nX: " + 3 * FEW.head_bytes * "x")
        assert await line.heard() == ""


async def test_a_defect_is_500_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request) -> Answer:
        raise ZeroDivisionError(request.path)

    async with serving(broken, FEW) as port:
        answers = [await get(port, "/secret") for _ in range(20)]
    assert answers == [(500, "")] * 20
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("ERROR", "Request failed")
    assert record.exc_info


# --- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["", "GET / HTTP/1.1\r\nX: y"], ids=["nothing", "half a head"])
async def test_a_head_has_its_time(said: str) -> None:
    async with (
        serving(ok, replace(FEW, head_seconds=0.05)) as port,
        lines(port, 1) as (line,),
    ):
        await line.say(said)
        assert await line.heard() == ""


async def test_an_answer_has_its_time() -> None:
    async def never(request: Request) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(never, replace(FEW, answer_seconds=0.05)) as port:
        assert await get(port, "/") == (0, "")


async def test_who_does_not_read_its_answer_is_left() -> None:
    async def some(request: Request) -> Answer:
        return Answer(HTTPStatus.OK, bytes(50_000_000 if request.path == "/large" else 1))

    async with serving(some, replace(FEW, connections=1, answer_seconds=0.2)) as port:
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(b"GET /large HTTP/1.1\r\n\r\n")

            async def next_one() -> int:  # closed at once while the slow one has its place
                return (await get(port, "/small"))[0]

            await eventually(next_one, lambda status: status == 200)


# --- numbers --------------------------------------------------------------------------------------


async def test_among_many_who_say_nothing_one_who_asks_is_answered() -> None:
    before = descriptors()
    async with serving(ok, FEW) as port, lines(port, 100) as opened:
        for line in opened:
            await line.say("GET / HTTP/1.1\r\nX: y")
        assert await get(port, "/") == (200, "ok\n")
        ours = descriptors() - before - len(opened)
        assert ours < FEW.connections + 20  # the listening socket, and what event loops are made of
        assert await opened[0].heard() == ""


async def test_the_one_who_said_nothing_for_longest_makes_room() -> None:
    async with (
        serving(ok, FEW) as port,
        lines(port, FEW.connections) as (oldest, *others),
        lines(port, 1) as (newest,),
    ):
        assert await oldest.heard() == ""
        for line in (*others, newest):
            await line.say(GET)
            assert "200 OK" in await line.heard()


async def test_who_is_being_answered_is_not_closed_for_another() -> None:
    go_on = asyncio.Event()
    begun = asyncio.Semaphore(0)
    here = asyncio.get_running_loop()

    async def slow(request: Request) -> Answer:
        here.call_soon_threadsafe(begun.release)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(go_on.wait(), here))
        return Answer(HTTPStatus.OK)

    async with serving(slow, FEW) as port, lines(port, FEW.connections) as opened:
        for line in opened:
            await line.say(GET)
            await begun.acquire()
        assert await get(port, "/") == (0, "")
        go_on.set()
        assert ["200 OK" in await line.heard() for line in opened] == [True] * FEW.connections


async def test_an_address_with_all_the_places_loses_them_to_another_even_while_answered() -> None:
    begun = asyncio.Semaphore(0)
    here = asyncio.get_running_loop()

    async def slow(request: Request) -> Answer:
        if request.peer == "127.0.0.2":
            here.call_soon_threadsafe(begun.release)
            await asyncio.Event().wait()
        return Answer(HTTPStatus.OK, b"ok\n")

    async with (
        serving(slow, FEW) as port,
        lines(port, FEW.connections, "127.0.0.2") as (oldest, *others),
    ):
        for line in (oldest, *others):
            await line.say(GET)
            await begun.acquire()
        assert await get(port, "/") == (200, "ok\n")
        assert await oldest.heard() == ""
        while not await _is_begun(port, begun):  # once the place of that answer is free again
            pass


async def _is_begun(port: int, begun: asyncio.Semaphore) -> bool:
    """Whether one more of the greedy address gets a place; another address still has one then."""
    async with lines(port, 1, "127.0.0.2") as (greedy,):
        await greedy.say(GET)
        answered = {asyncio.ensure_future(greedy.heard()), asyncio.ensure_future(begun.acquire())}
        done, left = await asyncio.wait(answered, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        if any(task.result() == "" for task in done):
            return False
        assert await get(port, "/") == (200, "ok\n")
        return True


async def test_a_place_is_free_again_when_a_connection_is_over() -> None:
    async with serving(ok, FEW) as port:
        assert [await get(port, "/") for _ in range(5 * FEW.connections)] == (
            [(200, "ok\n")] * 5 * FEW.connections
        )


async def test_an_address_that_asks_all_the_time_is_not_answered_all_the_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked: Counter[str] = Counter()

    async def counted(request: Request) -> Answer:
        asked[request.peer] += 1
        return Answer(HTTPStatus.OK, b"ok\n")

    limits = replace(FEW, each=Rate(5, 0.0), common=Rate(20, 0.0))
    async with serving(counted, limits) as port:
        for _ in range(100):
            async with lines(port, 1, "127.0.0.2") as (line,):
                with suppress(ConnectionError):
                    await line.say(GET)
                    await line.heard()
        assert [await get(port, "/") for _ in range(5)] == [(200, "ok\n")] * 5
    assert asked == {"127.0.0.2": 25, "127.0.0.1": 5}
    (record,) = caplog.records
    assert record.message == "Connections refused: too many requests"
    assert vars(record)["error"] == "127.0.0.2"


# --- descriptors ----------------------------------------------------------------------------------


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """The process can open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    try:
        with suppress(OSError):
            while True:
                taken.append(socket.socket())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in taken:
            each.close()


async def test_without_descriptors_it_is_logged_once_and_answered_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = replace(FEW, again_seconds=0.01)
    with socket.socket() as client:  # made while that is possible
        client.setblocking(False)
        async with serving(ok, limits) as port:
            caplog.set_level(logging.DEBUG)
            loop = asyncio.get_running_loop()
            with no_descriptor_left():
                await loop.sock_connect(client, ("127.0.0.1", port))
                await loop.sock_sendall(client, GET.encode())

                async def logged() -> int:
                    return len(caplog.records)

                await eventually(logged)
                turns = iter(range(20))
                await eventually(logged, lambda _: next(turns, None) is None, every=0.01)
            async with asyncio.timeout(10):
                assert b"200 OK" in await loop.sock_recv(client, 1000)
    (record,) = (record for record in caplog.records if record.name == "daap_operator.ports.server")
    assert record.message == "Accepting no connections"
    assert "Too many open files" in vars(record)["error"]


async def test_nothing_is_left_behind() -> None:
    gc.collect()
    before = descriptors()
    async with serving(ok, FEW) as port, lines(port, 3):
        assert await get(port, "/") == (200, "ok\n")

    async def now() -> int:
        gc.collect()
        return descriptors()

    await eventually(now, lambda left: left <= before)


async def test_it_ends_while_a_request_is_answered() -> None:
    begun = asyncio.Event()
    here = asyncio.get_running_loop()

    async def never(request: Request) -> Answer:
        here.call_soon_threadsafe(begun.set)
        await asyncio.Event().wait()
        raise AssertionError

    line: Line
    async with serving(never, FEW) as port:
        line = await Line.open(port)
        await line.say(GET)
        await begun.wait()
    assert await line.heard() == ""
    line.close()
