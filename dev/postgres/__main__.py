"""`python -m dev.postgres start|stop|status --directory DIR`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

import dev.postgres
from dev.postgres import Postgres, PostgresError, from_environment


def _start(directory: Path) -> int:
    given = from_environment()
    if given is not None:
        print("DATABASE_URL is set: using that server", file=sys.stderr)
    print((given or Postgres.start(directory)).url)
    return 0


def _stop(directory: Path) -> int:
    if directory.is_dir():
        Postgres(directory).stop()
    return 0


def _status(directory: Path) -> int:
    """The URL and 0, or 3 when the server does not run, as pg_ctl."""
    server = Postgres(directory) if directory.is_dir() else None
    running = server is not None and server.running
    print(server.url if server and running else "not running")
    return 0 if running else 3


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; `start` prints nothing but the URL to stdout."""
    parser = argparse.ArgumentParser(
        prog="python -m dev.postgres", description=dev.postgres.__doc__
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("--directory", type=Path, required=True, help="where its files are")
    chosen = parser.parse_args(arguments)
    action = {"start": _start, "stop": _stop, "status": _status}[chosen.action]
    try:
        return action(chosen.directory)
    except (PostgresError, OSError, psycopg.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
