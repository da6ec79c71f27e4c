"""How the tests on the real CloudNativePG hold Ready against a client's log."""

import pytest

from tests.support.promise import (
    Attempt,
    Comparison,
    Span,
    attempts_in,
    compare,
    longest,
    unanswered,
)

OK, LOST = "", "connection refused"


def log(*errors: str) -> list[Attempt]:
    """An attempt a second, answered after half of one."""
    return [Attempt(at, at + 0.5, error) for at, error in enumerate(errors)]


@pytest.mark.parametrize(
    ("attempts", "spans"),
    [
        (log(), []),
        (log(OK, OK), []),
        (log(OK, LOST, LOST, OK, OK), [Span(1, 3.5)]),
        (log(LOST, OK, LOST), [Span(0, 1.5), Span(2, 2.5)]),
    ],
)
def test_a_client_misses_answers_until_the_next_one(
    attempts: list[Attempt], spans: list[Span]
) -> None:
    assert unanswered(attempts) == spans


READY = (0.0, True)


@pytest.mark.parametrize(
    ("attempts", "ready", "wrongly_ready", "wrongly_not"),
    [
        (log(*[OK] * 9), [READY], [], []),
        (log(OK, LOST, LOST, LOST, OK), [READY], [Span(1, 4.5)], []),
        (log(OK, LOST, LOST, LOST, OK), [READY, (2, False), (4.5, True)], [Span(1, 2)], []),
        (log(*[OK] * 9), [READY, (2, False), (5, True)], [], [Span(2, 5)]),
        (
            log(OK, LOST, LOST, OK, OK, OK),
            [READY, (2, False), (5, True)],
            [Span(1, 2)],
            [Span(3.5, 5)],
        ),
        (log(OK, LOST, OK, OK), [READY, (0.5, False)], [], [Span(0.5, 1), Span(2.5, 9)]),
    ],
    ids=["well", "never told", "told late", "told for nothing", "late both ways", "told for ever"],
)
def test_where_ready_and_the_client_disagree(
    attempts: list[Attempt],
    ready: list[tuple[float, bool]],
    wrongly_ready: list[Span],
    wrongly_not: list[Span],
) -> None:
    found = compare(attempts, ready, since=0, until=9)
    assert found.wrongly_ready == wrongly_ready
    assert found.wrongly_not_ready == wrongly_not


def test_only_the_stretch_that_is_asked_for_counts() -> None:
    found = compare(log(LOST, OK, LOST, OK), [(0, False), (2, True)], since=1, until=3)
    assert found == Comparison([Span(1, 1.5), Span(2, 3)], [Span(1, 2)])
    assert longest(found.wrongly_ready) == 1
    assert longest([]) == 0


def test_a_comparison_can_be_read() -> None:
    found = compare(log(LOST, OK), [READY], since=0, until=2)
    assert str(found) == (
        "client not answered: 1.5 s; Ready False: never; "
        "Ready although not answered: 1.5 s; not Ready although answered: never"
    )


def test_a_log_is_read_up_to_the_last_whole_line() -> None:
    line = '{"at": 1, "until": 2, "error": ""}\n'
    assert attempts_in(line + line[:10]) == [Attempt(1, 2, "")]
    assert attempts_in("") == []
