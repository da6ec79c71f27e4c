"""Whose an object is, and which of its fields are ours. Pure.

Server-side apply records the fields each manager owns. What we own of an object, laid beside what
we want, tells whether an apply would change anything: a field somebody else has changed or taken
over is no longer ours, and a field we once asked for and no longer do still is.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Hashable, Mapping
from typing import Any

from daap_operator import names, quantity, raw
from daap_operator.api.kind import Kind

Object = Mapping[str, Any]

OWNED = "owned"
"""Key under which the store is to keep what our field manager applied of a child."""

_NOT_COMPARED = ("apiVersion", "kind", "metadata", "status")
"""The parts of a manifest that are the object's name, are looked at apart, or are not applied."""

_METADATA = ("annotations", "labels", "ownerReferences")
"""What a manifest's metadata has besides the object's name."""

_DEEPEST = 64
"""Fields within fields of what we apply. Below that others' objects are not looked into."""

_SHAPES = 8
"""Different sets of key fields that one list may have: one, but where the keys have defaults."""


def owners(child: Object, kind: Kind) -> list[Object]:
    """The owner references to objects of a kind; those to all others are none of our business.

    By group and kind: another group may have a kind of that name, and another version is the same.
    """
    return [
        reference
        for reference in raw.items(child, "metadata", "ownerReferences")
        if raw.text(reference, "kind") == kind.name
        and _group(raw.text(reference, "apiVersion")) == kind.group
    ]


def _group(api_version: str) -> str:
    """The API group; empty for the core's."""
    group, slash, _ = api_version.partition("/")
    return group if slash else ""


def owner_labels(kind: Kind, uid: str) -> dict[str, str]:
    """The labels of whatever belongs to the object of that kind with that uid."""
    return {names.MANAGED_BY_LABEL: names.FIELD_MANAGER, kind.uid_label: uid}


def belongs_to(child: Object, kind: Kind, uid: str) -> bool:
    """Whether a child belongs to the object of that kind with that uid.

    The owner references say so, or for a retained child, which has none, our labels.
    """
    if found := owners(child, kind):
        return any(raw.text(reference, "uid") == uid for reference in found)
    labels = raw.mapping(child, "metadata", "labels")
    return bool(uid) and owner_labels(kind, uid).items() <= labels.items()


def others(child: Object, uid: str) -> list[Object]:
    """The owner references without those to the owner with that uid: to be left as they are."""
    references = raw.items(child, "metadata", "ownerReferences")
    return [reference for reference in references if raw.text(reference, "uid") != uid]


def owned_part(actual: Object) -> dict[str, Any]:
    """The part of an object that our field manager applied; empty when it never did.

    Of the metadata only what a manifest of ours may have. Anybody may apply in our name, and so
    make the API server say that we own whatever an object has, up to its 1.5 MB: the work grows as
    the object's size does, and no faster.
    """
    for entry in raw.items(actual, "metadata", "managedFields"):
        if (
            raw.text(entry, "manager") == names.FIELD_MANAGER
            and raw.text(entry, "operation") == "Apply"
            and not raw.text(entry, "subresource")
        ):
            fields = raw.mapping(entry, "fieldsV1")
            part: dict[str, Any] = _extracted(_applicable(actual), fields, _DEEPEST)
            return part
    return {}


def _applicable(actual: Object) -> Object:
    """An object without what no manifest of ours has: all that is not compared."""
    metadata = raw.mapping(actual, "metadata")
    parts = {name: part for name, part in actual.items() if name not in _NOT_COMPARED}
    return parts | {"metadata": raw.picked(metadata, _METADATA)}


def _extracted(actual: Any, fields: object, depth: int) -> Any:
    """What of `actual` the set of fields covers; an empty set is the whole.

    Keys of the set: `f:name` a field, `k:{…}` the list item with those key fields, `v:…` a value of
    a set, `.` the thing itself.
    """
    below = {key: value for key, value in raw.mapping(fields).items() if key != "."}
    if not below or not depth:
        return actual
    if isinstance(actual, Mapping):
        pairs = ((key[2:], value) for key, value in below.items() if key.startswith("f:"))
        return {
            name: _extracted(actual[name], value, depth - 1)
            for name, value in pairs
            if name in actual
        }
    if isinstance(actual, list):
        keys = _Keys(below)
        found = ((item, keys.of(item)) for item in actual)
        return [_extracted(item, below[key], depth - 1) for item, key in found if key is not None]
    return actual


class _Keys:
    """The keys under which a set of fields holds the items of one list; each is read once."""

    def __init__(self, fields: Object) -> None:
        self._values: dict[Hashable, str] = {}
        self._items: dict[tuple[str, ...], dict[Hashable, str]] = {}
        for key in fields:
            kind, _, text = key.partition(":")
            if kind == "v":
                self._values.setdefault(_parsed(text), key)
            elif kind == "k":
                self._add_item(key, text)

    def _add_item(self, key: str, text: str) -> None:
        try:
            wanted = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(wanted, Mapping):
            return
        shape = tuple(sorted(wanted))
        if shape in self._items or len(self._items) < _SHAPES:
            value = tuple(_hashable(wanted[field]) for field in shape)
            self._items.setdefault(shape, {}).setdefault(value, key)

    def of(self, item: Any) -> str | None:
        """The key of a list's item; None for one that the set does not hold."""
        shapes = self._items.items() if isinstance(item, Mapping) else ()
        for shape, keys in shapes:
            if all(field in item for field in shape):
                value = tuple(_hashable(item[field]) for field in shape)
                if (key := keys.get(value)) is not None:
                    return key
        return self._values.get(_hashable(item)) if self._values else None


def _parsed(text: str) -> Hashable:
    """A value of a set, from the JSON that it stands as; not equal to anything if it is none."""
    try:
        return _hashable(json.loads(text))
    except (ValueError, RecursionError):
        return object()


def _hashable(value: Any) -> Hashable:
    """Something that a dictionary can hold, equal for equal values only; `true` is not 1."""
    if isinstance(value, Mapping | list):
        try:
            return json.dumps(value, sort_keys=True), "JSON"
        except RecursionError:
            return object()
    return value, type(value) is bool


def first_difference(wanted: Object, owned: Object) -> str:
    """The path of the first field an apply would repair, such as `spec.instances`; empty: none.

    `wanted` is a manifest, `owned` what `owned_part` gave of the object.
    """
    metadata = {
        key: value for key, value in wanted["metadata"].items() if key not in ("name", "namespace")
    }
    parts = [part for part in {**wanted, **owned} if part not in _NOT_COMPARED]
    asked = {"metadata": metadata} | {part: wanted[part] for part in parts if part in wanted}
    for part in ("metadata", *parts):
        found = _first_difference(asked.get(part, {}), owned.get(part, {}), part)
        if found:
            return found
    return ""


def _first_difference(wanted: Any, owned: Any, path: str) -> str:
    if isinstance(wanted, Mapping) and isinstance(owned, Mapping):
        for key in {**wanted, **owned}:
            if key not in wanted or key not in owned:
                return f"{path}.{key}"
            found = _first_difference(wanted[key], owned[key], f"{path}.{key}")
            if found:
                return found
        return ""
    if isinstance(wanted, list) and isinstance(owned, list) and len(wanted) == len(owned):
        pairs = zip(wanted, owned, strict=True)
        return path if any(_first_difference(*pair, path) for pair in pairs) else ""
    return "" if _same(wanted, owned, path) else path


def _same(wanted: Any, owned: Any, path: str) -> bool:
    if type(wanted) is type(owned) and wanted == owned:
        return True
    return quantity.stands_at(path) and quantity.equal(wanted, owned)
