"""A file's text into statements: where each begins, what it is, and what no runner can run."""

from typing import Any

import postgast
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.schema import depth, faults
from daap_operator.schema.parsing import SyntaxFault, statements
from daap_operator.schema.tree import deepest

KINDS = {
    "CREATE TABLE t (a int)": "CREATE TABLE",
    "CREATE TABLE t AS SELECT 1": "CREATE TABLE AS",
    "CREATE MATERIALIZED VIEW v AS SELECT 1": "CREATE MATERIALIZED VIEW",
    "CREATE UNIQUE INDEX i ON t (a)": "CREATE INDEX",
    "CREATE TYPE e AS ENUM ('a')": "CREATE TYPE",
    "CREATE TYPE e AS (a int)": "CREATE TYPE",
    "CREATE AGGREGATE a (int) (sfunc = f, stype = int)": "CREATE AGGREGATE",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'": "CREATE FUNCTION",
    "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'": "CREATE PROCEDURE",
    "CREATE TRIGGER r BEFORE INSERT ON t EXECUTE FUNCTION f()": "CREATE TRIGGER",
    "ALTER TABLE t ADD COLUMN b int": "ALTER TABLE",
    "ALTER TABLE t RENAME COLUMN a TO b": "ALTER TABLE",
    "ALTER TABLE t RENAME CONSTRAINT a TO b": "ALTER TABLE",
    "ALTER INDEX i RENAME TO j": "ALTER INDEX",
    "ALTER VIEW v SET SCHEMA s": "ALTER VIEW",
    "ALTER FUNCTION f() OWNER TO x": "ALTER FUNCTION",
    "ALTER TYPE e RENAME VALUE 'a' TO 'b'": "ALTER TYPE",
    "DROP MATERIALIZED VIEW v": "DROP MATERIALIZED VIEW",
    "GRANT SELECT ON t TO x": "GRANT",
    "REVOKE x FROM y": "REVOKE",
    "SET search_path = app": "SET",
    "RESET ALL": "RESET",
    "DO $$ BEGIN END $$": "DO",
    "COPY t FROM '/x'": "COPY",
    "COMMENT ON TABLE t IS 'x'": "COMMENT",
    "ANALYZE t": "ANALYZE",
    "INSERT INTO t VALUES (1)": "INSERT",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v": "REFRESH MATERIALIZED VIEW",
    "CREATE INDEX i ON t (a)": "CREATE INDEX",
    "DROP INDEX i": "DROP INDEX",
    "REINDEX (CONCURRENTLY false) INDEX i": "REINDEX",
    "REINDEX TABLE t": "REINDEX",
    "CLUSTER t": "CLUSTER",
    "ALTER TABLE t DETACH PARTITION p": "ALTER TABLE",
    "ALTER DATABASE d SET work_mem = '1MB'": "ALTER DATABASE",
    "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)": (
        "CREATE SUBSCRIPTION"
    ),
    "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = off)": (
        "CREATE SUBSCRIPTION"
    ),
    "ALTER SUBSCRIPTION s ADD PUBLICATION p WITH (refresh = false)": "ALTER SUBSCRIPTION",
    "ALTER SUBSCRIPTION s DISABLE": "ALTER SUBSCRIPTION",
}
"""Statements that may share a transaction."""

