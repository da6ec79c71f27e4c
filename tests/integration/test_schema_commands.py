"""`daap-operator schema apply`, `wait` and `verify`, as people and Jobs call them."""

import argparse
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from daap_operator.cli import main
from daap_operator.schema import apply_command, ledger_sum, wait_command
from daap_operator.schema.telling import World
from tests.integration.schema_stage import FIVE, FIXTURES, SIX, dump, files, ledger, rows, run_sql

ROOT = Path(__file__).parents[2]
VARIABLES = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}


@dataclass
class Ended:
    code: int
    out: str
    err: str
    words: Any = None


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return written(tmp_path / "shop", FIVE, FIXTURES)


def written(directory: Path, schema: Mapping[str, str], fixtures: Mapping[str, str]) -> Path:
    for part, given in (("schema", schema), ("fixtures", fixtures)):
        (directory / part).mkdir(parents=True, exist_ok=True)
        for name, text in given.items():
            (directory / part / name).write_text(text)
    return directory


def call(module: ModuleType, environment: Mapping[str, str], words: Path, *given: object) -> Ended:
    parser = argparse.ArgumentParser()
    module.arguments(parser)
    args = parser.parse_args(list(map(str, given)))
    out, err = io.StringIO(), io.StringIO()
    command = getattr(module, module.__name__.rpartition(".")[2].removesuffix("_command"))
    code = command(args, World(environment, out, err, words))
    text = words.read_text() if words.exists() else ""
    return Ended(code, out.getvalue(), err.getvalue(), json.loads(text) if text else None)


def apply(url: str, place: Path, *given: object, words: str = "absent") -> Ended:
    environment = {"DATABASE_URL": url, "HOSTNAME": "shop-schema-abc12"}
    words_ = place / words
    options = ("--level", "never", *given)
    return call(apply_command, environment, words_, place, *options)


def test_apply_prints_the_plan_each_file_with_its_time_and_the_checksum(
    empty_database: str, place: Path
) -> None:
    ended = apply(empty_database, place)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert re.fullmatch(r"plan [0-9a-f]{64}: 7 files to apply", lines[0])
    for name, line in zip([*FIVE, *FIXTURES], lines[1:], strict=False):
        assert re.fullmatch(rf"applying {re.escape(name)} … \d+\.\d\d s", line)
    checksum = ledger_sum.checksum(files(FIVE, FIXTURES))
    assert lines[8:] == [f"7 applied, the checksum of the ledger 'default' is {checksum}"]
    assert ended.words is None
    again = apply(empty_database, place)
    assert again.out.splitlines()[1].startswith("already up to date, the checksum")
    assert rows(empty_database, "SELECT DISTINCT job FROM daap_schema.ledger") == [
        ("shop-schema-abc12",)
    ]


def test_a_container_leaves_its_result_as_last_words_and_in_its_log(
    empty_database: str, place: Path
) -> None:
    (place / "words").touch()
    ended = apply(empty_database, place, words="words")
    assert ended.code == 0
    assert ended.words["result"] == "Applied"
    assert ended.words["current"] == "005_large.sql"
    assert ended.words["ledgerChecksum"] == ledger_sum.checksum(files(FIVE, FIXTURES))
    assert [each["file"] for each in ended.words["applied"]] == [*FIVE, *FIXTURES]
    assert json.loads(ended.out.splitlines()[-1]) == ended.words


def test_a_file_that_fails_is_told_to_people_and_programs(empty_database: str, place: Path) -> None:
    (place / "words").touch()
    (place / "schema" / "003_disks.sql").write_text("SELECT 1;\nSELECT nonsense;")
    ended = apply(empty_database, place, words="words")
    assert ended.code == 3
    assert ended.err.splitlines() == [
        'error: 003_disks.sql:2: column "nonsense" does not exist (SQLSTATE 42703)',
        "  Nothing of it is applied: it runs in one transaction.",
    ]
    assert "applying 003_disks.sql … failed" in ended.out
    assert ended.words["result"] == "Failed"
    assert ended.words["reason"] == "FileFailed"
    assert ended.words["lastError"] == {
        "part": "schema",
        "file": "003_disks.sql",
        "line": 2,
        "sqlstate": "42703",
        "message": 'column "nonsense" does not exist',
    }
    assert ended.words["current"] == "002_sizes.sql"
    assert [each["file"] for each in ended.words["applied"]] == list(FIVE)[:2]
    assert ended.words["pending"][0]["file"] == "003_disks.sql"
    assert ended.words["ledgerChecksum"] == ledger_sum.checksum(files(FIVE)[:2])


def test_a_table_that_others_hold_is_not_told_as_the_files_failure(
    empty_database: str, place: Path
) -> None:
    (place / "words").touch()
    assert apply(empty_database, place).code == 0
    written(place, {"006.sql": "ALTER TABLE servers ADD COLUMN more int;"}, {})
    with psycopg.connect(empty_database) as other:
        other.execute("SELECT * FROM servers")
        given = ("--lock-timeout", "0.05", "--tries", "2")
        ended = apply(empty_database, place, *given, words="words")
        pid = other.info.backend_pid
    assert ended.code == 3
    assert (ended.words["result"], ended.words["reason"]) == ("Failed", "LockTimeout")
    assert "runbook" not in ended.words
    assert f"held by process {pid} of the role daap in a transaction" in ended.words["message"]
    assert ended.words["lastError"] == {
        "part": "schema",
        "file": "006.sql",
        "line": 1,
        "sqlstate": "55P03",
        "message": "canceling statement due to lock timeout",
    }
    assert "applying 006.sql … failed" in ended.out.splitlines()


