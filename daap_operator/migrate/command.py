"""The command: `migrate`, `migrate rollback --to ID`, `migrate status`, `migrate wait`."""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from daap_operator.migrate import database, locks
from daap_operator.migrate.database import Connection, say
from daap_operator.migrate.files import (
    Applied,
    Migration,
    MigrationError,
    RefusedError,
    full_id,
    missing,
    newer,
    objections,
    rollback_objections,
    shipped,
    states,
)
from daap_operator.migrate.steps import Steps, ready

DONE, PENDING, REFUSED, FAILED = 0, 1, 2, 3
"""Exit codes. PENDING only from `status`. REFUSED: nothing was tried, somebody has to act first.
FAILED: the database was not reached, or it objected; trying again may help."""
LOCK_SECONDS = 200.0
"""How long a command waits for another one to end; the chart's Job has 270 s to say so."""


@dataclass(frozen=True)
class _Session:
    database_url: str
    out: TextIO
    connection: Connection
    applied: Mapping[str, Applied]
    """As it was when the lock was got."""


def migrate(
    database_url: str,
    *,
    out: TextIO,
    wait_seconds: float = 0.0,
    to: str | None = None,
    directory: Path | None = None,
    lock_seconds: float = LOCK_SECONDS,
) -> list[str]:
    """Applies what is pending, up to and including `to`; returns the ids.

    Waits `wait_seconds` for the server. Raises RefusedError when nothing may be applied, and
    MigrationError when it failed; what was applied before the failure stays, each migration whole.
    """
    files = shipped(directory)
    last = files[-1].id if to is None else full_id(to, files)
    if not last:
        raise RefusedError(f"migrate only goes forward: use `migrate rollback --to {to}`")
    with _session(database_url, out, wait_seconds, lock_seconds) as session:
        _refuse(objections(files, session.applied))
        _adopt(session, files)
        for id_ in newer(files, session.applied):
            say(out, f"{id_} was applied by a newer version: left alone")
        pending = [file for file in files if file.id not in session.applied and file.id <= last]
        done = _run("applying", Steps.apply, pending, session)
    say(out, f"{len(done)} applied, the schema is at {last}" if done else "already up to date")
    return done


def roll_back(
    database_url: str,
    *,
    to: str,
    out: TextIO,
    wait_seconds: float = 0.0,
    directory: Path | None = None,
    lock_seconds: float = LOCK_SECONDS,
) -> list[str]:
    """Rolls back everything after `to`, newest first; returns the ids. Raises as `migrate`."""
    files = shipped(directory)
    last = full_id(to, files)
    with _session(database_url, out, wait_seconds, lock_seconds) as session:
        _refuse(rollback_objections(files, session.applied, last))
        back = [file for file in reversed(files) if file.id in session.applied and file.id > last]
        done = _run("rolling back", Steps.roll_back, back, session)
    at = f"the schema is at {last}" if last else "nothing is applied"
    say(out, f"{len(done)} rolled back, {at}" if done else "nothing to roll back")
    return done


def status(
    database_url: str, *, out: TextIO, wait_seconds: float = 0.0, directory: Path | None = None
) -> int:
    """Prints a table of the migrations; returns DONE, PENDING or REFUSED. Changes nothing."""
    files = shipped(directory)
    with database.connected(database_url, out=out, wait_seconds=wait_seconds) as connection:
        applied = database.applied(connection)
    found = states(files, applied)
    width = max(map(len, found))
    say(out, f"{'MIGRATION':{width}}  {'APPLIED AT (UTC)':19}  STATE")
    for id_, state in found.items():
        at = f"{applied[id_].at:%Y-%m-%d %H:%M:%S}" if id_ in applied else "-"
        say(out, f"{id_:{width}}  {at:19}  {state}")
    reasons = objections(files, applied)
    for reason in reasons:
        say(out, reason)
    if reasons:
        return REFUSED
    return PENDING if missing(files, applied) else DONE


