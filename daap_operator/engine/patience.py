"""How long to wait for what does not get better: the longer it has lasted, the longer. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass

LONGEST_SECONDS = 900.0
"""The longest pause between two looks at the same thing, if no event comes first."""


@dataclass
class Patience:
    """Since when the same thing has been in the way."""

    what: Hashable = None
    since: float = 0.0
    """By a clock that never jumps."""

    def pause(
        self, what: Hashable, now: float, *, first: float, longest: float = LONGEST_SECONDS
    ) -> float:
        """Seconds until the next look: `first`, then as long as it has lasted, `longest` at most.

        Each pause is about as long as all those before it together. Begins again with another
        `what`.
        """
        if what != self.what:
            self.what, self.since = what, now
        return min(max(first, now - self.since), max(first, longest))
