"""What there is to apply, what was found in it, and what became of it, as a status has it.

A field below a list has its default by a factory: the CRD has none there, since a tool that
compares lists as a whole would never find them equal.
"""

from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model

MOST_PENDING, MOST_FINDINGS, MOST_LOCKS, MOST_DRIFT = 20, 5, 4, 20
"""Files of a plan, findings and locks of a file, and differences that a status lists."""
MESSAGE_LENGTH = 256
ERROR_LENGTH, DETAIL_LENGTH = 2048, 1024
_FILE = 253


class FileFinding(Model):
    """What is unsafe in a file."""

    rule: Annotated[str, Field(max_length=63)]
    """The rule that it breaks; docs/schema.md explains each."""

    level: Annotated[str, Field(max_length=16)]
    """`Error` or `Warning`."""

    line: Annotated[int, Field(ge=0)] = Field(default_factory=int)
    """Line in the file, from 1; 0 for the file as a whole."""

    message: Annotated[str, Field(max_length=MESSAGE_LENGTH)]
    """What was found, and what to write instead; cut."""

    destructive: bool = Field(default_factory=bool)
    """Whether it deletes data."""


class PendingFile(Model):
    """A file that is to be applied."""

    part: Annotated[str, Field(max_length=16)]
    """`schema` or `fixtures`."""

    file: Annotated[str, Field(max_length=_FILE)]
    """Its name."""

    checksum: Annotated[str, Field(max_length=64)]
    """SHA-256 of its bytes."""

    statements: Annotated[int, Field(ge=0)] = Field(default_factory=int)
    """How many statements it has."""

    transactional: bool = Field(default_factory=lambda: True)
    """Whether it is applied in one transaction: whole, or not at all."""

    locks: Annotated[
        list[Annotated[str, Field(max_length=256, description="A lock and a relation.")]],
        Field(max_length=MOST_LOCKS),
    ] = Field(default_factory=list)
    """What it locks that others may wait for, as in `ACCESS EXCLUSIVE on orders`; the first
    ones."""

    findings: Annotated[list[FileFinding], Field(max_length=MOST_FINDINGS)] = Field(
        default_factory=list
    )
    """What is unsafe in it: what deletes data, then the first others."""


class LastError(Model):
    """Why the last run failed."""

    part: Annotated[str, Field(max_length=16)] = ""
    """`schema` or `fixtures`."""

    file: Annotated[str, Field(max_length=_FILE)] = ""
    """The file that failed; empty when none did."""

    line: Annotated[int, Field(ge=0)] = 0
    """Line in the file, from 1; 0 when it is not known."""

    sqlstate: Annotated[str, Field(max_length=5)] = ""
    """PostgreSQL's code of the error; empty when it was not PostgreSQL's."""

    message: Annotated[str, Field(max_length=ERROR_LENGTH)] = ""
    """What PostgreSQL said."""

    detail: Annotated[str | None, Field(max_length=DETAIL_LENGTH)] = None
    """What it said of it in detail, such as the row that is in the way; absent when it did not."""

    hint: Annotated[str | None, Field(max_length=DETAIL_LENGTH)] = None
    """What it advised; absent when it did not."""


class Drift(Model):
    """An object of the database that is not as the files have made it."""

    change: Annotated[str, Field(max_length=32)]
    """How it differs, in a word."""

    kind: Annotated[str, Field(max_length=32)]
    """What it is, such as a table, a column or an index."""

    name: Annotated[str, Field(max_length=256)]
    """Its name."""

    file: Annotated[str, Field(max_length=_FILE)] = Field(default_factory=str)
    """The file that made it; empty when none did."""

    message: Annotated[str, Field(max_length=MESSAGE_LENGTH)]
    """What differs; cut."""
