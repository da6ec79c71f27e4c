"""A schema's files applied to a real PostgreSQL: in order, once, with a ledger, whole or not."""

import re
from typing import Any

import pytest

from daap_operator.schema.applying import Rules
from daap_operator.schema.consent import OnDestructive
from tests.integration.schema_stage import (
    FIVE,
    FIXTURES,
    SIX,
    applied,
    apply,
    dump,
    files,
    ledger,
    rows,
    run_sql,
)


def test_files_and_fixtures_are_applied_in_order_and_recorded(empty_database: str) -> None:
    told = applied(empty_database, FIVE, FIXTURES, rules=Rules(job="job-1"))
    assert ledger(empty_database) == [*FIVE, *FIXTURES]
    assert told.done == [*FIVE, *FIXTURES]
    for name in FIVE:
        assert re.search(rf"^applying {re.escape(name)} … \d+\.\d\d s$", told.text, re.MULTILINE)
    assert rows(empty_database, "SELECT id, name, size FROM servers ORDER BY id") == [
        (1, "one", "small"),
        (2, "two", "small"),
    ]
    found = rows(
        empty_database,
        "SELECT part, file, checksum, job, applied_by = current_user, seconds > 0, baseline, "
        "applied_at BETWEEN now() - interval '1 hour' AND now() "
        "FROM daap_schema.ledger ORDER BY number",
    )
    assert found == [
        (file.part, file.name, file.checksum, "job-1", True, True, False, True)
        for file in files(FIVE, FIXTURES)
    ]


def test_what_is_applied_is_not_run_again(empty_database: str) -> None:
    applied(empty_database, SIX, FIXTURES)
    before = rows(empty_database, "SELECT * FROM daap_schema.ledger ORDER BY number")
    assert applied(empty_database, SIX, FIXTURES).done == []
    assert rows(empty_database, "SELECT * FROM daap_schema.ledger ORDER BY number") == before
    assert rows(empty_database, "SELECT * FROM log") == [("006",)]


def test_a_sixth_file_is_applied_alone(empty_database: str) -> None:
    applied(empty_database, FIVE)
    assert applied(empty_database, SIX).done == ["006_log.sql"]
    assert ledger(empty_database) == list(SIX)


def test_an_applied_file_that_was_edited_is_refused_and_nothing_runs(empty_database: str) -> None:
    applied(empty_database, FIVE)
    before = dump(empty_database)
    edited = SIX | {"001_servers.sql": "CREATE TABLE servers (id int PRIMARY KEY);"}
    refused = apply(empty_database, edited).refused
    assert refused.reason == "AppliedFileChanged"
    for text in (
        "001_servers.sql",
        files(SIX)[0].checksum,
        files(edited)[0].checksum,
    ):
        assert text in str(refused)
    assert dump(empty_database) == before


def test_an_applied_file_that_is_gone_is_refused(empty_database: str) -> None:
    applied(empty_database, FIVE)
    before = dump(empty_database)
    fewer = {name: text for name, text in SIX.items() if name != "003_disks.sql"}
    refused = apply(empty_database, fewer).refused
    assert refused.reason == "AppliedFileChanged"
    assert "003_disks.sql" in str(refused)
    assert files(SIX)[2].checksum in str(refused)
    assert dump(empty_database) == before


def test_a_new_file_before_an_applied_one_is_refused(empty_database: str) -> None:
    applied(empty_database, FIVE)
    before = dump(empty_database)
    refused = apply(empty_database, FIVE | {"002_a.sql": "CREATE TABLE late ();"}).refused
    assert refused.reason == "OutOfOrder"
    assert "002_a.sql" in str(refused)
    assert "005_large.sql" in str(refused)
    assert dump(empty_database) == before


