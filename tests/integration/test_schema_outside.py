"""Files that cannot run in one transaction: a piece at a time, each once, on a real PostgreSQL."""

import threading

import psycopg
import pytest

from daap_operator.schema import looking
from daap_operator.schema.applying import Rules
from daap_operator.schema.pieces import _Pieces
from tests.fix_postgres import wait_until
from tests.integration.schema_stage import (
    Told,
    applied,
    apply,
    dump,
    ledger,
    rows,
    run_sql,
)

TABLE = {"001.sql": "CREATE TABLE items (id int, kind text);"}
MIXED = TABLE | {
    "002.sql": """
CREATE TABLE log (what text);
INSERT INTO log VALUES ('before');
CREATE INDEX CONCURRENTLY items_id ON items (id);
INSERT INTO log VALUES ('between');
CREATE TYPE kind AS ENUM ('a');
ALTER TYPE kind ADD VALUE 'b';
ALTER TABLE items ALTER kind TYPE kind USING kind::kind;
INSERT INTO items VALUES (1, 'b');
VACUUM items;
INSERT INTO log VALUES ('after');
"""
}
UNIQUE = TABLE | {
    "002.sql": "INSERT INTO items VALUES (1), (1);\n\n"
    "CREATE UNIQUE INDEX CONCURRENTLY items_id ON items (id);\nCREATE TABLE last ();"
}
VALIDITY = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('items_id')"


def test_a_mixed_file_is_applied_with_one_row_for_all_of_it(empty_database: str) -> None:
    applied(empty_database, MIXED)
    assert ledger(empty_database) == ["001.sql", "002.sql"]
    assert rows(empty_database, "SELECT what FROM log") == [("before",), ("between",), ("after",)]
    assert rows(empty_database, VALIDITY) == [(True,)]
    assert rows(empty_database, "SELECT enum_range(NULL::kind)::text") == [("{a,b}",)]
    assert rows(empty_database, "SELECT count(*) FROM daap_schema.underway") == [(0,)]
    assert applied(empty_database, MIXED).done == []


def test_a_failure_in_the_middle_keeps_what_is_done_and_says_how_much(empty_database: str) -> None:
    broken = MIXED | {"002.sql": MIXED["002.sql"].replace("CREATE TYPE kind", "CREATE TIPE kind")}
    told = apply(empty_database, MIXED | {"002.sql": MIXED["002.sql"].replace("'a')", "'a', 'a')")})
    failure = told.failed.failure
    assert (failure.line, failure.sqlstate) == (6, "23505")
    assert failure.left == "3 of its 10 statements are applied, and stay so."
    assert ledger(empty_database) == ["001.sql", "002.sql 3"]
    assert broken != MIXED
    applied(empty_database, MIXED)
    assert rows(empty_database, "SELECT what FROM log") == [("before",), ("between",), ("after",)]


def test_what_is_applied_of_a_file_must_not_change(empty_database: str) -> None:
    apply(empty_database, MIXED | {"002.sql": MIXED["002.sql"].replace("'a')", "'a', 'a')")})
    before = dump(empty_database)
    changed = MIXED | {"002.sql": MIXED["002.sql"].replace("'before'", "'other'")}
    refused = apply(empty_database, changed).refused
    assert refused.reason == "AppliedFileChanged"
    assert "002.sql" in str(refused)
    assert dump(empty_database) == before


def test_an_index_that_failed_is_left_invalid_and_repaired_by_the_next_try(
    empty_database: str,
) -> None:
    failure = apply(empty_database, UNIQUE).failed.failure
    assert (failure.line, failure.sqlstate) == (3, "23505")
    assert rows(empty_database, VALIDITY) == [(False,)]
    again = apply(empty_database, UNIQUE)
    assert again.failed.failure.sqlstate == "23505"
    assert "public.items_id is invalid" in again.text
    run_sql(empty_database, "DELETE FROM items WHERE ctid = '(0,1)'")
    told = applied(empty_database, UNIQUE)
    assert told.done == ["002.sql"]
    assert rows(empty_database, VALIDITY) == [(True,)]
    assert rows(empty_database, "SELECT count(*) FROM items") == [(1,)]


def test_an_invalid_index_goes_when_the_repaired_file_has_no_such_statement(
    empty_database: str,
) -> None:
    apply(empty_database, UNIQUE)
    without = "INSERT INTO items VALUES (1), (1);\n\nCREATE TABLE last ();"
    applied(empty_database, TABLE | {"002.sql": without})
    assert rows(empty_database, "SELECT to_regclass('items_id'), to_regclass('last')") == [
        (None, "last")
    ]
    assert rows(empty_database, "SELECT count(*) FROM items") == [(2,)]