ALONE = {
    "CREATE INDEX CONCURRENTLY i ON t (a)": "CREATE INDEX CONCURRENTLY",
    "DROP INDEX CONCURRENTLY i": "DROP INDEX CONCURRENTLY",
    "REINDEX INDEX CONCURRENTLY i": "REINDEX CONCURRENTLY",
    "REINDEX (CONCURRENTLY) TABLE t": "REINDEX CONCURRENTLY",
    "REINDEX SCHEMA s": "REINDEX",
    "REINDEX DATABASE d": "REINDEX",
    "VACUUM t": "VACUUM",
    "VACUUM (FULL, ANALYZE) t": "VACUUM",
    "CLUSTER": "CLUSTER",
    "ALTER TYPE e ADD VALUE IF NOT EXISTS 'x' BEFORE 'y'": "ALTER TYPE ADD VALUE",
    "ALTER TABLE t DETACH PARTITION p CONCURRENTLY": "ALTER TABLE",
    "ALTER SYSTEM SET work_mem = '1MB'": "ALTER SYSTEM",
    "ALTER DATABASE d SET TABLESPACE t": "ALTER DATABASE",
    "CREATE DATABASE d": "CREATE DATABASE",
    "DROP DATABASE d": "DROP DATABASE",
    "CREATE TABLESPACE t LOCATION '/x'": "CREATE TABLESPACE",
    "DROP TABLESPACE t": "DROP TABLESPACE",
    "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p": "CREATE SUBSCRIPTION",
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION": "ALTER SUBSCRIPTION",
    "ALTER SUBSCRIPTION s SET PUBLICATION p": "ALTER SUBSCRIPTION",
    "DROP SUBSCRIPTION s": "DROP SUBSCRIPTION",
}
"""Statements that PostgreSQL refuses in a transaction block, or that nothing can follow in one."""


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_what_may_share_a_transaction(text: str, kind: str) -> None:
    (found,) = statements(text)
    assert (found.kind, found.transactional, found.own_transaction) == (kind, True, False)


@pytest.mark.parametrize(("text", "kind"), ALONE.items())
def test_what_may_not(text: str, kind: str) -> None:
    (found,) = statements(text)
    assert (found.kind, found.transactional) == (kind, False)
    assert found.own_transaction == (kind == "ALTER TYPE ADD VALUE")


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "i"),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON app.t (a)", "app.i"),
        ('CREATE UNIQUE INDEX CONCURRENTLY "I""i" ON "App".t (a)', '"App"."I""i"'),
        ("CREATE INDEX CONCURRENTLY I ON t (a)", "i"),
        ("CREATE INDEX CONCURRENTLY ON t (a)", ""),
        ("CREATE INDEX i ON t (a)", ""),
        ("DROP INDEX CONCURRENTLY i", ""),
    ],
)
def test_the_index_that_a_failed_try_leaves(text: str, index: str) -> None:
    assert statements(text)[0].index == index


