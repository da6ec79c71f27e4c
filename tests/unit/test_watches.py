"""kopf's thread: ended from outside, started again, and what comes out of it."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from daap_operator.engine import watches as module
from daap_operator.engine.kinds import Source
from daap_operator.engine.kopf_watch import Feed
from daap_operator.engine.trace import Place
from daap_operator.engine.watches import Watches
from daap_operator.kinds import known
from daap_operator.kube import Kind
from tests.support.eventually import eventually
from tests.unit.stage import SOURCES


class Kopf:
    """In kopf's place: runs until told to stop, or fails at once."""

    def __init__(self) -> None:
        self.runs = 0
        self.failing = False
        self.may_end = threading.Event()
        """Until it is set, it has been told to stop and has not."""
        self.may_end.set()
        self.feed: Callable[[Source, str | None, Mapping[str, Any]], None]
        self.answered: Callable[[Place, bool], None]

    async def operate(
        self,
        feed: Any,
        answered: Any,
        login: Any,
        *,
        sources: Any,
        namespaces: Any,
        stop: asyncio.Event,
    ) -> None:
        self.runs += 1
        self.feed, self.answered = feed.event, answered
        if self.failing:
            raise ValueError("ERROR event")
        for source in SOURCES.values():
            answered(Place(source, ""), True)
        await stop.wait()
        await asyncio.to_thread(self.may_end.wait)

    async def ran(self, times: int) -> None:
        async def runs() -> int:
            return self.runs

        await eventually(runs, lambda seen: seen >= times)


@pytest.fixture
def kopf(monkeypatch: pytest.MonkeyPatch) -> Kopf:
    made = Kopf()
    monkeypatch.setattr(module, "operate", made.operate)
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)
    return made


@asynccontextmanager
async def watching(
    feed: Callable[[Source, str | None, Mapping[str, Any]], None] = lambda *_: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Watches]:
    async def credentials() -> Any:
        raise AssertionError

    made = Watches(
        Feed(feed, lambda _, obj: obj),
        credentials,
        sources=list(SOURCES.values()),
        namespaces=(),
        on_listed=lambda: None,
        monotonic=monotonic,
    )
    await made.start(patience=5)
    try:
        yield made
    finally:
        await made.stop()
        assert not made.alive


async def test_kopf_that_gives_up_is_started_again(kopf: Kopf) -> None:
    kopf.failing = True
    async with watching() as watches:
        await kopf.ran(3)
        assert watches.alive
        assert watches.restarts >= 2


async def test_kopf_is_started_anew_when_asked(kopf: Kopf) -> None:
    async with watching() as watches:
        kopf.may_end.clear()
        watches.restart()
        watches.restart()
        kopf.may_end.set()
        await kopf.ran(2)
        assert watches.restarting_for == 0
        watches.restart()
        await kopf.ran(3)
    assert kopf.runs == 3


async def test_a_restart_that_does_not_come_is_known(
    kopf: Kopf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching() as watches:
        monkeypatch.setattr(watches, "_end_kopf", lambda: None)
        watches.restart()
        at_first = watches.restarting_for
        assert watches.restarting_for > at_first
        monkeypatch.undo()


async def test_kopf_that_does_not_end_is_left_behind(
    kopf: Kopf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.01)
    async with watching() as watches:
        kopf.may_end.clear()
        async with asyncio.timeout(5):
            await watches.stop()
        assert watches.alive
        assert "The watches do not end" in caplog.text
        monkeypatch.undo()
        kopf.may_end.set()


async def test_an_event_that_cannot_be_read_holds_up_none_behind_it(
    kopf: Kopf, caplog: pytest.LogCaptureFixture
) -> None:
    fed: list[str] = []

    def feed(source: Source, event_type: str | None, obj: Mapping[str, Any]) -> None:
        fed.append(obj["name"])

    async with watching(feed):
        for obj in ({"name": "a"}, {}, {"name": "b"}):
            kopf.feed(SOURCES[known.CLUSTER], "MODIFIED", obj)

        async def seen() -> list[str]:
            return fed

        await eventually(seen, lambda names: names == ["a", "b"])
    assert "Event dropped" in caplog.text


async def test_what_is_not_watched_in_time_is_overdue(
    kopf: Kopf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    now = 0.0
    async with watching(monotonic=lambda: now) as watches:

        async def overdue() -> set[Kind]:
            return {what.source.kind for what in watches.overdue(10, 50)}

        assert await overdue() == set()
        now = 11.0
        assert await overdue() == set(SOURCES)  # not one watch has begun since the start
        for kind in (known.CLUSTER, known.POOLER):
            kopf.answered(Place(SOURCES[kind], ""), False)
        await eventually(overdue, lambda seen: seen == set(SOURCES) - {known.CLUSTER, known.POOLER})
        now = 61.5
        assert await overdue() == set(SOURCES)
        kopf.answered(Place(SOURCES[known.CLUSTER], ""), False)
        await eventually(overdue, lambda seen: known.CLUSTER not in seen)
    assert caplog.text.count("Watch renewed after silence") == 1
