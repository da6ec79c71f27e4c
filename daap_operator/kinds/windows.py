"""The recovery windows that an ObjectStore tells of, in little room. Pure.

A store has one for each archive that was ever kept in it: hundreds, of which a database needs its
own. As objects each would need a kilobyte of memory; as a line of text it needs a tenth.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from daap_operator import raw

MOST_BYTES = 48 * 1024
"""Text that is kept of a store's windows: the newest 500 of names of 63 characters, and more
of shorter ones. The engine keeps 64 KiB of an object altogether."""

_ARCHIVE = re.compile(r"[A-Za-z0-9._-]{1,253}")
"""What an archive of ours may be called: no other name could end a line and begin another's."""

_FIELDS = ("firstRecoverabilityPoint", "lastSuccessfulBackupTime", "lastFailedBackupTime")


class Window(NamedTuple):
    """What is kept in one archive, in UTC; None for what there is not."""

    first_recoverable: datetime | None = None
    last_successful: datetime | None = None
    last_failed: datetime | None = None


NOTHING = Window()
"""Of an archive that the store does not tell of."""


def packed(windows: raw.Object) -> str:
    """The windows as text; of too many those that have not changed for the longest are left out."""
    lines = [
        (seconds, archive)
        for archive, window in windows.items()
        if _ARCHIVE.fullmatch(archive) and (seconds := _seconds(window))
    ]
    kept, room = {}, MOST_BYTES
    for seconds, archive in sorted(lines, key=lambda line: (-max(line[0]), line[1])):
        line = f"{archive} {' '.join(map(str, seconds))}\n"
        room -= len(line)
        if room < 0:
            break
        kept[archive] = line
    return "".join(kept[archive] for archive in sorted(kept))


def window_of(text: str, archive: str) -> Window:
    """The window of one archive, from what `packed` made of all."""
    start = f"\n{text}".find(f"\n{archive} ") if archive else -1
    if start < 0:
        return NOTHING
    line, _, _ = text[start:].partition("\n")
    return _window(_split(line)[2])


def changed(before: str, now: str) -> frozenset[str]:
    """The archives whose windows differ between two texts of `packed`."""
    return frozenset(_split(line)[0] for line in set(before.splitlines()) ^ set(now.splitlines()))


def utc(found: datetime | None) -> datetime | None:
    """The moment as a status has it: in UTC, to the second; None for one that cannot be meant.

    Such as Go's zero, and what is so near to the calendar's ends that nothing can be counted on.
    """
    plausible = found is not None and 1970 < found.year < 9000
    return found.astimezone(UTC).replace(microsecond=0) if found and plausible else None


def _seconds(window: object) -> tuple[int, ...]:
    """The moments as Unix time, 0 where there is none; empty when there are none at all."""
    fields = window if isinstance(window, Mapping) else {}
    found = [raw.moment(fields, field) for field in _FIELDS]
    # Of thousands in each change of a store: no `utc`, which says the same and takes twice as long
    seconds = tuple(int(each.timestamp()) if each and each.year > 1970 else 0 for each in found)
    return seconds if any(seconds) else ()


def _split(line: str) -> tuple[str, str, str]:
    return line.partition(" ")


def _window(rest: str) -> Window:
    seconds = [int(each) for each in rest.split()]
    return Window(*(datetime.fromtimestamp(each, UTC) if each else None for each in seconds))