def wait(database_url: str, *, out: TextIO, wait_seconds: float = 0.0) -> None:
    """Waits until the server accepts connections. Raises MigrationError when it has not by then."""
    with database.connected(database_url, out=out, wait_seconds=wait_seconds):
        say(out, f"{database.place(database_url)} accepts connections")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options and the commands `rollback`, `status` and `wait` to `migrate`'s parser."""
    parser.add_argument("--to", metavar="ID", help="the last one to apply, as 003 or in full")
    actions = parser.add_subparsers(dest="migrate_action", title="other actions", metavar="")
    rollback = actions.add_parser("rollback", help="roll back the newest migrations")
    help_ = "roll back everything after this one; none: everything"
    rollback.add_argument("--to", metavar="ID", required=True, help=help_)
    help_ = (
        "what is applied; the exit code is 0 when all is, 1 when some is pending, 2 when refused"
    )
    state = actions.add_parser("status", help=help_)
    waiting = actions.add_parser("wait", help="wait for the server, and do nothing else")
    for each in (parser, rollback, state, waiting):
        default = 0.0 if each is parser else argparse.SUPPRESS
        help_ = "wait this long for the server to accept connections (default: 0, try once)"
        each.add_argument("--wait", type=float, default=default, metavar="SECONDS", help=help_)


def main(
    args: argparse.Namespace,
    database_url: str,
    *,
    out: TextIO | None = None,
    err: TextIO | None = None,
    directory: Path | None = None,
) -> int:
    """Runs what `add_arguments` parsed; returns the exit code."""
    out = out or sys.stdout
    url, seconds = database_url, args.wait
    try:
        if args.migrate_action == "wait":
            wait(url, out=out, wait_seconds=seconds)
        elif args.migrate_action == "status":
            return status(url, out=out, wait_seconds=seconds, directory=directory)
        elif args.migrate_action == "rollback":
            roll_back(url, to=args.to, out=out, wait_seconds=seconds, directory=directory)
        else:
            migrate(url, to=args.to, out=out, wait_seconds=seconds, directory=directory)
    except MigrationError as error:
        say(err or sys.stderr, f"error: {error}")
        return REFUSED if isinstance(error, RefusedError) else FAILED
    return DONE


@contextlib.contextmanager
def _session(
    database_url: str, out: TextIO, wait_seconds: float, lock_seconds: float
) -> Iterator[_Session]:
    """Keeps other commands out, and reads what they left.

    Raises RefusedError when sessions are lent there.
    """
    with database.connected(database_url, out=out, wait_seconds=wait_seconds) as connection:
        if unsafe := database.warning(database_url):
            say(out, f"warning: {unsafe}")
        database.refuse_lent_sessions(database_url)
        with (
            database.connected(database_url, out=out, wait_seconds=0.0) as keeper,
            locks.locked(keeper, out=out, seconds=lock_seconds),
        ):
            database.stay(connection)
            yield _Session(database_url, out, connection, database.applied(connection))


def _refuse(reasons: Sequence[str]) -> None:
    if reasons:
        raise RefusedError("\n".join(["refused, nothing was changed:", *reasons]))


def _adopt(session: _Session, files: Sequence[Migration]) -> None:
    """Records the contents of what was applied without this command: the files' as they are."""
    for file in files:
        if file.id in session.applied and session.applied[file.id].sha256 is None:
            database.make_checksums(session.connection)
            database.record(session.connection, file)
            say(session.out, f"{file.id} was applied by other means: its checksum is recorded now")


def _run(
    verb: str,
    step: Callable[[Steps, Migration], bool],
    files: Sequence[Migration],
    session: _Session,
) -> list[str]:
    """Runs the step for each file, and tells before and after: it may take long."""
    if not files:
        return []
    database.make_checksums(session.connection)
    done = []
    with ready(session.database_url, files, session.out) as steps:
        for file in files:
            say(session.out, f"{verb} {file.path.name}")
            began = time.monotonic()
            if not step(steps, file):
                say(session.out, "  done by somebody else meanwhile")
                continue
            say(session.out, f"  done in {(time.monotonic() - began) * 1000:.0f} ms")
            done.append(file.id)
    return done
