"""Waiting for CRDs."""

import pytest

from dev.cluster import established
from dev.cluster.errors import ClusterError


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(established, "PAUSE_SECONDS", 0)


def test_it_is_tried_again_while_conditions_are_null() -> None:
    asked: list[tuple[str, ...]] = []

    def kubectl(*words: str) -> None:
        asked.append(words)
        if len(asked) < 3:
            raise ClusterError("accessor error: <nil> is of the type <nil>")

    established.wait_established(kubectl, "a.example")
    assert (
        asked == [("wait", "--for=condition=Established", "crd", "a.example", "--timeout=30s")] * 3
    )


def test_all_are_waited_for_where_none_is_named() -> None:
    asked: list[str] = []
    established.wait_established(lambda *words: asked.extend(words))
    assert "--all" in asked


def test_what_does_not_come_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(established, "SECONDS", 0)

    def kubectl(*words: str) -> None:
        raise ClusterError(" ".join(words))

    with pytest.raises(ClusterError, match="wait --for=condition=Established"):
        established.wait_established(kubectl)
