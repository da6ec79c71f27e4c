"""What a setting's text means: durations, words, versions, backups' schedules. Pure."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from durationpy import DurationError, from_str
from pydantic import AfterValidator, BeforeValidator

from daap_operator import quantity
from daap_operator.api.v1alpha1 import MAJORS
from daap_operator.api.v1alpha1.database import backup
from daap_operator.majors import images
from daap_operator.raw import whole

_GO_DURATION = re.compile(r"0|(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
"""Without signs, and in the units that suit a setting: durationpy takes days and months, too."""


def _of_text(parse: Callable[[str], object]) -> BeforeValidator:
    """For a field that is a text in the environment; any other value is taken as it is."""
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


def _duration(value: str) -> timedelta:
    if not _GO_DURATION.fullmatch(value):
        raise ValueError("must be a duration such as 30s, 10m or 1h30m")
    try:
        return from_str(value)
    except DurationError:
        raise ValueError("is too long") from None


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


Duration = Annotated[timedelta, _of_text(_duration)]
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


def _majors(value: str) -> tuple[int, ...]:
    words = _words(value)
    known = {str(major): major for major in MAJORS}
    if not words or not known.keys() >= set(words):
        every = ",".join(known)
        raise ValueError(f"must be major versions between {MAJORS[0]} and {MAJORS[-1]}: {every}")
    return tuple(sorted({known[word] for word in words}))


Majors = Annotated[tuple[int, ...], _of_text(_majors)]
"""Major versions of PostgreSQL, separated by commas."""


def _ports(value: str) -> tuple[int, ...]:
    found = [whole(word, digits=5) for word in _words(value)]
    if not found or any(not 0 < port < 65536 for port in found):
        raise ValueError("must be TCP ports separated by commas, such as 443,6443")
    return tuple(dict.fromkeys(found))


Ports = Annotated[tuple[int, ...], _of_text(_ports)]
"""TCP ports, separated by commas."""

Images = Annotated[dict[int, str], _of_text(lambda text: images(text, MAJORS))]
"""Images of PostgreSQL by major version, separated by commas."""

Words = Annotated[tuple[str, ...], _of_text(_words)]
"""Words separated by commas."""

LEAST_BYTES = 128 * 1024 * 1024
"""Of memory: with less the operator does not even start."""


def _bytes(value: str) -> int:
    try:
        found = int(quantity.parse(value))
    except ValueError:
        raise ValueError("must be an amount of memory, such as 512Mi") from None
    if found < LEAST_BYTES:
        raise ValueError("must be 128Mi or more")
    return found


Bytes = Annotated[int, _of_text(_bytes)]
"""An amount of memory, as Kubernetes writes it."""

_HOUR = timedelta(hours=1)


def _within_an_hour(value: timedelta) -> timedelta:
    if value > _HOUR:
        raise ValueError("must be 1h or less: a minute that is put off stays in its hour")
    return value


Spread = Annotated[Duration, AfterValidator(_within_an_hour)]
"""A duration of an hour at most."""


def _truth(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value == "true"


Truth = Annotated[bool, _of_text(_truth)]
"""`true` or `false`."""


def _no_objection(objection: Callable[[str], str | None]) -> AfterValidator:
    def check(value: str) -> str:
        if value and (why := objection(value)):
            raise ValueError(why)
        return value

    return AfterValidator(check)


Schedule = Annotated[str, _no_objection(backup.schedule_objection)]
"""A schedule as in `spec.backup.schedule`."""

Store = Annotated[str, _no_objection(backup.store_objection)]
"""A name as in `spec.backup.store`; may be empty."""
