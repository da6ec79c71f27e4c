"""What is kept of an object has a bound, whatever the object has. Pure.

Anything in an object that has no bound in its schema may be made as large as the API server takes:
finalizers, owner references, annotations, and of others' kinds most of what there is.
"""

import json
from collections.abc import Callable, Mapping
from sys import getsizeof
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

STUB_BYTES = 16 * 1024
"""Memory of what is kept of an object that was put out; ordinary ones are kept as they are."""

OVER_SHARE = "overShare"
"""Key under which an object says that nothing is kept for it: the `kind` that had the most of what
was, their number (`count`) and `bytes`. No kind has a field of that name."""

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
    return mark_cut(_cut(made, KEPT_BYTES - FIELD_BYTES), made)


def fit(what: str, kept: raw.Object) -> None:
    """Raise Stalled for an object that is too large: what is kept of it does not tell all.

    So it is for one that was put out: what belongs to it is not kept.
    """
    if words := told(what, kept):
        raise Stalled(CommonReason.OBJECT_TOO_LARGE, words)
    if is_out(kept):
        raise Stalled(CommonReason.NAMESPACE_OVER_SHARE, over_share(kept))


def stub(kept: Object, mark: Object) -> Object:
    """What stays of an object that is put out: itself, as far as it is small, and the mark."""
    made = {part: value for part, value in kept.items() if part != OVER_SHARE}
    if weight(made, STUB_BYTES) > STUB_BYTES:
        # What we have written comes first: what is not kept of it would be written again
        first = {part: made[part] for part in ("metadata", "status") if part in made}
        made = mark_cut(_cut(first | made, STUB_BYTES), made)
    return made | {OVER_SHARE: mark}


def is_out(kept: raw.Object) -> bool:
    """Whether an object was put out: of what belongs to it the store knows nothing."""
    return OVER_SHARE in kept


def over_share(kept: raw.Object) -> str:
    """Namespace, kind and remedy of an object that was put out."""
    mark = raw.mapping(kept, OVER_SHARE)
    namespace = raw.text(kept, "metadata", "namespace")
    where = f"Namespace {namespace} has" if namespace else "Objects in no namespace have"
    return (
        f"{where} more objects than the operator has memory for, and this one had the most: "
        f"{mark.get('count')} of kind {mark.get('kind')} with {mark.get('bytes')} bytes. What runs "
        "keeps running, but the operator neither watches nor changes it. Delete what is not "
        "needed; the platform team can bound each kind by a ResourceQuota, or raise the operator's "
        "memory limit"
    )


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


def footprint(value: object) -> int:
    """Bytes of memory that a value from JSON takes, by Python's own count; at any time the same."""
    found, left, seen = 0, [value], set()
    while left:
        one = left.pop()
        if id(one) not in seen:  # texts that are equal are often one
            seen.add(id(one))
            found += _size(one)
            if isinstance(one, dict):
                left += one
                left += one.values()
            elif isinstance(one, list):
                left += one
    return found


_WIDE, _WIDER = 80, 8
"""Of a text with other characters than ASCII, and of each of them: Python may add a copy in UTF-8
at any time, which counts as well."""


def _size(one: object) -> int:
    if isinstance(one, str) and not one.isascii():
        return _WIDE + _WIDER * len(one)
    return getsizeof(one)


def taken(kept: Object) -> int:
    """What an object counts: no less than its footprint, and the sum of what its fields count."""
    return getsizeof(kept) + _more(_NONE, kept, _more_of_part)


def more_taken(before: Object, now: Object) -> int:
    """How much more an object counts than before; what did not change is not gone through."""
    return getsizeof(now) - getsizeof(before) + _more(before, now, _more_of_part)


_NONE: Object = {}


def _more_of_part(before: object, now: object) -> int:
    old, new = (one if isinstance(one, dict) else None for one in (before, now))
    if old is None and new is None:
        return _more_of_field(before, now)
    found = _more(old or _NONE, new or _NONE, _more_of_field)
    for sign, one, fields in ((-1, before, old), (1, now, new)):
        if one is not _NONE:
            found += sign * (footprint(one) if fields is None else getsizeof(one))
    return found


def _more_of_field(before: object, now: object) -> int:
    return (0 if now is _NONE else footprint(now)) - (0 if before is _NONE else footprint(before))


def _more(before: Object, now: Object, each: Callable[[object, object], int]) -> int:
    """The difference of all entries of a dict, with their names."""
    found = 0
    for name, value in now.items():
        was = before.get(name, _NONE)
        if was is _NONE:
            found += _size(name) + each(_NONE, value)
        elif was != value:
            found += each(was, value)
    for name, value in before.items():
        if name not in now:
            found += each(value, _NONE) - _size(name)
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


def _cut(kept: Object, most: int) -> Object:
    """The fields that are small, as long as there is room; the identity is among the first."""
    made: Object = {}
    room = _Room(most)
    for part, value in kept.items():
        if isinstance(value, Mapping):
            made[part] = {name: field for name, field in value.items() if room.takes(name, field)}
        elif room.takes(part, value):
            made[part] = value
    return made
