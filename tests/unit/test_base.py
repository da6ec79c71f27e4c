"""What every version of the API is made of: lenient objects, and quantities in the user's words."""

from contextlib import suppress

import pytest
from hypothesis import given
from pydantic import ValidationError

from daap_operator.api.base import Model, Quantity, amount
from tests.unit import strategies


class Sized(Model):
    volume_size: Quantity


def test_fields_are_read_and_written_in_camel_case() -> None:
    sized = Sized.model_validate({"volumeSize": "1Gi"})
    assert sized.volume_size == "1Gi"
    assert sized.model_dump(by_alias=True) == {"volumeSize": "1Gi"}


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert Sized.model_validate({"volumeSize": "1Gi", "newer": 1}) == Sized(volume_size="1Gi")


def test_an_object_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Sized(volume_size="1Gi").volume_size = "2Gi"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given_", "kept"), [("1Gi", "1Gi"), ("1024Mi", "1024Mi"), (5, "5"), ("0.5", "0.5")], ids=str
)
def test_the_users_own_text_is_kept(given_: object, kept: str) -> None:
    assert Sized.model_validate({"volumeSize": given_}).volume_size == kept


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        (
            "ten",
            "'ten' is not a quantity: write 20Gi or 512Mi for bytes (not GB), 2 or 500m for CPU",
        ),
        ("0", "'0' must be more than zero"),
        ("-1Gi", "'-1Gi' must be more than zero"),
        (0, "'0' must be more than zero"),
        (1.5, "valid string"),
        (True, "valid string"),
        (None, "valid string"),
        ([], "valid string"),
    ],
    ids=str,
)
def test_what_is_no_positive_quantity_is_refused(given_: object, told: str) -> None:
    with pytest.raises(ValidationError, match="volumeSize") as error:
        Sized.model_validate({"volumeSize": given_})
    assert told in str(error.value)


@given(strategies.json_values)
def test_any_json_is_a_quantity_or_refused(anything: object) -> None:
    with suppress(ValidationError):
        assert amount(Sized.model_validate({"volumeSize": anything}).volume_size) > 0
