"""PostgreSQL's major versions: when the project ends its support. Pure."""

import re
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


_IMAGE = re.compile(r"\A[^{}=,@\s]+:(\d{2,3})(?!\d)[^{}=,@:/\s]*(@sha256:[0-9a-f]{64})?")


def images(text: str, known: Sequence[int]) -> dict[int, str]:
    """`17=repository:17-tag@sha256:…,18=…` as a mapping of major versions to images.

    Raises ValueError, with the remedy, for a version that is not known and for an image whose tag
    does not start with it: the tag is what the version of a Cluster is read from.
    """
    made = {}
    for word in filter(None, map(str.strip, text.split(","))):
        major, _, image = word.partition("=")
        tagged = _IMAGE.fullmatch(image)
        if not tagged or tagged[1] != major or int(major) not in known:
            raise ValueError(
                f"'{word}' must be a major version between {known[0]} and {known[-1]} and an image "
                "whose tag starts with it, with a digest if wanted, as in "
                "'17=registry.example/postgresql:17.6-standard-trixie@sha256:…'"
            )
        made[int(major)] = image
    return made
