"""Ready held against what a client saw: where the two disagree, and for how long. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A stretch of time, in seconds since the epoch."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.begin


@dataclass(frozen=True)
class Attempt:
    """One query of a client; `error` is empty when it was answered."""

    at: float
    until: float
    error: str


@dataclass(frozen=True)
class Comparison:
    """What the client missed, when Ready was False, and the difference both ways."""

    unanswered: list[Span]
    not_ready: list[Span]

    @property
    def wrongly_ready(self) -> list[Span]:
        """Ready was True, and the client was not answered."""
        return without(self.unanswered, self.not_ready)

    @property
    def wrongly_not_ready(self) -> list[Span]:
        """Ready was False, and the client was answered."""
        return without(self.not_ready, self.unanswered)

    def __str__(self) -> str:
        return "; ".join(
            f"{what}: {', '.join(f'{span.seconds:.1f} s' for span in spans) or 'never'}"
            for what, spans in (
                ("client not answered", self.unanswered),
                ("Ready False", self.not_ready),
                ("Ready although not answered", self.wrongly_ready),
                ("not Ready although answered", self.wrongly_not_ready),
            )
        )


def compare(
    attempts: Sequence[Attempt], ready: Sequence[tuple[float, bool]], *, since: float, until: float
) -> Comparison:
    """Both within a stretch of time; `ready` has what Ready was from each moment on."""
    whole = Span(since, until)
    return Comparison(
        unanswered=within(unanswered(attempts), whole),
        not_ready=within(not_ready(ready, until), whole),
    )


def attempts_in(log: str) -> list[Attempt]:
    """The attempts of a client's log, an object a line; a line cut off is left out."""
    lines = [line for line in log.splitlines(keepends=True) if line.endswith("\n")]
    return [Attempt(**json.loads(line)) for line in lines]


def unanswered(attempts: Iterable[Attempt]) -> list[Span]:
    """From the beginning of an attempt that failed to the end of the next one that did not."""
    spans: list[Span] = []
    begin, until = None, 0.0
    for attempt in attempts:
        until = attempt.until
        if attempt.error:
            begin = attempt.at if begin is None else begin
        elif begin is not None:
            spans.append(Span(begin, until))
            begin = None
    return spans if begin is None else [*spans, Span(begin, until)]


def not_ready(ready: Iterable[tuple[float, bool]], until: float) -> list[Span]:
    """While Ready was False."""
    spans: list[Span] = []
    begin = None
    for at, holds in ready:
        if not holds:
            begin = at if begin is None else begin
        elif begin is not None:
            spans.append(Span(begin, at))
            begin = None
    return spans if begin is None else [*spans, Span(begin, until)]


def within(spans: Iterable[Span], whole: Span) -> list[Span]:
    """The parts of spans that lie in another one."""
    cut = [Span(max(s.begin, whole.begin), min(s.end, whole.end)) for s in spans]
    return [span for span in cut if span.seconds > 0]


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """The parts of spans that lie in none of the holes."""
    left = list(spans)
    for hole in holes:
        left = [part for span in left for part in _outside(span, hole)]
    return left


def _outside(span: Span, hole: Span) -> list[Span]:
    before = Span(span.begin, min(span.end, hole.begin))
    after = Span(max(span.begin, hole.end), span.end)
    return [part for part in (before, after) if part.seconds > 0]


def longest(spans: Iterable[Span]) -> float:
    """Seconds of the longest; 0 when there is none."""
    return max((span.seconds for span in spans), default=0.0)
