"""An operator as a process of its own, to be killed, stopped and frozen."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO

WHOLE = ("-m", "daap_operator", "run")

KOPF_HANGS = (
    "-c",
    """
import threading
from daap_operator import cli
from daap_operator.engine import watches

operate = watches.operate

async def endless(*args, **named):
    try:
        await operate(*args, **named)
    finally:
        threading.Event().wait()

watches.operate = endless
raise SystemExit(cli.main(["run"]))
""",
)
"""An operator in which the thread of the watches never ends."""

CROWDED = (
    "-c",
    """
from daap_operator import cli, work
from daap_operator.kinds.database import metrics

def database(number):
    conditions = [{"type": kind, "status": "True"} for kind in metrics._TYPES]
    return {
        "metadata": {"namespace": f"team-{number % 100}", "name": f"database-{number}"},
        "spec": {"ownerTeam": "checkout"},
        "status": {"phase": "Ready", "postgresVersion": 17, "conditions": conditions},
    }

databases = [database(number) for number in range(5000)]

def known(self):
    return work.Known(list(metrics.measured(databases)), True, {"DaapDatabase": 0})

work.Work._known = known
raise SystemExit(cli.main(["run"]))
""",
)
"""An operator whose metrics are those of 5,000 databases, which nobody had to create."""


@asynccontextmanager
async def operator_process(
    environment: dict[str, str],
    program: Sequence[str] = WHOLE,
    stderr: int | IO[bytes] = DEVNULL,
    *,
    prefix: Sequence[str] = (),
) -> AsyncIterator[Process]:
    """A running `daap-operator run`; killed at the end if it still runs.

    `prefix` is a command that becomes the rest of its command line, without a process of its own.
    """
    process = await asyncio.create_subprocess_exec(
        *prefix, sys.executable, *program, env=environment, stderr=stderr
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
