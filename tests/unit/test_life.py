"""How long a life waits at a step where the operator was refused something."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from daap_operator.kube import Kind
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


class Api:
    """An API server with one object of each kind that is asked for."""

    async def list(self, kind: Kind, namespace: str) -> list[dict[str, Any]]:
        return [{"metadata": {"name": f"the-{kind.word}-in-{namespace}"}}]


def a_life(*, stops: set[str]) -> Life:
    databases = cast(Any, SimpleNamespace(api=Api(), namespace="shop"))
    return Life(databases, "orders", {}, lambda: True, stops=stops)


async def test_it_is_stuck_however_slow_the_machine_is(slow: None) -> None:
    with pytest.raises(Stuck):
        await a_life(stops=ANYWHERE)._reach("go", nothing)


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
