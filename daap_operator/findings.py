"""What was found of an object, as a condition or an Event says it. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """One CamelCase word for machines. Each family of reasons is a subclass, in docs/status.md."""


@dataclass(frozen=True)
class Finding:
    """Why something is so: a word for machines, and a sentence for people."""

    reason: Reason
    message: str
