"""The order of the tests when several processes share them."""

from pathlib import Path

import pytest

from tests.support.order import LONGEST_FIRST, place

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", LONGEST_FIRST)
def test_what_has_a_place_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_long_files_come_before_the_others_of_their_folder_and_unknown_folders_last() -> None:
    names = [
        "tests/integration/test_faults.py::test_any[a::b]",
        "tests/integration/test_addresses.py::test_any",
        "tests/chart/test_values.py::test_any",
        "tests/unit/test_elector.py::test_any",
        "tests/unit/test_addresses.py::test_any",
        "tests/e2e/test_pooler.py::test_any",
    ]
    assert sorted(sorted(names), key=place) == names