def test_a_file_that_fails_leaves_nothing_and_is_told_with_line_and_sqlstate(
    empty_database: str,
) -> None:
    applied(empty_database, FIVE)
    before = dump(empty_database)
    broken = FIVE | {
        "006_log.sql": "CREATE TABLE log (file text);\n\nINSERT INTO log\n  VALUES (nöthing);\n",
        "007_more.sql": "CREATE TABLE more ();",
    }
    failure = apply(empty_database, broken).failed.failure
    assert (failure.file, failure.line, failure.sqlstate) == ("006_log.sql", 4, "42703")
    assert "nöthing" in failure.message
    assert dump(empty_database) == before


@pytest.mark.parametrize(
    ("text", "line", "sqlstate"),
    [
        ("CREATE TABLE log (n int);\nINSERT INTO log VALUES (1),\n (1/0);", 2, "22012"),
        (
            "SELECT 1;\n\nDO $$\nBEGIN\n  RAISE 'no' USING ERRCODE = 'AB123';\nEND $$;",
            5,
            "AB123",
        ),
        ("/* ä\n ö */ SELECT\n  'ü',\n  servers.nome FROM servers;", 4, "42703"),
        (
            "CREATE TABLE log (n int UNIQUE INITIALLY DEFERRED);\nINSERT INTO log VALUES (1), (1);",
            0,
            "23505",
        ),
    ],
    ids=["at run time", "in a DO block", "after what is not ASCII", "at the commit"],
)
def test_the_line_is_told_wherever_a_file_fails(
    empty_database: str, text: str, line: int, sqlstate: str
) -> None:
    applied(empty_database, FIVE)
    before = dump(empty_database)
    failure = apply(empty_database, FIVE | {"006.sql": text}).failed.failure
    assert (failure.line, failure.sqlstate) == (line, sqlstate)
    assert failure.left == "Nothing of it is applied: it runs in one transaction."
    assert dump(empty_database) == before


def test_files_before_the_one_that_fails_stay_and_a_repaired_one_goes_on(
    empty_database: str,
) -> None:
    broken = SIX | {"004_names.sql": "CREATE TABLE half ();\nSELECT nonsense;"}
    told = apply(empty_database, broken, FIXTURES)
    assert told.failed.failure.file == "004_names.sql"
    assert told.done == list(SIX)[:3] == ledger(empty_database)
    assert applied(empty_database, SIX, FIXTURES).done == [*list(SIX)[3:], *FIXTURES]
    assert rows(empty_database, "SELECT to_regclass('half'), label('one')") == [(None, "ONE")]


def test_fixtures_are_run_again_when_they_change(empty_database: str) -> None:
    applied(empty_database, FIVE, FIXTURES)
    more = FIXTURES | {
        "001_servers.sql": "INSERT INTO servers VALUES (1, 'uno') "
        "ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name;"
    }
    assert applied(empty_database, FIVE, more).done == ["001_servers.sql"]
    assert rows(empty_database, "SELECT name FROM servers ORDER BY id") == [("uno",), ("two",)]
    assert applied(empty_database, FIVE, more).done == []
    # Two rows of the schema's file and the fixtures' file of the same name
    found = rows(
        empty_database,
        "SELECT part, checksum FROM daap_schema.ledger WHERE file = '001_servers.sql' ORDER BY 1",
    )
    assert found == [
        ("fixtures", files({}, more)[0].checksum),
        ("schema", files(FIVE)[0].checksum),
    ]


def test_a_ledger_that_is_back_in_time_gets_the_tail_alone(
    empty_database: str, postgres_server: Any
) -> None:
    applied(empty_database, {name: SIX[name] for name in list(SIX)[:3]}, FIXTURES)
    name = empty_database.rpartition("/")[2]
    with postgres_server.database(template=name) as restored:
        applied(empty_database, SIX, FIXTURES)
        assert applied(restored, SIX, FIXTURES).done == list(SIX)[3:]
        assert rows(restored, "SELECT count(*) FROM servers") == [(2,)]
        assert rows(restored, "SELECT * FROM log") == [("006",)]


def test_two_ledgers_in_one_database_do_not_know_each_other(empty_database: str) -> None:
    applied(empty_database, FIVE, rules=Rules(ledger="platform"))
    other = {"001_servers.sql": "CREATE TABLE teams ();"}
    applied(empty_database, other, rules=Rules(ledger="team"))
    assert ledger(empty_database, "platform") == list(FIVE)
    assert ledger(empty_database, "team") == list(other)
    assert applied(empty_database, SIX, rules=Rules(ledger="platform")).done == ["006_log.sql"]


