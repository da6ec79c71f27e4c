"""Runs that are killed, run at once, wait, or lose their connection: all end applied once."""

import threading
from typing import Any

import psycopg
import pytest

from daap_operator.schema import guard, looking
from daap_operator.schema.applying import Rules
from dev.postgres import Server
from tests.fix_postgres import wait_until
from tests.integration.schema_killed import killed_at, points, started
from tests.integration.schema_stage import (
    FIVE,
    SIX,
    applied,
    apply,
    ledger,
    rows,
)
from tests.support.nightly import nightly

SCHEMA = {
    "001.sql": "CREATE TABLE log (what text);\nINSERT INTO log VALUES ('one');",
    "002.sql": "CREATE TABLE items (id int);\nINSERT INTO log VALUES ('two');\n"
    "CREATE INDEX CONCURRENTLY items_id ON items (id);\nINSERT INTO log VALUES ('three');\n"
    "CREATE TYPE kind AS ENUM ('a');\nALTER TYPE kind ADD VALUE 'b';\n"
    "DROP INDEX CONCURRENTLY items_id;\nCREATE UNIQUE INDEX CONCURRENTLY items_key ON items (id);",
}
FIXTURES = {"001.sql": "INSERT INTO log VALUES ('fixture');"}
SHARDS = 12
"""The points are shared out; `make test` has every twelfth, `make faults` all."""


def assert_applied_once(url: str) -> None:
    assert ledger(url) == ["001.sql", "002.sql", "001.sql"]
    assert rows(url, "SELECT what FROM log") == [("one",), ("two",), ("three",), ("fixture",)]
    assert rows(url, "SELECT enum_range(NULL::kind)::text") == [("{a,b}",)]
    found = rows(
        url,
        "SELECT indexrelid::regclass::text, indisvalid FROM pg_index "
        "WHERE indrelid = 'items'::regclass",
    )
    assert found == [("items_key", True)]
    assert rows(url, "SELECT count(*) FROM daap_schema.underway") == [(0,)]
    assert list(looking.verified(url, "default").drift) == []


@pytest.mark.parametrize(
    "shard", [0, *(pytest.param(each, marks=nightly("faults")) for each in range(1, SHARDS))]
)
def test_a_run_may_be_killed_at_any_point(
    postgres_server: Server, empty_database: str, shard: int
) -> None:
    count = points(lambda: applied(empty_database, SCHEMA, FIXTURES))
    assert count > 60
    for point in range(1 + shard, count + 1, SHARDS):
        with postgres_server.database() as url:
            assert killed_at(point, url, SCHEMA, FIXTURES), point
            applied(url, SCHEMA, FIXTURES)
            assert_applied_once(url)


def test_runs_at_once_apply_each_file_once(empty_database: str) -> None:
    runs = [started(empty_database, SCHEMA, FIXTURES) for _ in range(4)]
    for each in runs:
        each.join(120)
        assert each.exitcode == 0
    assert_applied_once(empty_database)


def test_a_run_waits_for_whoever_holds_the_lock_and_names_them(empty_database: str) -> None:
    told: list[Any] = []
    with psycopg.connect(empty_database, autocommit=True, application_name="somebody") as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [guard.CLASS, guard.GUARD])
        pid = other.info.backend_pid
        runner = threading.Thread(target=lambda: told.append(apply(empty_database, FIVE)))
        runner.start()
        tries = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()"
        )
        wait_until(lambda: rows(empty_database, tries) == [(1,)], "the run asks for the lock")
        # A session that waits in the server would keep CREATE INDEX CONCURRENTLY from ending
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        assert rows(empty_database, waits) == [(0,)]
        assert rows(empty_database, "SELECT to_regclass('servers')") == [(None,)]
    runner.join(60)
    assert told[0].error is None
    assert f"waiting for another run to end (0 of 600 s): process {pid} of the role" in told[0].text
    assert "(somebody), connected since 20" in told[0].text
    assert ledger(empty_database) == list(FIVE)


@pytest.mark.parametrize("key", [guard.GUARD, guard.WORK])
def test_a_run_gives_up_when_the_lock_is_held_for_too_long(empty_database: str, key: int) -> None:
    with psycopg.connect(empty_database, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [guard.CLASS, key])
        error = apply(empty_database, FIVE, rules=Rules(lock_seconds=0.3)).error
        assert f"process {other.info.backend_pid} of the role" in str(error)
        assert "pg_terminate_backend" in str(error)
    assert rows(empty_database, "SELECT to_regclass('servers')") == [(None,)]


