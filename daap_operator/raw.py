"""Typed reads from objects as the API server gives them. Pure.

Nothing here raises: an object of another version, or one that a user has forged, may hold
anything anywhere, and a value of the wrong type counts as absent.
"""

import base64
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

Object = Mapping[str, Any]


def value(obj: object, *path: str) -> object:
    """What stands at the path; None where there is nothing."""
    for key in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(key)
    return obj


def text(obj: object, *path: str) -> str:
    """The string at the path; empty where there is none."""
    found = value(obj, *path)
    return found if isinstance(found, str) else ""


def decoded(obj: object, *path: str) -> str:
    """The Base64 at the path as text; empty where there is none, or it holds no text."""
    try:
        return base64.b64decode(text(obj, *path)).decode()
    except ValueError:
        return ""


def moment(obj: object, *path: str) -> datetime | None:
    """The time at the path, with its zone; None where there is none, or none that can be meant.

    Such as Go's zero, and what is so near to the calendar's ends that nothing can be counted on.
    """
    try:
        found = datetime.fromisoformat(text(obj, *path))
    except ValueError:
        return None
    return found if found.tzinfo and 1970 <= found.year < 9000 else None


def number(obj: object, *path: str) -> int:
    """The whole number at the path; 0 where there is none, or one too large to be written back."""
    found = value(obj, *path)
    if isinstance(found, int) and not isinstance(found, bool) and fits(found):
        return found
    return 0


def whole(found: str, digits: int = 19) -> int:
    """The whole number that a text of at most so many digits is; 0 for any other text.

    `int` takes a text of any length, in a time that grows with its square, and then raises.
    """
    plain = found.isascii() and found.isdecimal() and len(found) <= digits
    return int(found) if plain else 0


def fits(found: object) -> bool:
    """Whether the API server can take a value back: its whole numbers have 64 bits."""
    return not isinstance(found, int) or -(2**63) <= found < 2**63


def truth(obj: object, *path: str) -> bool:
    """Whether `true` stands at the path."""
    return value(obj, *path) is True


def mapping(obj: object, *path: str) -> Object:
    """The object at the path; empty where there is none."""
    found = value(obj, *path)
    return found if isinstance(found, Mapping) else {}


def items(obj: object, *path: str) -> list[Any]:
    """The list at the path; empty where there is none."""
    found = value(obj, *path)
    return found if isinstance(found, list) else []


def texts(obj: object, *path: str) -> frozenset[str]:
    """The strings of the list at the path."""
    return frozenset(item for item in items(obj, *path) if isinstance(item, str))


def picked(obj: Object, fields: Collection[str]) -> dict[str, Any]:
    """Those of an object's fields that it has."""
    return {field: obj[field] for field in fields if field in obj}
