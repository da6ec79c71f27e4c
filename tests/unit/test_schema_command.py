"""`daap-operator schema lint` and `plan`, as people and programs call them."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from daap_operator import __main__, cli
from daap_operator.schema import plan_command
from daap_operator.schema.command import COMMANDS
from daap_operator.schema.model import Applied, Part
from daap_operator.schema.planning import plan as planned
from daap_operator.schema.report import document

FILES = {
    "schema/001_users.sql": (
        "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL);\n"
        "CREATE INDEX users_name ON users (name);\n"
    ),
    "schema/002_orders.sql": (
        "-- é\nALTER TABLE orders\n  ADD COLUMN note text;\n\nDROP TABLE old_orders;\n"
    ),
    "schema/003_index.sql": "CREATE INDEX CONCURRENTLY i ON app.orders (note);\n",
    "fixtures/001_users.sql": "INSERT INTO users VALUES (1, 'é') ON CONFLICT DO NOTHING;\n",
}


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def _wrong(directory: Path, text: str) -> Path:
    (directory / "schema" / "004_wrong.sql").write_text(text)
    return directory


def test_lint_tells_file_line_rule_and_remedy(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["schema", "lint", str(directory)]) == 0
    assert capsys.readouterr().out.split("\n") == [
        (
            "002_orders.sql:5: warning, deletes data: drop-table: DROP TABLE old_orders: deletes "
            "the table with all its rows"
        ),
        "    instead: release first what no longer uses it, and have a backup",
        "4 files: 0 errors and 1 warning, of which 1 about data that would be deleted",
        (
            "all of it was looked at as one plan for an empty database; to look at what comes "
            "after the files that are applied already, name the last of them: --applied FILE"
        ),
        "",
    ]


def test_a_remedy_is_told_where_its_rule_is_broken_first(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["schema", "lint", str(_wrong(directory, "DROP TABLE a;\nDROP TABLE b;"))])
    told = capsys.readouterr().out
    assert told.count("drop-table") == 3
    assert told.count("instead: release first what no longer uses it") == 1


def test_lint_ends_with_1_when_a_finding_stops_a_file(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["schema", "lint", "--level", "warning", str(directory)]) == 1
    _wrong(directory, "SELECT 1;\nSELECT 1 FROM x y z;\n")
    assert cli.main(["schema", "lint", str(directory)]) == 1
    assert (
        "004_wrong.sql:2: error: syntax-error: syntax error at or near" in capsys.readouterr().out
    )
    assert cli.main(["schema", "lint", "--level", "never", str(directory)]) == 1


def test_lint_looks_at_what_comes_after_what_is_applied(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _wrong(directory, "CREATE INDEX users_id ON users (id);")
    arguments = ["schema", "lint", str(directory), "--ignore", "drop-column"]
    assert cli.main(["schema", "lint", str(directory)]) == 0
    assert "index-blocks-writes" not in capsys.readouterr().out
    assert cli.main([*arguments[:3], "--applied", "003_index.sql"]) == 0
    found = capsys.readouterr().out
    assert "004_wrong.sql:1: warning: index-blocks-writes: CREATE INDEX users_id on users" in found
    assert "002_orders.sql" not in found
    assert "--applied" not in found


def test_rules_are_left_out_one_by_one_or_with_commas(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _wrong(directory, "LOCK orders; DROP DATABASE x; SET ROLE y;")
    ignored = ["--ignore", "lock-table, owner-cannot", "--ignore", "role-change,mixed-transactions"]
    assert cli.main(["schema", "lint", str(directory), *ignored]) == 0
    assert "004_wrong" not in capsys.readouterr().out


def test_plan_tells_what_would_run_and_how(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["schema", "plan", str(directory)]) == 0
    told = capsys.readouterr().out.split("\n")
    assert told[:6] == [
        "4 files to apply, in this order:",
        "FILE                    STATEMENTS  RUNS                    LOCKS",
        "001_users.sql           2           in one transaction      none that others wait for",
        (
            "002_orders.sql          2           in one transaction      ACCESS EXCLUSIVE on "
            "orders, ACCESS EXCLUSIVE on old_orders"
        ),
        (
            "003_index.sql           1           statement by statement  SHARE UPDATE EXCLUSIVE on "
            "app.orders"
        ),
        "fixtures/001_users.sql  1           in one transaction      none that others wait for",
    ]
    assert told[-2].startswith("plan ")


def test_plan_ends_with_1_when_something_is_in_the_way(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["schema", "plan", str(_wrong(directory, "BEGIN;"))]) == 1
    told = capsys.readouterr().out
    assert "nothing can be applied:\n004_wrong.sql: FileFailed: line 1: transaction-control" in told


def test_plan_of_nothing_new(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = str(directory / "schema")
    assert cli.main(["schema", "plan", schema, "--applied", "003_index.sql"]) == 0
    assert capsys.readouterr().out.startswith("nothing is pending\n\nplan ")


def test_plan_asks_the_ledger(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def ledger(url: str, name: str) -> list[Applied]:
        asked.append((url, name))
        return [Applied(Part.SCHEMA, "001_users.sql", "0" * 64)]

    monkeypatch.setattr(plan_command, "_ledger", ledger)
    arguments = ["schema", "plan", str(directory), "--ledger", "billing"]
    assert cli.main([*arguments, "--database-url", "postgresql://x"]) == 1
    monkeypatch.setenv("PGHOST", "db")
    assert cli.main(arguments) == 1
    monkeypatch.setenv("DATABASE_URL", "postgresql://y")
    assert cli.main(arguments) == 1
    assert [url for url, name in asked if name == "billing"] == [
        "postgresql://x",
        "",
        "postgresql://y",
    ]
    assert "001_users.sql: AppliedFileChanged: was applied with the" in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "code"), [("RefusedError", 2), ("SchemaError", 3)])
def test_plan_says_why_the_ledger_cannot_be_read(
    kind: str,
    code: int,
    directory: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors, looking = ModuleType("errors"), ModuleType("looking")
    above = type("SchemaError", (Exception,), {})
    below = type("RefusedError", (above,), {})
    raised = {"SchemaError": above, "RefusedError": below}
    vars(errors).update(raised)

    def applied(url: str, name: str) -> None:
        raise raised[kind](f"no ledger {name} in {url}\x1b")

    vars(looking)["applied"] = applied
    monkeypatch.setitem(sys.modules, "daap_operator.schema.errors", errors)
    monkeypatch.setitem(sys.modules, "daap_operator.schema.looking", looking)
    arguments = ["schema", "plan", str(directory), "--database-url", "postgresql://x"]
    assert cli.main(arguments) == code
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "error: no ledger default in postgresql://x\ufffd\n")


@pytest.mark.parametrize("command", ["lint", "plan"])
def test_json_is_the_whole_plan(
    command: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["schema", command, "--json", str(_wrong(directory, "SELECT ("))]) == 1
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["format", "hash", "pending", "obstacles"]
    assert [each["file"] for each in told["pending"]] == [
        "001_users.sql",
        "002_orders.sql",
        "003_index.sql",
        "004_wrong.sql",
        "001_users.sql",
    ]
    assert told["pending"][1] == {
        "part": "schema",
        "file": "002_orders.sql",
        "checksum": told["pending"][1]["checksum"],
        "statements": 2,
        "transactional": True,
        "locks": [
            {"mode": "ACCESS EXCLUSIVE", "relation": "orders"},
            {"mode": "ACCESS EXCLUSIVE", "relation": "old_orders"},
        ],
        "findings": [
            {
                "rule": "drop-table",
                "level": "Warning",
                "line": 5,
                "message": "DROP TABLE old_orders: deletes the table with all its rows",
                "remedy": "release first what no longer uses it, and have a backup",
                "destructive": True,
            }
        ],
    }
    assert told["obstacles"] == [
        {
            "reason": "FileFailed",
            "file": "004_wrong.sql",
            "line": 1,
            "message": "line 1: syntax-error: syntax error at end of input: correct it; nothing "
            "of this file can be run",
        }
    ]


USAGE: dict[str, tuple[list[str], str]] = {
    "no such directory": (["lint", "{}/gone"], "gone': there is no such file or directory"),
    "nothing in it": (["plan", "{}/empty"], "empty': no file whose name ends with .sql"),
    "an unknown rule": (["lint", "{}", "--ignore", "x"], "--ignore: 'x' is no rule that can be"),
    "a rule that stays": (["plan", "{}", "--ignore", "drop-table"], "cannot be left out"),
    "applied what is not": (
        ["lint", "{}", "--applied", "9.sql"],
        "--applied '9.sql' is none of the schema's files: 001_users.sql, 002_orders.sql",
    ),
    "an unknown level": (["lint", "{}", "--level", "x"], "invalid choice: 'x'"),
    "no path": (["lint"], "the following arguments are required: PATH"),
    "no command": ([], "the following arguments are required: COMMAND"),
    "another command": (["undo"], "invalid choice: 'undo'"),
}


@pytest.mark.parametrize("case", USAGE)
def test_a_wrong_argument_ends_with_2_and_says_which(
    case: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, message = USAGE[case]
    (directory / "empty").mkdir()
    arguments = [each.replace("{}", str(directory)) for each in arguments]
    try:
        code = cli.main(["schema", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    told = capsys.readouterr()
    assert code == 2
    assert message in told.err
    assert told.out == ""


def test_a_file_that_cannot_be_one_is_named(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "schema" / "004 x.sql").write_text("SELECT 1;")
    assert cli.main(["schema", "lint", str(directory)]) == 2
    assert "error: file '004 x.sql': a name has letters" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
def test_each_command_has_its_help(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["schema", getattr(command, "name", ""), "--help"])
    assert ended.value.code == 0
    assert "PATH" in capsys.readouterr().out


def test_schema_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["schema", "--help"])
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert all(f"{each.name}: {each.help}" in told for each in COMMANDS)


def test_other_commands_do_not_wait_for_the_parser() -> None:
    code = (
        "import sys; from daap_operator import cli; cli.main(['crds', '--output', '/dev/null']); "
        "sys.exit(any(name.startswith(('postgast', 'google.')) for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("command", [each.name for each in COMMANDS])
def test_its_commands_do_not_wait_for_the_operator(command: str, directory: Path) -> None:
    code = (
        "import sys; from daap_operator import __main__ as entry; "
        f"sys.argv[1:] = ['schema', {command!r}, {str(directory)!r}, '--ledger=x', '--no-such']\n"
        "try: entry.main()\n"
        "except SystemExit as ended: assert ended.code == 2\n"
        "sys.exit(any(name.startswith(('kubernetes', 'kopf', 'pydantic')) for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "arguments", [["schema", "--help"], ["--version"], ["schema", "undo"], ["schema"], []]
)
def test_all_others_are_the_operators(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for main in (__main__.main, cli.main):
        monkeypatch.setattr(sys, "argv", ["daap-operator", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told.append((ended.value.code, *capsys.readouterr()))
    assert told[0] == told[1]


def test_a_plan_that_is_empty_is_a_document() -> None:
    found = document(planned([], []))
    assert (found["pending"], found["obstacles"]) == ([], [])
