"""What kopf is told to do, and what it is kept from."""

import asyncio
import itertools
import re
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import aiohttp
import kopf
import pytest

from daap_operator.engine import kopf_watch
from daap_operator.engine.kopf_guard import WriteRefused, reading_only
from daap_operator.engine.kopf_watch import GRACE_SECONDS, QUIET_SECONDS, Backoffs, Feed, Pause
from daap_operator.kinds import known
from daap_operator.kube import Credentials
from tests.unit import virtual_time
from tests.unit.stage import SOURCES


def test_a_watch_is_renewed_and_left_in_time() -> None:
    """The API server ends it first; a server that does not is left within a minute."""
    watching = kopf_watch.settings([]).watching
    assert watching.server_timeout
    assert watching.client_timeout
    assert watching.connect_timeout
    assert watching.server_timeout + 5 < watching.client_timeout == watching.inactivity_timeout
    assert watching.client_timeout + watching.connect_timeout < 60


def test_the_api_server_is_asked_for_its_timeout_in_whole_seconds() -> None:
    assert isinstance(kopf_watch.settings([]).watching.server_timeout, int)


def test_back_off_never_ends_and_never_exceeds_its_limit() -> None:
    pauses = list(itertools.islice(Backoffs(), 100))
    assert pauses[0] < 1
    assert max(pauses) <= kopf_watch.LONGEST_PAUSE_SECONDS * 1.2


def test_a_retry_after_does_not_shorten_the_back_off() -> None:
    """`Retry-After: 0` would have kopf ask without a pause."""
    assert not kopf_watch.settings([]).networking.enforce_retry_after


def test_only_logins_that_follow_soon_wait() -> None:
    pause = Pause()
    assert pause.next(1000) == 0
    assert [0.4 < pause.next(1001) < 0.6, 0.8 < pause.next(1002) < 1.2] == [True, True]
    assert pause.next(1002 + QUIET_SECONDS + 2) == 0


@pytest.mark.parametrize("body", [{}, {"metadata": {"annotations": {"a": "{"}}}])
def test_kopf_remembers_nothing_of_an_object(body: Any) -> None:
    storage = kopf_watch.settings([]).persistence.diffbase_storage
    assert storage.fetch(body=body) is None
    assert storage.build(body=body) == {}


async def never() -> None:
    await asyncio.Event().wait()


async def loses_two_cancellations() -> None:
    for _ in range(2):
        with suppress(asyncio.CancelledError):
            await never()
    await never()


def test_kopf_is_ended_although_its_watches_lose_cancellations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of its tasks has failed; another, begun by it and known to nobody, does not hear."""
    left: list[asyncio.Task[None]] = []

    async def fails() -> None:
        left.append(asyncio.create_task(loses_two_cancellations()))
        await asyncio.sleep(1)
        raise ValueError("ERROR event")

    async def spawn_tasks(**_: Any) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(work) for work in (fails(), never())]

    async def scene() -> float:
        await operate_until_it_ends()
        return asyncio.get_running_loop().time()

    monkeypatch.setattr("kopf.spawn_tasks", spawn_tasks)
    assert virtual_time.run(scene()) < 1 + GRACE_SECONDS + 2
    assert [task.cancelled() for task in left] == [True]


CLUSTERS = SOURCES[known.CLUSTER]


async def operate_until_it_ends() -> None:
    stop = asyncio.Event()
    with pytest.raises(ValueError, match="ERROR event"):
        await kopf_watch.operate(
            UNHEARD,
            unheard,
            no_login,
            sources=[CLUSTERS],
            namespaces=(),
            stop=stop,
        )


def unheard(*_: object) -> None:
    return


UNHEARD = Feed(unheard, lambda _, obj: obj)


async def no_login() -> Any:
    raise AssertionError


# --- kopf reads, and nothing else -----------------------------------------------------------------


def test_kopf_has_a_finalizer_that_no_object_can_have() -> None:
    """A qualified name has neither spaces nor more than one slash; all others are refused."""
    finalizer = kopf_watch.settings([]).persistence.finalizer
    assert not re.fullmatch(r"[-A-Za-z0-9_./]+", finalizer)


def request(method: str) -> Any:
    return SimpleNamespace(method=method, url=SimpleNamespace(path="/api/v1/pods/x"))


async def test_what_kopf_reads_goes_through_the_guard() -> None:
    async def handler(asked: Any) -> Any:
        return asked.method

    answer: Any = await reading_only()(request("GET"), handler)
    assert answer == "GET"


@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT", "DELETE", "get"])
async def test_what_kopf_would_write_is_refused_and_logged_once(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(_: Any) -> Any:
        raise AssertionError("sent")

    guard = reading_only()
    for _ in range(2):
        with pytest.raises(WriteRefused, match=f"{method} /api/v1/pods/x"):
            await guard(request(method), handler)
    assert [record.message for record in caplog.records] == ["Write of kopf refused"]


async def test_the_session_that_kopf_gets_has_the_guard() -> None:
    registry, sessions = kopf.OperatorRegistry(), list[aiohttp.ClientSession]()
    ours = Credentials("http://127.0.0.1:9", False, None, None, None, None, None)

    async def login() -> Credentials:
        return ours

    opened = partial(
        kopf_watch._session, sources=list(SOURCES.values()), answered=unheard, reduce=UNHEARD.reduce
    )
    kopf_watch.register_login(registry, login, opened, sessions)
    (handler,) = registry._activities.get_all_handlers()
    log_in: Any = handler.fn
    made = await log_in()
    try:
        with pytest.raises(WriteRefused):
            await made.aiohttp_session.patch(f"{ours.server}/api/v1/pods/x", json={})
    finally:
        await made.aiohttp_session.close()
