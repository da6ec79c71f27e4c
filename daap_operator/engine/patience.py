"""How long to wait for what does not get better: the longer it has lasted, the longer. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass

LONGEST_SECONDS = 900.0
"""The longest pause between two looks at the same thing, if no event comes first."""

PASSING = 3.0
"""What should pass by itself is looked at again after a third of the time that it has lasted: it is
noticed late by so much at most."""


def lasting(lasted: float, *, first: float, part: float = 1.0) -> float:
    """Seconds until the next look at what has lasted so long.

    `first` at least, and a `part` of the time at most; LONGEST_SECONDS at most unless `first` is
    longer.
    """
    return min(max(first, lasted / part), max(first, LONGEST_SECONDS))


@dataclass
class Patience:
    """Since when the same thing has been in the way."""

    what: Hashable = None
    since: float = 0.0
    """By a clock that never jumps."""

    def pause(self, what: Hashable, now: float, *, first: float, part: float = 1.0) -> float:
        """Seconds until the next look, as `lasting`; begins again with another `what`."""
        if what != self.what:
            self.what, self.since = what, now
        return lasting(now - self.since, first=first, part=part)

    def end(self) -> None:
        """It is over: what comes next is new, even if it is the same."""
        self.what = None
