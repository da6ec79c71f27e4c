"""How long a life waits at a step where the operator was refused something."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from daap_operator.kube import Kind
from tests.support import life
from tests.support.life import NOWHERE, TIMES, WATCHED, Life, Stuck


async def nothing() -> None:
    pass


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Being sure that nothing is coming takes longer than any step may."""
    monkeypatch.setattr(life, "STEP_SECONDS", 0.02)
    monkeypatch.setattr(life, "STUCK_SECONDS", 0.02)
    monkeypatch.setattr(life, "slowness", lambda: 10.0)


class Api:
    """An API server with one object of each kind that is asked for."""

    async def list(self, kind: Kind, namespace: str) -> list[dict[str, Any]]:
        return [{"metadata": {"name": f"the-{kind.word}-in-{namespace}"}}]


def a_life(*, stops: set[str], times: int = 1) -> Life:
    databases = cast(Any, SimpleNamespace(api=Api(), namespace="shop"))
    nobody = cast(Any, None)  # no step of these needs CloudNativePG
    return Life(databases, "orders", {}, lambda: Counter(watch=times), nobody, stops=stops)


async def test_it_is_stuck_however_slow_the_machine_is(slow: None) -> None:
    with pytest.raises(Stuck):
        await a_life(stops={"go"})._reach("go", nothing)


async def test_it_fails_where_a_refusal_does_not_count(slow: None) -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.02 s") as raised:
        await a_life(stops=NOWHERE)._reach("go", nothing)
    (note,) = raised.value.__notes__
    assert [line.split("'")[3] for line in note.splitlines()[1:]] == [
        "the-pooler-in-shop",
        "the-deployment-in-shop",
        "the-service-in-shop",
        "the-endpointslice-in-shop",
    ]


async def test_a_watch_is_missing_once_it_has_been_refused_more_than_once(slow: None) -> None:
    with pytest.raises(Stuck, match=WATCHED):
        await a_life(stops={WATCHED}, times=TIMES)._watch()
    with pytest.raises(AssertionError, match="not within"):
        await a_life(stops={WATCHED}, times=TIMES - 1)._watch()
    await a_life(stops=NOWHERE, times=TIMES)._watch()
