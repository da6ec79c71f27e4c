"""A call that is made once for all who ask at the same time."""

import asyncio
from typing import NoReturn

import pytest

from daap_operator.ports.shared import Shared


async def test_who_asks_as_the_call_ends_gets_its_result() -> None:
    """Between a task's end and its callbacks there is a round of the event loop."""
    calls: list[int] = []
    asked: list[asyncio.Task[int]] = []

    async def call() -> int:
        calls.append(1)
        asked.append(asyncio.ensure_future(shared.get()))  # its first step is after this one
        return len(calls)

    shared = Shared(call, 1000.0)
    assert await shared.get() == 1
    assert await asked[0] == 1
    assert len(calls) == 1


async def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    calls: list[int] = []

    async def call() -> NoReturn:
        calls.append(1)
        await asyncio.sleep(0)
        raise ValueError("no")

    shared = Shared(call, 1000.0)
    both = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
    assert [str(each) for each in both] == ["no", "no"]
    assert len(calls) == 1
    with pytest.raises(ValueError, match="no"):
        await shared.get()
    assert len(calls) == 2


async def test_who_no_longer_waits_cancels_nothing() -> None:
    may = asyncio.Event()

    async def call() -> str:
        await may.wait()
        return "here"

    shared = Shared(call)
    gone, waiting = (asyncio.create_task(shared.get()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    may.set()
    assert await waiting == "here"
    assert gone.cancelled()
