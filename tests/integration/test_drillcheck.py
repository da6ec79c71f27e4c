"""What the checking Job of a drill asks a real PostgreSQL, and what it cannot be made to do."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from daap_operator import names
from daap_operator.drillcheck import main
from daap_operator.kinds.drill import checking
from dev.postgres import Postgres
from dev.postgres.binaries import programs as postgres_programs

Object = dict[str, Any]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with an owner and two tables, on a server with a superuser."""
    with Postgres.start(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        _fill(server.admin_url)
        yield server.admin_url


def _fill(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE drill_owner LOGIN PASSWORD 'drilled'")
        connection.execute("CREATE TABLE lines AS SELECT g AS id FROM generate_series(1, 5) g")
        connection.execute('CREATE TABLE "odd ""name" (id int)')
        connection.execute('INSERT INTO "odd ""name" VALUES (1), (2)')
        connection.execute("GRANT SELECT ON lines TO drill_owner")


@pytest.fixture
def restored(scratch: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment as the Job has it, and what pg_amcheck has written."""
    parts = conninfo.conninfo_to_dict(scratch)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    for part, name in names.items():
        if parts.get(part):
            monkeypatch.setenv(name, str(parts[part]))
    monkeypatch.setenv("DRILL_DATABASE", str(parts["dbname"]))
    monkeypatch.setenv("DRILL_OWNER", "drill_owner")
    monkeypatch.setenv("DRILL_OWNER_PASSWORD", "drilled")
    monkeypatch.setenv("DRILL_WORK", str(tmp_path))
    for part, text in (("exit", "0"), ("out", ""), ("err", "9/9 relations (100%)")):
        (tmp_path / f"amcheck.{part}").write_text(text)
    return tmp_path


def asked(place: Path, *queries: Object) -> Object:
    numbered = enumerate(queries, start=1)
    variables = {f"{names.DRILL_QUERY}{number}": json.dumps(each) for number, each in numbered}
    assert main(os.environ | variables, place / "words") == 0
    found: Object = json.loads((place / "words").read_text())
    return found


def test_pg_amcheck_is_called_as_the_job_calls_it(
    restored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = f"{postgres_programs()}:{os.environ['PATH']}"
    monkeypatch.setenv("PATH", search)
    command = checking.AMCHECK_COMMAND.replace(f"{checking.WORK}/", f"{restored}/")
    subprocess.run(["/bin/sh", "-c", command], check=True)
    # It has understood its options and has got into the database: the package of this server has
    # no contrib modules, which CloudNativePG's images have
    assert asked(restored)["error"].endswith('extension "amcheck" is not available')


@pytest.mark.parametrize("refused", [3, 100])
def test_pg_amcheck_waits_for_a_server_that_answers_later(
    refused: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does that a NetworkPolicy keeps a new pod from; nor for ever."""
    noted = tmp_path / "asked"
    programs = {
        "pg_isready": f"echo asked >>{noted}; [ $(wc -l <{noted}) -gt {refused} ]",
        "sleep": "exit 0",
        "pg_amcheck": "exit 2",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    command = checking.AMCHECK_COMMAND.replace(f"{checking.WORK}/", f"{tmp_path}/")
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert (tmp_path / "amcheck.exit").read_text().strip() == "2"
    assert len(noted.read_text().split()) == min(refused + 1, 31)


def test_tables_and_rows_are_counted(restored: Path) -> None:
    found = asked(restored)
    assert (found["tables"], found["rows"], found["relations"]) == (2, 7, 9)
    assert found["corrupt"] == 0


def test_the_owners_queries_are_the_owners(restored: Path) -> None:
    found = asked(
        restored,
        {"sql": "SELECT current_user"},
        {"name": "sum", "sql": "SELECT sum(id) FROM lines", "expect": "15"},
        {"sql": "SELECT sum(id) FROM lines", "expect": "16"},
        {"sql": "SELECT true", "expect": "t"},
        {"sql": "SELECT NULL", "expect": ""},
        {"sql": "SELECT 1 WHERE false"},
        {"sql": "SELECT 1 WHERE false", "expect": "1"},
        {"sql": "VALUES ('a')"},
    )
    told = [(each["name"], each["ok"], each.get("value")) for each in found["queries"]]
    assert told == [
        ("1", True, "drill_owner"),
        ("sum", True, "15"),
        ("3", False, "15"),
        ("4", True, "t"),
        ("5", True, ""),
        ("6", True, None),
        ("7", False, None),
        ("8", True, "a"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        'SELECT count(*) FROM "odd ""name"',  # another's
        "DELETE FROM lines",
        "SELECT 1; COMMIT; DROP TABLE lines",
        "COPY lines TO PROGRAM 'true'",
        "SET ROLE postgres",
        "DO $$ BEGIN PERFORM 1; END $$",
        "SELECT nextval('none')",
        "SELECT pg_read_file('PG_VERSION')",
        "",
    ],
)
def test_what_is_more_than_reading_ones_own_fails(restored: Path, query: str) -> None:
    found = asked(restored, {"sql": query}, {"sql": "SELECT count(*) FROM lines", "expect": "5"})
    refused, after = found["queries"]
    assert not refused["ok"]
    assert refused["error"]
    assert after["ok"]


def test_no_more_is_fetched_than_is_told(restored: Path) -> None:
    huge = "SELECT repeat('x', 1000) FROM generate_series(1, 100000000)"
    (found,) = asked(restored, {"sql": huge})["queries"]
    assert found["ok"]
    assert found["value"] == "x" * 256


def test_what_pg_amcheck_has_found_is_told_whatever_fails_then(
    restored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table with a damaged page cannot be counted, for one."""
    monkeypatch.setenv("PGHOST", "/nowhere")
    (restored / "amcheck.exit").write_text("2")
    out = 'heap table "orders.public.lines":\n    ERROR:  invalid page in block 0 of relation\n'
    (restored / "amcheck.out").write_text(out)
    found = asked(restored)
    assert (found["relations"], found["corrupt"]) == (9, 1)
    assert "invalid page in block 0" in found["corruption"]
    assert "nowhere" in found["error"]


def test_settings_of_the_database_change_nothing(restored: Path, scratch: str) -> None:
    database = os.environ["DRILL_DATABASE"]
    settings = ("client_encoding TO 'SQL_ASCII'", "search_path TO public")
    with psycopg.connect(scratch, autocommit=True) as connection:
        for setting in settings:
            connection.execute(f'ALTER DATABASE "{database}" SET {setting}')
        try:
            found = asked(restored, {"sql": "SELECT count(*) FROM lines", "expect": "5"})
        finally:
            connection.execute(f'ALTER DATABASE "{database}" RESET ALL')
    assert (found["tables"], found["rows"], found["queries"][0]["ok"]) == (2, 7, True)


def test_a_server_that_does_not_answer_is_told(
    restored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "/nowhere")
    assert "nowhere" in asked(restored)["error"]
