"""`schema check`: the plan and the drift in one look that changes nothing, for a Job to report."""

import argparse
from collections.abc import Mapping

from daap_operator.schema import apply_options, check_report, checking, options
from daap_operator.schema.applying import Rules
from daap_operator.schema.checking import Checked
from daap_operator.schema.errors import SchemaError
from daap_operator.schema.files import Found
from daap_operator.schema.leaving import leave
from daap_operator.schema.model import Plan
from daap_operator.schema.printing import Printer
from daap_operator.schema.telling import World, code, database_url, fail


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    options.add_files(parser, least="*")
    options.add_database(parser)
    options.add_rules(parser)
    apply_options.add_session(parser)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The exit code."""
    return check(args, World(environment))


def check(args: argparse.Namespace, world: World) -> int:
    """0 when there was something to look at, with what was seen as the container's last words."""
    there = options.with_images(args)
    seen, error = Checked(Plan()), None
    try:
        seen = _seen(args, there, world)
    except SchemaError as raised:
        error = raised
        fail(world, error)
    else:
        world.out.write(check_report.told(seen.plan, seen.drift))
    found = (seen.plan, seen.applied, seen.drift)
    leave(args, check_report.document(args.ledger, there.checksum, error, found), world)
    return code(error)


def _seen(args: argparse.Namespace, there: Found, world: World) -> Checked:
    wanted = apply_options.looked_at(args, options.ordered(args, there))
    rules = Rules(ledger=args.ledger, role=args.role, search_path=args.search_path)
    return checking.check(database_url(args, world), wanted, rules, Printer(world.out).say)
