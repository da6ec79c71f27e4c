"""How much an object holds: the lengths of all containers that can be reached from it."""

from collections import Counter, deque
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_CONTAINERS = (dict, list, set, tuple, frozenset, deque)


def holds(root: object, *apart: object) -> Counter[str]:
    """Lengths by path, summed up over what is below one path; without what is `apart`."""
    found: Counter[str] = Counter()
    seen = {id(each) for each in apart}
    pending: list[tuple[str, object]] = [("", root)]
    while pending:
        path, value = pending.pop()
        if id(value) in seen or isinstance(value, type | ModuleType):
            continue
        seen.add(id(value))
        if isinstance(value, _CONTAINERS):
            found[path] += len(value)
        pending += [(f"{path}.{step}", below) for step, below in _below(value)]
    return found


def _below(value: Any) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from (("*", below) for below in value.values())
        yield from (("key", key) for key in value)
    elif isinstance(value, _CONTAINERS):
        yield from (("*", below) for below in value)
    elif hasattr(value, "__self__"):  # a method that was handed on
        yield "self", value.__self__
    else:
        yield from getattr(value, "__dict__", {}).items()
