"""How long a life waits at a step where the operator was refused something."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support import life
from tests.support.life import ANYWHERE, NOWHERE, Life, Stuck


async def nothing() -> None:
    pass


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Being sure that nothing is coming takes longer than any step may."""
    monkeypatch.setattr(life, "STEP_SECONDS", 0.02)
    monkeypatch.setattr(life, "STUCK_SECONDS", 0.02)
    monkeypatch.setattr(life, "slowness", lambda: 10.0)


def a_life(*, stops: set[str]) -> Life:
    return Life(cast(Any, SimpleNamespace()), "orders", {}, lambda: True, stops=stops)


async def test_it_is_stuck_however_slow_the_machine_is(slow: None) -> None:
    with pytest.raises(Stuck):
        await a_life(stops=ANYWHERE)._reach("go", nothing)


async def test_it_fails_where_a_refusal_does_not_count(slow: None) -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.02 s"):
        await a_life(stops=NOWHERE)._reach("go", nothing)
