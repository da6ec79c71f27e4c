"""What is kept of an object has a bound, whatever the object has. Pure.

Anything in an object that has no bound in its schema may be made as large as the API server takes:
finalizers, owner references, annotations, and of others' kinds most of what there is.
"""

import json
from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.kinds import Object
from daap_operator.errors import Stalled
from daap_operator.kube.sizes import TOO_LARGE, mark_cut, told

KEPT_BYTES = 64 * 1024
"""Memory of what is kept of an object. Ordinary ones need 3 to 10 KB."""

FIELD_BYTES = 12 * 1024
"""Memory of a field that stays of an object that needs more; finalizers and owners have less."""

MOST_FINALIZERS, MOST_OWNERS = 16, 4
"""Finalizers and owner references that are kept of an object."""

_REFERENCE = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
_LONGEST_NAME = 253 + 1 + 63


def bounded(kept: Object, obj: raw.Object) -> Object:
    """What a kind keeps of an object, with no more than KEPT_BYTES; marked where that is not all.

    Of finalizers and owner references only so many stay, ours among them.
    """
    made = kept | {"metadata": _metadata(raw.mapping(kept, "metadata"))}
    if TOO_LARGE in obj:
        made[TOO_LARGE] = obj[TOO_LARGE]
    if _at_most(made) <= KEPT_BYTES or weight(made, KEPT_BYTES) <= KEPT_BYTES:
        return made
    return mark_cut(_cut(made), made)


def fit(what: str, kept: raw.Object) -> None:
    """Raise Stalled for an object that is too large: what is kept of it does not tell all."""
    if words := told(what, kept):
        raise Stalled(CommonReason.OBJECT_TOO_LARGE, words)


def is_cut(finalizers: tuple[str, ...]) -> bool:
    """Whether an object may have more finalizers than were kept of it."""
    return len(finalizers) >= MOST_FINALIZERS


def weight(value: object, most: int) -> int:
    """How much memory a value from JSON needs, about, counted until it is more than `most`."""
    found, left = 0, [value]
    while left and found <= most:
        one = left.pop()
        if isinstance(one, str):
            found += 50 + len(one) * (1 if one.isascii() else 4)
        elif isinstance(one, Mapping):
            found += 64 + 100 * len(one)
            left += one.keys()
            left += one.values()
        elif isinstance(one, list):
            found += 56 + 8 * len(one)
            left += one
        else:
            found += 32
    return found


def _at_most(value: object) -> int:
    """No less than the weight, and several times faster: of every object that is seen."""
    text = json.dumps(value)
    wide = 4 if "\\u" in text else 1  # one such character makes all of its text wide
    texts, pairs, more = (text.count(sign) for sign in '":,')
    return (
        wide * len(text)
        + 25 * texts
        + 100 * pairs
        + 40 * more
        + 64 * text.count("{")
        + 96 * (text.count("[") + 1)
    )


def _metadata(metadata: raw.Object) -> Object:
    made = dict(metadata)
    if finalizers := raw.items(metadata, "finalizers"):
        made["finalizers"] = _finalizers(finalizers)
    if references := raw.items(metadata, "ownerReferences"):
        made["ownerReferences"] = _references(references)
    return made


def _finalizers(found: list[Any]) -> list[str]:
    ours = [names.FINALIZER] if names.FINALIZER in found else []
    if len(found) < MOST_FINALIZERS and all(_is_short(each) for each in found):
        return found
    others = [each for each in found if _is_short(each) and each != names.FINALIZER]
    # Filled up, where one was left out, so that it shows
    others += ["example.com/too-long"] * (MOST_FINALIZERS - len(ours) - len(others))
    return [*others[: MOST_FINALIZERS - len(ours)], *ours]


def _references(found: list[Any]) -> list[Object]:
    """Those to our kinds first, then that to the controller: they say whose an object is."""
    short = [
        raw.picked(each, _REFERENCE)
        for each in found
        if isinstance(each, Mapping) and all(_is_short(each.get(key, "")) for key in _REFERENCE)
    ]
    if len(short) > MOST_OWNERS:
        short.sort(key=_distance)
    return short[:MOST_OWNERS]


def _distance(reference: Object) -> int:
    ours = raw.text(reference, "apiVersion").partition("/")[0] == names.GROUP
    return 0 if ours else 1 if raw.truth(reference, "controller") else 2


def _is_short(value: object) -> bool:
    if isinstance(value, bool):
        return True
    return isinstance(value, str) and value.isascii() and len(value) <= _LONGEST_NAME


class _Room:
    """What room there is for fields."""

    def __init__(self, most: int) -> None:
        self._left = most

    def takes(self, field: str, value: object) -> bool:
        """Whether a field is small enough and there is room: then there is less."""
        needed = weight({field: value}, FIELD_BYTES)
        taken = needed <= min(FIELD_BYTES, self._left)
        self._left -= needed if taken else 0
        return taken


def _cut(kept: Object) -> Object:
    """The fields that are small, as long as there is room; the identity is among the first."""
    made: Object = {}
    room = _Room(KEPT_BYTES - FIELD_BYTES)
    for part, value in kept.items():
        if isinstance(value, Mapping):
            made[part] = {name: field for name, field in value.items() if room.takes(name, field)}
        elif room.takes(part, value):
            made[part] = value
    return made
