"""Keys to work on: one worker at a time, coalesced, backed off, for ever. In virtual time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

import pytest

from daap_operator.engine.workqueue import (
    FIRST_RETRY_SECONDS,
    LAST_RETRY_SECONDS,
    PASS_SECONDS,
    Load,
    Workqueue,
)
from daap_operator.errors import Outage
from tests.unit import virtual_time
from tests.unit.virtual_time import now

Work = Callable[[str, int], Awaitable[float | None]]


class NoJitter(Random):
    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


class Diary:
    """Work that notes when it was called for what, and does as it is told."""

    def __init__(self, *, seconds: float = 0.0, again: float | None = None) -> None:
        self.passes: list[tuple[float, str]] = []
        self.failures: list[int] = []
        self.trouble: list[BaseException | None] = []
        """What to raise, pass by pass."""
        self.at_once = self.most_at_once = 0
        self._seconds = seconds
        self._again = again

    async def __call__(self, key: str, failures: int) -> float | None:
        self.passes.append((now(), key))
        self.failures.append(failures)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.at_once -= 1
        if self.trouble and (trouble := self.trouble.pop(0)) is not None:
            raise trouble
        return self._again

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.passes]


def play(
    work: Work,
    *steps: tuple[float, Callable[[Workqueue[str]], object]],
    until: float = 1000.0,
    workers: int = 1,
    share: Callable[[str], str] | None = None,
) -> Workqueue[str]:
    """Run a queue, take the steps at their times, and stop it in the end."""

    async def scene() -> Workqueue[str]:
        queue = Workqueue(work, workers=workers, random=NoJitter(), share=share)
        running = asyncio.create_task(queue.run())
        for time, step in steps:
            await asyncio.sleep(time - now())
            step(queue)
        await asyncio.sleep(until - now())
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return queue

    return virtual_time.run(scene())


def add(*keys: str) -> Callable[[Workqueue[str]], None]:
    def step(queue: Workqueue[str]) -> None:
        for key in keys:
            queue.add(key)

    return step


def after(key: str, seconds: float) -> Callable[[Workqueue[str]], None]:
    return lambda queue: queue.add_after(key, seconds)


# --- keys -----------------------------------------------------------------------------------------


def test_a_key_is_worked_on_at_once() -> None:
    diary = Diary()
    play(diary, (3, add("a")))
    assert diary.passes == [(3, "a")]
    assert diary.failures == [0]


def test_a_key_that_waits_is_worked_on_once_however_often_it_is_added() -> None:
    diary = Diary(seconds=10)
    queue = play(diary, (0, add("a", "b", "b", "b")))
    assert diary.passes == [(0, "a"), (10, "b")]
    assert len(queue) == 0


def test_a_key_added_while_it_is_worked_on_is_worked_on_once_more() -> None:
    diary = Diary(seconds=10)
    play(diary, (0, add("a")), (4, add("a")), (5, add("a")))
    assert diary.passes == [(0, "a"), (10, "a")]


def test_no_key_is_worked_on_by_two_workers() -> None:
    diary = Diary(seconds=10)
    play(diary, (0, add("a")), (1, add("a")), workers=5)
    assert diary.passes == [(0, "a"), (10, "a")]
    assert diary.most_at_once == 1


def test_several_keys_are_worked_on_together_up_to_the_number_of_workers() -> None:
    diary = Diary(seconds=10)
    play(diary, (0, add("a", "b", "c", "d")), workers=3)
    assert diary.passes == [(0, "a"), (0, "b"), (0, "c"), (10, "d")]
    assert diary.most_at_once == 3


def test_a_key_that_comes_again_waits_for_its_turn() -> None:
    diary = Diary(seconds=1)
    play(diary, (0, add("a", "b", "c")), (0.5, add("a")))
    assert [key for _, key in diary.passes] == ["a", "b", "c", "a"]


def test_the_length_is_what_waits() -> None:
    lengths: list[int] = []
    diary = Diary(seconds=10)
    play(diary, (0, add("a", "b", "c")), (5, lambda queue: lengths.append(len(queue))))
    assert lengths == [2]


# --- appointments ---------------------------------------------------------------------------------


def test_a_pass_says_when_to_look_again() -> None:
    diary = Diary(again=300)
    play(diary, (0, add("a")))
    assert diary.times == [0, 300, 600, 900]


def test_a_pass_that_says_nothing_is_the_last() -> None:
    diary = Diary(again=None)
    play(diary, (0, add("a")))
    assert diary.times == [0]


@pytest.mark.parametrize(
    ("first", "second", "times"),
    [(30, 10, [10]), (10, 30, [10]), (10, 10, [10]), (-5, 10, [0])],
    ids=["the earlier one later", "the later one later", "the same", "in the past"],
)
def test_the_earliest_appointment_counts(first: float, second: float, times: list[float]) -> None:
    diary = Diary()
    play(diary, (0, after("a", first)), (0, after("a", second)))
    assert diary.times == times


def test_looking_for_another_reason_is_looking() -> None:
    diary = Diary(again=100)
    play(diary, (0, add("a")), (40, add("a")), until=150)
    assert diary.times == [0, 40, 140]


def test_an_appointment_that_falls_into_a_pass_is_kept_after_it() -> None:
    diary = Diary(seconds=10)
    play(diary, (0, add("a")), (1, after("a", 5)))
    assert diary.times == [0, 10]


def test_nothing_is_due_after_the_end() -> None:
    diary = Diary(again=5)

    async def scene() -> None:
        queue = Workqueue(diary, workers=1)
        running = asyncio.create_task(queue.run())
        queue.add("a")
        await asyncio.sleep(1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await asyncio.sleep(100)

    virtual_time.run(scene())
    assert diary.times == [0]


# --- trouble --------------------------------------------------------------------------------------


def test_a_failing_key_comes_back_later_and_later_for_ever() -> None:
    diary = Diary()
    diary.trouble = [Outage("no") for _ in range(14)]
    play(diary, (0, add("a")), until=5000)
    pauses = [later - time for time, later in zip(diary.times, diary.times[1:], strict=False)]
    doubling = [FIRST_RETRY_SECONDS * 2**n for n in range(10)]
    assert pauses == [*doubling, *[LAST_RETRY_SECONDS] * 4]
    assert diary.failures == list(range(15))


def test_a_success_forgets_the_failures() -> None:
    diary = Diary()
    diary.trouble = [Outage("no"), Outage("no"), None, Outage("no"), None]
    play(diary, (0, add("a")), (10, add("a")))
    assert diary.failures == [0, 1, 2, 0, 1]
    assert diary.times == [0, 0.5, 1.5, 10, 10.5]


def test_the_failures_of_one_key_are_not_anothers() -> None:
    diary = Diary()
    diary.trouble = [Outage("no"), None, None]
    play(diary, (0, add("a", "b")))
    assert diary.passes == [(0, "a"), (0, "b"), (0.5, "a")]
    assert diary.failures == [0, 0, 1]


def test_a_server_that_asks_to_be_left_alone_is() -> None:
    diary = Diary()
    busy = Outage("busy")
    busy.retry_after = 42.0
    diary.trouble = [busy]
    play(diary, (0, add("a")))
    assert diary.times == [0, 42]


def test_the_pauses_are_jittered() -> None:
    async def scene() -> list[float]:
        diary = Diary()
        diary.trouble = [Outage("no") for _ in range(20)]
        queue = Workqueue(diary, workers=1)
        running = asyncio.create_task(queue.run())
        for number in range(20):
            queue.add(str(number))
        await asyncio.sleep(10)
        running.cancel()
        return diary.times[20:]

    later = virtual_time.run(scene())
    assert len(set(later)) > 10
    assert all(0.8 * 0.5 <= time <= 1.2 * 0.5 for time in later)


def test_a_pass_that_hangs_is_cut_off_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    diary = Diary(seconds=PASS_SECONDS + 1)
    play(diary, (0, add("a")), until=PASS_SECONDS + 10)
    assert diary.times == [0, PASS_SECONDS + FIRST_RETRY_SECONDS]
    assert caplog.records[0].getMessage() == "Pass failed"
    assert vars(caplog.records[0])["error"] == "TimeoutError"


@pytest.mark.parametrize(
    ("trouble", "level", "said"),
    [
        (Outage("no answer"), logging.WARNING, "Pass failed"),
        (ValueError("a bug"), logging.ERROR, "Pass failed unexpectedly"),
    ],
    ids=["outage", "bug"],
)
def test_trouble_is_logged_with_its_key_and_does_not_stop_the_others(
    trouble: Exception, level: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    diary = Diary()
    diary.trouble = [trouble]
    play(diary, (0, add("a", "b")), until=1)
    assert [key for _, key in diary.passes] == ["a", "b", "a"]
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (level, said)
    assert (vars(record)["key"], vars(record)["retry_in"]) == ("a", 0.5)
    assert bool(record.exc_info) == (level == logging.ERROR)


def test_a_cancellation_that_the_work_swallows_still_ends_the_queue() -> None:
    async def swallow(key: str, failures: int) -> float | None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(100)
        return None

    async def scene() -> float:
        queue = Workqueue(swallow, workers=1)
        running = asyncio.create_task(queue.run())
        queue.add("a")
        queue.add("b")
        await asyncio.sleep(1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return now()

    assert virtual_time.run(scene()) == 1


# --- what the probes ask --------------------------------------------------------------------------


def test_the_longest_running_pass_is_known() -> None:
    seen: list[float | None] = []

    def look(queue: Workqueue[str]) -> None:
        seen.append(queue.working_since)

    diary = Diary(seconds=10)
    steps = [(0.0, look), (1.0, add("a")), (2.0, add("b")), (3.0, look), (11.5, look), (20.0, look)]
    play(diary, *steps, workers=2)
    assert seen == [None, 1, 2, None]


# --- what is told of it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "seconds", "result"),
    [
        pytest.param(None, 3.0, "success", id="success"),
        pytest.param(Outage("away"), 3.0, "outage", id="outage"),
        pytest.param(None, PASS_SECONDS + 1, "timeout", id="timeout"),
        pytest.param(KeyError("bug"), 3.0, "error", id="defect"),
        pytest.param(asyncio.CancelledError(), 3.0, "error", id="cut off from within"),
    ],
)
def test_what_came_of_a_pass_is_told(
    trouble: BaseException | None, seconds: float, result: str
) -> None:
    diary = Diary(seconds=seconds)
    diary.trouble = [trouble]
    told: list[tuple[str, str, float]] = []

    async def scene() -> Workqueue[str]:
        queue = Workqueue(diary, workers=1, on_pass=lambda *pass_: told.append(pass_))
        queue.add("a")
        with suppress(TimeoutError):
            async with asyncio.timeout(PASS_SECONDS + 0.1):
                await queue.run()
        return queue

    queue = virtual_time.run(scene())
    assert told[0] == ("a", result, min(seconds, PASS_SECONDS))
    failed = result != "success"
    assert queue.load() == (0, 0, failed)
    if failed:
        assert len(diary.passes) == (1 if result == "timeout" else 2)


def test_passes_under_way_and_keys_that_wait_are_counted() -> None:
    seen: list[tuple[int, int]] = []
    diary = Diary(seconds=10)
    play(
        diary,
        (0, add("a", "b", "c")),
        (5, lambda queue: seen.append(queue.load()[:2])),
        workers=2,
    )
    assert seen == [(1, 2)]


def test_each_group_of_keys_is_counted_apart() -> None:
    diary = Diary(seconds=10)
    diary.trouble = [Outage("away")]
    seen: list[tuple[Load, Load]] = []

    async def scene() -> None:
        queue = Workqueue(diary, workers=1, group=lambda key: key[0])
        for key in ("a1", "b1", "b2", "b3"):
            queue.add(key)
        running = asyncio.create_task(queue.run())
        await asyncio.sleep(15)
        seen.append((queue.load("a"), queue.load("b")))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    virtual_time.run(scene())
    assert seen == [(Load(1, 0, 1), Load(2, 1, 0))]


# --- shares ---------------------------------------------------------------------------------------


def test_shares_take_turns() -> None:
    diary = Diary(seconds=1)
    play(diary, (0, add("a1", "a2", "a3", "b1", "c1", "b2")), share=lambda key: key[0])
    assert [key for _, key in diary.passes] == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_comes_late_waits_for_a_turn_not_for_all() -> None:
    diary = Diary(seconds=1)
    many = [f"a{number}" for number in range(1000)]
    play(diary, (0, add(*many)), (9.5, add("b")), until=2000, share=lambda key: key[0])
    assert (11, "b") in diary.passes
    assert len(diary.passes) == 1001


def test_no_share_has_all_workers() -> None:
    """Its passes may all hang, and a worker cannot be taken back from a pass."""
    diary = Diary(seconds=PASS_SECONDS - 1)
    many = [f"a{number}" for number in range(40)]
    play(diary, (0, add(*many)), (5, add("b1", "b2")), workers=20, share=lambda key: key[0])
    assert [time for time, key in diary.passes if key == "a15"] == [PASS_SECONDS - 1]
    assert [each for each in diary.passes if each[1][0] == "b"] == [(5, "b1"), (5, "b2")]


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 1), (4, 3), (5, 3), (20, 15)])
def test_a_share_has_three_quarters_of_the_workers(workers: int, most: int) -> None:
    diary = Diary(seconds=1)
    many = [f"a{number}" for number in range(50)]
    play(diary, (0, add(*many)), workers=workers, share=lambda key: key[0])
    assert diary.most_at_once == most


def test_a_worker_that_waits_for_its_share_is_woken_when_the_share_has_room() -> None:
    diary = Diary(seconds=1)
    play(diary, (0, add("a1", "a2", "a3", "b1")), workers=2, share=lambda key: key[0])
    assert diary.passes == [(0, "a1"), (0, "b1"), (1, "a2"), (2, "a3")]


def test_a_key_that_comes_again_keeps_to_its_share() -> None:
    diary = Diary(seconds=1)
    steps = (0, add("a1", "a2", "b1")), (0.5, add("a1"))
    play(diary, *steps, share=lambda key: key[0])
    assert [key for _, key in diary.passes] == ["a1", "b1", "a2", "a1"]


def test_a_thousand_of_one_tenant_delay_nobody_by_a_second() -> None:
    """Each is looked at every second, and its pass hangs in the API server for a minute."""
    waited: list[float] = []

    async def work(key: str, failures: int) -> float | None:
        if key[0] == "a":
            await asyncio.sleep(60)
            return 1.0
        waited.append(now() - float(key[1:]))
        await asyncio.sleep(0.05)
        return None

    many = [f"a{number}" for number in range(1000)]
    edits = [(float(time), add(f"b{time}")) for time in range(10, 600, 7)]
    play(work, (0, add(*many)), *edits, workers=20, share=lambda key: key[0])
    assert len(waited) == len(edits)
    assert max(waited) < 1
