"""The counts and the queries, by SQL, in transactions that can only read."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import tuple_row

STATEMENT_SECONDS = 300
"""How long a query, or the count of one table, may take."""

_TABLES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1, 2
"""

_LABEL = "SELECT pg_catalog.pg_read_file('backup_label.old', 0, 4096, true)"


@contextmanager
def reading(parameters: Mapping[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose every transaction can only read, and takes so long at most."""
    options = (
        f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_SECONDS}s "
        "-c idle_in_transaction_session_timeout=60s -c lock_timeout=30s"
    )
    # Whatever the database's own settings say: psycopg reads no text in SQL_ASCII
    conninfo = make_conninfo(**parameters, options=options, client_encoding="UTF8")
    with psycopg.connect(conninfo, row_factory=tuple_row) as connection:
        connection.read_only = True
        yield connection


def counted(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """The tables that are the database's own, and the rows in them."""
    _plain(connection)
    tables = connection.execute(_TABLES).fetchall()
    rows = 0
    for schema, table in tables:
        count = sql.SQL("SELECT pg_catalog.count(*) FROM ONLY {}").format(
            sql.Identifier(schema, table)
        )
        rows += _value(connection, count)
    connection.rollback()
    return {"tables": len(tables), "rows": rows}


def label(connection: psycopg.Connection[Any]) -> str:
    """What the data directory says of the base backup that it began with; empty where nothing."""
    _plain(connection)
    found = _value(connection, sql.SQL(_LABEL))
    connection.rollback()
    return found if isinstance(found, str) else ""


def answered(
    connection: psycopg.Connection[Any], queries: Iterable[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """What each query comes to, each in a transaction of its own."""
    return [_answer(connection, number, each) for number, each in enumerate(queries, start=1)]


def _answer(
    connection: psycopg.Connection[Any], number: int, query: Mapping[str, str]
) -> dict[str, Any]:
    told: dict[str, Any] = {"name": query.get("name") or str(number)}
    try:
        # A cursor is for one SELECT, of which no more is fetched than is told
        with connection.cursor(name="drill") as cursor:
            cursor.execute(query["sql"].encode())
            value = _first(cursor)
    except psycopg.Error as error:
        return told | {"ok": False, "error": error.diag.message_primary or str(error)}
    finally:
        connection.rollback()
    expected = query.get("expect")
    if value is None:
        ok = expected is None
        return told | ({"ok": True} if ok else {"ok": False, "error": "it returns no row"})
    return told | {"ok": expected is None or value == expected, "value": value}


def _first(cursor: psycopg.ServerCursor[Any]) -> str | None:
    """The first column of the first row, as PostgreSQL writes it; None without a row."""
    if cursor.fetchone() is None or cursor.pgresult is None:
        return None
    return (cursor.pgresult.get_value(0, 0) or b"").decode(errors="replace")


def _plain(connection: psycopg.Connection[Any]) -> None:
    """Nothing that the database's owner has defined is called in place of PostgreSQL's own."""
    connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")


def _value(connection: psycopg.Connection[Any], query: sql.SQL | sql.Composed) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
