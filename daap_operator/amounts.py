"""What a setting may be, as it is written in the environment. Pure."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from durationpy import DurationError, from_str
from pydantic import AfterValidator, BeforeValidator

from daap_operator import quantity

_GO_DURATION = re.compile(r"0|(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
"""Without signs, and in the units that suit a setting: durationpy takes days and months, too."""


LEAST_BYTES = 128 * 1024 * 1024
"""Of memory: with less the operator does not even start."""


def of_text(parse: Callable[[str], object]) -> BeforeValidator:
    """For a field that is a text in the environment; any other value is taken as it is."""
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


def _duration(value: str) -> timedelta:
    if not _GO_DURATION.fullmatch(value):
        raise ValueError("must be a duration such as 30s, 10m or 1h30m")
    try:
        return from_str(value)
    except DurationError:
        raise ValueError("is too long") from None


def words(value: str) -> tuple[str, ...]:
    """The words of a text that has commas between them."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


Duration = Annotated[timedelta, of_text(_duration)]
"""A Go-style duration: `30s`, `10m`, `1h30m`."""


def _at_least(seconds: int) -> AfterValidator:
    def check(value: timedelta) -> timedelta:
        if value < timedelta(seconds=seconds):
            raise ValueError(f"must be {seconds}s or more")
        return value

    return AfterValidator(check)


Interval = Annotated[Duration, _at_least(1)]
"""A duration of a second or more."""

LeaseDuration = Annotated[Duration, _at_least(2)]
"""Long enough to be renewed several times on a busy machine."""


Words = Annotated[tuple[str, ...], of_text(words)]
"""Words separated by commas."""


def _bytes(value: str) -> int:
    try:
        found = int(quantity.parse(value))
    except ValueError:
        raise ValueError("must be an amount of memory, such as 512Mi") from None
    if found < LEAST_BYTES:
        raise ValueError("must be 128Mi or more")
    return found


Bytes = Annotated[int, of_text(_bytes)]
"""An amount of memory, as Kubernetes writes it."""
