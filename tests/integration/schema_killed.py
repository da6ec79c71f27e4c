"""Runs that are killed by SIGKILL at a point of their way, in processes of their own."""

import io
import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import psycopg

from daap_operator.schema.applying import Rules
from daap_operator.schema.printing import Printer
from daap_operator.schema.running import Run, Wanted
from tests.integration.schema_stage import Files, files, planner

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.integration.schema_killed"])


def points(run: Callable[[], object]) -> int:
    """How many points a run has."""
    passed = [0]

    def count() -> None:
        passed[0] += 1

    execute, leave = psycopg.Connection.execute, psycopg.Transaction.__exit__
    _hook(count)
    try:
        run()
    finally:
        psycopg.Connection.execute = execute  # type: ignore[method-assign]
        psycopg.Transaction.__exit__ = leave  # type: ignore[method-assign]
    return passed[0]


def killed_at(point: int, url: str, schema: Files, fixtures: Files) -> bool:
    """Whether the run got as far as that point, and was killed at it; else it has ended well."""
    process = CONTEXT.Process(target=_run, args=(point, url, dict(schema), dict(fixtures)))
    process.start()
    process.join(120)
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode != 0


def started(url: str, schema: Files, fixtures: Files) -> Any:
    """A run as a process, which nobody kills."""
    process = CONTEXT.Process(target=_run, args=(0, url, dict(schema), dict(fixtures)))
    process.start()
    return process


def _run(point: int, url: str, schema: Files, fixtures: Files) -> None:
    left = [point]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _hook(count)
    given = files(schema, fixtures)
    Run(url, Wanted(given, planner(given), planner(given)), Rules(), Printer(io.StringIO())).go()


def _hook(passed: Callable[[], None]) -> None:
    """A point is before each statement that is sent, and before the end of each transaction."""
    execute, leave = psycopg.Connection.execute, psycopg.Transaction.__exit__

    def executed(self: Any, *args: Any, **kwargs: Any) -> Any:
        passed()
        return execute(self, *args, **kwargs)

    def left(self: Any, *args: Any) -> Any:
        passed()
        return leave(self, *args)

    psycopg.Connection.execute = executed  # type: ignore[method-assign]
    psycopg.Transaction.__exit__ = left  # type: ignore[method-assign]
