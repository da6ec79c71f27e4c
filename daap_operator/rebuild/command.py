"""The command: `rebuild [--namespace NAME …] [--at TIME] [--lost-at TIME] [--output FILE]`."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from daap_operator.kinds.database.row import MOST_SPEC_BYTES
from daap_operator.migrate import MigrationError, RefusedError, missing, shipped
from daap_operator.migrate.database import applied, connected, say
from daap_operator.mirror.lost import Lost, Marked, lost, marked
from daap_operator.rebuild.plan import plan
from daap_operator.rebuild.text import render, report

DONE, INCOMPLETE, REFUSED, FAILED = 0, 1, 2, 3
"""Exit codes. INCOMPLETE: some databases are listed as not being as they were, or there is none.
REFUSED: nothing was read, somebody has to act first. FAILED: the inventory was not reached."""

STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `rebuild`."""
    parser.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NAME",
        help="only the databases of this namespace; may be repeated (default: of all)",
    )
    parser.add_argument(
        "--at",
        type=moment,
        metavar="TIME",
        help="restore to this moment, as in 2026-11-28T03:00:00Z (default: the latest change "
        "that was archived)",
    )
    parser.add_argument(
        "--lost-at",
        type=moment,
        metavar="TIME",
        help="the databases that were there at this moment, when the cluster was lost: needed "
        "once an operator of another cluster has run on this inventory",
    )
    parser.add_argument(
        "--output", default=STDOUT, metavar="FILE", help="write it there (default: -, stdout)"
    )


def moment(text: str) -> datetime:
    """A moment with its zone; raises ArgumentTypeError for any other text."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"'{text}' must be a moment in RFC 3339 with its time zone, as in 2026-11-28T03:00:00Z"
        )
    return found.astimezone(UTC)


def main(
    args: argparse.Namespace,
    database_url: str,
    *,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Runs what `add_arguments` parsed; returns the exit code."""
    err = err or sys.stderr
    try:
        rows, of_late = _read(args, database_url, err)
    except MigrationError as error:
        say(err, f"error: {error}")
        return REFUSED if isinstance(error, RefusedError) else FAILED
    if not rows:
        say(err, "The inventory has no such database")
        _hint(args, of_late, err)
        return INCOMPLETE
    made = plan(rows, _told(args.at))
    _write(render(made), args.output, out or sys.stdout)
    for line in report(made):
        say(err, line)
    _hint(args, of_late, err)
    return INCOMPLETE if made.gaps else DONE


def _read(args: argparse.Namespace, database_url: str, err: TextIO) -> tuple[list[Lost], Marked]:
    """Raises MigrationError when the inventory is not reached, or is not this version's."""
    with connected(database_url, out=err, wait_seconds=0.0) as connection:
        if lacking := missing(shipped(), applied(connection)):
            raise RefusedError(
                f"the inventory's schema is older than this version, it lacks {lacking[0]}: "
                "run `daap-operator migrate` first, or take the version that wrote the inventory"
            )
        rows = lost(
            connection,
            moment=args.lost_at,
            namespaces=args.namespace,
            most_bytes=MOST_SPEC_BYTES,
        )
        return rows, marked(connection)


def _hint(args: argparse.Namespace, of_late: Marked, err: TextIO) -> None:
    """Say what may be missing because a new cluster's operator has run on this inventory."""
    if of_late.rows and args.lost_at is None:
        say(
            err,
            f"Rows that were marked as deleted within a day: {of_late.rows}, the first of them at "
            f"{of_late.since}. If it was the operator of a new cluster that did it, call this "
            "again with --lost-at and the moment at which the cluster was lost",
        )


def _told(at: datetime | None) -> str:
    """As `spec.source.at` has it."""
    return at.replace(tzinfo=None).isoformat() + "Z" if at else ""


def _write(text: str, output: str, out: TextIO) -> None:
    if output == STDOUT:
        out.write(text)
        out.flush()
    else:
        Path(output).write_text(text, encoding="utf-8")
