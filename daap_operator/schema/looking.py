"""Looks at a database that change nothing: what has been applied, and what differs from that.

Each is one transaction that can only read, so that a look may also go through a pooler.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

from daap_operator.schema import catalogue, drift, ledger, ledger_sum, sessions, tables
from daap_operator.schema.drift import Drift
from daap_operator.schema.errors import LostError, RefusedError, SchemaError
from daap_operator.schema.model import Applied, Part, SqlFile, Trouble
from daap_operator.schema.running import connected

POLL_SECONDS = 1.0
TELL_SECONDS = 10.0

_BEGIN = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_SETTINGS: tuple[LiteralString, ...] = (
    f"SET LOCAL search_path = {sessions.OWN_PATH}",
    # As rows and definitions are written
    "SET LOCAL quote_all_identifiers = off",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL datestyle = 'ISO, MDY'",
    "SET LOCAL intervalstyle = 'postgres'",
    # A policy is another's expression, and would run as whoever reads: it is an error then
    "SET LOCAL row_security = off",
)


@dataclass(frozen=True)
class Seen:
    """What a look has found."""

    there: bool
    """Whether there is a ledger at all."""
    applied: Sequence[Applied]
    drift: Sequence[Drift] = ()


def applied(database_url: str, name: str) -> Seen:
    """What has been applied, oldest first. Raises SchemaError and its kinds."""
    with _reading(database_url, "look") as (connection, there):
        return Seen(there, ledger.read(connection, name) if there else ())


def verified(database_url: str, name: str) -> Seen:
    """What has been applied, and how the objects differ from what the files made of them."""
    with _reading(database_url, "verify") as (connection, there):
        if not there:
            return Seen(there=False, applied=())
        found = drift.drift(catalogue.recorded(connection), catalogue.seen(connection))
        return Seen(there=True, applied=ledger.read(connection, name), drift=found)


@dataclass(frozen=True)
class Awaited:
    """What has to be in the ledger: every one of the files, so many files, or one checksum."""

    files: Sequence[SqlFile] = ()
    count: int = 0
    checksum: str = ""

    def missing(self, rows: Sequence[Applied]) -> list[str]:
        """What is not there yet, a line each."""
        through = {(row.part, row.name): row for row in rows if row.done is None}
        found = [
            f"{file.name} is not applied" + _older(file, through.get((file.part, file.name)))
            for file in self.files
            if not _matches(file, through.get((file.part, file.name)))
        ]
        if self.count and len(through) < self.count:
            found.append(f"{len(through)} files are applied, and {self.count} are awaited")
        if self.checksum and (seen := ledger_sum.checksum(rows)) != self.checksum:
            found.append(f"the ledger's checksum is {seen}, and {self.checksum} is awaited")
        return found

    def hopeless(self, rows: Sequence[Applied]) -> list[str]:
        """What waiting does not bring about: a file of the schema is applied once for all."""
        through = {(row.part, row.name): row for row in rows if row.done is None}
        return [
            f"{file.name} is applied with the checksum {row.checksum}, and the file here has "
            f"{file.checksum}"
            for file in self.files
            if file.part is Part.SCHEMA
            and (row := through.get((file.part, file.name))) is not None
            and row.checksum != file.checksum
        ]


def wait(
    database_url: str,
    name: str,
    awaited: Awaited,
    *,
    seconds: float,
    say: Callable[[str], None],
) -> Seen:
    """Waits until the ledger has all that is awaited.

    Raises RefusedError when it never will, SchemaError with what is missing after `seconds`.
    """
    began, told = time.monotonic(), -TELL_SECONDS
    while True:
        try:
            seen = applied(database_url, name)
            missing = awaited.missing(seen.applied)
        except LostError as error:
            missing = [str(error)]
        else:
            if hopeless := awaited.hopeless(seen.applied):
                raise RefusedError("\n".join(hopeless), Trouble.CHANGED)
            if not missing:
                return seen
        waited = time.monotonic() - began
        if waited >= seconds:
            raise SchemaError("\n".join([f"not within {seconds:g} s:", *missing]))
        if waited - told >= TELL_SECONDS:
            told = waited
            say(f"waiting ({waited:.0f} of {seconds:g} s): {'; '.join(missing)}")
        time.sleep(min(POLL_SECONDS, seconds - waited))


@contextmanager
def _reading(database_url: str, what: str) -> Iterator[tuple[sessions.Connection, bool]]:
    """A session that only reads, and whether there is a ledger."""
    name = f"daap-operator schema {what}"
    with connected(database_url, name) as connection, connection.transaction():
        connection.execute(_BEGIN)
        for setting in _SETTINGS:
            connection.execute(setting)
        yield connection, tables.refuse_strange(connection, reading=True)


def _matches(file: SqlFile, row: Applied | None) -> bool:
    return row is not None and row.checksum == file.checksum


def _older(file: SqlFile, row: Applied | None) -> str:
    return f" as it is here ({file.checksum[:12]}, not {row.checksum[:12]})" if row else ""
