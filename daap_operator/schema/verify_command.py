"""`schema verify`: what differs between the files, the ledger and the database; changes nothing."""

import argparse
from collections.abc import Mapping, Sequence

from daap_operator.schema import looking, options, outcome
from daap_operator.schema.drift import Drift
from daap_operator.schema.errors import SchemaError
from daap_operator.schema.linting import Rules, Strictness
from daap_operator.schema.model import Applied, Plan
from daap_operator.schema.planning import Planner
from daap_operator.schema.printing import Printer
from daap_operator.schema.telling import DIFFERS, DONE, World, code, database_url, fail


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    options.add_files(parser, least="*")
    options.add_database(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, in one line")


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """The exit code."""
    return verify(args, World(environment))


def verify(args: argparse.Namespace, world: World) -> int:
    """0 when files are applied and objects are as the files made them. Raises UsageError."""
    printer = Printer(world.out)
    try:
        seen = looking.verified(database_url(args, world), args.ledger)
        plan = _plan(args, seen.applied)
    except SchemaError as error:
        fail(world, error)
        return code(error)
    differs = bool(plan.pending or plan.obstacles or seen.drift)
    if args.json:
        document = outcome.verification(plan, seen.drift)
        printer.say(outcome.told(document, outcome.LOG_BYTES))
        return DIFFERS if differs else DONE
    for line in _differences(plan, seen.drift):
        printer.say(line)
    if not seen.there:
        printer.say("there is no ledger in this database: nothing was applied to it")
    elif not differs:
        printer.say(f"{len(seen.applied)} files are applied, and nothing differs")
    return DIFFERS if differs else DONE


def _plan(args: argparse.Namespace, applied: Sequence[Applied]) -> Plan:
    """What the files are by the ledger; nothing is said of how they are written."""
    if not (args.path or args.fixtures):
        return Plan()
    return Planner(options.given(args), Rules(Strictness.NEVER), None)(applied)


def _differences(plan: Plan, drift: Sequence[Drift]) -> list[str]:
    return [
        *(f"{each.file}: {each.message}" for each in plan.obstacles),
        *(f"{each.file.name} is not applied" for each in plan.pending),
        *(each.told() for each in drift),
    ]
