"""`daap-operator migrate` for tests: as a process, in this process, and what it left."""

import argparse
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from daap_operator import migrate
from daap_operator.migrate import shipped

ROOT = Path(__file__).parents[2]
IDS = [file.id for file in shipped()]
COMMAND = """
import argparse, os, pathlib, sys
from daap_operator import migrate
parser = argparse.ArgumentParser()
migrate.add_arguments(parser)
directory = os.environ.get("MIGRATIONS")
sys.exit(migrate.main(
    parser.parse_args(), os.environ["DATABASE_URL"],
    directory=pathlib.Path(directory) if directory else None))
"""
"""What cli.py does, and the migrations may be somebody else's."""


class Clock:
    """Time that passes by sleeping only: however busy the machine, no step takes any."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self._now += seconds


class Command:
    """`daap-operator migrate` as a process of its own."""

    def __init__(self, url: str, *arguments: str, directory: Path | None = None) -> None:
        environment = dict(os.environ, DATABASE_URL=url)
        if directory is not None:
            environment["MIGRATIONS"] = str(directory)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", COMMAND, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.seen = ""

    def wait_for(self, text: str) -> None:
        """Waits for a line of output that holds `text`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen += line
            if text in line:
                return
        raise AssertionError(f"no {text!r} in {self.seen!r}")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self) -> tuple[int, str]:
        """Waits for the end; exit code and everything it wrote."""
        rest, _ = self.process.communicate(timeout=100)
        return self.process.returncode, self.seen + rest


def run(url: str, *arguments: str, directory: Path | None = None) -> tuple[int, str]:
    """The command in this process: exit code and everything it wrote."""
    parser = argparse.ArgumentParser()
    migrate.add_arguments(parser)
    out = io.StringIO()
    parsed = parser.parse_args(arguments)
    code = migrate.main(parsed, url, out=out, err=out, directory=directory)
    return code, out.getvalue()


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def applied(url: str) -> list[str]:
    found = rows(url, "SELECT migration_id FROM _yoyo_migration ORDER BY 1")
    return [str(row[0]) for row in found]


def recorded(url: str) -> dict[str, str]:
    return {
        str(id_): str(sha256)
        for id_, sha256 in rows(url, "SELECT migration_id, sha256 FROM daap_migration_checksums")
    }


def write(directory: Path, **statements: str) -> Path:
    """Migrations 001, 002 … of the test's own; each takes back nothing."""
    directory.mkdir(exist_ok=True)
    for name, statement in statements.items():
        (directory / f"{name.removeprefix('m')}.sql").write_text(statement)
        (directory / f"{name.removeprefix('m')}.rollback.sql").write_text("SELECT 1;")
    return directory
