"""`daap-operator schema check`: plan and drift as a Job leaves them, and nothing is changed."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from daap_operator.schema import apply_command, catalogue, check_command, ledger_sum, sessions
from daap_operator.schema.files_sum import files_checksum
from dev.postgres import Postgres
from tests.integration.schema_stage import (
    FIVE,
    FIXTURES,
    SIX,
    applied,
    dump,
    files,
    ledger,
    run_sql,
)
from tests.integration.test_schema_commands import Ended, apply, call, written


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "words").touch()
    return written(tmp_path / "shop", FIVE, FIXTURES)


def check(url: str, place: Path, *given: object) -> Ended:
    environment = {"DATABASE_URL": url, "HOSTNAME": "shop-check-abc12"}
    return call(check_command, environment, place.parent / "words", place, *given)


def of(schema: dict[str, str], fixtures: dict[str, str]) -> str:
    """The checksum of these files."""
    found = files(schema, fixtures)
    return files_checksum((each.part, each.name, each.checksum) for each in found)


def counts(words: Any) -> tuple[int, ...]:
    names = ("pending", "findings", "destructive", "obstacles", "drift")
    return tuple(words[f"{name}Count"] for name in names)


def test_an_empty_database_has_all_files_pending_and_no_drift(
    empty_database: str, place: Path
) -> None:
    run_sql(empty_database, "CREATE TABLE older ()")
    before = dump(empty_database)
    ended = check(empty_database, place, "--level", "never")
    assert (ended.code, ended.err) == (0, "")
    words = json.loads(ended.out.splitlines()[-1])
    assert (words["format"], words["result"], words["reason"], words["message"]) == (
        1,
        "Checked",
        "",
        "",
    )
    assert [each["file"] for each in words["pending"]] == [*FIVE, *FIXTURES]
    assert words["pending"][0]["statements"] == 1
    assert (words["current"], words["count"], words["stopped"]) == ("", 0, False)
    assert words["filesChecksum"] == of(FIVE, FIXTURES)
    assert words["drift"] == []
    assert counts(words)[0] == len(FIVE) + len(FIXTURES)
    assert dump(empty_database) == before
    plan = "plan " + words["plan"]
    assert plan in ended.out.splitlines()
    assert "nothing differs from what the files have made" in ended.out
    assert ended.words["plan"] == words["plan"]
    # The plan that is told is the one that is applied
    assert apply(empty_database, place, "--plan", words["plan"]).code == 0


def test_pending_files_and_drift_are_told_with_their_counts(
    empty_database: str, place: Path
) -> None:
    assert apply(empty_database, place).code == 0
    run_sql(empty_database, "ALTER TABLE disks ADD COLUMN more int", "DROP VIEW large")
    drops = {"006_drops.sql": "DROP TABLE disks;\nALTER TABLE servers DROP COLUMN size CASCADE;"}
    written(place, drops, {})
    before = dump(empty_database)
    ended = check(empty_database, place)
    assert (ended.code, ended.err) == (0, "")
    words = json.loads(ended.out.splitlines()[-1])
    assert words["ledgerChecksum"] == ledger_sum.checksum(files(FIVE, FIXTURES))
    assert (words["current"], words["count"]) == ("005_large.sql", 7)
    (pending,) = words["pending"]
    assert (pending["part"], pending["file"]) == ("schema", "006_drops.sql")
    assert {"mode": "ACCESS EXCLUSIVE", "relation": "disks"} in pending["locks"]
    destructive = [each for each in pending["findings"] if each["destructive"]]
    assert {each["line"] for each in destructive} == {1, 2}
    assert words["destructiveCount"] == len(destructive)
    assert words["findingsCount"] == len(pending["findings"])
    assert (words["stopped"], words["obstacles"]) == (False, [])
    assert [(each["change"], each["name"]) for each in words["drift"]] == [
        ("Unknown", "public.disks.more"),
        ("Gone", "public.large"),
    ]
    assert words["driftCount"] == 2
    told = ended.out.splitlines()
    assert "view public.large is gone; 005_large.sql made it" in told
    assert "1 file to apply, in this order:" in told
    assert dump(empty_database) == before


def test_nothing_to_do_is_told_as_that(empty_database: str, place: Path) -> None:
    assert apply(empty_database, place).code == 0
    ended = check(empty_database, place)
    assert ended.code == 0
    assert counts(ended.words) == (0, 0, 0, 0, 0)
    assert ended.out.startswith("nothing is pending\n")


@pytest.mark.parametrize(
    ("schema", "reason", "file"),
    [
        ({"001_servers.sql": "SELECT 1;"}, "AppliedFileChanged", "001_servers.sql"),
        ({"002_a.sql": "SELECT 1;"}, "OutOfOrder", "002_a.sql"),
        ({"006.sql": "SELECT 1;\nBEGIN;"}, "FileFailed", "006.sql"),
        ({"006.sql": "CREATE INDEX CONCURRENTLY ON servers (id);"}, "LintFailed", "006.sql"),
    ],
)
def test_what_is_in_the_way_is_no_failure_of_the_check(
    empty_database: str, place: Path, schema: dict[str, str], reason: str, file: str
) -> None:
    assert apply(empty_database, place).code == 0
    written(place, schema, {})
    ended = check(empty_database, place)
    assert (ended.code, ended.words["result"]) == (0, "Checked")
    assert ended.words["stopped"]
    assert (reason, file) in [(each["reason"], each["file"]) for each in ended.words["obstacles"]]
    assert ended.words["obstaclesCount"] == len(ended.words["obstacles"])
    assert apply(empty_database, place, "--on-destructive", "allow", "--level", "error").code == 2


def test_what_a_run_refuses_at_every_level_is_in_the_way_at_every_level(
    empty_database: str, place: Path
) -> None:
    written(place, {"006.sql": "CREATE INDEX CONCURRENTLY ON servers (id);"}, {})
    words = check(empty_database, place, "--level", "never").words
    assert words["stopped"]
    (told,) = words["obstacles"]
    assert (told["reason"], told["file"], told["line"]) == ("FileFailed", "006.sql", 1)
    assert apply(empty_database, place).code == 2


def test_a_baseline_counts_as_it_does_for_a_run(empty_database: str, place: Path) -> None:
    run_sql(empty_database, *(SIX[name] for name in list(SIX)[:3]))
    given = ("--level", "never", "--baseline", "003_disks.sql")
    words = check(empty_database, place, *given).words
    assert [each["file"] for each in words["pending"]] == [*list(FIVE)[3:], *FIXTURES]
    assert words["count"] == 0
    assert words["drift"] == []
    ended = apply(empty_database, place, *given[2:], "--plan", words["plan"])
    assert (ended.code, ended.err) == (0, "")


def test_of_two_ledgers_the_one_that_has_no_file_has_no_drift(
    empty_database: str, place: Path
) -> None:
    applied(empty_database, FIVE)
    run_sql(empty_database, "DROP VIEW large")
    assert check(empty_database, place, "--ledger", "other").words["drift"] == []
    assert len(check(empty_database, place).words["drift"]) == 1


def test_files_that_are_not_the_ones_that_were_ordered_are_refused(
    empty_database: str, place: Path
) -> None:
    ordered = of(FIVE, FIXTURES)
    assert check(empty_database, place, "--files", ordered).code == 0
    written(place, SIX, {})
    there = of(SIX, FIXTURES)
    for ended in (
        check(empty_database, place, "--files", ordered),
        apply(empty_database, place, "--files", ordered, words="../words"),
    ):
        assert ended.code == 2
        assert (ended.words["result"], ended.words["reason"]) == ("Refused", "FilesChanged")
        assert ended.words["filesChecksum"] == there
        for digits in (ordered[:12], there[:12]):
            assert digits in ended.words["message"]
        assert "looked at again by itself" in ended.err
    assert dump(empty_database) == []
    ended = apply(empty_database, place, "--files", there, words="../words")
    assert (ended.code, ended.words["filesChecksum"]) == (0, there)


def test_files_are_read_as_a_job_mounts_them(empty_database: str, tmp_path: Path) -> None:
    """ConfigMaps, several for a part: each a directory of links into one that is replaced whole."""
    (tmp_path / "words").touch()
    given: list[object] = []
    for part, names in (("schema", list(FIVE)[:2]), ("schema", list(FIVE)[2:]), ("", FIXTURES)):
        mount = tmp_path / str(len(given))
        (mount / "..2026_11_30_12_00_00.1").mkdir(parents=True)
        (mount / "..data").symlink_to("..2026_11_30_12_00_00.1")
        for name in names:
            (mount / "..data" / name).write_text((FIVE if part else FIXTURES)[name])
            (mount / name).symlink_to(f"..data/{name}")
        given += [mount] if part else ["--fixtures", mount]
    (tmp_path / "empty").mkdir()
    paths = (tmp_path / "empty", *given, "--files", of(FIVE, FIXTURES), "--level", "never")
    environment, words = {"DATABASE_URL": empty_database}, tmp_path / "words"
    ended = call(check_command, environment, words, *paths)
    assert (ended.code, ended.err, ended.words["pendingCount"]) == (0, "", 7)
    assert call(apply_command, environment, words, *paths).code == 0
    assert ledger(empty_database) == [*FIVE, *FIXTURES]
    assert ended.words["filesChecksum"] == of(FIVE, FIXTURES)


def test_of_files_that_have_changed_and_are_bad_the_change_counts(
    empty_database: str, place: Path
) -> None:
    ordered = of(FIVE, FIXTURES)
    (place / "schema" / "001_servers.sql").write_bytes(b"\xff")
    assert check(empty_database, place, "--files", ordered).words["reason"] == "FilesChanged"
    words = check(empty_database, place).words
    assert (words["result"], words["reason"]) == ("Refused", "BadFiles")
    # So that whoever ordered the run for these files knows that they are what is bad
    again = check(empty_database, place, "--files", words["filesChecksum"]).words
    assert again["reason"] == "BadFiles"
    # A link whose end is gone, as for a moment in a volume that is renewed
    (place / "schema" / "001_servers.sql").unlink()
    (place / "schema" / "001_servers.sql").symlink_to("..data/001_servers.sql")
    words = check(empty_database, place, "--files", ordered).words
    assert (words["reason"], words["filesChecksum"]) == ("FilesChanged", "")
    assert "is no file" in words["message"]


def test_a_check_refuses_whom_a_run_refuses(own_postgres: Postgres, place: Path) -> None:
    admin = make_conninfo(own_postgres.url, user="postgres", password="postgres")
    cases: tuple[tuple[str, tuple[str, ...], str], ...] = (
        (admin, (), "postgres is a superuser"),
        (own_postgres.url, ("--role", "postgres"), "--role postgres: permission denied"),
        (own_postgres.url, ("--role", "nobody"), '--role nobody: role "nobody" does not exist'),
        (own_postgres.url, ("--search-path", "a,,b"), "--search-path a,,b: invalid value"),
        (own_postgres.url, ("--ignore", "drop-table"), "--ignore: 'drop-table' cannot be left out"),
        (own_postgres.url, ("--baseline", "9.sql"), "--baseline 9.sql is none of the files"),
    )
    for url, given, message in cases:
        for ended in (
            check(url, place, *given),
            apply(url, place, *given, words="../words"),
        ):
            assert (ended.code, ended.words["result"]) == (2, "Refused")
            assert message in ended.err
            assert message in ended.words["message"]
    assert dump(own_postgres.url) == []
    assert check(admin, place, "--allow-superuser").code == 0


def test_what_others_hold_locked_is_looked_at_again(
    empty_database: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sessions.PINNED, "lock_timeout", "50ms")
    assert apply(empty_database, place).code == 0
    with psycopg.connect(empty_database) as other:
        other.execute("LOCK daap_schema.ledger IN ACCESS EXCLUSIVE MODE")
        ended = check(empty_database, place, "--wait", "0.2")
        assert ended.code == 3
        assert (ended.words["result"], ended.words["reason"]) == ("Failed", "Unavailable")
        assert "SQLSTATE 55P03" in ended.words["message"]
        assert "trying again (" in ended.out


def test_whatever_a_look_runs_it_cannot_write(
    empty_database: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert apply(empty_database, place).code == 0

    def writes(connection: Any) -> Any:
        return connection.execute("DELETE FROM daap_schema.ledger")

    monkeypatch.setattr(catalogue, "seen", writes)
    ended = check(empty_database, place)
    assert ended.code == 3
    assert "in a read-only transaction" in ended.words["message"]


def test_a_database_that_is_not_there_is_waited_for_and_then_told(place: Path) -> None:
    ended = check("postgresql://daap:secret@127.0.0.1:1/daap", place, "--wait", "0.2")
    assert ended.code == 3
    assert (ended.words["result"], ended.words["reason"]) == ("Failed", "Unavailable")
    assert "trying again (0 of 0.2 s)" in ended.out
    assert "no connection" in ended.words["message"]
    assert "secret" not in ended.out + ended.err + str(ended.words)
    assert ended.words["filesChecksum"] == of(FIVE, FIXTURES)
