"""What has been applied: table daap_schema.ledger, in the database itself.

So a database that is restored to an earlier moment has the ledger of that moment, and gets exactly
the files that it lacks.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from daap_operator import lines
from daap_operator.schema import tables
from daap_operator.schema.drift import Key, Object, Objects
from daap_operator.schema.errors import RefusedError
from daap_operator.schema.model import Applied, Part, SqlFile, Statement
from daap_operator.schema.sessions import Connection

DEFAULT = "default"
"""The ledger's name where there is one set of files in a database."""
MOST_ROWS = 10_000
"""Of a ledger: there are 2,000 files at most, and all that were applied are among them."""

_COLUMNS = ("ledger", "number", "part", "file", "checksum", "applied_at", "job", "seconds", "done")
_WRITE_SQL = """
INSERT INTO daap_schema.ledger (ledger, part, file, checksum, job, seconds, baseline, done)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (ledger, part, file) DO UPDATE SET checksum = EXCLUDED.checksum, number = DEFAULT,
    applied_at = DEFAULT, applied_by = DEFAULT, job = EXCLUDED.job, baseline = EXCLUDED.baseline,
    seconds = EXCLUDED.seconds, done = EXCLUDED.done
"""
_UNDERWAY_SQL = """
SELECT l.done, u.prefix, u.statement, u.index_name, u.before, l.seconds
FROM daap_schema.ledger AS l JOIN daap_schema.underway AS u USING (ledger, part, file)
WHERE ledger = %s AND part = %s AND file = %s AND l.done IS NOT NULL
"""
_PROGRESS_SQL = """
INSERT INTO daap_schema.underway (ledger, part, file, prefix, statement, index_name, before)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (ledger, part, file) DO UPDATE SET prefix = EXCLUDED.prefix,
    statement = EXCLUDED.statement, index_name = EXCLUDED.index_name, before = EXCLUDED.before
"""
_THROUGH_SQL = "DELETE FROM daap_schema.underway WHERE ledger = %s AND part = %s AND file = %s"


@dataclass(frozen=True)
class Underway:
    """How far a file is that does not run in one transaction.

    `statement` is the digest of the one that was begun and may or may not have been done, and
    `before` what there was before it; empty and None when none was.
    """

    done: int = 0
    prefix: str = ""
    statement: str = ""
    index: str = ""
    before: Objects | None = None
    seconds: float = 0.0


def read(connection: Connection, ledger: str) -> list[Applied]:
    """What has been applied, oldest first, of a ledger that is there.

    Raises RefusedError when a row is none that a runner has written, psycopg.Error.
    """
    found = []
    for name, number, *row in tables.rows(connection, "ledger", _COLUMNS):
        if name == ledger:
            found.append(_numbered(number, row))
        if len(found) > MOST_ROWS:
            raise RefusedError(
                f"the ledger {lines.quoted(ledger)} has more than {MOST_ROWS} rows, which no "
                "runner has written: repair the table daap_schema.ledger"
            )
    return [row for _, row in sorted(found, key=lambda each: each[0])]


def _numbered(number: str | None, row: Sequence[str | None]) -> tuple[int, Applied]:
    """A row as it is written; its texts are for messages, so they show all that they hold."""
    part, file, checksum, applied_at, job, seconds, done = row
    try:
        when = datetime.fromisoformat(applied_at or "").astimezone(UTC)
        return int(number or ""), Applied(
            Part(part or ""),
            lines.quoted(file or ""),
            lines.quoted(checksum or ""),
            when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            lines.quoted(job or ""),
            float(seconds or ""),
            None if done is None else int(done),
        )
    except (ValueError, OverflowError) as error:
        raise RefusedError(
            f"the table daap_schema.ledger has a row for the file {lines.quoted(file or '')!r} "
            f"that no runner has written ({lines.quoted(str(error))}): repair it"
        ) from error


def write(connection: Connection, ledger: str, row: Applied, *, baseline: bool = False) -> None:
    """The row of a file, with the time of now; through unless it says how far. psycopg.Error."""
    key = (ledger, row.part, row.name)
    connection.execute(_WRITE_SQL, (*key, row.checksum, row.job, row.seconds, baseline, row.done))
    if row.done is None:
        connection.execute(_THROUGH_SQL, key)


def underway(connection: Connection, ledger: str, file: SqlFile) -> Underway:
    """How far the file is. Raises psycopg.Error."""
    row = connection.execute(_UNDERWAY_SQL, [ledger, file.part, file.name]).fetchone()
    if row is None:
        return Underway()
    done, prefix, statement, index, before, seconds = row
    return Underway(done, prefix, statement, index, _objects(before), seconds)


def progress(connection: Connection, ledger: str, file: SqlFile, job: str, now: Underway) -> None:
    """Record how far it is. Raises psycopg.Error."""
    checksum, seconds = file.checksum, now.seconds
    row = Applied(file.part, file.name, checksum, job=job, seconds=seconds, done=now.done)
    write(connection, ledger, row)
    before = None if now.before is None else Jsonb(_json(now.before))
    told = (now.prefix, now.statement, now.index, before)
    connection.execute(_PROGRESS_SQL, (ledger, file.part, file.name, *told))


def digest(statements: Sequence[Statement]) -> str:
    """SHA-256 of the statements' texts; of none, nothing."""
    if not statements:
        return ""
    texts = "\0".join(statement.text for statement in statements)
    return hashlib.sha256(texts.encode()).hexdigest()


def _json(objects: Objects) -> list[list[str]]:
    return [[*key, each.digest] for key, each in objects.items()]


def _objects(rows: Any) -> Objects | None:
    if rows is None:
        return None
    return {Key(kind, name): Object(digest) for kind, name, digest in rows}
