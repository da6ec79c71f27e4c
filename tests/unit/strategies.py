"""What hypothesis draws from, and how hard it tries: the same examples on every run, no clock.

`HYPOTHESIS_PROFILE=thorough` tries more, and others every time.
"""

import os
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

settings.register_profile(
    "unit",
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unit"))

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"

seeds = st.integers(0, 2**32)
"""Of a test's own random generator."""

plain_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Text as JSON can carry it: no lone surrogates."""

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_texts
)

json_values: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(plain_texts, below, max_size=4),
    max_leaves=12,
)
"""Anything that JSON can say."""

names = st.builds(
    lambda first, middle, last: f"{first}{middle}{last}",
    st.sampled_from(LETTERS),
    st.text(f"{LETTERS}{DIGITS}-", min_size=1, max_size=61),
    st.sampled_from(LETTERS + DIGITS),
)
"""Names that a DaapDatabase may have."""


def moments(first: datetime, last: datetime) -> st.SearchStrategy[datetime]:
    """Moments between two, in their zone."""
    return st.timedeltas(timedelta(0), last - first).map(lambda since: first + since)


happenings = st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=8)
"""What happens to two objects: to which of them, and whether it is deleted."""


def objects_with(fields: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose fields hold something likely, something odd, or are missing."""
    return st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from(likely) | json_values if likely else json_values
            for name, likely in fields.items()
        },
    )
