"""A PostgreSQL server of our own: initdb, start, stop, and nothing left behind."""

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psycopg

from dev.postgres import binaries, watchdog
from dev.postgres.binaries import MAJOR, PostgresError
from dev.postgres.ports import free_ports
from dev.postgres.server import Server

SOCKET_DIRECTORY_LIMIT = 107 - len("/.s.PGSQL.12345")
THROWAWAY = ("fsync=off", "full_page_writes=off", "autovacuum=off")
"""Loses data when the machine crashes, not when the server does: outage tests are fair. A worker of
autovacuum is the superuser's, and keeps the owner of a database from dropping it."""
ORPHANS_SECONDS = 10.0
MAKE_DATABASE = {
    "SELECT FROM pg_roles WHERE rolname = 'daap'": (
        "CREATE ROLE daap LOGIN CREATEDB PASSWORD 'daap'"
    ),
    "SELECT FROM pg_database WHERE datname = 'daap'": "CREATE DATABASE daap OWNER daap",
}
"""What is to be found, and how it is made: the last run may have been cut short in between."""

Mode = Literal["smart", "fast", "immediate"]
STOP_SIGNALS: Mapping[Mode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
STOP_SECONDS = 60.0


class Postgres(Server):
    """A server of our own. All there is to know of it lies in `directory`."""

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.durable = durable
        self._user = binaries.account()
        self._link = self.directory / "server"
        reachable = binaries.within_reach(self.directory, self._user)
        self._home = (
            self._link.resolve() if reachable else Path("/var/tmp", _name_for(self.directory))
        )
        self._data = self._home / "data"
        self._log = self._home / "log"
        self._port = self._home / "port"

    @classmethod
    def start(cls, directory: Path, *, durable: bool = True, like: Self | None = None) -> Self:
        """Starts the server of `directory`, or finds it running; makes the database if need be.

        `durable=False` is for tests: nothing is synced to disk, and the end of `with` deletes it
        all, or at the latest the end of this process, by whatever signal. A new server begins with
        a copy of what `like` has, which is stopped: sooner done than by initdb. Keeps the port it
        had, unless that was taken meanwhile. Raises PostgresError.
        """
        server = cls(directory, durable=durable)
        if not durable:
            watchdog.watch(server.directory)
        with _locked(server.directory / "lock"):
            server._make_home()
            if not server.running:
                server._make_data(like)
                server._launch([*server._last_port(), *free_ports()])
            server._make_database()
        return server

    @property
    def url(self) -> str:
        """With user, password and database `daap`, over TCP."""
        return f"postgresql://daap:daap@127.0.0.1:{self.port}/daap"

    @property
    def admin_url(self) -> str:
        """The superuser's, for what an owner may not: roles, settings."""
        return f"postgresql://postgres:postgres@127.0.0.1:{self.port}/postgres"

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; it stays over restarts."""
        return int(self._port.read_text())

    @property
    def socket_directory(self) -> Path:
        """Where the unix socket is: `host` of a libpq connection."""
        path = self._home / "socket"
        short = len(os.fsencode(path)) <= SOCKET_DIRECTORY_LIMIT
        return path if short else Path("/tmp", _name_for(path))

    @property
    def pid(self) -> int | None:
        """The process id in the pid file, whatever it is worth."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int((self._data / "postmaster.pid").read_text().split("\n")[0])
        return None

    @property
    def running(self) -> bool:
        """Whether the process of the pid file serves this very directory.

        A pid alone says little: it may be a zombie that nobody reaps, or somebody else by now.
        """
        return self.pid is not None and self._serves(self.pid)

    def stop(self, mode: Mode = "fast") -> None:
        """Stops the server and waits for it; fine when it is not running.

        `immediate` is the crash: no checkpoint, recovery at the next start. Not by pg_ctl, which
        waits a minute for a server that is killed meanwhile and whose parent does not reap it.
        """
        pid = self.pid
        if pid is None or not self._serves(pid):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, STOP_SIGNALS[mode])
            os.kill(pid, signal.SIGCONT)  # a test may have been killed after it froze the server
        deadline = time.monotonic() + STOP_SECONDS
        while self._serves(pid):
            if time.monotonic() > deadline:
                raise PostgresError(f"process {pid} does not stop, see {self._log}")
            time.sleep(0.01)

    def restart(self, mode: Mode = "fast") -> None:
        """Starts again, running or stopped, with the same port and data."""
        self.stop(mode)
        self._launch([self.port])

    def remove(self) -> None:
        """Stops the server and deletes everything it has."""
        self.stop("immediate")
        shutil.rmtree(self.socket_directory, ignore_errors=True)
        deadline = time.monotonic() + ORPHANS_SECONDS
        while self._home.exists() and time.monotonic() < deadline:
            # Again while the server's last processes, or initdb when we were killed, still write.
            shutil.rmtree(self._home, ignore_errors=True)
        self._link.unlink(missing_ok=True)
        watchdog.release(self.directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.durable:
            self.stop()
        else:
            self.remove()

    def _make_home(self) -> None:
        if self._home != self._link and not self._link.is_symlink():
            # What is there belonged to a directory of this name that somebody deleted; its server,
            # if it still runs, stops when it misses its pid file.
            shutil.rmtree(self._home, ignore_errors=True)
            self._link.symlink_to(self._home)
        self._home.mkdir(exist_ok=True)
        if self._home.lstat().st_uid != os.geteuid():
            raise PostgresError(f"{self._home} belongs to somebody else: have it deleted")
        self._home.chmod(0o755)

    def _make_data(self, like: "Postgres | None") -> None:
        """Makes the data aside and renames it: a run cut short leaves nothing half made."""
        if not self._data.exists():
            unfinished = self._home / "data.unfinished"
            self._make_directory(unfinished)
            if like is None:
                self._initialize(unfinished)
            else:
                copy: list[str | Path] = ["cp", "-a", f"{like._data}/.", unfinished]
                binaries.run(copy, user=self._user, directory=self._home)
            unfinished.rename(self._data)
        version = (self._data / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            raise PostgresError(
                f"{self._data} belongs to PostgreSQL {version}, not {MAJOR}: "
                f"move {self.directory} away, or delete it"
            )

    def _initialize(self, data: Path) -> None:
        password = self._home / "password"
        password.write_text("postgres\n")
        self._give_away(password)
        options = "--username=postgres --auth=scram-sha-256 --encoding=UTF8 --locale=C"
        sync = () if self.durable else ("--no-sync",)
        self._run("initdb", *options.split(), *sync, "--pwfile", password, "-D", data)
        password.unlink()

    def _launch(self, ports: Iterable[int]) -> None:
        """Starts on the first port that is still free when PostgreSQL comes to it."""
        self._forget_wrong_pid()
        log = ""
        for port in ports:
            self._make_directory(self.socket_directory)
            self._port.write_text(f"{port}\n")
            log = self._attempt(port)
            if not log:
                return
            if "could not bind" not in log:
                break
        raise PostgresError(f"PostgreSQL does not start; {self._log} says:\n{log}")

    def _attempt(self, port: int) -> str:
        """Starts the server once; what it logged when that failed, else nothing.

        After a crash the old server's children need a moment to notice that they are orphans.
        """
        deadline = time.monotonic() + ORPHANS_SECONDS
        self._log.touch()
        self._give_away(self._log)
        while True:
            before = self._log.stat().st_size
            try:
                self._run("pg_ctl", "start", "-w", *self._arguments(port))
            except PostgresError as error:
                log = self._log.read_bytes()[before:].decode(errors="replace") or str(error)
                if "shared memory block" not in log or time.monotonic() > deadline:
                    return log
                time.sleep(0.1)
            else:
                return ""

    def _arguments(self, port: int) -> list[str | Path]:
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={port}",
            f"unix_socket_directories={self.socket_directory}",
            "timezone=UTC",
            "shared_buffers=32MB",
            *(() if self.durable else THROWAWAY),
        ]
        options = " ".join(f"-c {shlex.quote(setting)}" for setting in settings)
        return ["-D", self._data, "-l", self._log, "-o", options]

    def _forget_wrong_pid(self) -> None:
        """Deletes a pid file whose process is there but is not our server, or that names none.

        PostgreSQL would take a zombie or a stranger for a running server. One whose process is gone
        it judges better itself: it also looks for orphans of the old server.
        """
        pid = self.pid
        if pid is None or (not self._serves(pid) and binaries.alive(pid)):
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _make_database(self) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            for query, statement in MAKE_DATABASE.items():
                if connection.execute(query).fetchone() is None:
                    connection.execute(statement)

    def _serves(self, pid: int) -> bool:
        return os.fsencode(self._data) in binaries.command_line(pid)

    def _last_port(self) -> list[int]:
        return [self.port] if self._port.exists() else []

    def _make_directory(self, path: Path) -> None:
        """An empty directory for the server alone."""
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        self._give_away(path)

    def _give_away(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _run(self, program: str, *arguments: str | Path) -> None:
        programs = binaries.programs_for(self._user, self._home)
        binaries.run([programs / program, *arguments], user=self._user, directory=self._home)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One start at a time; the lock goes with its process, so that none is left behind."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _name_for(path: Path) -> str:
    """A short name for what belongs to `path` but lies elsewhere."""
    return f"daap-postgres-{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"
