"""Who waits for files to be applied gets to know when they are, and what is missing."""

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from daap_operator.schema import looking
from daap_operator.schema.errors import RefusedError, SchemaError
from daap_operator.schema.looking import Awaited
from dev.postgres import Postgres
from tests.integration.schema_stage import FIVE, FIXTURES, SIX, applied, apply, files, run_sql


def wait(url: str, awaited: Awaited, seconds: float = 60.0) -> list[str]:
    said: list[str] = []
    looking.wait(url, "default", awaited, seconds=seconds, say=said.append)
    return said


def test_who_waits_goes_on_when_all_files_are_applied(empty_database: str) -> None:
    told: list[Any] = []
    applied(empty_database, {"001_servers.sql": FIVE["001_servers.sql"]})
    asked = Awaited(files(FIVE, FIXTURES))
    waiter = threading.Thread(target=lambda: told.append(wait(empty_database, asked)))
    waiter.start()
    applied(empty_database, FIVE, FIXTURES)
    waiter.join(60)
    assert len(told) == 1


def test_who_waits_ends_when_told_to(empty_database: str) -> None:
    """By a handler: a signal without one passes by the first process of a container."""
    command = [sys.executable, "-m", "daap_operator", "schema", "wait", "--count", "1"]
    environment = os.environ | {"DATABASE_URL": empty_database, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as waiter:
        assert waiter.stdout
        assert waiter.stdout.readline().startswith("waiting (0 of 300 s): 0 files are applied")
        waiter.terminate()
        assert waiter.wait(30) == 128 + signal.SIGTERM


def test_who_waits_in_vain_is_told_what_is_missing(empty_database: str) -> None:
    applied(empty_database, FIVE, FIXTURES)
    more = FIXTURES | {"002_more.sql": "SELECT 2;"}
    new, old = (files({}, each)[1].checksum for each in (more, FIXTURES))
    with pytest.raises(SchemaError) as caught:
        wait(empty_database, Awaited(files(SIX, more)), 0.0)
    assert str(caught.value).splitlines() == [
        "not within 0 s:",
        "006_log.sql is not applied",
        f"002_more.sql is not applied as it is here ({new[:12]}, not {old[:12]})",
    ]
    with pytest.raises(SchemaError, match="7 files are applied, and 8 are awaited"):
        wait(empty_database, Awaited(count=8), 0.0)
    wait(empty_database, Awaited(count=7), 0.0)


def test_who_waits_for_a_file_that_was_applied_in_another_form_is_told_at_once(
    empty_database: str,
) -> None:
    applied(empty_database, FIVE)
    edited = FIVE | {"001_servers.sql": "SELECT 1;"}
    with pytest.raises(RefusedError, match=r"001_servers\.sql is applied with the checksum"):
        wait(empty_database, Awaited(files(edited)))


def test_a_half_applied_file_is_not_what_is_waited_for(empty_database: str) -> None:
    broken = {"001.sql": "CREATE TABLE a ();\nVACUUM;\nSELECT nonsense;"}
    apply(empty_database, broken)
    with pytest.raises(SchemaError, match=r"001\.sql is not applied"):
        wait(empty_database, Awaited(files(broken)), 0.0)


def test_who_waits_does_so_as_any_role_and_for_the_server(own_postgres: Postgres) -> None:
    url = own_postgres.url
    admin = make_conninfo(url, user="postgres", password="postgres")
    run_sql(admin, "CREATE ROLE app LOGIN PASSWORD 'app'")
    applied(url, FIVE)
    own_postgres.stop()
    told: list[Any] = []
    as_app = make_conninfo(url, user="app", password="app")
    asked = Awaited(files(FIVE))
    waiter = threading.Thread(target=lambda: told.append(wait(as_app, asked)))
    waiter.start()
    with Postgres.start(own_postgres.directory, durable=False):
        waiter.join(60)
        assert "no connection" in told[0][0]
        with psycopg.connect(as_app) as connection, pytest.raises(psycopg.Error):
            connection.execute("SELECT * FROM daap_schema.objects")
