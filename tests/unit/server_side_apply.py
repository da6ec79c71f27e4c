"""Field ownership as the API server keeps it, as far as the operator's objects need it.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
A set of fields is a set of paths; each step of a path is written as in `fieldsV1`.
"""

import json
from collections.abc import Iterable
from typing import Any, TypeVar, cast

Object = dict[str, Any]
Path = tuple[str, ...]
T = TypeVar("T")

KEYED = {
    # Lists whose items are merged by these fields; every other list is replaced whole
    "f:containers": ("name",),
    "f:ownerReferences": ("uid",),
    "f:conditions": ("type",),
    "f:topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
SETS = ("f:finalizers",)
ATOMIC = ("f:labelSelector",)
"""Objects that are replaced whole; so are the items of ownerReferences."""

_NOBODYS = ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp")
_NOBODYS_EITHER = ("deletionTimestamp", "managedFields")


def copied(value: T) -> T:
    """A deep copy of plain JSON; `copy.deepcopy` takes several times as long."""
    made: Any = value
    if isinstance(made, dict):
        made = {name: copied(below) for name, below in made.items()}
    elif isinstance(made, list):
        made = [copied(below) for below in made]
    return cast("T", made)


def apply(live: Object | None, manifest: Object, manager: str) -> Object:
    """The object after a server-side apply with force."""
    made = copied(live) if live else {"metadata": {}}
    for field in ("apiVersion", "kind"):
        made[field] = manifest[field]
    for field in ("name", "namespace"):
        if field in manifest["metadata"]:
            made["metadata"][field] = manifest["metadata"][field]
    ordered = _fields(manifest)
    wanted = set(ordered)
    sets = _sets(made)
    before = sets.get((manager, "Apply"), set())
    others: set[Path] = set()
    for key, owned in sets.items():
        if key != (manager, "Apply"):
            lost = {path for path in owned & wanted if _at(made, path) != _at(manifest, path)}
            owned.difference_update(lost)
            others.update(owned)
    for path in ordered:
        _put(made, path, _at(manifest, path))
    for path in sorted(before - wanted - others, reverse=True):
        _drop(made, path)
    return _with_sets(made, sets | {(manager, "Apply"): wanted})


def updated(before: Object, after: Object, manager: str) -> Object:
    """The object after a plain update: what was changed belongs to its manager alone."""
    old, new = fields(before), fields(after)
    changed = {path for path in new if path not in old or _at(before, path) != _at(after, path)}
    sets = _sets(before)
    for owned in sets.values():
        owned.difference_update(changed, old - new)
    sets.setdefault((manager, "Update"), set()).update(changed)
    return _with_sets(copied(after), sets)


def fields(obj: Object) -> set[Path]:
    """The paths of all fields that somebody can own."""
    return set(_fields(obj))


def _fields(obj: Object) -> list[Path]:
    metadata = {k: v for k, v in obj["metadata"].items() if k not in _NOBODYS + _NOBODYS_EITHER}
    rest = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    return _leaves(rest | ({"metadata": metadata} if metadata else {}), ())


def _leaves(value: Any, path: Path) -> list[Path]:
    last = path[-1] if path else ""
    if isinstance(value, dict) and value and last not in ATOMIC:
        return [p for name, v in value.items() for p in _leaves(v, (*path, f"f:{name}"))]
    if isinstance(value, list) and last in SETS:
        return [(*path, f"v:{json.dumps(item)}") for item in value]
    if isinstance(value, list) and last in KEYED:
        return [p for item in value for p in _item(item, path, last)]
    return [path]


def _item(item: Object, path: Path, last: str) -> list[Path]:
    key = {name: item[name] for name in KEYED[last] if name in item}
    here = (*path, f"k:{json.dumps(key, separators=(',', ':'))}")
    return [here] if last == "f:ownerReferences" else [(*here, "."), *_leaves(item, here)]


# --- managedFields --------------------------------------------------------------------------------


def _sets(obj: Object) -> dict[tuple[str, str], set[Path]]:
    entries = obj["metadata"].get("managedFields", [])
    return {(e["manager"], e["operation"]): set(_paths(e["fieldsV1"], ())) for e in entries}


def _with_sets(obj: Object, sets: dict[tuple[str, str], set[Path]]) -> Object:
    obj["metadata"]["managedFields"] = [
        {"manager": manager, "operation": operation, "fieldsV1": _tree(owned)}
        for (manager, operation), owned in sets.items()
        if owned
    ]
    return obj


def _tree(paths: Iterable[Path]) -> Object:
    tree: Object = {}
    for path in sorted(paths):
        below = tree
        for step in path:
            below = below.setdefault(step, {})
    return tree


def _paths(tree: Object, path: Path) -> Iterable[Path]:
    for step, below in tree.items():
        if below:
            yield from _paths(below, (*path, step))
        else:
            yield (*path, step)


# --- values at paths ------------------------------------------------------------------------------


def _at(obj: Any, path: Path) -> Any:
    for step in path:
        kind, _, text = step.partition(":")
        if obj is None:
            return None
        if kind == "f":
            obj = obj.get(text)
        elif kind != ".":
            obj = next((item for item in obj if _is(item, kind, json.loads(text))), None)
    return obj


def _is(item: Any, kind: str, wanted: Any) -> bool:
    return bool(item == wanted if kind == "v" else wanted.items() <= item.items())


def _put(obj: Any, path: Path, value: Any) -> None:
    """Set a value, and make on the way what is not there."""
    step, rest = path[0], path[1:]
    kind, _, text = step.partition(":")
    if kind == "f":
        if rest:
            empty: Any = [] if rest[0][:2] in ("k:", "v:") else {}
            if not isinstance(obj.get(text), type(empty)):
                obj[text] = empty
            _put(obj[text], rest, value)
        else:
            obj[text] = copied(value)
        return
    if kind == ".":
        return
    wanted = json.loads(text)
    found = next((item for item in obj if _is(item, kind, wanted)), None)
    if found is None:
        found = copied(wanted)
        obj.append(found)
    if kind == "k" and rest:
        _put(found, rest, value)
    elif kind == "k":
        found |= copied(value)


def _drop(obj: Any, path: Path) -> None:
    """Remove a field, and what becomes empty by it."""
    step, rest = path[0], path[1:]
    kind, _, text = step.partition(":")
    if kind == "f":
        below = obj.get(text)
        if rest and below:
            _drop(below, rest)
        if not rest or not below:
            obj.pop(text, None)
    elif kind in ("k", "v"):
        wanted = json.loads(text)
        found = next((item for item in obj if _is(item, kind, wanted)), None)
        if found is not None and rest and rest != (".",):
            _drop(found, rest)
        elif found is not None:
            obj.remove(found)
