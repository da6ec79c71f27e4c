"""Schedules in five fields of cron: what they say, and what is wrong beyond their form. Pure.

Days of the month and of the week that are both limited are alternatives, as everywhere.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

NICKNAMES = ("@hourly", "@daily", "@weekly", "@monthly")


class Field(NamedTuple):
    """One of the five fields."""

    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()
    """Names of its values, from the first one on."""


MINUTE, HOUR = Field("minute", 0, 59), Field("hour", 0, 23)
DAY = Field("day of the month", 1, 31)
MONTH = Field(
    "month",
    1,
    12,
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
)
WEEKDAY = Field("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)

_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of each month, at most."""


class Item(NamedTuple):
    """One of the items of a field, which commas separate."""

    first: int
    last: int
    step: int
    text: str
    """As it is written."""

    @property
    def star(self) -> bool:
        """Whether it is written with a `*`."""
        return self.text.startswith("*")

    @property
    def plain(self) -> bool:
        """Whether it is one value."""
        return self.first == self.last


Schedule = tuple[list[Item], list[Item], list[Item], list[Item], list[Item]]
"""The items of each field."""


def read(text: str) -> Schedule:
    """The items of a schedule that has the right form and is not a nickname."""
    minute, hour, day, month, weekday = (
        [_item(field, each) for each in part.split(",")]
        for field, part in zip(FIELDS, text.lower().split(" "), strict=True)
    )
    return minute, hour, day, month, weekday


def values(field: Field, items: Iterable[Item]) -> set[int]:
    """All values that the items of a field have; Sunday is 0."""
    return {
        _value(field, number)
        for item in items
        for number in range(item.first, item.last + 1, item.step)
    }


def is_limited(items: Iterable[Item]) -> bool:
    """Whether the items name values: not where one of them is `*`, which has them all."""
    return not any(item.star and item.step == 1 for item in items)


def objection(text: str) -> str | None:
    """What is wrong with a schedule of the right form, with the remedy; None when nothing is."""
    if text.lower() in NICKNAMES:
        return None
    return next(_objections(read(text)), None)


def _objections(schedule: Schedule) -> Iterator[str]:
    for field, items in zip(FIELDS, schedule, strict=True):
        for item in items:
            yield from _of_item(field, item)
    _, _, day, month, weekday = schedule
    days, weekdays = is_limited(day), is_limited(weekday)
    if days and not weekdays and not _comes(values(DAY, day), values(MONTH, month)):
        yield (
            "asks for a day that never comes, because no month that it names has so many days: "
            "choose an earlier day or another month"
        )
    if days and weekdays:
        for field, items in ((DAY, day), (WEEKDAY, weekday)):
            yield from _ambiguous(field, items)


def _of_item(field: Field, item: Item) -> Iterator[str]:
    if item.first > item.last:
        yield (
            f"has the range '{item.text}' for the {field.name}, which ends before it begins: "
            f"write it as two, '{_two(field, item)}'"
        )
    widest = field.last - field.first
    if item.step > widest:
        yield (
            f"has a step of {item.step} for the {field.name}, and there is none of more than "
            f"{widest}: choose a smaller one, or name the values"
        )


def _two(field: Field, item: Item) -> str:
    last = 6 if field is WEEKDAY else field.last
    step = f"/{item.step}" if item.step > 1 else ""
    ranges = ((item.first, last), (field.first, item.last))
    written = (str(a) if a == b else f"{a}-{b}{step}" for a, b in ranges)
    return ",".join(written)


def _ambiguous(field: Field, items: Iterable[Item]) -> Iterator[str]:
    """To some programs days are no alternatives where one of the fields begins with a star."""
    for item in items:
        if item.star:
            yield (
                f"limits both days, and programs differ in what '{item.text}' for the {field.name} "
                f"means then: write '{item.first}-{item.last}/{item.step}' for a day that either "
                "field names, or '*' in one of them"
            )


def _comes(days: set[int], months: set[int]) -> bool:
    return any(min(days) <= _LONGEST[month - 1] for month in months)


def _item(field: Field, text: str) -> Item:
    span, _, step = text.partition("/")
    first, dash, last = span.partition("-")
    if span == "*":
        highest = 6 if field is WEEKDAY else field.last
        return Item(field.first, highest, int(step or 1), text)
    begins = _number(field, first)
    onward = field.last if step else begins  # as in `5/15`: from there on
    return Item(begins, _number(field, last) if dash else onward, int(step or 1), text)


def _number(field: Field, text: str) -> int:
    return field.words.index(text) + field.first if text in field.words else int(text)


def _value(field: Field, number: int) -> int:
    return number % 7 if field is WEEKDAY else number
