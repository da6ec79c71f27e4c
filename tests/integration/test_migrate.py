"""`daap-operator migrate` on a real PostgreSQL: what it prints, refuses, leaves and heals."""

import io
import shutil
from pathlib import Path

import psycopg
import pytest

from daap_operator import migrate
from daap_operator.migrate import RefusedError, database, shipped
from daap_operator.mirror import statements
from dev.postgres import Server
from tests.integration.migrating import IDS, ROOT, applied, recorded, rows, run, write


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The migrations of the repository, to be tampered with; the path tries to be a pattern."""
    directory = tmp_path / "a [1-9] ?*" / "migrations"
    shutil.copytree(ROOT / "migrations", directory)
    return directory


# What it prints, and how it ends


def test_files_are_printed_in_order_with_their_duration(empty_database: str) -> None:
    code, output = run(empty_database)
    lines = output.splitlines()
    assert code == 0
    assert lines[:-1:2] == [f"applying {id_}.sql" for id_ in IDS]
    assert all(line.startswith("  done in ") and line.endswith(" ms") for line in lines[1:-1:2])
    assert lines[-1] == f"{len(IDS)} applied, the schema is at {IDS[-1]}"
    assert run(empty_database) == (0, "already up to date\n")


def test_to_stops_there(empty_database: str) -> None:
    assert run(empty_database, "--to", "002")[0] == 0
    assert applied(empty_database) == IDS[:2]
    assert run(empty_database, "--to", IDS[3])[0] == 0
    assert applied(empty_database) == IDS[:4]
    assert run(empty_database, "--to", "001") == (0, "already up to date\n")


def test_rollback_goes_back_newest_first(migrated_database: str) -> None:
    code, output = run(migrated_database, "rollback", "--to", "003")
    lines = output.splitlines()
    assert code == 0
    assert lines[:-1:2] == [f"rolling back {id_}.sql" for id_ in IDS[:2:-1]]
    assert lines[-1] == f"{len(IDS) - 3} rolled back, the schema is at {IDS[2]}"
    assert applied(migrated_database) == IDS[:3]
    assert set(recorded(migrated_database)) == set(IDS[:3])
    assert run(migrated_database, "rollback", "--to", "003") == (0, "nothing to roll back\n")


def test_status_tells_and_changes_nothing(empty_database: str) -> None:
    code, output = run(empty_database, "status")
    assert code == 1
    assert [line.split() for line in output.splitlines()[1:]] == [
        [id_, "-", "pending"] for id_ in IDS
    ]
    assert rows(empty_database, "SELECT * FROM pg_tables WHERE schemaname = 'public'") == []
    run(empty_database, "--to", "004")
    code, output = run(empty_database, "status")
    assert code == 1
    states = [line.split()[-1] for line in output.splitlines()[1:]]
    assert states == ["applied"] * 4 + ["pending"] * (len(IDS) - 4)
    run(empty_database)
    assert run(empty_database, "status")[0] == 0


def test_every_file_is_recorded_with_its_checksum(migrated_database: str) -> None:
    assert recorded(migrated_database) == {file.id: file.sha256 for file in shipped()}
    with psycopg.connect(migrated_database) as connection:
        assert connection.execute(statements.HAS_MIGRATIONS).fetchone() == (True,)
        found = connection.execute(statements.APPLIED, {"ids": IDS}).fetchall()
    assert migrate.missing(shipped(), [row[0] for row in found]) == []


def test_the_operator_finds_nothing_applied_where_nothing_was(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        assert connection.execute(statements.HAS_MIGRATIONS).fetchone() == (False,)


# What it refuses


def test_an_edited_file_is_refused_and_nothing_is_applied(
    empty_database: str, copies: Path
) -> None:
    run(empty_database, "--to", "003", directory=copies)
    path = copies / f"{IDS[1]}.sql"
    was = recorded(empty_database)[IDS[1]]
    path.write_text(path.read_text() + "-- only a comment\n")
    now = next(file.sha256 for file in shipped(copies) if file.id == IDS[1])
    code, output = run(empty_database, directory=copies)
    assert code == 2
    assert f"{path} was edited after it was applied" in output
    assert was in output
    assert now in output
    assert "restore the file, and make the change in a new migration" in output
    assert applied(empty_database) == IDS[:3]
    code, output = run(empty_database, "status", directory=copies)
    assert code == 2
    assert [line.split()[-1] for line in output.splitlines()[1:7]] == [
        *("applied", "edited", "applied"),
        *("pending", "pending", "pending"),
    ]
    assert run(empty_database, "rollback", "--to", "none", directory=copies)[0] == 2
    assert applied(empty_database) == IDS[:3]
    shutil.copy(ROOT / "migrations" / path.name, path)
    assert run(empty_database, directory=copies)[0] == 0


def test_a_file_slipped_in_before_an_applied_one_is_refused(
    empty_database: str, tmp_path: Path
) -> None:
    directory = write(tmp_path / "own", m001_a="CREATE TABLE a ();", m003_c="CREATE TABLE c ();")
    run(empty_database, directory=directory)
    write(directory, m002_b="CREATE TABLE b ();", m004_d="CREATE TABLE d ();")
    code, output = run(empty_database, directory=directory)
    assert code == 2
    assert "002_b is not applied, but 003_c, which comes after it, is" in output
    assert run(empty_database, "status", directory=directory)[0] == 2
    assert applied(empty_database) == ["001_a", "003_c"]


def test_what_a_newer_version_applied_is_told_and_left_alone(
    migrated_database: str, copies: Path
) -> None:
    write(copies, m900_newer="CREATE TABLE newer ();")
    run(migrated_database, directory=copies)
    assert run(migrated_database) == (
        0,
        "900_newer was applied by a newer version: left alone\nalready up to date\n",
    )
    code, output = run(migrated_database, "status")
    assert code == 0
    assert output.splitlines()[-1].split()[-1] == "unknown"
    code, output = run(migrated_database, "rollback", "--to", "005")
    assert code == 2
    assert "900_newer is applied, and only the version that shipped it" in output
    assert applied(migrated_database) == [*IDS, "900_newer"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("-- transactional: false\nSELECT 1;", "not with `transactional: false`"),
        ("-- depends: 000_nobody\nSELECT 1;", "Could not resolve dependencies"),
    ],
    ids=["no transaction", "unknown dependence"],
)
def test_an_unfit_file_is_refused_before_any_is_applied(
    empty_database: str, tmp_path: Path, statement: str, message: str
) -> None:
    directory = write(tmp_path / "own", m001_a="CREATE TABLE a ();", m002_b=statement)
    code, output = run(empty_database, directory=directory)
    assert code == 2
    assert message in output
    assert run(empty_database, "status", directory=directory)[0] == 1


def test_a_rollback_without_its_file_is_refused(empty_database: str, copies: Path) -> None:
    run(empty_database, directory=copies)
    (copies / f"{IDS[4]}.rollback.sql").unlink()
    code, output = run(empty_database, "rollback", "--to", "003", directory=copies)
    assert code == 2
    assert f"{IDS[4]}.rollback.sql is missing" in output
    assert applied(empty_database) == IDS


# Errors and cut short runs


def test_a_failing_migration_leaves_nothing_of_itself_and_all_before_it(
    empty_database: str, tmp_path: Path
) -> None:
    directory = write(
        tmp_path / "own",
        m001_a="CREATE TABLE a ();",
        m002_b="CREATE TABLE b (); SELECT 1/0;",
        m003_c="CREATE TABLE c ();",
    )
    code, output = run(empty_database, directory=directory)
    assert code == 3
    assert f"error: {directory}/002_b.sql failed: division by zero" in output
    assert applied(empty_database) == ["001_a"]
    assert rows(empty_database, "SELECT to_regclass('b'), to_regclass('c')") == [(None, None)]
    write(directory, m002_b="CREATE TABLE b ();")
    assert run(empty_database, directory=directory)[0] == 0
    assert applied(empty_database) == ["001_a", "002_b", "003_c"]


def test_steps_record_and_checksum_are_one_transaction(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(database, "record", fail)
        with pytest.raises(KeyboardInterrupt):
            run(empty_database)
    assert applied(empty_database) == []
    assert rows(empty_database, "SELECT to_regclass('databases')") == [(None,)]
    assert run(empty_database)[0] == 0


def test_what_was_applied_without_a_checksum_gets_one(migrated_database: str) -> None:
    with psycopg.connect(migrated_database) as connection:
        connection.execute("DROP TABLE daap_migration_checksums")
    assert run(migrated_database, "status")[0] == 0
    code, output = run(migrated_database)
    assert code == 0
    assert output.splitlines() == [
        *(f"{id_} was applied by other means: its checksum is recorded now" for id_ in IDS),
        "already up to date",
    ]
    assert recorded(migrated_database) == {file.id: file.sha256 for file in shipped()}


def test_the_lock_that_a_killed_yoyo_left_is_broken(migrated_database: str) -> None:
    run(migrated_database, "rollback", "--to", "005")
    with psycopg.connect(migrated_database) as connection:
        connection.execute("INSERT INTO yoyo_lock (pid, ctime) VALUES (1, now())")
    assert run(migrated_database)[0] == 0
    assert rows(migrated_database, "SELECT * FROM yoyo_lock") == []


def test_a_nameless_user_can_migrate(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert run(empty_database)[0] == 0
    assert rows(empty_database, "SELECT DISTINCT username FROM _yoyo_log") == [("daap-operator",)]


def test_refused_is_an_error_for_callers_too(migrated_database: str) -> None:
    with pytest.raises(RefusedError, match="there is no migration '999'"):
        migrate.migrate(migrated_database, to="999", out=io.StringIO())


def test_the_database_that_the_url_names_is_left_alone(postgres_server: Server) -> None:
    tables = "SELECT tablename FROM pg_tables WHERE tablename ~ 'yoyo|daap_migration'"
    before = rows(postgres_server.url, tables)
    with postgres_server.database() as url:
        run(url)
    assert rows(postgres_server.url, tables) == before