FAULTS: dict[str, tuple[str, int, str, str]] = {
    "a word too many": ("SELECT 1;\nSELECT 'é' frm x y z", 2, faults.SYNTAX, 'or near "x"'),
    "the end is missing": ("SELECT 1;\n\nSELECT (1", 3, faults.SYNTAX, "at end of input"),
    "a quote is missing": ("SELECT 'é';\nSELECT 'é", 2, faults.SYNTAX, "unterminated quoted"),
    "a comment's end is missing": ("\n/* é /* */ ", 2, faults.SYNTAX, "unterminated /* comment"),
    "a dollar quote's end is missing": ("\n\nDO $x$ $y$", 3, faults.SYNTAX, "dollar-quoted"),
    "psql's include": ("SELECT 'éé';\n\\i more.sql\n", 2, faults.METACOMMAND, "\\i is a command"),
    "psql's end of a statement": ("-- é\nSELECT 'é' \\gset", 2, faults.METACOMMAND, "\\gset is a"),
    "psql's variable": ("\nSELECT :name", 2, faults.VARIABLE, ":name is a variable of psql"),
    "psql's quoted variable": ("\nSELECT :'name'", 2, faults.VARIABLE, ":'name' is a variable"),
    "data in the file": ("COPY t FROM stdin;\n1\té\n\\.\n", 1, faults.COPY, "COPY … FROM STDIN"),
    "data with quotes": ("-- c\nCOPY t (a) FROM STDIN;\nO'Brien\n\\.\n", 2, faults.COPY, "INSERT"),
    "data some lines below": (
        "SELECT 'é';\n-- c\nCOPY t (a)\n  FROM STDIN;\n\n\n1\t2\n\\.\n",
        3,
        faults.COPY,
        "COPY … FROM STDIN",
    ),
    "data after another": ("SELECT 1;COPY t FROM stdin; 1", 1, faults.COPY, "COPY … FROM STDIN"),
    "data to come": ("\nCOPY t FROM STDIN", 2, faults.COPY, "COPY … FROM STDIN moves data"),
    "data to nobody": ("\nCOPY t TO STDOUT", 2, faults.COPY, "COPY … TO STDOUT moves data"),
    "BEGIN": ("\nBEGIN; SELECT 1", 2, faults.TRANSACTION, "BEGIN: the runner begins and ends"),
    "START TRANSACTION": ("START TRANSACTION", 1, faults.TRANSACTION, "START: the runner"),
    "COMMIT": ("SELECT 1;\nCOMMIT", 2, faults.TRANSACTION, "COMMIT: the runner begins"),
    "END": ("END", 1, faults.TRANSACTION, "COMMIT: the runner begins and ends"),
    "ROLLBACK": ("ROLLBACK", 1, faults.TRANSACTION, "ROLLBACK: the runner begins and ends"),
    "SAVEPOINT": ("SAVEPOINT a", 1, faults.TRANSACTION, "SAVEPOINT: the runner"),
    "two phases": ("COMMIT PREPARED 'x'", 1, faults.TRANSACTION, "COMMIT PREPARED: the runner"),
    "NUL": ("SELECT 1;\n\0SELECT 2", 2, faults.BYTES, "0x00"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_run_says_where_and_why(case: str) -> None:
    text, line, rule, message = FAULTS[case]
    with pytest.raises(SyntaxFault) as raised:
        statements(text)
    fault = raised.value
    assert (fault.line, fault.rule) == (line, rule)
    assert message in fault.message
    assert "\n" not in fault.message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '\\i', ':x', ':''y''', E'\\\\.'",
        "SELECT a::int, b[1:2], c[:n] FROM t",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "SELECT 'COPY t FROM stdin;'",
        "COPY t FROM '/x'; COPY t FROM PROGRAM 'x'",
        "-- BEGIN;\n/* COMMIT; \\i x */ SELECT 1",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert statements(text)


BOMBS = {
    "brackets": "SELECT " + "(" * 9000 + "1" + ")" * 9000,
    "brackets without end": "SELECT " + "(" * 900_000,
    "operators": "SELECT " + "-".join("1" * 100_000),
    "casts": "SELECT 1" + "::int" * 100_000,
    "prefixes": "SELECT " + "NOT " * 100_000 + "true",
    "suffixes": "SELECT 1" + " ISNULL" * 100_000,
    "times": "SELECT 1" + " AT TIME ZONE 'x'" * 40_000,
    "sets across commas": " UNION ".join(["SELECT 1, 2"] * 60_000),
    "joins": "SELECT FROM a " + "CROSS JOIN b " * 60_000,
    "subscripts": "SELECT " + "a[" * 50_000 + "1" + "]" * 50_000,
    "nested comments": "/*" * 450_000,
    "a long operator": "SELECT 1 " + "+" * 900_000 + " 1",
    "a bomb before an error": "SELECT " + "-".join("1" * 100_000) + "; SELECT 'x",
    "a bomb in a function": "CREATE FUNCTION f() RETURNS int RETURN " + "-".join("1" * 100_000),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_it_takes_the_process(bomb: str) -> None:
    with pytest.raises(SyntaxFault) as raised:
        statements(BOMBS[bomb])
    assert raised.value.line == 1
    assert raised.value.rule in {faults.NESTING, faults.SYNTAX}


DEEPEST = {
    "operators": "SELECT 1" + " - 1" * (depth.DEPTH // 2 - 1),
    "suffixes": "SELECT 1" + " ISNULL" * (depth.DEPTH - 2),
    "times": "SELECT 1" + " AT TIME ZONE 'x'" * (depth.DEPTH // 4 - 1),
    "casts": "SELECT 1" + "::int" * (depth.DEPTH // 2 - 1),
    "sets": " UNION ".join(["SELECT"] * (depth.DEPTH // 3)),
}


@pytest.mark.parametrize("case", DEEPEST)
def test_what_is_as_deep_as_may_be_is_parsed(case: str) -> None:
    assert len(statements(DEEPEST[case])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES " + ",".join(["(1,2)"] * 150_000),
        "SELECT 1;" * 100_000,
        ";" * 900_000,
        "--" + "=" * 900 + "\nSELECT 1",
        "/" + "*" * 900 + "/ SELECT 1",
        "SELECT '" + "+-" * 400 + "'",
    ],
)
def test_what_is_only_long_is_no_bomb(text: str) -> None:
    assert len(statements(text)) in {0, 1, 100_000}


def test_a_bomb_is_named_by_its_line() -> None:
    with pytest.raises(SyntaxFault) as raised:
        statements("SELECT 'é';\n\n-- next\nSELECT 1" + "-1" * 10_000 + ";\nSELECT 2")
    assert raised.value.line == 4


_WORDS = st.text(
    st.characters(exclude_characters="\0'$*/\\", exclude_categories=["Cs"]), max_size=30
)
_PIECES = st.one_of(
    _WORDS.map(lambda text: f"SELECT '{text}'"),
    _WORDS.map(lambda text: f"DO $é$ {text} ; ' $é$"),
    _WORDS.map(lambda text: f"COMMENT ON TABLE t IS '{text}'"),
    _WORDS.map(lambda text: f"SELECT /* {text}; */ 1"),
    st.just("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;\n SELECT 'ü'; END"),
)
_GAPS = st.one_of(
    st.text(" \n\t;", max_size=4),
    _WORDS.map(lambda text: f"/* {text}; SELECT 1; */"),
    _WORDS.map(lambda text: "-- " + " ".join(text.replace("\r", "\n").split("\n")) + "; é\n"),
)


@given(st.lists(st.tuples(_GAPS, _PIECES), max_size=6), _GAPS)
def test_each_statement_is_found_where_it_is(pieces: list[tuple[str, str]], last: str) -> None:
    text, expected = "", []
    for gap, piece in pieces:
        text += gap
        expected.append((text.count("\n") + 1, piece))
        text += piece + ";"
    assert [(each.line, each.text) for each in statements(text + last)] == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_parsed_or_has_a_fault_with_a_line(text: str) -> None:
    try:
        found = statements(text)
    except SyntaxFault as raised:
        fault = raised
    else:
        assert all(each.text in text for each in found)
        return
    assert 1 <= fault.line <= text.count("\n") + 1
    assert fault.message.strip()


_EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "1", "'é'", "f()", "b.c"]),
    lambda below: st.one_of(
        st.lists(below, min_size=2, max_size=5).map(" - ".join),
        st.lists(below, min_size=2, max_size=5).map(" OR ".join),
        st.lists(below, min_size=1, max_size=5).map(lambda each: f"f({', '.join(each)})"),
        below.map(lambda each: f"({each})"),
        below.map(lambda each: f"({each})::int[]"),
        below.map(lambda each: f"(SELECT {each} FROM t UNION SELECT 1, {each})"),
        below.map(lambda each: f"CASE WHEN {each} THEN {each} ELSE {each} END"),
        below.map(lambda each: f"ARRAY[{each}] AT TIME ZONE 'x'"),
    ),
    max_leaves=40,
)


@given(_EXPRESSIONS)
def test_no_tree_is_much_deeper_than_its_tokens_say(expression: str) -> None:
    text = f"SELECT {expression}"
    assert _depth(postgast.parse(text)) <= 6 * deepest(text).levels + 6


def _depth(message: Any) -> int:
    below = [0]
    for field, value in message.ListFields():
        if field.message_type is not None:
            below += [_depth(each) for each in (value if field.is_repeated else [value])]
    return 1 + max(below)
