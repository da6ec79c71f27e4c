"""JSON is read however deep it is nested, and what is not nested deep is read as it is."""

import json

import pytest
from hypothesis import given

from daap_operator.nesting import DEEPEST, parsed, shallow
from tests.support.steps import steps
from tests.unit import strategies


@pytest.mark.parametrize("depth", [1, DEEPEST, DEEPEST + 1, 1000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"f:a":', "}")])
def test_a_text_is_read_however_deep_it_is(depth: int, opening: str, closing: str) -> None:
    inner = "{}" if opening == "[" else "1"
    text = opening * depth + inner + closing * depth
    found = parsed(json.dumps({"name": 'a "[{\\'}).replace("}", f', "deep": {text}, "last": [1]}}'))
    assert found["name"] == 'a "[{\\'
    assert found["last"] == [1]
    assert found["deep"] is not None


@given(strategies.json_values)
def test_what_is_not_deep_is_read_as_it_is(value: object) -> None:
    text = json.dumps(value)
    assert shallow(text) == text
    assert parsed(text) == parsed(text.encode()) == value


def test_what_is_cut_off_ends_at_the_depth_that_is_kept() -> None:
    deep = "[" * (DEEPEST + 5) + "]" * (DEEPEST + 5)
    assert shallow(f'[{deep}, "]]", {deep}]'.replace(" ", "")).count("null") == 2
    assert shallow(deep) == "[" * DEEPEST + "null" + "]" * DEEPEST


@pytest.mark.parametrize("text", ["", "{", '{"a"', "[" * 5000, '["' + "[" * 5000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        parsed(text)


def test_reading_what_is_deep_takes_as_long_as_the_text_is() -> None:
    def work(size: int) -> int:
        text = '{"f:a":' * size + "1" + "}" * size
        return steps(lambda: shallow(text))

    assert work(20_000) <= 2.2 * work(10_000)
