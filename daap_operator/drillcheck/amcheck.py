"""What pg_amcheck has written: how many relations it has gone through, and which are damaged. Pure.

https://www.postgresql.org/docs/current/app-pgamcheck.html
"""

import re
from typing import NamedTuple

CORRUPT = 2
"""Its exit code when it has found damage."""

_PROGRESS = re.compile(r"(?<!\d)(\d{1,9})/(\d{1,9}) relations")
_ASIDE = re.compile(r"pg_amcheck: (?:hint|detail): |HINT: |DETAIL: |Is the server running ")
_DAMAGED = re.compile(r'^(?:heap table|btree index) "([^"]+)".*', re.MULTILINE)


class Amcheck(NamedTuple):
    """What it comes to."""

    relations: int | None
    corrupt: int
    corruption: str
    """The first damage, in its words."""
    error: str
    """Why it could not check; empty when it could."""


def read(code: str, out: str, err: str) -> Amcheck:
    """What there is to say by its exit code and what it has written to both its outputs."""
    exit_code = int(code) if code.strip().isdecimal() else -1
    progress = _PROGRESS.findall(err)
    relations = int(progress[-1][1]) if progress else None
    damaged = list(_DAMAGED.finditer(out))
    corruption = _first(out, damaged[0].start()) if damaged else ""
    count = len({found[1] for found in damaged})
    if exit_code == 0:
        return Amcheck(relations, 0, "", "")
    if exit_code == CORRUPT:
        return Amcheck(relations, max(1, count), corruption or _tail(out, err), "")
    return Amcheck(relations, count, corruption, f"pg_amcheck failed: {_tail(out, err)}")


def _first(out: str, start: int) -> str:
    """The line that names the relation, and the one below it that says what is wrong."""
    return " ".join(line.strip() for line in out[start:].splitlines()[:2])


def _tail(out: str, err: str) -> str:
    """The last thing it has said that is neither progress nor a hint at what to do."""
    lines = [line.strip() for text in (out, err) for line in text.splitlines()]
    said = [line for line in lines if line and not _PROGRESS.search(line)]
    told = [line for line in said if not _ASIDE.match(line)] or said
    return told[-1] if told else "it said nothing"
