"""How much of what a look has found has room in the status. Pure.

The store keeps so much of an object and no more, and a status is written whole: a list that the
store has cut would be empty in the next one, and whoever approves a plan would see nothing of it.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from daap_operator import raw
from daap_operator.api.v1alpha1 import (
    Drift,
    FileFinding,
    LastError,
    PendingFile,
    Rehearsal,
    RehearsedFile,
    SchemaRehearsal,
)
from daap_operator.engine.bounds import KEPT_BYTES, weight

RESERVED_BYTES = 16 * 1024
"""Memory for what else of a status comes and goes: conditions, the last error, its message."""
REHEARSED_BYTES = 8 * 1024
"""Memory for what a rehearsal has come to, where there is to be one."""
LEAST_BYTES = 6 * 1024
"""Memory for the lists of a large object: most of what is reserved is seldom needed."""
NEEDED_BYTES = 9 * 1024
"""Memory for what else a status has while a plan waits: an object that is too large with it is not
looked at any more, whatever its tenant does about the plan."""
One = TypeVar("One", PendingFile, FileFinding, Drift, RehearsedFile, LastError, str)
_LISTS = ("pending", "drift")
_OUTCOME = ("conditions", "lastError", "message", "rehearsal")
_COMES_AND_GOES = (*_LISTS, *_OUTCOME)


def room(seen: raw.Object) -> int:
    """Bytes of memory that the lists may need of an object, as the store has it."""
    status = raw.mapping(seen, "status")
    stays = {field: value for field, value in status.items() if field not in _COMES_AND_GOES}
    rest = weight({**seen, "status": stays}, KEPT_BYTES)
    left = KEPT_BYTES - rest
    rehearses = raw.text(seen, "spec", "rehearsal") not in ("", Rehearsal.NEVER)
    reserved = RESERVED_BYTES + (REHEARSED_BYTES if rehearses else 0)
    return max(0, left - reserved, min(LEAST_BYTES, left - NEEDED_BYTES))


def fitting(
    pending: Sequence[PendingFile], drift: Sequence[Drift], most: int
) -> tuple[list[PendingFile], list[Drift]]:
    """What there is room for: files with the first that deletes data in each, then all the rest."""
    left = _Room(most)
    bare = [
        each.model_copy(update={"findings": _deleting(each)[:1], "locks": []}) for each in pending
    ]
    listed = left.taken(bare)
    files = []
    for file, of in zip(listed, pending, strict=False):
        more = left.taken([each for each in of.findings if each not in file.findings])
        found = {"findings": [*file.findings, *more], "locks": left.taken(of.locks)}
        files.append(of.model_copy(update=found))
    return files, left.taken(drift)


def rehearsed(its: SchemaRehearsal, seen: raw.Object) -> SchemaRehearsal:
    """A rehearsal with what there is room for beside the plan: why it failed, then the files.

    `seen` is the object as the store has it.
    """
    status = raw.mapping(seen, "status")
    others = {field: value for field, value in status.items() if field not in _OUTCOME}
    bare = its.model_copy(update={"files": [], "error": None})
    told = {"rehearsal": bare.model_dump(mode="json", by_alias=True)}
    rest = weight({**seen, "status": others | told}, KEPT_BYTES)
    left = _Room(KEPT_BYTES - RESERVED_BYTES - rest)
    error = next((each for each in _briefer(its.error) if left.has(each)), None)
    return its.model_copy(update={"error": error, "files": left.taken(its.files)})


def _briefer(error: LastError | None) -> Iterator[LastError]:
    """An error, and less and less of it."""
    if error is not None:
        yield error
        yield error.model_copy(update={"detail": None, "hint": None})
        yield error.model_copy(update={"detail": None, "hint": None, "message": ""})


def _deleting(file: PendingFile) -> list[FileFinding]:
    return [each for each in file.findings if each.destructive]


class _Room:
    """What is left of so many bytes."""

    def __init__(self, most: int) -> None:
        self._left = most

    def taken(self, those: Sequence[One]) -> list[One]:
        """As many of them as there is room for, in order."""
        found: list[One] = []
        for each in those:
            if not self.has(each):
                self._left = 0
                break
            found.append(each)
        return found

    def has(self, one: One) -> bool:
        """Whether there is room for it, which it has then."""
        value = one if isinstance(one, str) else one.model_dump(mode="json", by_alias=True)
        needed = 8 + weight(value, KEPT_BYTES)
        if needed > self._left:
            return False
        self._left -= needed
        return True
