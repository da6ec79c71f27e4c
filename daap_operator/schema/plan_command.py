"""`daap-operator schema plan`: what would be applied, in which order, with which locks."""

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence

from daap_operator.schema import options, report
from daap_operator.schema.command import FailedError, UsageError
from daap_operator.schema.model import Applied

DONE, STOPPED = 0, 1
"""Exit codes; 2 is a wrong argument or file, 3 a database that does not answer."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    options.add_files(parser)
    options.add_database(parser)
    options.add_rules(parser)
    options.add_applied(parser)
    options.add_json(parser)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """0 when what is pending could be applied. Raises UsageError."""
    given = options.given(args)
    planner = options.planner(given, options.rules(args))
    url = options.database(args, environment)
    applied = options.assumed(args, given) if url is None else _ledger(url, args.ledger)
    plan = planner(applied)
    sys.stdout.write(report.as_json(plan) if args.json else report.planned(plan))
    return STOPPED if plan.obstacles else DONE


def _ledger(url: str, name: str) -> Sequence[Applied]:
    """What the database has in the ledger of that name. Raises UsageError, FailedError.

    What connects is imported when there is a database to be asked.
    """
    looking = importlib.import_module("daap_operator.schema.looking")
    errors = importlib.import_module("daap_operator.schema.errors")
    try:
        seen: Sequence[Applied] = looking.applied(url, name).applied
    except errors.RefusedError as error:
        raise UsageError(str(error)) from error
    except errors.SchemaError as error:
        raise FailedError(str(error)) from error
    return seen
