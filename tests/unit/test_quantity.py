"""Quantities mean what Kubernetes means by them."""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import quantity
from tests.unit import strategies

QUANTITIES = {
    "0": "0",
    "7": "7",
    "-7": "-7",
    "+7": "7",
    "1.5": "1.5",
    ".5": "0.5",
    "5.": "5",
    "007": "7",
    "500m": "0.5",
    "250u": "0.00025",
    "1n": "0.000000001",
    "2k": "2000",
    "2M": "2000000",
    "2G": "2000000000",
    "2T": "2000000000000",
    "2P": "2000000000000000",
    "2E": "2000000000000000000",
    "1Ki": "1024",
    "1Mi": "1048576",
    "1Gi": "1073741824",
    "1Ti": "1099511627776",
    "1Pi": "1125899906842624",
    "1Ei": "1152921504606846976",
    "1.5Gi": "1610612736",
    "1e3": "1000",
    "1E3": "1000",
    "1e+3": "1000",
    "5e-1": "0.5",
    "-1.5e2": "-150",
    "8Ei": "9223372036854775807",
    "16Ei": "9223372036854775807",
    "-16Ei": "-9223372036854775807",
    "16E": "16000000000000000000",
    "1e30": "1e30",
    "0.1n": "0.000000001",
    "-0.1n": "-0.000000001",
    "0.00000000001": "0.000000001",
    "1e-999": "0.000000001",
    "1.00000000001Gi": "1073741824.010737419",
    "12345678901234567890123456789Mi": "9223372036854775807",
    "1.234567890123456789012345678901": "1.234567891",
    "1234567890123456789012345678901": "1234567890123456789012345678901",
}


@pytest.mark.parametrize(("text", "value"), QUANTITIES.items(), ids=QUANTITIES)
def test_a_quantity_has_this_value(text: str, value: str) -> None:
    assert quantity.parse(text) == Decimal(value)


NO_QUANTITIES = ["", " ", "Gi", "ten", "10gi", "10GiB", "10 Gi", " 10Gi", "10Gi ", "1,5", "1.5.5"]
NO_QUANTITIES += [
    "--1",
    "1e",
    "e3",
    "1Ee3",
    "1K",
    "1mi",
    ".",
    "+",
    "NaN",
    "Infinity",
    "0x10",
    "1_0",
]


@pytest.mark.parametrize("text", NO_QUANTITIES)
def test_what_is_no_quantity_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity: write 20Gi") as error:
        quantity.parse(text)
    assert f"'{text}'" in str(error.value)


@given(st.integers(-(10**15), 10**15))
def test_every_notation_of_a_number_has_the_same_value(number: int) -> None:
    assert quantity.parse(str(number)) == number
    assert quantity.parse(f"{number}000m") == number
    assert quantity.parse(f"{number}k") == quantity.parse(f"{number}e3") == number * 1000
    assert quantity.parse(f"{number}Mi") == quantity.parse(f"{number * 1024}Ki")


@given(strategies.plain_texts)
def test_any_text_has_a_value_or_is_refused(text: str) -> None:
    with suppress(ValueError):
        assert quantity.parse(text).is_finite()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1Gi", "1024Mi", True),
        ("1", 1, True),
        ("500m", "0.5", True),
        ("1Gi", "1G", False),
        ("1", True, False),
        ("1Gi", None, False),
        ("much", "much", False),
    ],
)
def test_quantities_are_equal_by_value(one: object, other: object, same: bool) -> None:
    assert quantity.equal(one, other) is same
    assert quantity.equal(other, one) is same
