"""An operator as a process of its own, to be killed, stopped and frozen."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

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


@asynccontextmanager
async def operator_process(
    environment: dict[str, str], program: Sequence[str] = WHOLE
) -> AsyncIterator[Process]:
    """A running `daap-operator run`; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *program, env=environment, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
