"""Files applied to a database for tests: by the runner in this process, and what came of it."""

import io
from dataclasses import dataclass
from typing import Any

import psycopg

from daap_operator.schema.applying import Rules
from daap_operator.schema.errors import FileFailedError, RefusedError, SchemaError
from daap_operator.schema.linting import Rules as LintRules
from daap_operator.schema.linting import Strictness
from daap_operator.schema.model import Part, SqlFile
from daap_operator.schema.planning import Planner
from daap_operator.schema.printing import Printer
from daap_operator.schema.running import Run, Wanted

Files = dict[str, str]

SIX: Files = {
    "001_servers.sql": "CREATE TABLE servers (id bigint PRIMARY KEY, name text NOT NULL);",
    "002_sizes.sql": "CREATE TYPE size AS ENUM ('small', 'large');\n"
    "ALTER TABLE servers ADD COLUMN size size NOT NULL DEFAULT 'small';",
    "003_disks.sql": "CREATE TABLE disks (\n  id bigint PRIMARY KEY,\n"
    "  server bigint NOT NULL REFERENCES servers\n);\n\n"
    "-- looked up by server\nCREATE INDEX disks_server ON disks (server);",
    "004_names.sql": "CREATE FUNCTION label(name text) RETURNS text LANGUAGE sql IMMUTABLE\n"
    "  AS $$ SELECT upper(name) $$;",
    "005_large.sql": "CREATE VIEW large AS SELECT * FROM servers WHERE size = 'large';",
    "006_log.sql": "CREATE TABLE log (file text NOT NULL);\nINSERT INTO log VALUES ('006');",
}
FIVE: Files = dict(list(SIX.items())[:5])
FIXTURES: Files = {
    "001_servers.sql": "INSERT INTO servers (id, name) VALUES (1, 'one') ON CONFLICT DO NOTHING;",
    "002_more.sql": "INSERT INTO servers (id, name) VALUES (2, 'two') ON CONFLICT DO NOTHING;",
}


@dataclass
class Told:
    """How a run ended, and everything it wrote."""

    run: Run
    text: str
    error: SchemaError | None

    @property
    def done(self) -> list[str]:
        return [each.name for each in self.run.done]

    @property
    def refused(self) -> RefusedError:
        assert isinstance(self.error, RefusedError), self.error or self.text
        return self.error

    @property
    def failed(self) -> FileFailedError:
        assert isinstance(self.error, FileFailedError), self.error or self.text
        return self.error


def files(schema: Files, fixtures: Files | None = None) -> tuple[SqlFile, ...]:
    parts = ((Part.SCHEMA, schema), (Part.FIXTURES, fixtures or {}))
    return tuple(SqlFile(part, *each) for part, given in parts for each in sorted(given.items()))


def apply(
    url: str,
    schema: Files,
    fixtures: Files | None = None,
    *,
    rules: Rules | None = None,
    **wanted: Any,
) -> Told:
    """Applies what is pending; see `running.Wanted` for what may be asked for."""
    given, out = files(schema, fixtures), io.StringIO()
    asked = Wanted(given, planner(given), planner(given), **{"wait_seconds": 30.0, **wanted})
    run = Run(url, asked, rules or Rules(), Printer(out))
    try:
        run.go()
    except SchemaError as error:
        return Told(run, out.getvalue(), error)
    return Told(run, out.getvalue(), None)


def applied(url: str, schema: Files, fixtures: Files | None = None, **wanted: Any) -> Told:
    """The same, and it went well."""
    told = apply(url, schema, fixtures, **wanted)
    assert told.error is None, told.error
    return told


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def run_sql(url: str, *statements: str) -> None:
    """By hand, outside of transactions."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def ledger(url: str, name: str = "default") -> list[str]:
    """The files in the ledger in the order in which they were applied; how far, unless through."""
    found = rows(
        url,
        f"SELECT file, done FROM daap_schema.ledger WHERE ledger = '{name}' ORDER BY number",
    )
    return [file if done is None else f"{file} {done}" for file, done in found]


def dump(url: str) -> list[tuple[Any, ...]]:
    """The relations and functions that are there, the runner's own included, with their rows."""
    relations = rows(
        url,
        "SELECT c.oid::regclass::text, c.relkind::text FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'daap_schema') ORDER BY 1",
    )
    counted = [
        (name, rows(url, f"SELECT count(*) FROM {name}")) for name, kind in relations if kind == "r"
    ]
    routines = rows(
        url,
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    )
    return [*relations, *counted, *routines]


def planner(given: tuple[SqlFile, ...]) -> Planner:
    """Plans without findings that stop a file: most of these files are not how one should write."""
    return Planner(given, LintRules(Strictness.NEVER), None)