def test_a_table_in_use_is_waited_for_in_short_tries(empty_database: str) -> None:
    applied(empty_database, FIVE)
    more = FIVE | {"006.sql": "CREATE TABLE log ();\nALTER TABLE servers ADD COLUMN more int;"}
    told: list[Any] = []
    rules = Rules(lock_timeout=0.1, tries=50)
    with psycopg.connect(empty_database) as other:
        other.execute("SELECT * FROM servers")
        runner = threading.Thread(
            target=lambda: told.append(apply(empty_database, more, rules=rules))
        )
        runner.start()
        # Between two tries nobody is kept waiting
        waits = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database()"
        )
        wait_until(lambda: rows(empty_database, waits) == [(1,)], "a try")
        wait_until(lambda: rows(empty_database, waits) == [(0,)], "its end")
        wait_until(lambda: rows(empty_database, waits) == [(1,)], "another try")
        other.rollback()
    runner.join(100)
    assert told[0].done == ["006.sql"]
    assert "line 2: canceling statement due to lock timeout (SQLSTATE 55P03)" in told[0].text
    assert "try 2 of 50 in " in told[0].text


def test_a_table_that_stays_in_use_fails_the_file(empty_database: str) -> None:
    applied(empty_database, FIVE)
    more = FIVE | {"006.sql": "ALTER TABLE servers ADD COLUMN more int;"}
    with psycopg.connect(empty_database) as other:
        other.execute("SELECT * FROM servers")
        told = apply(empty_database, more, rules=Rules(lock_timeout=0.05, tries=2))
        who = f"held by process {other.info.backend_pid} of the role daap in a transaction since 20"
    failure = told.failed.failure
    assert (failure.line, failure.sqlstate) == (1, "55P03")
    assert f"(SQLSTATE 55P03), {who}" in str(told.error)
    assert ledger(empty_database) == list(FIVE)


def test_a_statement_that_takes_too_long_fails_the_file(empty_database: str) -> None:
    files = {"001.sql": "CREATE TABLE a ();\nSELECT pg_sleep(60);"}
    failure = apply(empty_database, files, rules=Rules(statement_timeout=0.2)).failed.failure
    assert (failure.line, failure.sqlstate) == (2, "57014")
    assert rows(empty_database, "SELECT to_regclass('a')") == [(None,)]


SLOW = "SELECT pg_sleep(0.4);"


@pytest.mark.parametrize("which", ["lock", "apply"])
def test_a_connection_that_is_lost_is_made_again(empty_database: str, which: str) -> None:
    files = SIX | {
        "007.sql": f"INSERT INTO log VALUES ('007');{SLOW}",
        "008.sql": f"INSERT INTO log VALUES ('008');VACUUM log;{SLOW}INSERT INTO log VALUES ('8');",
        "009.sql": "INSERT INTO log VALUES ('009');",
    }
    told: list[Any] = []
    runner = threading.Thread(target=lambda: told.append(apply(empty_database, files)))
    runner.start()
    asleep = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND query LIKE '%pg_sleep(0.4)%' AND pid <> pg_backend_pid() AND state = 'active'"
    )
    ends = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        f"AND application_name LIKE 'daap-operator schema {which}%'"
    )
    wait_until(lambda: rows(empty_database, asleep) == [(1,)], "the first slow file")
    assert rows(empty_database, ends) == [(True,)]
    wait_until(lambda: "008.sql" in str(_files(empty_database)), "the second slow file")
    wait_until(lambda: rows(empty_database, asleep) == [(1,)], "its slow statement")
    rows(empty_database, ends)
    runner.join(100)
    assert told[0].error is None, told[0].error
    assert "trying again (0 of 30 s)" in told[0].text
    assert ledger(empty_database) == list(files)
    found = sorted(file for (file,) in rows(empty_database, "SELECT file FROM log"))
    assert found == ["006", "007", "008", "009", "8"]


def _files(url: str) -> list[tuple[Any, ...]]:
    return rows(url, "SELECT file FROM daap_schema.ledger")


def test_a_server_that_is_not_there_is_waited_for_and_then_told() -> None:
    url = "postgresql://daap:secret@127.0.0.1:1/daap"
    told = apply(url, FIVE, wait_seconds=0.2)
    assert "no connection" in str(told.error)
    assert "tried for 0.2 s" in str(told.error)
    assert "secret" not in str(told.error) + told.text
    assert "trying again" in told.text


def test_a_session_that_a_killed_run_left_behind_is_waited_for(empty_database: str) -> None:
    """The server may be in the midst of a statement when its client is gone."""
    text = {
        "001.sql": "CREATE TABLE log (what text);\nVACUUM;\nINSERT INTO log VALUES ('a');"
        "SELECT pg_sleep(1.5);\nINSERT INTO log VALUES ('b');"
    }
    run = started(empty_database, text, {})
    asleep = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND query LIKE '%pg_sleep(1.5)%' AND pid <> pg_backend_pid() AND state = 'active'"
    )
    wait_until(lambda: rows(empty_database, asleep) == [(1,)], "the slow statement")
    run.kill()
    run.join()
    applied(empty_database, text)
    assert rows(empty_database, "SELECT what FROM log") == [("a",), ("b",)]
