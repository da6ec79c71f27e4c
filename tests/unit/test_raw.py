"""Reads from objects that may hold anything anywhere."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import raw
from tests.unit import strategies

OBJECT: dict[str, Any] = {
    "text": "a",
    "number": 3,
    "truth": True,
    "nothing": None,
    "list": ["a", 1, None, "b"],
    "map": {"below": {"text": "deep"}},
}

STAMPED = {"at": "2026-03-01T12:00:00Z", "bare": "2026-03-01T12:00:00"}
READS = {
    "text": (raw.text(OBJECT, "text"), "a"),
    "text below": (raw.text(OBJECT, "map", "below", "text"), "deep"),
    "text that is a number": (raw.text(OBJECT, "number"), ""),
    "text that is missing": (raw.text(OBJECT, "map", "nowhere", "at all"), ""),
    "text below a text": (raw.text(OBJECT, "text", "below"), ""),
    "number": (raw.number(OBJECT, "number"), 3),
    "number that is a truth": (raw.number(OBJECT, "truth"), 0),
    "number that is a text": (raw.number(OBJECT, "text"), 0),
    "truth": (raw.truth(OBJECT, "truth"), True),
    "truth that is a number": (raw.truth({"one": 1}, "one"), False),
    "truth that is missing": (raw.truth(OBJECT, "nowhere"), False),
    "moment": (raw.moment(STAMPED, "at"), datetime(2026, 3, 1, 12, tzinfo=UTC)),
    "moment without a zone": (raw.moment(STAMPED, "bare"), None),
    "moment that is a text": (raw.moment(OBJECT, "text"), None),
    "moment that is a number": (raw.moment(OBJECT, "number"), None),
    "mapping": (raw.mapping(OBJECT, "map", "below"), {"text": "deep"}),
    "mapping that is a list": (raw.mapping(OBJECT, "list"), {}),
    "items": (raw.items(OBJECT, "list"), ["a", 1, None, "b"]),
    "items of a mapping": (raw.items(OBJECT, "map"), []),
    "texts": (raw.texts(OBJECT, "list"), frozenset({"a", "b"})),
    "value": (raw.value(OBJECT, "map", "below"), {"text": "deep"}),
    "value of null": (raw.value(OBJECT, "nothing"), None),
    "value below null": (raw.value(OBJECT, "nothing", "below"), None),
    "value of nothing at all": (raw.value(None, "a"), None),
    "the object itself": (raw.mapping(OBJECT), OBJECT),
}


@pytest.mark.parametrize(("found", "expected"), READS.values(), ids=READS)
def test_a_value_of_the_wrong_type_counts_as_absent(found: object, expected: object) -> None:
    assert found == expected
    assert type(found) is type(expected)


@given(strategies.json_values, st.lists(strategies.plain_texts, max_size=3))
def test_reading_never_raises_and_gives_the_promised_type(
    anything: object, path: list[str]
) -> None:
    raw.value(anything, *path)
    assert isinstance(raw.text(anything, *path), str)
    assert raw.moment(anything, *path) is None or raw.text(anything, *path)
    assert type(raw.number(anything, *path)) is int
    assert isinstance(raw.truth(anything, *path), bool)
    assert isinstance(raw.mapping(anything, *path), dict)
    assert isinstance(raw.items(anything, *path), list)
    assert isinstance(raw.texts(anything, *path), frozenset)
