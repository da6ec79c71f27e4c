"""How the cluster's long steps tell how far they are."""

import io

import pytest

from dev.cluster import progress
from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (605, "10 min 05 s")]
)
def test_durations_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert progress.duration(seconds) == text


def test_a_line_has_title_parts_time_and_detail() -> None:
    line = progress.render("building etcd", 63, done=12, total=580, detail="net/http")
    assert line == "building etcd 12/580, 1 min 03 s: net/http"


def test_a_line_without_parts_or_detail() -> None:
    assert progress.render("packing", 2) == "packing, 2 s"


def test_off_a_terminal_there_is_a_line_every_15_seconds_and_not_more() -> None:
    clock, out = Clock(), io.StringIO()
    with Step("building", total=60, stream=out, clock=clock) as step:
        for _ in range(60):
            clock.now += 1
            step.advance("a/package")
            step.tick()
    assert out.getvalue().splitlines() == [
        "building …",
        "building 15/60, 15 s: a/package",
        "building 30/60, 30 s: a/package",
        "building 45/60, 45 s: a/package",
        "building 60/60, 1 min 00 s: a/package",
        "building: done in 1 min 00 s",
    ]


def test_on_a_terminal_one_line_is_rewritten() -> None:
    clock, out = Clock(), Terminal()
    with Step("building", stream=out, clock=clock) as step:
        for _ in range(3):
            clock.now += 1
            step.tick()
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().count("\r\x1b[K") == 4
    assert out.getvalue().endswith("building: done in 3 s\n")


def test_a_line_is_never_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    clock, out = Clock(), Terminal()
    with Step("building", stream=out, clock=clock) as step:
        clock.now += 1
        step.advance("x" * 200)
        step.tick()
    assert max(len(line) for line in out.getvalue().split("\r\x1b[K")) <= 39


def test_a_failed_step_says_so() -> None:
    out = io.StringIO()
    with pytest.raises(ClusterError), Step("building", stream=out, clock=Clock()) as step:
        step.run("false")
    assert out.getvalue().splitlines()[-1] == "building: failed after 0 s"


def test_a_program_is_run_as_a_step_with_its_last_line_as_detail() -> None:
    step = Step("installing", stream=io.StringIO(), clock=Clock())
    step.run("sh", "-c", 'echo one; echo "$WHAT"; echo', WHAT="two")
    assert step.detail == "two"
