"""What can go wrong in a pass, sorted by who has to act.

`Stalled`: the user or the platform team. `Waiting`: nobody, look again later. `Outage`: something
the operator depends on does not answer; try again with back-off. Anything else is a bug.
"""

from daap_operator.findings import Finding, Reason


class Stalled(Exception):  # noqa: N818 - a situation, not an error
    """Nothing will get better until somebody changes something.

    The reason is that of the conditions Ready and Stalled; the message names the object, field and
    value, and says what to do.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.finding = Finding(reason, message)


class Waiting(Exception):  # noqa: N818 - a situation, not an error
    """Something else has to happen first, and will without anybody's help.

    `seconds` is when to look again in case no event comes.
    """

    def __init__(self, reason: Reason, message: str, *, seconds: float = 5.0) -> None:
        super().__init__(message)
        self.finding = Finding(reason, message)
        self.seconds = seconds


Problem = Stalled | Waiting
"""What stands in the way of what a spec asks for."""


class Outage(Exception):  # noqa: N818 - a situation, not an error
    """Something the operator depends on refused or did not answer."""

    retry_after: float = 0.0
    """Seconds it asked to be left alone."""

    @property
    def told(self) -> str:
        """What happened, in our own words: a condition must not quote addresses."""
        return "Something that the operator depends on does not answer"

    @property
    def remedy(self) -> str:
        """What a person can do about it, to follow what happened; empty when that is open."""
        return ""


class Deposed(Outage):
    """This replica does not lead, or cannot know that it still does: it must not write."""


class StartError(Exception):
    """The operator cannot start as it is configured; the message says what to change."""
