"""Kubernetes quantities, as far as sizes and CPU shares need them.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from decimal import Decimal

_QUANTITY = re.compile(
    r"^(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))"
    r"(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?\d{1,2}))?$"
)
_MULTIPLIERS = {
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("", *"kMGTPE"))},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
    **{suffix: Decimal(1000) ** -power for power, suffix in enumerate("mun", start=1)},
}


def parse(text: str) -> Decimal:
    """The value of a quantity: bytes for sizes, cores for CPU.

    Raises ValueError when the text is no quantity.
    """
    match = _QUANTITY.match(text)
    if not match:
        raise ValueError(f"'{text}' is not a quantity such as 20Gi, 500m or 2")
    if match["exponent"]:
        return Decimal(match["number"]).scaleb(int(match["exponent"]))
    return Decimal(match["number"]) * _MULTIPLIERS[match["suffix"] or ""]
