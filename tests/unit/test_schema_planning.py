"""What is pending, what is in the way, and what the hash names."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.schema import linting, planning
from daap_operator.schema.linting import MOST, Rules, RulesError, Strictness, chosen, of_rule
from daap_operator.schema.model import Applied, Finding, Level, Part, Plan, SqlFile, Trouble
from daap_operator.schema.planning import Planner, plan
from daap_operator.schema.rules import DROP_TABLE, MORE, NOT_THE_OWNERS, RENAME, Rule


def _file(name: str, text: str = "SELECT 1;", part: Part = Part.SCHEMA) -> SqlFile:
    return SqlFile(part, name, text)


def _row(file: SqlFile, *, done: int | None = None, checksum: str = "") -> Applied:
    return Applied(file.part, file.name, checksum or file.checksum, done=done)


ONE, TWO, THREE = (_file(f"00{number}.sql", f"SELECT {number};") for number in (1, 2, 3))
DATA = _file("001.sql", "DELETE FROM t WHERE a;", Part.FIXTURES)


def _pending(found: Plan) -> list[tuple[str, str]]:
    return [(each.file.part, each.file.name) for each in found.pending]


def _rules(found: Plan) -> list[list[str]]:
    return [[finding.rule for finding in each.findings] for each in found.pending]


def test_without_a_ledger_everything_is_pending() -> None:
    found = plan([ONE, TWO, DATA], [])
    assert _pending(found) == [
        ("schema", "001.sql"),
        ("schema", "002.sql"),
        ("fixtures", "001.sql"),
    ]
    assert found.obstacles == []


def test_what_is_applied_is_not_pending() -> None:
    assert _pending(plan([ONE, TWO, DATA], [_row(ONE), _row(DATA)])) == [("schema", "002.sql")]
    assert _pending(plan([ONE, DATA], [_row(ONE), _row(DATA)])) == []


def test_a_ledger_that_went_back_in_time_lacks_the_tail() -> None:
    whole = [_row(ONE), _row(TWO), _row(THREE), _row(DATA)]
    for length in range(len(whole)):
        found = plan([ONE, TWO, THREE, DATA], whole[:length])
        assert len(found.pending) == 4 - length
        assert found.obstacles == []


def test_fixtures_are_pending_again_when_they_change_and_may_go() -> None:
    changed = _row(DATA, checksum="0" * 64)
    assert _pending(plan([ONE, DATA], [_row(ONE), changed])) == [("fixtures", "001.sql")]
    assert plan([ONE], [_row(ONE), _row(DATA)]) == plan([ONE], [_row(ONE)])


def test_a_file_that_is_underway_is_pending_whatever_it_is_now() -> None:
    found = plan([ONE, TWO], [_row(ONE), _row(TWO, done=1, checksum="0" * 64)])
    assert (_pending(found), found.obstacles) == ([("schema", "002.sql")], [])


def test_an_applied_file_that_changed_is_named_with_both_checksums() -> None:
    found = plan([ONE, TWO], [_row(ONE, checksum="f" * 64)])
    (obstacle,) = found.obstacles
    assert (obstacle.trouble, obstacle.file) == (Trouble.CHANGED, "001.sql")
    assert "f" * 64 in obstacle.message
    assert ONE.checksum in obstacle.message
    assert "new file" in obstacle.message


def test_an_applied_file_that_is_gone_is_named() -> None:
    (obstacle,) = plan([TWO], [_row(ONE), _row(TWO)]).obstacles
    assert (obstacle.trouble, obstacle.file) == (Trouble.CHANGED, "001.sql")
    assert ONE.checksum in obstacle.message
    assert "put it back" in obstacle.message


def test_a_file_before_an_applied_one_is_out_of_order() -> None:
    (obstacle,) = plan([ONE, TWO, THREE], [_row(ONE), _row(THREE)]).obstacles
    assert (obstacle.trouble, obstacle.file) == (Trouble.OUT_OF_ORDER, "002.sql")
    assert "'003.sql'" in obstacle.message


def test_fixtures_have_no_order_with_the_schema() -> None:
    assert plan([ONE, DATA], [_row(_file("009.sql", "x", Part.FIXTURES))]).obstacles == []


def test_what_cannot_be_parsed_stops_it_whatever_is_left_out() -> None:
    bad = _file("002.sql", "SELECT 1;\n\nSELECT frm x y z")
    found = plan([ONE, bad], [], Rules(Strictness.NEVER))
    (obstacle,) = found.obstacles
    assert (obstacle.trouble, obstacle.file, obstacle.line) == (Trouble.SYNTAX, "002.sql", 3)
    assert obstacle.message.startswith('line 3: syntax-error: syntax error at or near "y"')
    assert _rules(found) == [[], ["syntax-error"]]


@pytest.mark.parametrize(
    ("text", "level", "stopped"),
    [
        ("DROP DATABASE x", Strictness.ERROR, True),
        ("DROP DATABASE x", Strictness.NEVER, False),
        ("LOCK t", Strictness.ERROR, False),
        ("LOCK t", Strictness.WARNING, True),
        ("DROP TABLE t", Strictness.WARNING, False),
    ],
)
def test_what_the_level_stops(text: str, level: Strictness, stopped: bool) -> None:
    found = plan([_file("1.sql", text)], [], Rules(level))
    assert [each.trouble for each in found.obstacles] == [Trouble.LINT] * stopped


def test_an_obstacle_has_line_rule_and_remedy() -> None:
    (obstacle,) = plan([_file("1.sql", "\n\nCREATE DATABASE d")], []).obstacles
    assert obstacle.line == 3
    assert obstacle.message == (
        f"line 3: owner-cannot: CREATE DATABASE: {NOT_THE_OWNERS.meaning}; {NOT_THE_OWNERS.remedy}"
    )


def test_what_is_left_out_is_neither_found_nor_in_the_way() -> None:
    found = plan([_file("1.sql", "DROP DATABASE x")], [], chosen("error", ["owner-cannot"]))
    assert (_rules(found), found.obstacles) == ([[]], [])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", "'nonsense' is no rule that can be left out: index-blocks-writes, "),
        ("drop-table", "'drop-table' cannot be left out: a reviewer has to know what deletes"),
        ("syntax-error", "'syntax-error' cannot be left out: nothing of such a file can be run"),
        ("a\nb", "'a b' is no rule"),
    ],
)
def test_what_cannot_be_left_out(name: str, message: str) -> None:
    with pytest.raises(RulesError, match=message):
        chosen("error", ["rename", name])


def test_what_an_earlier_file_of_the_plan_creates_is_new() -> None:
    create, index = (
        _file("1.sql", "CREATE TABLE t (a int)"),
        _file("2.sql", "CREATE INDEX i ON t (a)"),
    )
    together, after = plan([create, index], []), plan([create, index], [_row(create)])
    assert _rules(together) == [[], []]
    assert _rules(after) == [["index-blocks-writes"]]
    locks = [[lock for each in one.statements for lock in each.locks] for one in together.pending]
    assert locks == [[], []]
    assert [str(lock) for each in after.pending[0].statements for lock in each.locks] == [
        "Lock(mode='SHARE', relation='t')"
    ]


def test_what_a_later_file_creates_is_not() -> None:
    found = plan([_file("1.sql", "DROP TABLE t"), _file("2.sql", "CREATE TABLE t ()")], [])
    assert _rules(found) == [["drop-table"], []]


def test_what_is_locked_before_it_is_new() -> None:
    found = plan([_file("1.sql", "DROP TABLE t; CREATE TABLE t ()")], [])
    (planned,) = found.pending
    assert [[lock.relation for lock in each.locks] for each in planned.statements] == [["t"], []]


def test_a_file_that_cannot_be_parsed_hides_nothing_of_the_next() -> None:
    found = plan([_file("1.sql", "SELECT ("), _file("2.sql", "DROP TABLE t")], [])
    assert _rules(found) == [["syntax-error"], ["drop-table"]]


def test_numbers_that_do_not_sort() -> None:
    files = [_file("10_b.sql"), _file("9_a.sql"), _file("9_b.sql")]
    found = plan(files, [])
    assert _rules(found) == [[], ["file-order"], []]
    assert found.pending[1].findings[0].message.startswith("after '10_b.sql': files are applied")
    assert _rules(plan(files, [], chosen("error", ["file-order"]))) == [[], [], []]
    assert _rules(plan([_file("2.sql"), _file("1.sql", part=Part.FIXTURES)], [])) == [[], []]


def test_files_are_asked_about_once_for_all_ledgers() -> None:
    asked: list[str] = []

    def advisor(file: SqlFile) -> list[Finding]:
        asked.append(file.name)
        return [of_rule(RENAME, 1)]

    planner = Planner([ONE, TWO], Rules(), advisor)
    assert _rules(planner([])) == [["rename"], ["rename"]]
    assert _rules(planner([_row(ONE)])) == [["rename"]]
    assert asked == ["001.sql", "002.sql"]


def test_no_more_is_told_than_matters_and_errors_first() -> None:
    many = ";".join(["LOCK t"] * 300 + ["DROP TABLE t", "DROP DATABASE d"])
    (planned,) = plan([_file("1.sql", "\n".join(many.split(";")).replace("\n", ";\n"))], []).pending
    found = [each.rule for each in planned.findings]
    assert len(found) == MOST + 1
    assert {"drop-table", "owner-cannot", "mixed-transactions"} & set(found) >= {
        "drop-table",
        "owner-cannot",
    }
    assert found[-1] == MORE.name
    assert re.match("[0-9]+ more: ", planned.findings[-1].message)
    told = [each.line for each in planned.findings]
    assert told == sorted(told)


def test_what_a_file_says_shows_all_it_holds() -> None:
    (planned,) = plan([_file("1.sql", 'DROP TABLE "a\n\x1b[31m\u202eb"')], []).pending
    assert planned.findings[0].message.startswith('DROP TABLE "a \ufffd[31m\ufffdb": ')


HASHED = [ONE, TWO, DATA]


@pytest.mark.parametrize(
    "other",
    [
        [ONE, TWO],
        [TWO, ONE, DATA],
        [ONE, dataclasses.replace(TWO, text="SELECT 2; "), DATA],
        [ONE, dataclasses.replace(TWO, name="0022.sql"), DATA],
        [ONE, TWO, dataclasses.replace(DATA, part=Part.SCHEMA, name="003.sql")],
        [],
    ],
)
def test_the_hash_changes_with_what_would_run(other: list[SqlFile]) -> None:
    assert plan(other, []).hash != plan(HASHED, []).hash


def test_the_hash_knows_fixtures_from_the_schema() -> None:
    other = dataclasses.replace(DATA, part=Part.SCHEMA)
    assert plan([other], []).hash != plan([DATA], []).hash


def test_the_hash_changes_with_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan(HASHED, []).hash
    monkeypatch.setattr(planning, "__version__", "9.9.9")
    assert plan(HASHED, []).hash != before


def test_the_hash_is_that_of_what_is_pending_and_of_nothing_else() -> None:
    zero = _file("000.sql")
    one = plan(HASHED, [], chosen("never", ["rename"]), lambda _: [of_rule(RENAME, 1)])
    assert one.hash == plan(HASHED, []).hash
    assert plan([zero, *HASHED], [_row(zero)]).hash == one.hash
    row = dataclasses.replace(_row(zero), applied_at="x", job="y", seconds=3.0)
    assert plan([zero, *HASHED], [row]).hash == one.hash
    assert re.fullmatch("[0-9a-f]{64}", one.hash)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_SETS = st.dictionaries(
    st.tuples(st.sampled_from(list(Part)), st.sampled_from(["1.sql", "2.sql", "11.sql"])),
    _TEXTS.map(lambda text: "-- " + " ".join(text.split())),
    max_size=4,
)


def _files(texts: dict[tuple[Part, str], str]) -> list[SqlFile]:
    found = [SqlFile(part, name, text) for (part, name), text in texts.items()]
    return sorted(found, key=lambda each: (each.part is Part.FIXTURES, each.name))


@given(_SETS, _SETS)
def test_two_plans_have_one_hash_when_they_are_the_same(
    one: dict[tuple[Part, str], str], other: dict[tuple[Part, str], str]
) -> None:
    assert (plan(_files(one), []).hash == plan(_files(other), []).hash) == (one == other)


@given(_SETS, st.integers(0, 4))
def test_the_rest_of_a_plan_is_planned_after_any_beginning(
    texts: dict[tuple[Part, str], str], length: int
) -> None:
    files = _files(texts)
    found = plan(files, [_row(file) for file in files[:length]])
    assert [each.file for each in found.pending] == files[length:]
    assert found.obstacles == []


@given(
    st.lists(st.tuples(st.sampled_from([DROP_TABLE, RENAME, NOT_THE_OWNERS]), st.integers(1, 9)))
)
def test_bounds_lose_no_error(pairs: list[tuple[Rule, int]]) -> None:
    found = [of_rule(rule, line) for rule, line in pairs]
    kept = linting.bounded(found)
    assert {each for each in found if each.level is Level.ERROR} <= set(kept)
    assert len(kept) == len(set(kept))