def test_a_baseline_records_files_and_runs_what_follows(empty_database: str) -> None:
    run_sql(empty_database, *(SIX[name] for name in list(SIX)[:3]))
    told = applied(empty_database, SIX, baseline="003_disks.sql")
    assert told.done == list(SIX)[3:]
    found = rows(empty_database, "SELECT file, baseline FROM daap_schema.ledger ORDER BY number")
    assert found == [(name, name < "004") for name in SIX]
    assert applied(empty_database, SIX, baseline="003_disks.sql").done == []


def test_a_baseline_says_nothing_of_an_empty_database(empty_database: str) -> None:
    told = applied(empty_database, SIX, baseline="003_disks.sql")
    assert told.done == list(SIX)
    assert "the database is empty" in told.text


def test_a_baseline_does_not_skip_files_once_there_is_a_ledger(empty_database: str) -> None:
    applied(empty_database, FIVE)
    assert applied(empty_database, SIX, baseline="006_log.sql").done == ["006_log.sql"]
    assert rows(empty_database, "SELECT * FROM log") == [("006",)]


def test_a_baseline_names_one_of_the_files(empty_database: str) -> None:
    refused = apply(empty_database, FIVE, baseline="003").refused
    assert "'003'" in str(refused) or "003" in str(refused)
    assert "003_disks.sql" in str(refused)
    assert dump(empty_database) == []


def test_only_the_plan_that_was_approved_is_applied(empty_database: str) -> None:
    approved = apply(empty_database, FIVE, approved="none").run.plan.hash
    assert dump(empty_database) == []
    told = apply(empty_database, SIX, approved=approved)
    assert told.refused.reason == "PlanChanged"
    assert approved in str(told.refused)
    assert told.run.plan.hash in str(told.refused)
    assert dump(empty_database) == []
    assert applied(empty_database, FIVE, approved=approved).done == list(FIVE)
    # A Job that starts again, as it was told
    assert applied(empty_database, FIVE, approved=approved).done == []


def test_an_approval_covers_the_rest_after_a_run_that_was_cut_off(empty_database: str) -> None:
    applied(empty_database, {"001_servers.sql": FIVE["001_servers.sql"]})
    approved = apply(empty_database, FIVE, FIXTURES, approved="none").run.plan.hash
    broken = FIVE | {"004_names.sql": "SELECT nonsense"}
    apply(empty_database, broken)
    assert ledger(empty_database) == list(FIVE)[:3]
    assert applied(empty_database, FIVE, FIXTURES, approved=approved).done == [
        *list(FIVE)[3:],
        *FIXTURES,
    ]


@pytest.mark.parametrize(
    ("choice", "reason"),
    [(OnDestructive.REFUSE, "DestructiveRefused"), (OnDestructive.APPROVE, "ApprovalRequired")],
)
def test_what_deletes_data_is_refused_or_takes_an_approval(
    empty_database: str, choice: OnDestructive, reason: str
) -> None:
    applied(empty_database, FIVE)
    before = dump(empty_database)
    drops = FIVE | {"006.sql": "CREATE TABLE six ();\nDROP TABLE disks;"}
    told = apply(empty_database, drops, on_destructive=choice)
    assert told.refused.reason == reason
    assert "006.sql:2" in str(told.refused)
    assert dump(empty_database) == before
    hash_ = told.run.plan.hash
    second = apply(empty_database, drops, on_destructive=choice, approved=hash_)
    if choice is OnDestructive.APPROVE:
        assert second.done == ["006.sql"]
    else:
        assert second.refused.reason == reason


def test_what_deletes_data_is_applied_where_that_is_allowed(empty_database: str) -> None:
    drops = FIVE | {"006.sql": "DROP TABLE disks;"}
    assert "006.sql" in applied(empty_database, drops).done
