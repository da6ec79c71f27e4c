"""What was reviewed is what runs: a file hides no statement, and its rows fill no memory."""

from pathlib import Path

import psycopg
import pytest

from daap_operator.schema import sending, sessions
from daap_operator.schema.consent import OnDestructive
from tests.integration.schema_stage import applied, apply, ledger, rows

ORDERS = {
    "001.sql": "CREATE TABLE orders (id bigint);",
    "002.sql": "INSERT INTO orders VALUES (1);",
}

SMUGGLED = {
    "a string that ends sooner without standard_conforming_strings": (
        "SET standard_conforming_strings = off;\nSELECT 'a\\'' ; DROP TABLE orders; --';"
    ),
    "the same, set by a function": (
        "SELECT set_config('standard_conforming_strings', 'off', true);\n"
        "SELECT 'a\\'' ; DROP TABLE orders; --';"
    ),
    "the same, beyond the transaction": (
        "SET standard_conforming_strings = off;\n"
        "SELECT 'a\\'' ; COMMIT; DROP TABLE orders; BEGIN; --';"
    ),
    "the same, where files run in pieces": (
        "SET standard_conforming_strings = off;\nVACUUM orders;\n"
        "SELECT 'a\\'' ; DROP TABLE orders; --';"
    ),
    "rows that go in a statement of its own": (
        "SET standard_conforming_strings = off;\n"
        "WITH a AS (SELECT 'a\\'') , b AS (DELETE FROM orders RETURNING 1) SELECT 1 --') SELECT 1;"
    ),
    "a character that takes the backslash with it": (
        "SET client_encoding = 'SJIS';\nSELECT E'\u00c1\\'; DROP TABLE orders; --';"
    ),
}


@pytest.mark.parametrize("how", SMUGGLED)
def test_no_text_is_read_in_another_way_than_it_was_reviewed(how: str, empty_database: str) -> None:
    applied(empty_database, ORDERS)
    files = ORDERS | {"003.sql": SMUGGLED[how]}
    told = apply(empty_database, files, on_destructive=OnDestructive.REFUSE)
    assert rows(empty_database, "SELECT count(*) FROM orders") == [(1,)]
    assert "another way than it was checked in" in str(told.failed)
    assert "leave it '" in str(told.failed)
    assert "003.sql" not in ledger(empty_database)


def test_what_a_dump_begins_with_is_fine(empty_database: str) -> None:
    text = "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nSELECT '\\', '€';"
    applied(empty_database, {"001.sql": text})


def test_a_second_statement_in_one_text_is_refused_by_the_server(empty_database: str) -> None:
    with sessions.connect(empty_database, "test") as connection:
        sessions.pin(connection)
        with pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
            sending.send(connection, "SELECT 1; SELECT 2")
        sending.send(connection, "SELECT 1")
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("before", ["", "VACUUM;\n"], ids=["whole", "in pieces"])
def test_rows_that_a_file_asks_for_are_not_kept(before: str, empty_database: str) -> None:
    text = f"{before}SELECT repeat('x', 1000) FROM generate_series(1, 300000);"
    at_first = resident()
    applied(empty_database, {"001.sql": text})
    assert resident() - at_first < 100 * 1024  # of 300 MB


def resident() -> int:
    """The most memory of this process so far, in KiB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
