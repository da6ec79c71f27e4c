"""Where a file has failed, and what is told of it."""

import pytest

from daap_operator.schema import failures
from daap_operator.schema.failures import Said, failure, line_of
from daap_operator.schema.model import Part, SqlFile, Statement

FILE = SqlFile(Part.SCHEMA, "003.sql", "")


def said(position: int = 0, context: str = "") -> Said:
    return Said("42703", "no such column", position=position, context=context)


@pytest.mark.parametrize(
    ("text", "position", "line"),
    [
        ("SELECT a", 0, 7),
        ("SELECT a", 8, 7),
        ("SELECT\n  a", 10, 8),
        ("SELECT 'ä\nö',\n a", 17, 9),
        ("SELECT a", 4000, 7),
    ],
)
def test_a_position_is_a_line_of_the_file(text: str, position: int, line: int) -> None:
    assert line_of(Statement(text, 7, "SELECT"), said(position)) == line


@pytest.mark.parametrize(
    ("text", "inside", "line"),
    [
        ("DO $$ BEGIN x; END $$", 1, 7),
        ("DO $$\nBEGIN\n  x;\nEND $$", 3, 9),
        ("DO\n$body$\nBEGIN\n  x;\nEND $body$", 3, 10),
        ("DO $$\nBEGIN\nEND $$", 900, 9),
        ("SELECT 1", 3, 7),
    ],
)
def test_a_line_of_a_code_block_is_a_line_of_the_file(text: str, inside: int, line: int) -> None:
    context = f"PL/pgSQL function inline_code_block line {inside} at RAISE"
    assert line_of(Statement(text, 7, "DO"), said(context=context)) == line


def test_what_is_told_is_one_line_for_each_thing_whatever_it_holds() -> None:
    hostile = Said("22000", "bad\n\x1b[31mred\u202e", detail="a\nb", hint="c", position=1)
    told = failure(FILE, Statement("SELECT 1", 2, "SELECT"), hostile, failures.WHOLE).told()
    assert told == [
        "003.sql:2: bad �[31mred� (SQLSTATE 22000)",
        "  detail: a b",
        "  hint: c",
        "  Nothing of it is applied: it runs in one transaction.",
    ]


def test_who_was_in_the_way_is_told_with_the_failure() -> None:
    timeout = Said("55P03", "canceling statement due to lock timeout")
    found = failure(FILE, Statement("SELECT 1", 2, "SELECT"), timeout, holders="process 7")
    assert found.in_the_way
    assert found.told() == [
        "003.sql:2: canceling statement due to lock timeout (SQLSTATE 55P03), held by process 7"
    ]


def test_what_fails_at_the_commit_has_no_line() -> None:
    found = failure(FILE, None, said())
    assert found.line == 0
    assert found.told() == ["003.sql: no such column (SQLSTATE 42703)"]


@pytest.mark.parametrize("code", ["08006", "08001", "57P01", "57P02", "57P03", "53300"])
def test_a_connection_that_is_gone_is_known_by_its_sqlstate(code: str) -> None:
    assert failures.lost(code)


@pytest.mark.parametrize("code", [None, "", "55P03", "57014", "42P01", "53200"])
def test_other_failures_are_the_files(code: str | None) -> None:
    assert not failures.lost(code)


def test_what_is_left_is_counted() -> None:
    statements = [Statement("VACUUM", 1, "VACUUM")] * 3
    assert failures.half_done(0, statements) == "None of its statements is applied."
    assert failures.half_done(2, statements).startswith("2 of its 3 statements are applied")
