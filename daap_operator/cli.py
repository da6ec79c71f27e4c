"""The command `daap-operator`: arguments, environment, exit codes."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from daap_operator import __version__, crd, drillcheck, logs, migrate, rebuild, settings
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.errors import Deposed, StartError
from daap_operator.kinds.database import trial
from daap_operator.kube import Kube
from daap_operator.run import Operator
from daap_operator.schema.command import add_arguments as add_schema

FAILED = 1
USAGE_ERROR = 2
DEPOSED = 3
"""Exit code of a replica that no longer leads: the next one starts as a standby."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    args = _parser().parse_args(arguments)
    try:
        return int(args.command(args))
    except (settings.SettingsError, StartError) as error:
        sys.stderr.write(f"error: {error}\n")
        return USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="daap-operator", description="PostgreSQL databases as a platform, on CloudNativePG."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="reconcile DaapDatabases until told to stop")
    run.set_defaults(command=_run)
    migrating = commands.add_parser(
        "migrate", help="bring the metadata database's schema up to date"
    )
    migrate.add_arguments(migrating)
    migrating.set_defaults(command=_migrate)
    rebuilding = commands.add_parser(
        "rebuild", help="print manifests for the databases of a lost cluster, from the inventory"
    )
    rebuild.add_arguments(rebuilding)
    rebuilding.set_defaults(command=_rebuild)
    trying = commands.add_parser("try", help="create a database and delete it again")
    trying.add_argument("--namespace", required=True, help="where")
    trying.add_argument("--name", required=True, help="its name")
    trying.add_argument("--owner-team", required=True, metavar="TEAM", help="its owner")
    trying.add_argument("--storage-class", default="", metavar="NAME", help="its StorageClass")
    trying.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS")
    trying.set_defaults(command=_try)
    checking = commands.add_parser(
        "drill-check", help="check a restored database, for the Job of a restore drill"
    )
    checking.set_defaults(command=_drill_check)
    add_schema(commands)
    crds = commands.add_parser("crds", help="print the CustomResourceDefinitions")
    crds.add_argument("--output", type=Path, metavar="FILE", help="write it there instead")
    crds.set_defaults(command=_crds)
    return parser


def _run(args: argparse.Namespace) -> int:
    del args
    given = settings.read(os.environ)
    logs.configure(level=given.log_level, form=given.log_format)
    asyncio.run(_operate(given))
    return 0


async def _operate(given: settings.Settings) -> None:
    operator = Operator(given, deposed=_leave)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, operator.stop)
    await operator.run()


def _leave(lost: Deposed) -> NoReturn:
    """End the process at once: nothing it could still do would be right."""
    del lost
    logging.shutdown()
    os._exit(DEPOSED)


def _migrate(args: argparse.Namespace) -> int:
    return migrate.main(args, settings.database_url(os.environ))


def _rebuild(args: argparse.Namespace) -> int:
    return rebuild.main(args, settings.database_url(os.environ))


def _drill_check(args: argparse.Namespace) -> int:
    del args
    return drillcheck.main(os.environ)


def _try(args: argparse.Namespace) -> int:
    wish = trial.Wish(args.namespace, args.name, args.owner_team, args.storage_class)
    try:
        asyncio.run(_tried(wish, args.timeout))
    except trial.TrialError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    return 0


async def _tried(wish: trial.Wish, seconds: float) -> None:
    async with await Kube.connect(settings.kubeconfig(os.environ)) as kube:
        await trial.try_out(kube, wish, seconds=seconds)


def _crds(args: argparse.Namespace) -> int:
    text = crd.render(*DEFINITIONS)
    if args.output is None:
        sys.stdout.write(text)
    else:
        args.output.write_text(text)
    return 0
