"""`daap-operator schema lint`: what is unsafe in SQL files."""

import argparse
import sys
from collections.abc import Mapping

from daap_operator.schema import options, report

DONE, STOPPED = 0, 1
"""Exit codes; 2 is a wrong argument or a file that cannot be one."""

_HINT = (
    "all of it was looked at as one plan for an empty database; to look at what comes after the "
    "files that are applied already, name the last of them: --applied FILE\n"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    options.add_files(parser)
    options.add_rules(parser)
    options.add_applied(parser)
    options.add_json(parser)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """0 when nothing is found that stops a file. Raises UsageError."""
    del environment
    given = options.given(args)
    rules = options.rules(args)
    plan = options.planner(given, rules)(options.assumed(args, given))
    sys.stdout.write(report.as_json(plan) if args.json else report.linted(plan))
    if len(plan.pending) > 1 and not args.applied and not args.json:
        sys.stdout.write(_HINT)
    return STOPPED if report.stops(plan, rules) else DONE
