"""What others have put into a database has no say in how files are applied and recorded."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from daap_operator.schema import sessions
from daap_operator.schema.applying import Rules
from dev.postgres import Postgres, url_of
from tests.integration.schema_stage import FIVE, applied, apply, dump, ledger, rows, run_sql


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with a superuser, and a tenant beside the owner."""
    with Postgres.start(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        run_sql(server.admin_url, "CREATE ROLE tenant LOGIN PASSWORD 'tenant'")
        run_sql(server.admin_url, "CREATE ROLE deputy LOGIN PASSWORD 'deputy'")
        run_sql(server.admin_url, "CREATE ROLE agent LOGIN PASSWORD 'agent'")
        yield server


@pytest.fixture
def owned(server: Postgres) -> Iterator[str]:
    """The URL of a database of the owner `daap`, where everybody may create objects."""
    with server.database() as url:
        name = str(conninfo_to_dict(url)["dbname"])
        admin = url_of(server.admin_url, name)
        run_sql(admin, "GRANT CREATE ON SCHEMA public TO PUBLIC")
        run_sql(admin, f"GRANT CREATE ON DATABASE {name} TO tenant, deputy")
        yield url


def as_(role: str, url: str) -> str:
    return make_conninfo(url, user=role, password=role)


def admin_of(url: str) -> str:
    return make_conninfo(url, user="postgres", password="postgres")


_RAISES = "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$"
SHADOWS = (
    f"CREATE FUNCTION {{s}}.clock_timestamp() RETURNS timestamptz {_RAISES}",
    f"CREATE FUNCTION {{s}}.set_config(text, text, boolean) RETURNS text {_RAISES}",
    f"CREATE FUNCTION {{s}}.equal(text, text) RETURNS boolean {_RAISES}",
    "CREATE OPERATOR {s}.= (LEFTARG = text, RIGHTARG = text, FUNCTION = {s}.equal)",
    f"CREATE FUNCTION {{s}}.format(text, VARIADIC name[]) RETURNS text {_RAISES}",
    "CREATE TABLE {s}.pg_class (oid int)",
    "CREATE TABLE {s}.pg_settings (name text)",
    "CREATE TABLE {s}.ledger (ledger text)",
)
_PLANTED = (
    f"CREATE FUNCTION planted() RETURNS trigger {_RAISES}",
    "CREATE TRIGGER planted BEFORE INSERT ON daap_schema.ledger EXECUTE FUNCTION planted()",
)


def test_a_search_path_with_what_shadows_postgresql_reaches_nothing(owned: str) -> None:
    evil = "CREATE SCHEMA evil"
    run_sql(as_("tenant", owned), evil, *(text.format(s="evil") for text in SHADOWS))
    run_sql(as_("tenant", owned), *(text.format(s="public") for text in SHADOWS))
    name = conninfo_to_dict(owned)["dbname"]
    run_sql(owned, f"ALTER DATABASE {name} SET search_path = evil, public, pg_catalog")
    run_sql(owned, "SELECT 1")
    applied(owned, FIVE)
    assert applied(owned, FIVE).done == []
    found = rows(
        make_conninfo(owned, options="-c search_path=pg_catalog"),
        "SELECT file FROM daap_schema.ledger ORDER BY number",
    )
    assert [file for (file,) in found] == list(FIVE)
    assert rows(
        make_conninfo(owned, options="-c search_path=pg_catalog"),
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE relname = 'servers'",
    ) == [("public",)]


def test_what_a_database_sets_does_not_change_what_statements_mean(owned: str) -> None:
    name = conninfo_to_dict(owned)["dbname"]
    settings = (
        "standard_conforming_strings = off",
        "default_transaction_read_only = on",
        "statement_timeout = '20ms'",
        "lock_timeout = '1ms'",
        "datestyle = 'SQL, DMY'",
        "timezone = 'Asia/Tokyo'",
        "client_encoding = 'LATIN1'",
        "role = 'none'",
    )
    run_sql(admin_of(owned), *(f"ALTER DATABASE {name} SET {each}" for each in settings))
    files = {
        "001.sql": r"CREATE TABLE said AS SELECT '\n€'::text AS what, '02-01-2026'::date AS day,"
        " extract(timezone FROM now())::int AS zone, pg_sleep(0.05) IS NULL AS never;"
    }
    applied(owned, files)
    plain = make_conninfo(owned, options="-c statement_timeout=0", client_encoding="utf8")
    found = rows(plain, "SELECT length(what), right(what, 1), day::text ~ '02', zone FROM said")
    assert found[0][:2] == (3, "€")
    assert found[0][3] == 0
    assert rows(plain, "SELECT extract(month FROM day)::int FROM said") == [(2,)]


def test_what_a_file_sets_is_gone_with_the_next_one_and_for_the_ledger(owned: str) -> None:
    run_sql(owned, "CREATE SCHEMA evil", *(text.format(s="evil") for text in SHADOWS))
    run_sql(admin_of(owned), "GRANT tenant TO daap")
    files = {
        "001.sql": "SET search_path = evil, pg_catalog;\nSET ROLE tenant;\n"
        "CREATE TABLE public.theirs ();\nSET statement_timeout = '50ms';",
        "002.sql": "CREATE TABLE ours AS SELECT pg_sleep(0.2) IS NULL AS never;",
        "003.sql": "SET search_path = evil, pg_catalog;\nVACUUM public.ours;\n"
        "CREATE INDEX CONCURRENTLY ours_never ON public.ours (never);",
        "004.sql": "CREATE TABLE last ();",
    }
    applied(owned, files)
    assert ledger(owned) == list(files)
    assert rows(
        owned,
        "SELECT relname, relowner::regrole::text FROM pg_class "
        "WHERE relname IN ('theirs', 'ours', 'last') ORDER BY 1",
    ) == [("last", "daap"), ("ours", "daap"), ("theirs", "tenant")]
    assert rows(owned, "SELECT DISTINCT applied_by FROM daap_schema.ledger") == [("daap",)]


def test_a_superuser_is_refused_unless_that_is_allowed(owned: str) -> None:
    refused = apply(admin_of(owned), FIVE).refused
    assert "postgres is a superuser" in str(refused)
    assert "--allow-superuser" in str(refused)
    assert dump(owned) == []
    applied(admin_of(owned), FIVE, allow_superuser=True)


def test_who_could_become_a_superuser_is_refused(owned: str) -> None:
    run_sql(admin_of(owned), "GRANT pg_execute_server_program TO agent")
    refused = apply(as_("agent", owned), FIVE).refused
    assert "agent is a member of pg_execute_server_program" in str(refused)
    # Nor does it help to take another role first: a file could take it back
    run_sql(admin_of(owned), "GRANT daap TO agent")
    assert "agent" in str(apply(as_("agent", owned), FIVE, rules=Rules(role="daap")).refused)
    assert dump(owned) == []


def test_files_run_as_the_role_that_is_asked_for(owned: str) -> None:
    run_sql(admin_of(owned), "GRANT daap TO deputy")
    applied(as_("deputy", owned), FIVE, rules=Rules(role="daap"))
    found = rows(owned, "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'servers'")
    assert found == [("daap",)]
    assert rows(owned, "SELECT DISTINCT applied_by FROM daap_schema.ledger") == [("deputy",)]
    run_sql(admin_of(owned), "REVOKE daap FROM deputy")
    refused = apply(as_("deputy", owned), FIVE, rules=Rules(role="daap")).refused
    assert "--role daap" in str(refused)


def test_tables_that_somebody_else_has_planted_are_refused(owned: str) -> None:
    run_sql(as_("tenant", owned), "CREATE SCHEMA daap_schema")
    before = dump(owned)
    refused = apply(owned, FIVE).refused
    assert "daap_schema" in str(refused)
    assert dump(owned) == before


@pytest.mark.parametrize(
    ("statements", "word"),
    [
        (_PLANTED, "daap_schema.ledger has a trigger"),
        (
            ["ALTER TABLE daap_schema.ledger OWNER TO tenant"],
            "daap_schema.ledger belongs to tenant",
        ),
        (["ALTER TABLE daap_schema.objects ENABLE ROW LEVEL SECURITY"], "has row security"),
        (
            ["CREATE RULE planted AS ON INSERT TO daap_schema.ledger DO ALSO SELECT 1"],
            "daap_schema.ledger has a rule",
        ),
        (
            [
                "DROP TABLE daap_schema.objects",
                "CREATE VIEW daap_schema.objects AS SELECT 1 AS kind",
            ],
            "daap_schema.objects is no plain table",
        ),
        (["COMMENT ON SCHEMA daap_schema IS 'daap-operator schema, format 2'"], "format 2"),
    ],
)
def test_what_was_put_on_the_ledger_is_refused_and_not_run(
    owned: str, statements: Sequence[str], word: str
) -> None:
    applied(owned, FIVE)
    run_sql(admin_of(owned), *statements)
    refused = apply(owned, FIVE | {"006.sql": "CREATE TABLE six ();"}).refused
    assert word in str(refused)
    assert rows(owned, "SELECT to_regclass('six')") == [(None,)]


def test_a_role_that_may_not_create_the_ledger_is_told_so(owned: str) -> None:
    name = conninfo_to_dict(owned)["dbname"]
    run_sql(admin_of(owned), f"REVOKE CREATE ON DATABASE {name} FROM tenant")
    refused = apply(as_("tenant", owned), FIVE).refused
    assert "the role tenant may not create the schema daap_schema" in str(refused)
    assert dump(owned) == []


def test_a_url_that_is_none_is_refused_without_its_password() -> None:
    for url in (
        "postgresql://u:sec@ret@host/db",
        "host=h password='secret",
        "postgres://u:se/cret@h/d",
    ):
        refused = apply(url, FIVE).refused
        assert "--database-url" in str(refused)
        assert "sec" not in str(refused)


def test_where_the_server_lives_is_of_no_account(tmp_path: Path, own_postgres: Postgres) -> None:
    socket = make_conninfo(
        host=str(own_postgres.socket_directory),
        port=own_postgres.port,
        user="daap",
        password="daap",
        dbname="daap",
    )
    applied(socket, FIVE)
    assert applied(own_postgres.url, FIVE).done == []


def test_every_setting_that_is_pinned_is_one_that_the_server_knows(empty_database: str) -> None:
    known = {name for (name,) in rows(empty_database, "SELECT name FROM pg_settings")}
    # One of them came with PostgreSQL 17, and the server of the tests is a 16
    assert set(sessions.PINNED) - known == {"transaction_timeout"}
    with sessions.connect(empty_database, "test") as connection:
        sessions.pin(connection)
        for name, value in (sessions.PINNED | {"statement_timeout": "0"}).items():
            if name in known:
                shown = connection.execute(f"SHOW {name}".encode()).fetchone()
                assert shown == (value,), name


def test_a_session_lifts_the_time_for_a_statement_before_it_needs_any(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def recorded(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(str(query))
        return execute(self, query, *args, **kwargs)

    with sessions.connect(empty_database, "test") as connection:
        monkeypatch.setattr(psycopg.Cursor, "execute", recorded)
        sessions.pin(connection)
    assert sent[0] == "SET statement_timeout = 0"
    assert len(sent) == 2