def test_a_repaired_file_that_ends_where_it_failed_is_through(empty_database: str) -> None:
    apply(empty_database, UNIQUE)
    applied(empty_database, TABLE | {"002.sql": "INSERT INTO items VALUES (1), (1);"})
    assert ledger(empty_database) == ["001.sql", "002.sql"]
    assert rows(empty_database, "SELECT to_regclass('items_id')") == [(None,)]


@pytest.mark.parametrize("condition", ["", "IF NOT EXISTS "])
def test_an_index_of_another_hand_is_not_taken_for_the_files(
    empty_database: str, condition: str
) -> None:
    applied(empty_database, TABLE)
    run_sql(empty_database, "CREATE INDEX items_id ON items (kind)")
    text = f"CREATE INDEX CONCURRENTLY {condition}items_id ON items (id);"
    told = apply(empty_database, TABLE | {"002.sql": text})
    second = apply(empty_database, TABLE | {"002.sql": text})
    if condition:
        assert told.error is None
        assert "already exists, skipping" in told.text
    else:
        assert told.failed.failure.sqlstate == "42P07"
        assert second.failed.failure.sqlstate == "42P07"


def test_an_invalid_index_of_another_hand_is_left_alone_and_told(empty_database: str) -> None:
    applied(empty_database, TABLE)
    run_sql(empty_database, "INSERT INTO items VALUES (1), (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        run_sql(empty_database, "CREATE UNIQUE INDEX CONCURRENTLY items_id ON items (id)")
    text = "CREATE INDEX CONCURRENTLY IF NOT EXISTS items_id ON items (id);"
    for _ in range(2):
        failure = apply(empty_database, TABLE | {"002.sql": text}).failed.failure
        assert "DROP INDEX CONCURRENTLY public.items_id" in failure.message
    assert rows(empty_database, VALIDITY) == [(False,)]


def test_an_index_is_found_in_the_schema_that_the_file_set(empty_database: str) -> None:
    text = (
        'CREATE SCHEMA "My app";\nSET search_path = "My app";\nCREATE TABLE items (id int);\n'
        "INSERT INTO items VALUES (1), (1);\n"
        'CREATE UNIQUE INDEX CONCURRENTLY "Items" ON items (id);'
    )
    assert apply(empty_database, {"001.sql": text}).failed.failure.sqlstate == "23505"
    run_sql(empty_database, 'DELETE FROM "My app".items')
    told = applied(empty_database, {"001.sql": text})
    assert '"My app"."Items" is invalid' in told.text
    found = rows(
        empty_database,
        """SELECT indisvalid FROM pg_index WHERE indexrelid = '"My app"."Items"'::regclass""",
    )
    assert found == [(True,)]


def test_a_dropped_index_that_was_not_there_is_a_failure_each_time(empty_database: str) -> None:
    files = TABLE | {"002.sql": "DROP INDEX CONCURRENTLY items_id;"}
    for _ in range(2):
        assert apply(empty_database, files).failed.failure.sqlstate == "42704"
    run_sql(empty_database, "CREATE INDEX items_id ON items (id)")
    applied(empty_database, files)
    assert rows(empty_database, "SELECT to_regclass('items_id')") == [(None,)]


def test_a_partition_is_detached_concurrently(empty_database: str) -> None:
    files = {
        "001.sql": "CREATE TABLE items (id int) PARTITION BY RANGE (id);\n"
        "CREATE TABLE few PARTITION OF items FOR VALUES FROM (0) TO (10);",
        "002.sql": "ALTER TABLE items DETACH PARTITION few CONCURRENTLY;",
    }
    applied(empty_database, files)
    assert rows(empty_database, "SELECT relispartition FROM pg_class WHERE relname = 'few'") == [
        (False,)
    ]


def test_a_concurrent_statement_waits_for_others_beyond_the_lock_timeout(
    empty_database: str,
) -> None:
    applied(empty_database, TABLE)
    with psycopg.connect(empty_database) as other:
        other.execute("INSERT INTO items VALUES (1)")  # and no COMMIT
        text = "CREATE INDEX CONCURRENTLY items_id ON items (id);"
        told: list[object] = []
        rules = Rules(lock_timeout=0.05, tries=1)
        runner = threading.Thread(
            target=lambda: told.append(
                apply(empty_database, TABLE | {"002.sql": text}, rules=rules)
            )
        )
        runner.start()
        waits = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND query LIKE 'CREATE INDEX CONCURRENTLY%' "
            "AND now() - query_start > interval '0.2 s' AND datname = current_database()"
        )
        wait_until(lambda: rows(empty_database, waits) == [(1,)], "the index waits")
        other.commit()
        runner.join(60)
    assert rows(empty_database, VALIDITY) == [(True,)]


