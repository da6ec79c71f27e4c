"""Each rule is found where it should be and nowhere else, and the docs have all of them."""

import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from daap_operator.schema import rules
from daap_operator.schema.certain import Certain, Effect
from daap_operator.schema.model import Finding, Part, SqlFile
from daap_operator.schema.planning import plan
from daap_operator.schema.relations import Relation
from daap_operator.schema.squawk import Squawk
from daap_operator.schema.squawk_rules import LEFT_OUT, RULES, SQUAWKS
from tests.support.steps import cpu_seconds
from tests.unit.schema_rules import FIXTURES, OWN, SQUAWK, Case

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sysconfig.get_path("scripts")) / "squawk"


def _found(text: str, part: Part = Part.SCHEMA, advisor: Squawk | None = None) -> list[Finding]:
    (planned,) = plan([SqlFile(part, "001_a.sql", text)], [], advisor=advisor).pending
    return list(planned.findings)


def _pairs(cases: dict[str, Case], field: str) -> list[tuple[str, str]]:
    return [(rule, text) for rule, case in cases.items() for text in getattr(case, field)]


@pytest.mark.parametrize(("rule", "text"), _pairs(OWN, "bad"))
def test_what_breaks_a_rule(rule: str, text: str) -> None:
    found = [each for each in _found(text) if each.rule == rule]
    assert found
    assert {each.level for each in found} == {RULES[rule].level}
    assert {each.destructive for each in found} == {RULES[rule].destructive}
    assert all(RULES[rule].meaning in each.message for each in found)


@pytest.mark.parametrize(("rule", "text"), _pairs(OWN, "good"))
def test_what_does_not(rule: str, text: str) -> None:
    assert rule not in {each.rule for each in _found(text)}


@pytest.mark.parametrize(
    "first",
    ["CREATE TEMP TABLE t ()", "SET search_path = app; CREATE TABLE t ()"],
    ids=["of the session before", "where names were looked for before"],
)
def test_what_was_new_in_a_session_is_not_in_the_next(first: str) -> None:
    texts = [first, "DROP TABLE t", "CREATE TABLE t ()", "DROP TABLE t"]
    files = [SqlFile(Part.SCHEMA, f"{place}.sql", text) for place, text in enumerate(texts)]
    found = [{each.rule for each in planned.findings} for planned in plan(files, []).pending]
    assert ["drop-table" in each for each in found] == [False, True, False, False]


def _settled(number: int) -> None:
    certain = Certain()
    certain.begin_file(whole=True)
    for each in range(number):
        old, new = Relation("app", f"t{each}"), Relation("app", f"u{each}")
        certain.after(Effect([old]))
        certain.after(Effect([new], unsettles=frozenset({old.name, new.name}), renames=old))
        certain.after(Effect(path=True))
        assert new in certain
        assert old not in certain


def test_what_is_new_for_certain_is_known_in_time_that_grows_with_the_statements() -> None:
    half = cpu_seconds(lambda: _settled(10_000), 0.5)
    assert cpu_seconds(lambda: _settled(20_000), 3 * half + 0.5) < 3 * half + 0.5


@pytest.mark.parametrize("text", FIXTURES.bad)
def test_fixtures_that_cannot_run_again(text: str) -> None:
    assert "not-repeatable" in {each.rule for each in _found(text, Part.FIXTURES)}
    assert "not-repeatable" not in {each.rule for each in _found(text)}


@pytest.mark.parametrize("text", FIXTURES.good)
def test_fixtures_that_can(text: str) -> None:
    assert "not-repeatable" not in {each.rule for each in _found(text, Part.FIXTURES)}


@pytest.mark.parametrize(("rule", "text"), _pairs(SQUAWK, "bad"))
def test_what_squawk_finds(rule: str, text: str) -> None:
    assert rule in {each.rule for each in _found(text, advisor=Squawk())}


@pytest.mark.parametrize(("rule", "text"), _pairs(SQUAWK, "good"))
def test_what_squawk_does_not(rule: str, text: str) -> None:
    assert rule not in {each.rule for each in _found(text, advisor=Squawk())}


@pytest.mark.parametrize("text", sorted({bad for case in OWN.values() for bad in case.bad}))
def test_nothing_is_found_twice(text: str) -> None:
    found = _found(text, advisor=Squawk())
    assert {each.rule for each in found} <= RULES.keys()
    assert len({(each.rule, each.line, each.message) for each in found}) == len(found)
    assert not {each.rule for each in found} & LEFT_OUT.keys()


def test_every_rule_has_an_example() -> None:
    elsewhere = {"not-repeatable", "file-order", "linter-unavailable", "more-findings"}
    own = {rule.name for rule in rules.OWN}
    assert own == OWN.keys() | elsewhere
    assert {rule.name for rule in SQUAWKS} == SQUAWK.keys()


def test_all_that_squawk_has_switched_on_is_passed_on_or_left_out() -> None:
    """By its own list, of which those from ban-drop-view on have to be switched on."""
    program = PROGRAM.read_bytes()
    names = program[program.index(b"require-concurrent-index-creationrequire-concurrent-index-d") :]
    names = names[: names.index(b"ban-drop-view")]
    for name in sorted([*LEFT_OUT, *SQUAWK, "unused-ignore", "require-table-schema"], key=len)[
        ::-1
    ]:
        names = names.replace(name.encode(), b"")
    assert names == b""


def test_squawk_knows_what_is_left_out() -> None:
    command = [str(PROGRAM), "--config=/dev/null", f"--exclude={','.join(LEFT_OUT)}"]
    done = subprocess.run(command, input=b"SELECT 1;", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_names_are_for_ever_and_of_one_rule() -> None:
    everything = [*rules.FAULTS, *rules.OWN, *SQUAWKS]
    assert len(everything) == len(RULES)
    assert not RULES.keys() & LEFT_OUT.keys()
    for rule in everything:
        assert re.fullmatch("[a-z]+(-[a-z]+)*", rule.name)
        assert rule.remedy
        assert not rule.meaning.endswith(".")


def _rows(heading: str) -> list[list[str]]:
    page = (ROOT / "docs" / "schema.md").read_text().partition(f"\n{heading}\n")[2]
    table = re.split(r"\n#", page)[0]
    rows = re.findall(r"^\| (`[a-z-]+` .*) \|$", table, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows]


@pytest.mark.parametrize(
    ("heading", "listed"),
    [
        ("### What cannot be run", rules.FAULTS),
        ("### What deletes data", [rule for rule in rules.OWN if rule.destructive]),
        ("### What else is found", [rule for rule in rules.OWN if not rule.destructive]),
        ("### What squawk finds", SQUAWKS),
    ],
)
def test_the_docs_have_every_rule(heading: str, listed: list[rules.Rule]) -> None:
    assert _rows(heading) == [
        [f"`{rule.name}`", rule.level, rule.meaning, rule.remedy] for rule in listed
    ]


def test_the_docs_have_what_is_left_out() -> None:
    assert _rows("### What of squawk is left out") == [
        [f"`{name}`", f"`{why}`" if why in RULES else why] for name, why in LEFT_OUT.items()
    ]
