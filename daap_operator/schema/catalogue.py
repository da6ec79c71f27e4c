"""The objects of a database, as they are and as the ledger recorded them.

What a file has changed is the difference between a look before and a look after it, in its own
transaction; the table daap_schema.objects has them. So what somebody changed by hand stays told,
however many files follow.
"""

from typing import LiteralString

from daap_operator import lines
from daap_operator.schema import catalogue_sql, tables
from daap_operator.schema.drift import Key, Object, Objects, changes
from daap_operator.schema.errors import RefusedError
from daap_operator.schema.model import SqlFile
from daap_operator.schema.sessions import Connection

_LONGEST = 400
"""Characters of a definition that are kept to be told."""

_SEEN_SQL: LiteralString = """
SELECT kind, name, parent,
       pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(definition, 'UTF8')), 'hex'),
       pg_catalog.left(definition, %s)
FROM ({}) AS found (kind, name, parent, definition)
"""
_RECORDED = ("kind", "name", "parent", "digest", "definition", "major", "file", "ledger")
_FORGET_SQL = "DELETE FROM daap_schema.objects WHERE kind = %s AND name = %s"
_RECORD_SQL = """
INSERT INTO daap_schema.objects (kind, name, parent, digest, definition, major, ledger, part, file)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (kind, name) DO UPDATE SET parent = EXCLUDED.parent, digest = EXCLUDED.digest,
    definition = EXCLUDED.definition, major = EXCLUDED.major, ledger = EXCLUDED.ledger,
    part = EXCLUDED.part, file = EXCLUDED.file
"""
_RENEW_SQL = """
UPDATE daap_schema.objects SET digest = %s, definition = %s, major = %s
WHERE kind = %s AND name = %s AND major <> %s
"""


def seen(connection: Connection) -> dict[Key, Object]:
    """The objects that are there. Raises psycopg.Error."""
    major = connection.info.server_version // 10000
    rows = connection.execute(_QUERY, [_LONGEST])
    return {
        Key(kind, name): Object(digest, definition, parent, major)
        for kind, name, parent, digest, definition in rows
    }


def recorded(connection: Connection) -> dict[Key, Object]:
    """The objects as the files have left them. Raises RefusedError, psycopg.Error."""
    found = {}
    for row in tables.rows(connection, "objects", _RECORDED):
        kind, name, parent, digest, definition, major, file, of = (each or "" for each in row)
        if not major.isdecimal():
            raise RefusedError(
                f"the table daap_schema.objects has a row for {lines.quoted(name)!r} that no "
                "runner has written: repair it"
            )
        made = Object(digest, definition, parent, int(major[:9]), lines.quoted(file), of)
        found[Key(kind, name)] = made
    return found


def record(
    connection: Connection, ledger: str, file: SqlFile, before: Objects, after: Objects
) -> None:
    """Record what the file has changed between the two looks. Raises psycopg.Error."""
    made, gone = changes(before, after)
    source = (ledger, file.part, file.name)
    with connection.cursor() as cursor:
        cursor.executemany(_FORGET_SQL, gone)
        cursor.executemany(
            _RECORD_SQL,
            [
                (*key, each.parent, each.digest, each.definition, each.major, *source)
                for key, each in made.items()
            ],
        )


def renew(connection: Connection) -> None:
    """Record the definitions again in the words of this major version of PostgreSQL."""
    now = seen(connection)
    with connection.cursor() as cursor:
        cursor.executemany(
            _RENEW_SQL,
            [
                (each.digest, each.definition, each.major, *key, each.major)
                for key, each in now.items()
            ],
        )


_QUERY: LiteralString = _SEEN_SQL.replace("{}", catalogue_sql.OBJECTS.replace("%", "%%"))
