"""What was found of an object, as a condition or an Event says it. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from daap_operator.lines import visible


class Reason(StrEnum):
    """One CamelCase word for machines. Each family of reasons is a subclass, in docs/status.md."""


@dataclass(frozen=True)
class Finding:
    """Why something is so: a word for machines, and a sentence for people."""

    reason: Reason
    message: str
    """Words of others in it are `lines.quoted`; whatever is not is made visible here."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", visible(self.message))
