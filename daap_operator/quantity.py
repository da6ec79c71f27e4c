"""Kubernetes quantities, as far as sizes and CPU shares need them.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from decimal import ROUND_UP, Context, Decimal

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?[0-9]+))?"
)
LARGEST_EXPONENT = 1000
"""Beyond this all amounts are alike: far too much, or nothing."""

LONGEST = 1000
"""Characters of a quantity. Kubernetes writes none that long, whoever does means no good: the time
to read a number grows with the square of its length."""

_LEAST, _MOST_BINARY = Decimal("1E-9"), Decimal(2**63 - 1)
_EXACT = Context(prec=2 * LARGEST_EXPONENT)

_MULTIPLIERS = {
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("", *"kMGTPE"))},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
    **{suffix: Decimal(1000) ** -power for power, suffix in enumerate("mun", start=1)},
}


_PLACES = re.compile(r"(?:^|\.)(?:storage\.size|walStorage\.size|(?:requests|limits)\.[^.]+)$")


def stands_at(path: str) -> bool:
    """Whether a manifest has a quantity at this path: `1Gi` and `1024Mi` there are the same."""
    return bool(_PLACES.search(path))


def parse(text: str) -> Decimal:
    """The value of a quantity: bytes for sizes, cores for CPU.

    As Kubernetes counts it, so that what comes back of it is the same: rounded up to a billionth,
    and with a binary suffix no more than 64 bits hold. Raises ValueError when the text is no
    quantity.
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= LONGEST else None
    if not match:
        raise ValueError(
            f"'{text[:LONGEST]}' is not a quantity: write 20Gi or 512Mi for bytes (not GB), 2 or "
            "500m for CPU"
        )
    number, suffix = Decimal(match["number"]), match["suffix"] or ""
    if match["exponent"]:
        exponent = max(-LARGEST_EXPONENT, min(LARGEST_EXPONENT, int(match["exponent"])))
        value = number.scaleb(exponent, _EXACT)
    else:
        value = _EXACT.multiply(number, _MULTIPLIERS[suffix])
    if suffix.endswith("i"):
        value = max(-_MOST_BINARY, min(_MOST_BINARY, value))
    return _rounded(value)


def _rounded(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    fine = isinstance(exponent, int) and exponent < -9
    return value.quantize(_LEAST, ROUND_UP, _EXACT) if fine else value


def equal(one: object, other: object) -> bool:
    """Whether two values are the same quantity, however each is written; False for what is none."""
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if not (isinstance(one, str | int) and isinstance(other, str | int)):
        return False
    try:
        return parse(str(one)) == parse(str(other))
    except ValueError:
        return False
