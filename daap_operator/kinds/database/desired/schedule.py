"""When base backups are made: people's schedules as CloudNativePG's, each at a moment of its own.

A thousand databases with the same schedule must not begin at the same second. Pure: the moment is
that of the database's uid, the same every time.
https://pkg.go.dev/github.com/robfig/cron, with seconds
"""

import hashlib
from datetime import timedelta

from daap_operator.api.v1alpha1.database import cron
from daap_operator.api.v1alpha1.database.cron import Field, Item

HOUR = 60
"""Its minutes."""


def six_fields(schedule: str, uid: str, spread: timedelta) -> str:
    """A schedule that keeps all rules, in CloudNativePG's six fields: the first is the second.

    A minute that is named is put off by less than `spread`, and stays in its hour. Both are UTC.
    """
    draw = _Draw(uid)
    second, name = draw.below(60, "second"), schedule.lower()
    minute, hour = draw.below(HOUR, "minute"), draw.below(24, "hour")
    if name in cron.NICKNAMES:
        fields = {
            "@hourly": f"{minute} * * * *",
            "@daily": f"{minute} {hour} * * *",
            "@weekly": f"{minute} {hour} * * {draw.below(7, 'weekday')}",
            "@monthly": f"{minute} {hour} {1 + draw.below(28, 'day')} * *",
        }
        return f"{second} {fields[name]}"
    minutes, *others = cron.read(schedule)
    first = _minutes(minutes, draw, spread)
    rest = [_field(*each) for each in zip(cron.FIELDS[1:], others, strict=True)]
    return " ".join((str(second), first, *rest))


class _Draw:
    """Numbers that are a database's own, and the same every time."""

    def __init__(self, uid: str) -> None:
        self._uid = uid

    def below(self, limit: int, what: str) -> int:
        digest = hashlib.sha256(f"{what} {self._uid}".encode()).digest()
        return int.from_bytes(digest[:8]) % limit


def _minutes(items: list[Item], draw: _Draw, spread: timedelta) -> str:
    if len(items) > 1 or not items[0].plain:
        return _field(cron.MINUTE, items)
    minute = items[0].first
    room = min(int(spread.total_seconds() // 60), HOUR - minute)
    return str(minute + draw.below(max(1, room), "minute"))


def _field(field: Field, items: list[Item]) -> str:
    """The items as CloudNativePG reads them: it knows neither 7 nor what names of days run to."""
    if not cron.is_limited(items):
        return "*"
    if field is cron.WEEKDAY:
        return ",".join(str(value) for value in sorted(cron.values(field, items)))
    return ",".join(_written(item) for item in items)


def _written(item: Item) -> str:
    if item.plain:
        return str(item.first)
    step = f"/{item.step}" if item.step > 1 else ""
    return f"{item.first}-{item.last}{step}"
