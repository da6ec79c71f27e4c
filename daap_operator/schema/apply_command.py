"""`schema apply`: applies what is pending, and leaves a report for programs."""

import argparse
import contextlib
from collections.abc import Mapping
from dataclasses import replace

from daap_operator.schema import apply_options, ledger_sum, options, outcome
from daap_operator.schema.command import UsageError
from daap_operator.schema.errors import FileFailedError, RefusedError, SchemaError
from daap_operator.schema.outcome import Outcome, Result
from daap_operator.schema.printing import Printer
from daap_operator.schema.running import Run
from daap_operator.schema.telling import World, code, database_url, fail


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    options.add_files(parser)
    options.add_database(parser)
    options.add_rules(parser)
    apply_options.add(parser)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The exit code."""
    return apply(args, World(environment))


def apply(args: argparse.Namespace, world: World) -> int:
    """The exit code, with what came of it as the last words of the container."""
    printer = Printer(world.out)
    started: Run | None = None
    error: SchemaError | None = None
    try:
        started = _run(args, world, printer)
        started.go()
    except SchemaError as found:
        error = found
        fail(world, found)
    else:
        many = f"{len(started.done)} applied" if started.done else "already up to date"
        checksum = ledger_sum.checksum(started.ledger)
        printer.say(f"{many}, the checksum of the ledger '{args.ledger}' is {checksum}")
    _leave(args, outcome.document(_outcome(args.ledger, started, error)), world)
    return code(error)


def _run(args: argparse.Namespace, world: World, printer: Printer) -> Run:
    try:
        wanted = apply_options.wanted(args, options.given(args))
    except UsageError as error:
        raise RefusedError(str(error), "BadFiles") from error
    rules = apply_options.rules(args, world.environment.get("HOSTNAME", ""))
    return Run(database_url(args, world), wanted, rules, printer)


def _outcome(ledger: str, run: Run | None, error: SchemaError | None) -> Outcome:
    if error is None:
        result, reason = Result.APPLIED, ""
    elif isinstance(error, RefusedError):
        result, reason = Result.REFUSED, error.reason
    else:
        result = Result.FAILED
        reason = "FileFailed" if isinstance(error, FileFailedError) else "Unavailable"
    found = Outcome(result, ledger, reason, str(error or ""))
    if run is None:
        return found
    failure = error.failure if isinstance(error, FileFailedError) else None
    return replace(found, plan=run.plan, done=run.done, applied=run.ledger, failure=failure)


def _leave(args: argparse.Namespace, document: Mapping[str, object], world: World) -> None:
    """The whole report in the log of a container, and as much of it as fits as its last words."""
    contained = world.last_words.exists()
    if contained:
        with contextlib.suppress(OSError):  # the log below has it all
            world.last_words.write_text(outcome.told(document, outcome.LAST_WORDS_BYTES))
    if contained or args.json:
        world.out.write(outcome.told(document, outcome.LOG_BYTES) + "\n")
        world.out.flush()
