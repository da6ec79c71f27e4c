"""Sessions with a team's database: connected, pinned, and found out whose they are.

A role's or a database's own settings, such as a search_path, reach no session: each setting that
changes what a statement means is set again. What the runner asks for itself it looks up in
pg_catalog alone.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow, tuple_row
from psycopg.types.json import Jsonb

from daap_operator import lines, pooling
from daap_operator.schema.errors import RefusedError, SchemaError
from daap_operator.schema.failures import Said

Connection = psycopg.Connection[TupleRow]

DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
OWN_PATH = "pg_catalog, pg_temp"
"""Where the runner's own statements find what they name without a schema."""
LONGEST_NAME = 63
"""Bytes that PostgreSQL keeps of an application's name."""

PINNED = {
    "search_path": OWN_PATH,
    # As the parser reads the files
    "standard_conforming_strings": "on",
    "backslash_quote": "safe_encoding",
    "transform_null_equals": "off",
    "check_function_bodies": "on",
    "xmloption": "content",
    "row_security": "on",
    # As values are written and read
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # As definitions are written, whose digests are kept
    "quote_all_identifiers": "off",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # The runner has its own patience, and a killed one's session is to notice soon
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "client_connection_check_interval": "1s",
    "lock_timeout": "5s",
    "statement_timeout": "0",
}
"""What each session begins with, and goes back to before each file."""

_PIN_SQL = """
SELECT pg_catalog.set_config(name, $1::pg_catalog.jsonb OPERATOR(pg_catalog.->>) name, false)
FROM pg_catalog.pg_settings WHERE $1::pg_catalog.jsonb OPERATOR(pg_catalog.?) name
"""
_SUPER_SQL = """
SELECT super.rolname FROM pg_catalog.pg_roles AS super
WHERE (super.rolsuper OR super.rolname IN
       ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
  AND pg_catalog.pg_has_role(session_user, super.oid, 'MEMBER')
ORDER BY super.rolname <> session_user, 1 LIMIT 1
"""
_BAD_URL = (
    "--database-url (or DATABASE_URL) is neither a URL such as "
    "postgresql://user:password@host:5432/database nor a libpq keyword string; in a URL, special "
    "characters of the password are percent-encoded (it is not shown here: it may hold a password)"
)


def parameters(database_url: str, name: str) -> dict[str, str]:
    """A URL or keyword string as libpq's parameters; empty means libpq's PG… variables.

    Raises RefusedError without libpq's own words: they quote the string, password and all.
    """
    try:
        found = conninfo_to_dict(database_url)
    except psycopg.ProgrammingError as error:
        raise RefusedError(_BAD_URL) from error
    if "@" in str(found.get("host", "")) + str(found.get("dbname", "")):
        raise RefusedError(_BAD_URL)  # a bare @ or / of a password ends up there
    given = {key: str(value) for key, value in found.items()}
    own = {"client_encoding": "utf8", "application_name": _short(name)}
    return DEFAULTS | given | own


def connect(database_url: str, name: str) -> Connection:
    """A session in autocommit mode, not pinned yet. Raises psycopg.Error."""
    conninfo = make_conninfo("", **parameters(database_url, name))
    return psycopg.connect(conninfo, autocommit=True, row_factory=tuple_row, prepare_threshold=None)


def pin(connection: Connection, role: str = "", settings: Mapping[str, str] | None = None) -> None:
    """Set all that a session begins with, as the role; `settings` are the run's own.

    Raises RefusedError when the role is none that may be taken, psycopg.Error otherwise.
    """
    connection.execute("SET statement_timeout = 0")  # what comes now may take longer than it
    wanted = Jsonb(PINNED | dict(settings or {}))
    with psycopg.RawCursor(connection) as cursor:
        cursor.execute(_PIN_SQL, [wanted])
    if role:
        _take(connection, role)


def _take(connection: Connection, role: str) -> None:
    try:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    except (errors.InsufficientPrivilege, errors.InvalidParameterValue) as error:
        raise RefusedError(
            f"--role {lines.quoted(role)}: {lines.quoted(str(error))}; name a role that the one "
            "that connects is a member of and that is no superuser, or leave --role out"
        ) from error


def refuse_superuser(connection: Connection) -> None:
    """Raises RefusedError when the files could do more than their database's owner may."""
    found = connection.execute(_SUPER_SQL).fetchone()
    if found is None:
        return
    user = one(connection, "SELECT session_user")
    what = "is a superuser" if found[0] == user else f"is a member of {lines.quoted(found[0])}"
    raise RefusedError(
        f"refused, nothing was changed: the role {lines.quoted(str(user))} {what}, and files could "
        "do anything as it; connect as the database's owner, or allow it with --allow-superuser "
        "where the server is a throw-away one, as in CI"
    )


def refuse_path(connection: Connection, search_path: str) -> None:
    """Raises RefusedError when the files' search path is none; nothing of it stays set."""
    try:
        one(connection, "SELECT pg_catalog.set_config('search_path', %s, true)", search_path)
    except errors.InvalidParameterValue as error:
        raise RefusedError(
            f"--search-path {lines.quoted(search_path)}: {lines.quoted(str(error))}; name schemas, "
            "with commas between them"
        ) from error


def refuse_lent(database_url: str) -> None:
    """Raises RefusedError when a pooler in transaction mode is in the way; changes nothing."""
    conninfo = make_conninfo("", **parameters(database_url, "daap-operator schema"))
    if asyncio.run(pooling.lent_at(conninfo)):
        raise RefusedError(
            "refused, nothing was changed: the host is a pooler in transaction mode, where locks "
            f"and settings would reach its other clients; {pooling.REMEDY}"
        )


def said(error: psycopg.Error) -> Said:
    """What PostgreSQL said, or the driver."""
    diag = error.diag
    position = diag.statement_position or ""
    return Said(
        sqlstate=error.sqlstate or "",
        message=diag.message_primary or str(error),
        detail=diag.message_detail or "",
        hint=diag.message_hint or "",
        context=diag.context or "",
        position=int(position) if position.isdecimal() else 0,
    )


def one(connection: Connection, query: LiteralString, *values: object) -> Any:
    """The first value of the one row that a query gives. Raises SchemaError without a row."""
    row = connection.execute(query, values or None).fetchone()
    if row is None:
        raise SchemaError("the database returned no row where there is always one")
    return row[0]


def _short(name: str) -> str:
    return name.encode()[:LONGEST_NAME].decode(errors="ignore")