class CutOffError(BaseException):
    """The end of a process, of which nobody is told."""


PARTS = (
    "CREATE TABLE parts (id int) PARTITION BY RANGE (id);\n"
    "CREATE TABLE few PARTITION OF parts FOR VALUES FROM (0) TO (10);\n"
)


@pytest.mark.parametrize(
    ("first", "alone", "again"),
    [
        ("", "CREATE INDEX CONCURRENTLY items_id ON items (id);", "public.items_id was made by"),
        ("CREATE INDEX items_id ON items (id);\n", "DROP INDEX CONCURRENTLY items_id;", "was done"),
        (
            PARTS,
            "ALTER TABLE parts DETACH PARTITION few CONCURRENTLY;",
            "was done by the try befor",
        ),
        ("", "VACUUM items;", ""),
        ("", "REINDEX TABLE CONCURRENTLY items;", ""),
    ],
)
def test_what_was_done_and_not_recorded_counts_as_done(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, first: str, alone: str, again: str
) -> None:
    files = TABLE | {"002.sql": f"{first}{alone}\nCREATE TABLE last ();"}

    def cut_off(*_: object) -> None:
        raise CutOffError

    with monkeypatch.context() as patched:
        patched.setattr(_Pieces, "_through", cut_off)
        with pytest.raises(CutOffError):
            apply(empty_database, files)
    told = applied(empty_database, files)
    assert again in told.text
    assert ledger(empty_database) == ["001.sql", "002.sql"]
    assert list(looking.verified(empty_database, "default").drift) == []


def test_a_detachment_that_is_half_done_is_finalized(empty_database: str) -> None:
    alone = "ALTER TABLE parts DETACH PARTITION few CONCURRENTLY;"
    files = {"001.sql": PARTS, "002.sql": alone}
    told: list[Told] = []
    applied(empty_database, {"001.sql": PARTS})
    with psycopg.connect(empty_database) as other:
        other.execute("SELECT * FROM parts")  # the detachment waits for this
        runner = threading.Thread(target=lambda: told.append(apply(empty_database, files)))
        runner.start()
        pending = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending"
        wait_until(lambda: rows(empty_database, pending) == [(1,)], "the detachment is half done")
        cancels = (
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE%' "
            "AND datname = current_database() AND wait_event_type = 'Lock'"
        )
        wait_until(lambda: rows(empty_database, cancels) == [(True,)], "it is cancelled")
        runner.join(60)
    assert told[0].failed.failure.sqlstate == "57014"
    applied(empty_database, files)
    assert rows(empty_database, "SELECT relispartition FROM pg_class WHERE relname = 'few'") == [
        (False,)
    ]


def test_a_partition_that_is_none_fails_each_time(empty_database: str) -> None:
    text = "CREATE TABLE parts (id int) PARTITION BY RANGE (id);\nCREATE TABLE few (id int);"
    alone = "ALTER TABLE parts DETACH PARTITION few CONCURRENTLY;"
    for _ in range(2):
        told = apply(empty_database, {"001.sql": text, "002.sql": alone})
        assert told.failed.failure.sqlstate == "42P01"


def test_what_a_file_has_set_is_set_again_for_the_rest_of_it(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "CREATE SCHEMA app;\nSET search_path = app;\nCREATE TABLE things (id int);\n"
        "VACUUM things;\nDISCARD ALL;\nSET search_path = app;\n"
        "CREATE INDEX CONCURRENTLY things_id ON things (id);\nCREATE TABLE last ();"
    )

    def cut_off(*_: object) -> None:
        raise CutOffError

    with monkeypatch.context() as patched:
        patched.setattr(_Pieces, "_through", cut_off)
        with pytest.raises(CutOffError):
            apply(empty_database, {"001.sql": text})
    applied(empty_database, {"001.sql": text})
    assert rows(empty_database, "SELECT to_regclass('app.things_id'), to_regclass('app.last')") == [
        ("app.things_id", "app.last")
    ]
