"""`schema wait`: waits until files are applied, for an application's init container."""

import argparse
from collections.abc import Mapping

from daap_operator.schema import apply_options, looking, options
from daap_operator.schema.command import UsageError
from daap_operator.schema.errors import SchemaError
from daap_operator.schema.looking import Awaited
from daap_operator.schema.printing import Printer
from daap_operator.schema.telling import DONE, World, code, database_url, fail


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    options.add_files(parser, least="*")
    options.add_database(parser)
    apply_options.seconds(parser, "--timeout", 300.0, "to wait at most")
    parser.add_argument(
        "--count", type=apply_options.count, default=0, help="wait for so many files"
    )
    parser.add_argument(
        "--checksum", default="", metavar="HEX", help="wait for the ledger that has this checksum"
    )


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The exit code."""
    return wait(args, World(environment))


def wait(args: argparse.Namespace, world: World) -> int:
    """0 once the ledger has what is awaited. Raises UsageError."""
    printer, awaited = Printer(world.out), _awaited(args)
    try:
        seen = looking.wait(
            database_url(args, world),
            args.ledger,
            awaited,
            seconds=args.timeout,
            say=printer.say,
        )
    except SchemaError as error:
        fail(world, error)
        return code(error)
    printer.say(f"the ledger '{args.ledger}' has what is awaited, {len(seen.applied)} files in all")
    return DONE


def _awaited(args: argparse.Namespace) -> Awaited:
    given = options.given(args) if args.path or args.fixtures else ()
    if not (given or args.count or args.checksum):
        raise UsageError("nothing to wait for: name the files, or --count, or --checksum")
    return Awaited(given, args.count, args.checksum)
