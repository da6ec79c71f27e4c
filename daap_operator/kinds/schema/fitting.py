"""How much of what a look has found has room in the status. Pure.

The store keeps so much of an object and no more, and a status is written whole: a list that the
store has cut would be empty in the next one, and whoever approves a plan would see nothing of it.
"""

from collections.abc import Sequence
from typing import TypeVar

from daap_operator import raw
from daap_operator.api.v1alpha1 import Drift, FileFinding, PendingFile
from daap_operator.engine.bounds import KEPT_BYTES, weight

RESERVED_BYTES = 16 * 1024
"""Memory for what else of a status comes and goes: conditions, the last error, its message."""
LEAST_BYTES = 6 * 1024
"""Memory for the lists of a large object: most of what is reserved is seldom needed."""
NEEDED_BYTES = 9 * 1024
"""Memory for what else a status has while a plan waits: an object that is too large with it is not
looked at any more, whatever its tenant does about the plan."""
One = TypeVar("One", PendingFile, FileFinding, Drift, str)
_LISTS = ("pending", "drift")
_COMES_AND_GOES = (*_LISTS, "conditions", "lastError", "message")


def room(seen: raw.Object) -> int:
    """Bytes of memory that the lists may need of an object, as the store has it."""
    status = raw.mapping(seen, "status")
    stays = {field: value for field, value in status.items() if field not in _COMES_AND_GOES}
    rest = weight({**seen, "status": stays}, KEPT_BYTES)
    left = KEPT_BYTES - rest
    return max(0, left - RESERVED_BYTES, min(LEAST_BYTES, left - NEEDED_BYTES))


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
            value = each if isinstance(each, str) else each.model_dump(mode="json", by_alias=True)
            self._left -= 8 + weight(value, KEPT_BYTES)
            if self._left < 0:
                break
            found.append(each)
        return found
