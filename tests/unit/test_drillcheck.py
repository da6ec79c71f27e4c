"""What the checking Job of a drill reads of pg_amcheck, and what fits into its last words."""

import json
from pathlib import Path

import pytest

from daap_operator.drillcheck import amcheck, main, report
from daap_operator.drillcheck.command import backup_id

PROGRESS = "  0/310 relations (  0%), 0/500 pages (  0%)\n310/310 relations (100%), 500/500 pages\n"
DAMAGED = """heap table "orders.public.t", block 0, offset 1:
    xmin 4 precedes relation freeze threshold 0:731
heap table "orders.public.t", block 7:
    could not read block
btree index "orders.public.t_pkey":
    ERROR:  high key invariant violated
"""


def test_a_database_without_damage() -> None:
    assert amcheck.read("0\n", "", PROGRESS) == amcheck.Amcheck(310, 0, "", "")


def test_damage_counts_relations_and_quotes_the_first() -> None:
    found = amcheck.read("2\n", DAMAGED, PROGRESS)
    assert (found.relations, found.corrupt, found.error) == (310, 2, "")
    assert found.corruption.startswith('heap table "orders.public.t", block 0, offset 1: xmin 4')


def test_damage_that_is_said_in_other_words_is_damage() -> None:
    found = amcheck.read("2", "toast value 5 is missing", PROGRESS)
    assert (found.corrupt, found.corruption) == (1, "toast value 5 is missing")


@pytest.mark.parametrize("code", ["1", "127", "", "x"])
def test_a_check_that_failed_is_no_result(code: str) -> None:
    found = amcheck.read(code, "", PROGRESS + "pg_amcheck: error: no connection\n")
    assert found.error == "pg_amcheck failed: pg_amcheck: error: no connection"


def test_a_hint_is_not_why_a_check_failed() -> None:
    said = "pg_amcheck: unrecognized option '--x'\npg_amcheck: hint: Try \"pg_amcheck --help\".\n"
    error = amcheck.read("1", "", said).error
    assert error == "pg_amcheck failed: pg_amcheck: unrecognized option '--x'"


def test_why_there_is_no_connection_is_told_and_not_the_question_below_it() -> None:
    why = 'pg_amcheck: error: connection to server at "drill-rw" (10.96.0.7) failed: timed out'
    said = f"{why}\n\tIs the server running on that host and accepting TCP/IP connections?\n"
    assert amcheck.read("1", "", said).error == f"pg_amcheck failed: {why}"


def test_a_check_that_says_nothing() -> None:
    assert amcheck.read("1", "", "").error == "pg_amcheck failed: it said nothing"


@pytest.mark.parametrize("text", ["x" * 4000, "\N{BELL}" * 4000, '"' * 4000, "\N{SNOWMAN}" * 900])
def test_whatever_was_found_fits(text: str) -> None:
    queries = [{"name": f"q{n}" * 20, "ok": False, "value": text, "error": text} for n in range(16)]
    found = {"relations": 1, "rows": 2**60, "corruption": text, "queries": queries}
    said = report.told(found)
    assert len(said.encode()) <= report.MOST_BYTES
    read = json.loads(said)
    assert read["rows"] == 2**60
    assert [each["name"] for each in read["queries"]] == [each["name"] for each in queries]


def test_what_fits_is_told_whole_in_one_line() -> None:
    found = {"error": "one\ntwo\x1b[31m  three"}
    assert json.loads(report.told(found)) == {"error": "one two [31m three"}


@pytest.mark.parametrize(
    ("label", "found"),
    [
        (
            "START WAL LOCATION: 0/3\nLABEL: Barman backup cloud 20260301T110000\n",
            "20260301T110000",
        ),
        ("LABEL: backup-20260301110000\n", ""),
        ("", ""),
    ],
)
def test_the_backup_is_named_by_its_label(label: str, found: str) -> None:
    assert backup_id(label) == found


def test_whatever_fails_is_told(tmp_path: Path) -> None:
    words = tmp_path / "last-words"
    assert main({"DRILL_WORK": str(tmp_path)}, words) == 0
    assert "amcheck.exit" in json.loads(words.read_text())["error"]


def test_without_a_check_nothing_is_asked(tmp_path: Path) -> None:
    for part, text in (("exit", "1"), ("out", ""), ("err", "pg_amcheck: error: no route")):
        (tmp_path / f"amcheck.{part}").write_text(text)
    words = tmp_path / "last-words"
    assert main({"DRILL_WORK": str(tmp_path)}, words) == 0
    assert "no route" in json.loads(words.read_text())["error"]
