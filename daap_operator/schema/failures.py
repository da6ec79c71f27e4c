"""What PostgreSQL says when a file fails: where, why, and whether to try again. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from daap_operator import lines
from daap_operator.schema.model import Part, SqlFile, Statement

LOCK_TIMEOUT = "55P03"
TRIED_AGAIN = frozenset({LOCK_TIMEOUT, "40P01", "40001"})
"""SQLSTATEs of a transaction that others were in the way of: lock timeout, deadlock, conflict.
https://www.postgresql.org/docs/16/errcodes-appendix.html"""

_LOST = re.compile(r"08...|57P0[1-3]|53300")
"""SQLSTATEs of a connection that is no more, or that there is no room for yet."""

_BODY = re.compile(r"\$\w*\$")
_CODE_BLOCK = re.compile(r"\binline_code_block line (\d{1,9})\b")


@dataclass(frozen=True)
class Said:
    """What PostgreSQL said; `position` counts characters of the statement from 1, 0 without one."""

    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""
    context: str = ""
    position: int = 0


@dataclass(frozen=True)
class Failure:
    """A file that failed; `line` counts from 1 and is 0 when it is the whole file's."""

    part: Part
    file: str
    line: int
    sqlstate: str
    message: str
    detail: str = ""
    hint: str = ""
    left: str = ""
    """What it has left in the database."""
    holders: str = ""
    """Who was in the way of it last, in words."""

    @property
    def in_the_way(self) -> bool:
        """Whether it is not the file that is wrong: others had what it needs, during all tries."""
        return self.sqlstate in TRIED_AGAIN

    def told(self) -> list[str]:
        """Lines for people."""
        line = f":{self.line}" if self.line else ""
        code = f" (SQLSTATE {self.sqlstate})" if self.sqlstate else ""
        rest = [("detail", self.detail), ("hint", self.hint)]
        holders = f", held by {self.holders}" if self.holders else ""
        return [
            f"{self.file}{line}: {lines.quoted(self.message)}{code}{holders}",
            *(f"  {word}: {lines.quoted(text)}" for word, text in rest if text),
            *([f"  {self.left}"] if self.left else []),
        ]


def failure(
    file: SqlFile, statement: Statement | None, said: Said, left: str = "", holders: str = ""
) -> Failure:
    """The failure of a statement, or of the commit when there is none."""
    return Failure(
        part=file.part,
        file=file.name,
        line=line_of(statement, said) if statement else 0,
        sqlstate=said.sqlstate,
        message=said.message,
        detail=said.detail,
        hint=said.hint,
        left=left,
        holders=holders,
    )


def line_of(statement: Statement, said: Said) -> int:
    """The line in the file: by the position, by the line of a DO block's body, else the first."""
    if said.position:
        return statement.line + statement.text[: said.position - 1].count("\n")
    inside = _CODE_BLOCK.search(said.context)
    body = _BODY.search(statement.text)
    if inside and body:
        before = statement.text[: body.end()].count("\n")
        last = statement.text.count("\n")
        return statement.line + min(before + int(inside[1]) - 1, last)
    return statement.line


def lost(sqlstate: str | None) -> bool:
    """Whether it says that the server is gone, going, coming, or full."""
    return bool(sqlstate and _LOST.fullmatch(sqlstate))


def half_done(done: int, statements: Sequence[Statement]) -> str:
    """What a file leaves that does not run in one transaction."""
    if not done:
        return "None of its statements is applied."
    return f"{done} of its {len(statements)} statements are applied, and stay so."


WHOLE = "Nothing of it is applied: it runs in one transaction."
