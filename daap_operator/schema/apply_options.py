"""The arguments of `schema apply`, and what they mean."""

import argparse
from dataclasses import replace
from functools import partial

from daap_operator.schema import options, planning
from daap_operator.schema.applying import Rules
from daap_operator.schema.consent import OnDestructive
from daap_operator.schema.model import SqlFile
from daap_operator.schema.running import Wanted

_SECONDS = "SECONDS"


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `schema apply`, besides those that other commands have too."""
    add_session(parser)
    parser.add_argument("--plan", default="", metavar="HASH", help="apply this plan and no other")
    parser.add_argument(
        "--on-destructive",
        type=OnDestructive,
        choices=list(OnDestructive),
        default=OnDestructive.APPROVE,
        help="what deletes data is refused, takes --plan, or is allowed (default: approve)",
    )
    seconds(parser, "--lock-timeout", Rules.lock_timeout, "a statement waits for a lock")
    seconds(parser, "--statement-timeout", 0.0, "a statement may take; 0: for ever")
    parser.add_argument("--tries", type=count, default=Rules.tries, help="of a file in a lock")
    seconds(parser, "--lock-wait", Rules.lock_seconds, "to wait for another run to end")
    parser.add_argument("--job", default="", help="is recorded in the ledger (default: HOSTNAME)")
    parser.add_argument(
        "--measure", action="store_true", help="the report says which locks each file held"
    )


def add_session(parser: argparse.ArgumentParser) -> None:
    """The arguments of `schema apply` that also count for a look at what it would do."""
    options.add_ordered(parser)
    parser.add_argument(
        "--baseline", default="", metavar="FILE", help="the database has the schema up to this file"
    )
    parser.add_argument("--role", default="", help="run the files as this role, by SET ROLE")
    parser.add_argument("--search-path", default=Rules.search_path, help="of the files")
    seconds(parser, "--wait", 60.0, "the server may be unavailable")
    parser.add_argument(
        "--allow-superuser", action="store_true", help="where the server is a throw-away one"
    )
    parser.add_argument("--json", action="store_true", help="end with a report in one line")


def seconds(parser: argparse.ArgumentParser, name: str, default: float, words: str) -> None:
    """An argument that is a number of seconds, up to a week."""
    words = f"{words} (default: {default:g})"
    parser.add_argument(name, type=_duration, default=default, metavar=_SECONDS, help=words)


def _duration(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 7 * 86400:
        raise argparse.ArgumentTypeError(f"{text}: must be from 0 to 604800 seconds")
    return seconds


def count(text: str) -> int:
    """An argument that counts. Raises ArgumentTypeError."""
    count = int(text)
    if not 1 <= count <= 10_000:
        raise argparse.ArgumentTypeError(f"{text}: must be from 1 to 10000")
    return count


def rules(args: argparse.Namespace, job: str) -> Rules:
    """How files are applied, by the arguments of `schema apply`."""
    return Rules(
        ledger=args.ledger,
        job=args.job or job,
        role=args.role,
        search_path=args.search_path,
        lock_timeout=args.lock_timeout,
        statement_timeout=args.statement_timeout,
        tries=args.tries,
        lock_seconds=args.lock_wait,
        measure=args.measure,
    )


def wanted(args: argparse.Namespace, given: tuple[SqlFile, ...]) -> Wanted:
    """What is to be applied, by the arguments of `schema apply`. Raises RefusedError."""
    seen = looked_at(args, given)
    return replace(seen, approved=args.plan, on_destructive=args.on_destructive)


def looked_at(args: argparse.Namespace, given: tuple[SqlFile, ...]) -> Wanted:
    """What would be applied, by the arguments of `add_session`. Raises RefusedError."""
    return Wanted(
        files=given,
        planner=options.planner(given, options.rules(args)),
        hasher=partial(planning.hashed, given),
        baseline=args.baseline,
        allow_superuser=args.allow_superuser,
        wait_seconds=args.wait,
    )
