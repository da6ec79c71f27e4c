"""What was found of an object, as a condition or an Event says it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Why something is so: a word for machines, and a sentence for people."""

    reason: str
    message: str
