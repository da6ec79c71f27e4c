"""`daap-operator schema …`: which commands there are.

Each has a module with two functions: `arguments(parser)`, and `run(args, environment)`, which gives
back the exit code. It is imported when its command is called, and the parser of SQL with it, which
is a library of 15 MB: no other command has to wait for that.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import NamedTuple

from daap_operator import lines

USAGE_ERROR, FAILED = 2, 3
"""Exit codes that all commands have; what 0 and 1 mean is up to each."""
_PROGRAM = "daap-operator schema"


class Command(NamedTuple):
    """A command of `schema`, and its module in this package."""

    name: str
    help: str
    module: str


COMMANDS = (
    Command("lint", "report what is unsafe in SQL files; needs no database", "lint_command"),
    Command("plan", "show what would be applied, its locks and its findings", "plan_command"),
    Command("apply", "apply what is pending, each file once, and record it", "apply_command"),
    Command("check", "report plan and drift, for a Job; changes nothing", "check_command"),
    Command("wait", "wait until files are applied, as an init container does", "wait_command"),
    Command("verify", "compare files, ledger and database; changes nothing", "verify_command"),
)


class UsageError(Exception):
    """What was asked for cannot be; the message names the argument or file, and the remedy."""


class FailedError(Exception):
    """The database could not be asked: trying again may help."""


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `schema`, whose own arguments are parsed once it is called."""
    schema = commands.add_parser(
        "schema",
        help="a database's schema as numbered SQL files",
        usage=f"{_PROGRAM} COMMAND …",
        description="Commands: "
        + "; ".join(f"{each.name}: {each.help}" for each in COMMANDS)
        + f". Each has its own help: {_PROGRAM} lint --help",
    )
    schema.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    schema.set_defaults(command=lambda args: main(args.arguments, os.environ))


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the command that the arguments begin with; the exit code."""
    parser, module = _parser(arguments)
    args = parser.parse_args(arguments)
    try:
        return int(module.run(args, environment)) if module else USAGE_ERROR
    except UsageError as error:
        return _ended(error, USAGE_ERROR)
    except FailedError as error:
        return _ended(error, FAILED)


def _ended(error: Exception, code: int) -> int:
    told = "\n".join(lines.visible(line) for line in str(error).split("\n"))
    sys.stderr.write(f"error: {told}\n")
    return code


def _parser(arguments: Sequence[str]) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    """The parser, and the module of the command that is called, the only one to be imported."""
    parser = argparse.ArgumentParser(prog=_PROGRAM)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    called = None
    for each in COMMANDS:
        below = commands.add_parser(each.name, help=each.help, description=each.help)
        if arguments and arguments[0] == each.name:
            called = importlib.import_module(f"daap_operator.schema.{each.module}")
            called.arguments(below)
    return parser, called
