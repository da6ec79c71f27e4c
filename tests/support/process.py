"""An operator as a process of its own, to be killed, stopped and frozen."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def operator_process(environment: dict[str, str]) -> AsyncIterator[Process]:
    """A running `daap-operator run`; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daap_operator", "run", env=environment, stderr=DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
