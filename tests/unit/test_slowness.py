"""How tests hold what the docs promise in seconds, on a machine that may be slow."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.support import eventually
from tests.support.eventually import as_promised
from tests.support.slowness import IDLE_SECONDS, slowness


@pytest.mark.parametrize(
    ("took", "slow"), [(IDLE_SECONDS / 2, 1.0), (IDLE_SECONDS, 1.0), (IDLE_SECONDS * 5, 5.0)]
)
def test_slowness_is_how_many_times_as_long_the_work_takes(
    took: float, slow: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock: Iterator[float] = count(0.0, took)
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    monkeypatch.setattr("tests.support.slowness.WORK", 1)
    assert slowness() == pytest.approx(slow)


class Late:
    """Comes once the machine was found to be slow, which is when the promised time is over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, slow: float) -> None:
        self.asked = 0
        self.slow = slow
        monkeypatch.setattr(eventually, "slowness", self.slowness)

    def slowness(self) -> float:
        self.asked += 1
        return self.slow

    async def look(self) -> int:
        return self.asked


async def test_a_promise_takes_longer_on_a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    late = Late(monkeypatch, 1e6)
    assert await as_promised(late.look, seconds=0.001) == 1


async def test_a_promise_is_broken_on_a_machine_with_time_to_spare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = Late(monkeypatch, 1.0)
    with pytest.raises(AssertionError, match="not within"):
        await as_promised(late.look, seconds=0.001)


async def test_what_comes_in_time_or_fails_by_itself_is_not_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = Late(monkeypatch, 1e6)
    assert await as_promised(late.look, lambda asked: asked == 0, seconds=60.0) == 0

    async def broken() -> int:
        raise AssertionError("broken")

    with pytest.raises(AssertionError, match="broken"):
        await as_promised(broken, seconds=60.0)
    assert late.asked == 0
