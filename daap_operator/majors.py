"""PostgreSQL's major versions: when the project ends its support. Pure."""

from collections.abc import Sequence
from datetime import date, datetime

END_OF_LIFE = {
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
"""The day of the last minor release. https://www.postgresql.org/support/versioning/"""

FIRST_REACHED = 16
"""The first version that data is upgraded to. Before it pg_upgrade wants a new data directory of
the same encoding, and CloudNativePG makes it by the image's environment: in its own images that is
SQL_ASCII, and the upgrade ends with `encodings for database "template1" do not match`."""


def reached(major: int, data: int | None) -> bool:
    """Whether a version can be had with data of another one, which must not be newer."""
    return data is None or major <= data or major >= FIRST_REACHED


def ended(major: int | None, now: datetime) -> date | None:
    """Since when a major version is without fixes; None while it has them, or nobody knows."""
    end = END_OF_LIFE.get(major or 0)
    return end if end is not None and end < now.date() else None


def choice(majors: Sequence[int]) -> str:
    """The versions in a sentence: `15, 16, 17 or 18`."""
    *others, last = (str(major) for major in majors)
    return f"{', '.join(others)} or {last}" if others else last
