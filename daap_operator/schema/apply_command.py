"""`schema apply`: applies what is pending, and leaves a report for programs."""

import argparse
from collections.abc import Mapping
from dataclasses import replace

from daap_operator.schema import apply_options, ledger_sum, options, outcome
from daap_operator.schema.errors import FileFailedError, SchemaError
from daap_operator.schema.files import Found
from daap_operator.schema.leaving import leave
from daap_operator.schema.outcome import Outcome, Result
from daap_operator.schema.printing import Printer
from daap_operator.schema.running import Run
from daap_operator.schema.telling import World, code, database_url, fail


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    options.add_files(parser, least="*")
    options.add_database(parser)
    options.add_rules(parser)
    apply_options.add(parser)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The exit code."""
    return apply(args, World(environment))


def apply(args: argparse.Namespace, world: World) -> int:
    """The exit code, with what came of it as the last words of the container."""
    printer, there = Printer(world.out), options.with_images(args)
    started: Run | None = None
    error: SchemaError | None = None
    try:
        started = _run(args, there, world, printer)
        started.go()
    except SchemaError as found:
        error = found
        fail(world, found)
    else:
        many = f"{len(started.done)} applied" if started.done else "already up to date"
        checksum = ledger_sum.checksum(started.ledger)
        printer.say(f"{many}, the checksum of the ledger '{args.ledger}' is {checksum}")
    told = replace(_outcome(args.ledger, started, error), files_checksum=there.checksum)
    leave(args, outcome.document(told), world)
    return code(error)


def _run(args: argparse.Namespace, there: Found, world: World, printer: Printer) -> Run:
    wanted = apply_options.wanted(args, options.ordered(args, there))
    rules = apply_options.rules(args, world.environment.get("HOSTNAME", ""))
    return Run(database_url(args, world), wanted, rules, printer)


def _outcome(ledger: str, run: Run | None, error: SchemaError | None) -> Outcome:
    result, reason = outcome.ended(error, Result.APPLIED)
    found = Outcome(result, ledger, reason, str(error or ""))
    if run is None:
        return found
    failure = error.failure if isinstance(error, FileFailedError) else None
    return replace(found, plan=run.plan, done=run.done, applied=run.ledger, failure=failure)
