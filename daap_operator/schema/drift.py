"""How a database differs from what its files have made. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import NamedTuple

from daap_operator import lines

_WIDTH = 80
"""Characters that are told of a definition."""


class Key(NamedTuple):
    """Which object: its kind, and its name as SQL writes it, with the schema."""

    kind: str
    name: str


@dataclass(frozen=True)
class Object:
    """An object as it is, or was: a digest of its definition, and how that begins."""

    digest: str
    definition: str = ""
    parent: str = ""
    """The table it goes with, if it goes with one."""
    major: int = 0
    """The version of PostgreSQL that wrote the definition."""
    file: str = ""
    """The file that made it so; only of what was recorded."""
    ledger: str = ""
    """The ledger that has this file; the same."""


Objects = Mapping[Key, Object]


class Change(StrEnum):
    """What is the matter with an object."""

    GONE = "Gone"
    UNKNOWN = "Unknown"
    CHANGED = "Changed"
    INVALID = "Invalid"


@dataclass(frozen=True)
class Drift:
    """One difference."""

    change: Change
    key: Key
    file: str = ""
    was: str = ""
    now: str = ""

    def told(self) -> str:
        """A line for people, without the end of it."""
        what = lines.quoted(f"{self.key.kind} {self.key.name}")
        made = f"{self.file} made it" if self.file else "no file made it"
        if self.change is Change.GONE:
            return f"{what} is gone; {made}"
        if self.change is Change.UNKNOWN:
            return f"{what} is there, and {made}: {_short(self.now)}"
        if self.change is Change.INVALID:
            return f"{what} is invalid, and {made}: drop it, or REINDEX INDEX CONCURRENTLY"
        return f"{what} is not as {self.file} made it: {_difference(self.was, self.now)}"


def _short(definition: str) -> str:
    words = lines.quoted(definition)
    return words if len(words) <= _WIDTH else f"{words[:_WIDTH]}…"


def _difference(was: str, now: str) -> str:
    """Where two definitions part, from a little before that."""
    before, after = lines.quoted(was), lines.quoted(now)
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))))
    start = max(0, before.rfind(" ", 0, max(0, same - _WIDTH // 4)) + 1)
    if before == after:
        return "the difference is further back than what is recorded of it"
    lead = "…" if start else ""
    return f"{lead}{_short(before[start:])} was made, {lead}{_short(after[start:])} is there"


def drift(recorded: Objects, seen: Objects) -> list[Drift]:
    """The differences, by kind and name; of a table that is gone or unknown the table alone.

    What another major version of PostgreSQL has recorded is only looked for: versions write the
    same definition in different words.
    """
    lost = {key: each for key, each in recorded.items() if key not in seen}
    broken = {key for key, each in seen.items() if _invalid(key, each)}
    strange = {key: each for key, each in seen.items() if key not in recorded and key not in broken}
    found = [
        *(
            Drift(Change.INVALID, key, file=recorded[key].file if key in recorded else "")
            for key in broken
        ),
        *(Drift(Change.GONE, key, file=each.file) for key, each in _tops(lost)),
        *(Drift(Change.UNKNOWN, key, now=each.definition) for key, each in _tops(strange)),
        *(
            _changed(key, recorded[key], seen[key])
            for key in recorded
            if key in seen and key not in broken
        ),
    ]
    return sorted((each for each in found if each), key=lambda each: each.key)


def of_ledger(found: Iterable[Drift], recorded: Objects, seen: Objects, ledger: str) -> list[Drift]:
    """Those of the differences that are of one ledger, or of none.

    An object is of the ledger that made it, or else the table that it goes with. What goes with
    nothing that was recorded may be anybody's.
    """

    def owner(key: Key) -> str:
        parent = seen[key].parent if key in seen and key not in recorded else ""
        made = recorded.get(Key("table", parent) if parent else key)
        return made.ledger if made else ledger

    return [each for each in found if owner(each.key) == ledger]


def _tops(objects: Objects) -> Iterable[tuple[Key, Object]]:
    """Those whose table is not among them as well."""
    return [
        (key, each) for key, each in objects.items() if Key("table", each.parent) not in objects
    ]


def _changed(key: Key, was: Object, now: Object) -> Drift | None:
    if was.digest == now.digest or was.major != now.major:
        return None
    return Drift(Change.CHANGED, key, file=was.file, was=was.definition, now=now.definition)


def _invalid(key: Key, each: Object) -> bool:
    """Whether it is an index that a failed CONCURRENTLY has left."""
    return key.kind == "index" and each.definition.startswith("INVALID ")


def changes(before: Objects, after: Objects) -> tuple[dict[Key, Object], list[Key]]:
    """What came about between two looks: objects made or changed, and objects gone."""
    made = {
        key: each
        for key, each in after.items()
        if key not in before or before[key].digest != each.digest
    }
    return made, sorted(key for key in before if key not in after)
