"""Many `migrate` at once, and killed ones: each file is applied once, and all end well."""

import io
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from daap_operator import migrate
from daap_operator.migrate import MigrationError, locks, steps
from tests.fix_postgres import wait_until
from tests.integration.migrating import IDS, Clock, Command, applied, recorded, rows, run, write
from tests.integration.schema_snapshot import SNAPSHOT, render


def test_ten_at_once_apply_each_file_once(empty_database: str) -> None:
    commands = [Command(empty_database) for _ in range(10)]
    ends = [command.end() for command in commands]
    assert [code for code, _ in ends] == [0] * 10, ends
    lines = [line for _, output in ends for line in output.splitlines()]
    assert sorted(line for line in lines if line.startswith("applying")) == [
        f"applying {id_}.sql" for id_ in IDS
    ]
    assert lines.count("already up to date") == 9
    assert applied(empty_database) == IDS
    assert rows(empty_database, "SELECT count(*) FROM _yoyo_log") == [(len(IDS),)]
    assert render(empty_database) == SNAPSHOT.read_text()


@pytest.fixture
def blocked(empty_database: str) -> Iterator[psycopg.Connection]:
    """Holds the table `blocker`: a migration that touches it comes to a halt in its middle."""
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE blocker ()")
        connection.commit()
        connection.execute("LOCK TABLE blocker")
        yield connection


HALTED = """
SELECT count(*) FROM pg_locks WHERE relation = 'blocker'::regclass AND NOT granted
"""


def halted(url: str, count: int) -> bool:
    return rows(url, HALTED) == [(count,)]


def halting(directory: Path) -> Path:
    return write(
        directory,
        m001_a="CREATE TABLE a ();",
        m002_b="CREATE TABLE b (); INSERT INTO blocker DEFAULT VALUES;",
        m003_c="CREATE TABLE c ();",
    )


def test_the_run_after_a_killed_one_heals(
    empty_database: str, blocked: psycopg.Connection, tmp_path: Path
) -> None:
    directory = halting(tmp_path / "own")
    killed = Command(empty_database, directory=directory)
    killed.wait_for("applying 002_b.sql")
    wait_until(lambda: halted(empty_database, 1), "the migration touches the held table")
    killed.kill()
    healing = Command(empty_database, directory=directory)
    healing.wait_for("applying 002_b.sql")
    blocked.rollback()
    code, output = healing.end()
    assert code == 0, output
    assert "applying 001_a.sql" not in output
    assert applied(empty_database) == ["001_a", "002_b", "003_c"]
    assert set(recorded(empty_database)) == {"001_a", "002_b", "003_c"}
    assert rows(empty_database, "SELECT count(*) FROM blocker") == [(1,)]
    assert rows(empty_database, "SELECT * FROM yoyo_lock") == []


def test_the_orphan_of_a_killed_one_goes_away_by_itself(
    empty_database: str, blocked: psycopg.Connection, tmp_path: Path
) -> None:
    killed = Command(empty_database, directory=halting(tmp_path / "own"))
    killed.wait_for("applying 002_b.sql")
    wait_until(lambda: halted(empty_database, 1), "the migration touches the held table")
    killed.kill()
    wait_until(lambda: halted(empty_database, 0), "the server notices that the command is dead")


def test_a_killed_ones_transaction_is_waited_for_though_its_lock_is_free(
    empty_database: str, blocked: psycopg.Connection, tmp_path: Path
) -> None:
    """The orphan commits in the end: the next run neither fails nor applies it again."""
    directory = halting(tmp_path / "own")
    run(empty_database, "--to", "001", directory=directory)
    orphan = psycopg.connect(empty_database)
    with orphan:
        orphan.execute(steps.APPLY_LOCK)
        orphan.execute("CREATE TABLE b ()")
        orphan.execute(
            "INSERT INTO _yoyo_migration VALUES (encode(sha256('002_b'), 'hex'), '002_b', now())"
        )
        waiting = Command(empty_database, directory=directory)
        waiting.wait_for("applying 002_b.sql")
        waiting.wait_for("waiting for a table")
    code, output = waiting.end()
    assert code == 0, output
    assert "  done by somebody else meanwhile\napplying 003_c.sql\n" in output
    assert "1 applied, the schema is at 003_c" in output


def test_a_second_one_waits_for_the_first(
    empty_database: str, blocked: psycopg.Connection, tmp_path: Path
) -> None:
    directory = halting(tmp_path / "own")
    first = Command(empty_database, directory=directory)
    first.wait_for("applying 002_b.sql")
    second = Command(empty_database, directory=directory)
    second.wait_for("waiting for another migrate to end")
    blocked.rollback()
    assert first.end()[0] == 0
    code, output = second.end()
    assert code == 0
    assert output.endswith("already up to date\n")


def test_waiting_for_another_one_has_an_end(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "time", Clock())
    run(empty_database)
    with psycopg.connect(empty_database) as connection:
        connection.execute("LOCK TABLE daap_migration_lock IN EXCLUSIVE MODE")
        who = f"process {connection.info.backend_pid} of the role {connection.info.user}"
        out = io.StringIO()
        with pytest.raises(MigrationError, match=f"has held its lock for 0\\.3 s: {who}"):
            migrate.migrate(empty_database, out=out, lock_seconds=0.3)
    assert out.getvalue() == f"waiting for another migrate to end (0 of 0.3 s): {who}\n"


def test_one_of_an_older_version_is_waited_for_and_waits(
    empty_database: str,
    monkeypatch: pytest.MonkeyPatch,
    blocked: psycopg.Connection,
    tmp_path: Path,
) -> None:
    """It knows the advisory lock alone."""
    older = "SELECT pg_try_advisory_lock(%s)"
    with psycopg.connect(empty_database, autocommit=True) as connection:
        newer = Command(empty_database, directory=halting(tmp_path / "own"))
        newer.wait_for("applying 002_b.sql")
        assert connection.execute(older, [locks.OLDER_LOCK]).fetchone() == (False,)
        blocked.rollback()
        assert newer.end()[0] == 0
        assert connection.execute(older, [locks.OLDER_LOCK]).fetchone() == (True,)
        monkeypatch.setattr(locks, "time", Clock())
        out = io.StringIO()
        with pytest.raises(MigrationError, match="one of an older version"):
            migrate.migrate(empty_database, out=out, lock_seconds=0.3)
