"""What all versions of the API are made of: the base model and Kubernetes' quantity."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from daap_operator import quantity
from daap_operator.api.rules import rule, validations


class Model(BaseModel):
    """Camel-cased on the wire, immutable; unknown fields are ignored.

    The API server prunes what its CRD does not know, and an object written by a newer operator must
    still be readable by an older one.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


NOT_A_QUANTITY = "'{}' is not a quantity: write 20Gi or 512Mi for bytes (not GB), 2 or 500m for CPU"
NOT_POSITIVE = "'{}' must be more than zero"


def _as_text(value: object) -> object:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole else value


def _positive(text: str) -> str:
    if amount(text) <= 0:
        raise ValueError(NOT_POSITIVE.format(text))
    return text


def amount(text: str) -> Decimal:
    """The quantity's value; raises ValueError with a text for the user."""
    try:
        return quantity.parse(text)
    except ValueError:
        raise ValueError(NOT_A_QUANTITY.format(text)) from None


QUANTITY_LENGTH = 32
"""Longest text of a quantity."""

QUANTITY_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "maxLength": QUANTITY_LENGTH,
    "x-kubernetes-int-or-string": True,
    **validations(
        rule("isQuantity(string(self))", NOT_A_QUANTITY, "string(self)"),
        rule(
            "!isQuantity(string(self)) || quantity(string(self)).isGreaterThan(quantity('0'))",
            NOT_POSITIVE,
            "string(self)",
        ),
    ),
}

Quantity = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(max_length=QUANTITY_LENGTH),
    AfterValidator(_positive),
    WithJsonSchema(QUANTITY_SCHEMA),
]
"""A number or a string on the wire, as in Kubernetes' own types; the user's text is kept."""
