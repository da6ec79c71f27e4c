"""Facts of a schema document made into tables, and what PostgreSQL's catalogue says of tables.

Both go through the same server, so that `VARCHAR(255)` and `character varying(255)` are one, and a
default, a condition or an index compares as PostgreSQL itself has understood it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import psycopg
from psycopg import sql

from tests.integration.schema_facts import Column, Facts, Table

Described = Mapping[str, str]
"""By the name of each object in a schema, what it is like."""

CATALOGUE = {
    "column": """
        SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
            || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND a.attnum > 0
            AND NOT a.attisdropped
        ORDER BY c.relname, a.attnum
    """,
    "index": """
        SELECT c.relname || '.' || i.relname, pg_get_indexdef(i.oid)
            || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
        FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid
        JOIN pg_class AS i ON i.oid = x.indexrelid
        WHERE c.relnamespace = %s::regnamespace ORDER BY 1
    """,
    # Not by their names, which a document does not say.
    "constraint": """
        SELECT c.relname || ' ' || pg_get_constraintdef(k.oid), 'there'
        FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
        WHERE k.connamespace = %s::regnamespace AND k.contype IN ('p', 'f', 'c') ORDER BY 1
    """,
    "trigger": """
        SELECT c.relname || '.' || t.tgname,
            CASE t.tgenabled WHEN 'O' THEN 'enabled' ELSE 'disabled' END
        FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = %s::regnamespace AND NOT t.tgisinternal ORDER BY 1
    """,
    "policy": """
        SELECT c.relname || '.' || p.polname, 'there'
        FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
        WHERE c.relnamespace = %s::regnamespace ORDER BY 1
    """,
    "row security": """
        SELECT c.relname,
            CASE WHEN c.relforcerowsecurity THEN 'also for the owner' ELSE 'not for the owner' END
        FROM pg_class AS c
        WHERE c.relnamespace = %s::regnamespace AND c.relrowsecurity ORDER BY 1
    """,
}


def described(connection: psycopg.Connection, schema: str) -> Described:
    """Everything in a schema that a document could speak of, in the order of the columns."""
    set_path = sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema))
    with connection.transaction():
        connection.execute(set_path)  # names in this schema are then written without it
        found = {
            f"{kind} {name}": what.replace(f" ON {schema}.", " ON ")
            for kind, query in CATALOGUE.items()
            for name, what in connection.execute(query, [schema])
        }
        connection.execute("SET LOCAL search_path TO DEFAULT")
    return found


def differences(expected: Described, actual: Described) -> list[str]:
    """What is missing, too much or different, one line each; and that columns are out of order."""
    said = [
        f"{name}: is {actual.get(name, 'missing')}, expected {expected.get(name, 'nothing')}"
        for name in [*expected, *(name for name in actual if name not in expected)]
        if actual.get(name) != expected.get(name)
    ]
    if not said and list(actual) != list(expected):
        return ["columns are in another order"]
    return said


def built(connection: psycopg.Connection, facts: Facts, schema: str) -> Described:
    """What a database is to be like that has these facts: makes the tables, looks, removes them."""
    with connection.transaction(force_rollback=True):
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(name))
        for table, content in facts.tables.items():
            for statement in _statements(table, content):
                connection.execute(statement.encode())
        made = dict(described(connection, schema))
    return {**made, **_named(facts)}


def _named(facts: Facts) -> Described:
    """Triggers and policies by name; what they do is tried, not compared."""
    tables = facts.tables.items()
    triggers = {
        f"trigger {t}.{n}": "enabled" for t, one in sorted(tables) for n in sorted(one.triggers)
    }
    policies = {
        f"policy {t}.{n}": "there" for t, one in sorted(tables) for n in sorted(one.policies)
    }
    forced = {
        f"row security {t}": "also for the owner" for t, one in sorted(tables) if one.policies
    }
    return {**triggers, **policies, **forced}


# --- statements -----------------------------------------------------------------------------------


def _statements(name: str, table: Table) -> Iterator[str]:
    parts = [*map(_column, table.columns, table.columns.values()), f"PRIMARY KEY ({table.primary})"]
    parts += [
        f"UNIQUE ({', '.join(columns)})"
        for columns in table.uniques
        if not _follows(columns, table)
    ]
    parts += [f"FOREIGN KEY ({column}) REFERENCES {to}" for column, to in table.references.items()]
    for column, values in table.one_of.items():
        quoted = ", ".join(f"'{value}'" for value in values)
        parts.append(f"CHECK ({column} IN ({quoted}))")
    parts += [f"CHECK ({condition})" for condition in table.checks]
    yield f"CREATE TABLE {name} ({', '.join(parts)})"
    for index, rest in table.indexes.items():
        unique, columns = _unique(rest)
        yield f"CREATE {'UNIQUE ' if unique else ''}INDEX {index} ON {name} {columns}"


def _column(name: str, column: Column) -> str:
    default = f" DEFAULT {column.default}" if column.default is not None else ""
    return f"{name} {column.type}{' NOT NULL' if column.required else ''}{default}"


def _follows(columns: Sequence[str], table: Table) -> bool:
    """Whether a unique index by name makes these columns unique already."""
    keys = [_unique(rest) for rest in table.indexes.values()]
    names = [re.findall(r"\w+", text) for unique, text in keys if unique and "WHERE" not in text]
    return any(set(name) <= set(columns) for name in names)


def _unique(rest: str) -> tuple[bool, str]:
    return rest.startswith("unique "), rest.removeprefix("unique ")