def test_what_is_refused_says_why_to_people_and_programs(empty_database: str, place: Path) -> None:
    (place / "words").touch()
    assert apply(empty_database, place, words="words").code == 0
    (place / "schema" / "001_servers.sql").write_text("SELECT 1;")
    ended = apply(empty_database, place, words="words")
    assert ended.code == 2
    assert ended.words["result"] == "Refused"
    assert ended.words["reason"] == "AppliedFileChanged"
    assert files(FIVE)[0].checksum in ended.err
    (place / "schema" / "001_servers.sql").write_bytes(b"\xff")
    ended = apply(empty_database, place, words="words")
    assert (ended.code, ended.words["reason"]) == (2, "BadFiles")
    assert "UTF-8" in ended.words["message"]


def test_findings_stop_a_file_unless_they_are_left_out(empty_database: str, tmp_path: Path) -> None:
    place = written(tmp_path, {"001.sql": "CREATE TABLE a (b int);\nSELECT nonsense"}, {})
    (place / "schema" / "001.sql").write_text("SELECT 1;\nBEGIN;")
    ended = apply(empty_database, place)
    assert ended.code == 2
    assert "001.sql: line 2" in ended.err
    assert dump(empty_database) == []


def test_the_database_is_found_by_the_pg_variables(empty_database: str, place: Path) -> None:
    parts = conninfo_to_dict(empty_database) | {}
    environment = {name: str(parts[part]) for part, name in VARIABLES.items()}
    environment |= {"PGDATABASE": str(parts["dbname"])}
    made = subprocess.run(
        [sys.executable, "-m", "daap_operator", "schema", "apply", place, "--level", "never"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")
    assert "applying 005_large.sql … " in made.stdout
    assert ledger(empty_database) == [*FIVE, *FIXTURES]


@pytest.fixture
def at_database(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    return empty_database


def test_plan_approve_apply_verify(
    at_database: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", "apply", str(place), "--level", "never"]) == 0
    drops = "DROP VIEW large;\nDROP TABLE disks;"
    (place / "schema" / "006_drops.sql").write_text(drops)
    capsys.readouterr()
    assert main(["schema", "verify", str(place)]) == 1
    assert capsys.readouterr().out == "006_drops.sql is not applied\n"
    assert main(["schema", "apply", str(place), "--level", "never"]) == 2
    told = capsys.readouterr()
    (hash_,) = re.findall(r"approve it with --plan ([0-9a-f]{64})", told.err)
    assert main(["schema", "plan", str(place), "--json"]) in (0, 1)
    assert hash_ in capsys.readouterr().out
    assert main(["schema", "apply", str(place), "--level", "never", "--plan", hash_[::-1]]) == 2
    told = capsys.readouterr()
    assert hash_ in told.err
    assert hash_[::-1] in told.err
    assert main(["schema", "apply", str(place), "--level", "never", "--plan", hash_]) == 0
    capsys.readouterr()
    assert main(["schema", "verify", str(place)]) == 0
    assert capsys.readouterr().out == "8 files are applied, and nothing differs\n"
    run_sql(at_database, "ALTER TABLE servers ADD COLUMN more int")
    assert main(["schema", "verify", str(place), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["verified"]
    assert found["drift"] == [
        {
            "change": "Unknown",
            "kind": "column",
            "name": "public.servers.more",
            "file": "",
            "message": "column public.servers.more is there, and no file made it: integer",
        }
    ]


def test_a_database_that_is_not_there_is_no_traceback(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://daap:secret@127.0.0.1:1/daap")
    for command, more in (
        ("plan", []),
        ("verify", []),
        ("apply", ["--wait", "0"]),
        ("wait", ["--timeout", "0"]),
    ):
        assert main(["schema", command, str(place), *more]) in (2, 3)
        told = capsys.readouterr()
        assert "no connection" in told.err
        assert "secret" not in told.err + told.out
        assert "Traceback" not in told.err


def test_wait_says_what_is_missing_and_what_is_there(empty_database: str, place: Path) -> None:
    environment = {"DATABASE_URL": empty_database}
    ended = call(wait_command, environment, place / "absent", place, "--timeout", "0")
    assert ended.code == 3
    assert ended.err.splitlines()[:2] == [
        "error: not within 0 s:",
        "001_servers.sql is not applied",
    ]
    assert apply(empty_database, place).code == 0
    checksum = ledger_sum.checksum(files(FIVE, FIXTURES))
    for given in ([place], ["--count", "7"], ["--checksum", checksum]):
        ended = call(wait_command, environment, place / "absent", *given, "--timeout", "0")
        assert (ended.code, ended.err) == (0, "")
    ended = call(wait_command, environment, place / "absent", "--checksum", "ab", "--timeout", "0")
    assert checksum in ended.err


def test_wait_wants_to_know_what_for(at_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "wait", "--timeout", "0"]) == 2
    assert "name the files, or --count, or --checksum" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given",
    [
        ["--tries", "0"],
        ["--tries", "many"],
        ["--lock-timeout", "-1"],
        ["--wait", "nan"],
        ["--statement-timeout", "inf"],
        ["--on-destructive", "perhaps"],
    ],
)
def test_an_argument_that_is_none_is_refused(
    place: Path, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["schema", "apply", str(place), *given])
    assert caught.value.code == 2
    assert given[0] in capsys.readouterr().err


def test_more_files_are_applied_as_they_come(empty_database: str, place: Path) -> None:
    assert apply(empty_database, place).code == 0
    written(place, SIX, {})
    ended = apply(empty_database, place)
    assert "1 file to apply" in ended.out
    assert "1 applied, the checksum" in ended.out
