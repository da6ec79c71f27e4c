"""What the files, a plan and the ledger are made of. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Part(StrEnum):
    """What a file is: applied once for all, or again whenever it changes."""

    SCHEMA = "schema"
    FIXTURES = "fixtures"


@dataclass(frozen=True)
class SqlFile:
    """One file as it was read; `name` has no directory and orders the files of its part."""

    part: Part
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of its bytes, 64 hex digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a relation that a statement takes, in PostgreSQL's words (`ACCESS EXCLUSIVE`)."""

    mode: str
    relation: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a file: its text, the line where it begins (from 1), and what it does.

    A set of files may have hundreds of thousands, so that each is kept small.
    """

    text: str
    line: int
    kind: str
    transactional: bool = True
    locks: Sequence[Lock] = ()
    index: str = ""
    """The index that it creates with CONCURRENTLY, as written, schema included."""
    own_transaction: bool = False
    """Not `transactional`, but only because no later statement may be in the same transaction: it
    can be recorded in the transaction that it runs in. ALTER TYPE … ADD VALUE."""


class Level(StrEnum):
    """How much a finding matters: an Error stops a file before anything runs."""

    ERROR = "Error"
    WARNING = "Warning"


@dataclass(frozen=True)
class Finding:
    """What a reviewer should know of a statement before it runs."""

    rule: str
    level: Level
    line: int
    message: str
    remedy: str = ""
    destructive: bool = False


@dataclass(frozen=True)
class Planned:
    """A file that is to be applied, as it was parsed and linted."""

    file: SqlFile
    statements: Sequence[Statement] = ()
    findings: Sequence[Finding] = ()

    @property
    def transactional(self) -> bool:
        """Whether all of it runs in one transaction."""
        return all(statement.transactional for statement in self.statements)


@dataclass(frozen=True)
class Applied:
    """A row of the ledger: what was applied, when (RFC 3339, UTC), by which Job, in which time."""

    part: Part
    name: str
    checksum: str
    applied_at: str = ""
    job: str = ""
    seconds: float = 0.0
    done: int | None = None
    """Statements done of a file that does not run in one transaction and is not through yet."""
    locks: Sequence[Lock] = ()
    """What it held when this run applied it, where that was measured; no row has it."""


class Trouble(StrEnum):
    """Why nothing may run."""

    CHANGED = "AppliedFileChanged"
    OUT_OF_ORDER = "OutOfOrder"
    LINT = "LintFailed"
    SYNTAX = "FileFailed"


@dataclass(frozen=True)
class Obstacle:
    """One thing in the way of a plan: the file, and a message with value and remedy."""

    trouble: Trouble
    file: str
    message: str
    line: int = 0


@dataclass(frozen=True)
class Plan:
    """What would run, in order, and what is in the way; the hash names exactly this plan."""

    pending: Sequence[Planned] = ()
    obstacles: Sequence[Obstacle] = ()
    hash: str = field(default="")
