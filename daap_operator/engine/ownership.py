"""Whose an object is, and which of its fields are ours. Pure.

Server-side apply records the fields each manager owns. What we own of an object, laid beside what
we want, tells whether an apply would change anything: a field somebody else has changed or taken
over is no longer ours, and a field we once asked for and no longer do still is.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Mapping
from typing import Any

from daap_operator import names, quantity, raw
from daap_operator.kube.kinds import Kind

Object = Mapping[str, Any]

OWNED = "owned"
"""Key under which the store is to keep what our field manager applied of a child."""

_NOT_COMPARED = ("apiVersion", "kind", "metadata", "status")
"""The parts of a manifest that are the object's name, are looked at apart, or are not applied."""


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


def belongs_to(child: Object, kind: Kind, uid: str) -> bool:
    """Whether a child belongs to the object of that kind with that uid.

    The owner references say so, or for a retained child, which has none, our uid label.
    """
    if found := owners(child, kind):
        return any(raw.text(reference, "uid") == uid for reference in found)
    labels = raw.mapping(child, "metadata", "labels")
    ours = raw.text(labels, names.MANAGED_BY_LABEL) == names.FIELD_MANAGER
    return bool(uid) and ours and raw.text(labels, names.UID_LABEL) == uid


def others(child: Object, uid: str) -> list[Object]:
    """The owner references without those to the owner with that uid: to be left as they are."""
    references = raw.items(child, "metadata", "ownerReferences")
    return [reference for reference in references if raw.text(reference, "uid") != uid]


def owned_part(actual: Object) -> dict[str, Any]:
    """The part of an object that our field manager applied; empty when it never did."""
    for entry in raw.items(actual, "metadata", "managedFields"):
        if (
            raw.text(entry, "manager") == names.FIELD_MANAGER
            and raw.text(entry, "operation") == "Apply"
            and not raw.text(entry, "subresource")
        ):
            part: dict[str, Any] = _extracted(actual, raw.mapping(entry, "fieldsV1"))
            return part
    return {}


def _extracted(actual: Any, fields: object) -> Any:
    """What of `actual` the set of fields covers; an empty set is the whole.

    Keys of the set: `f:name` a field, `k:{…}` the list item with those key fields, `v:…` a value of
    a set, `.` the thing itself.
    """
    below = {key: value for key, value in raw.mapping(fields).items() if key != "."}
    if not below:
        return actual
    if isinstance(actual, Mapping):
        pairs = ((key[2:], value) for key, value in below.items() if key.startswith("f:"))
        return {name: _extracted(actual[name], value) for name, value in pairs if name in actual}
    if isinstance(actual, list):
        return [
            _extracted(item, below[key])
            for item in actual
            if (key := _key(item, below)) is not None
        ]
    return actual


def _key(item: Any, fields: Object) -> str | None:
    """The key under which the set of fields holds a list's item."""
    for key in fields:
        kind, _, text = key.partition(":")
        if kind not in ("k", "v"):
            continue
        try:
            wanted = json.loads(text)
        except ValueError:
            continue
        if kind == "v" and item == wanted:
            return key
        if kind == "k" and _has(item, wanted):
            return key
    return None


def _has(item: Any, wanted: Any) -> bool:
    """Whether a list's item has those key fields."""
    if not (isinstance(item, Mapping) and isinstance(wanted, Mapping)):
        return False
    return all(field in item and item[field] == value for field, value in wanted.items())


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
