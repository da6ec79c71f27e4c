"""What tenants store does not decide how much memory the operator takes.

Here some of the largest objects of every kind that is watched; `LARGE=all` (`make large`) makes
440, and lists 5,000 ordinary databases beside them.
"""

import asyncio
import os
import re
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from dev.cluster import ControlPlane
from tests.standin.cnpg import StandIn
from tests.support.api import Api, ApiError
from tests.support.databases import Databases, condition, database
from tests.support.eventually import eventually
from tests.support.large import BY_ADMINISTRATORS, BY_TENANTS, PLURALS, clear, fill, large, touch
from tests.support.limits import limit
from tests.support.process import operator_process
from tests.support.tenants import tenant

ALL = os.environ.get("LARGE") == "all"

EACH, DEPLOYMENTS, ORDINARY = (40, 120, 5000) if ALL else (6, 60, 0)
"""Large objects of each kind, those that are made by somebody who may make nothing else, and
ordinary databases."""

LIMIT_MB = 512
"""The chart's limit of memory."""

SECONDS = 900.0 if ALL else 240.0
"""On a machine with much other work."""

MALLORY = "mallory"


def peak_mb(process: Process) -> int:
    """The most memory that a process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024


@pytest.fixture
async def mallory(
    control_plane: ControlPlane, api: Api, other_namespace: str
) -> AsyncIterator[Api]:
    """Somebody who has Kubernetes' role `edit` in one namespace."""
    async with tenant(control_plane, api, MALLORY, other_namespace) as client:
        yield client
    await clear(api, PLURALS, other_namespace)


@pytest.mark.timeout(3600 if ALL else 600)
async def test_hundreds_of_the_largest_objects_take_the_operator_no_more_memory_than_it_has(
    databases: Databases,
    standin: StandIn,
    api: Api,
    mallory: Api,
    other_namespace: str,
    operator_environment: dict[str, str],
) -> None:
    standin.sleep(other_namespace)
    began = time.monotonic()
    size = await fill(mallory, BY_TENANTS, other_namespace, EACH)
    for plural in BY_ADMINISTRATORS:
        with pytest.raises(ApiError, match="403"):
            await mallory.create(plural, large(plural, other_namespace, "forbidden"))
    size += await fill(api, BY_ADMINISTRATORS, other_namespace, EACH)
    size += await fill(mallory, ["deployments"], other_namespace, DEPLOYMENTS, "their-")
    await ordinary(api, databases.namespace)
    made = time.monotonic()
    environment = {**os.environ, **operator_environment, "DAAP_IDENTITY": "tests"}
    with limit(LIMIT_MB) as limited:
        told = limited.told
        peak, at_start, ready = await lead(
            environment, limited.prefix, databases, api, other_namespace
        )
    count = EACH * len(PLURALS) + DEPLOYMENTS
    print(  # noqa: T201 - `make large` shows it, pytest with a failure only
        f"\n{count} objects of {size / 1e6:.0f} MB and {ORDINARY} databases, made in "
        f"{made - began:.0f} s: Ready after {ready - made:.0f} s; at most {at_start} MiB at the "
        f"start, {peak} MiB in all, with {told}"
    )
    assert size > 1_200_000 * count
    assert peak < LIMIT_MB


async def lead(
    environment: dict[str, str],
    prefix: Sequence[str],
    databases: Databases,
    api: Api,
    other_namespace: str,
) -> tuple[int, int, float]:
    """Run an operator beside them: its peaks in MiB, in all and at the start, and when it led."""
    async with operator_process(environment, prefix=prefix) as process:
        await databases.create("orders")
        await within(process, databases, "orders")
        at_start = peak_mb(process)
        ready = time.monotonic()

        async def stalled() -> str:
            found = await api.get("daapdatabases", other_namespace, "daapdatabases-0")
            return str(condition(found, "Stalled").get("reason"))

        await eventually(stalled, lambda reason: reason == "ObjectTooLarge", seconds=SECONDS)
        await touch(api, PLURALS, other_namespace, EACH)
        await databases.create("payments")
        await within(process, databases, "payments")
        peak = peak_mb(process)
        assert process.returncode is None
        return peak, at_start, ready


async def within(process: Process, databases: Databases, name: str) -> None:
    """Wait until a database is Ready, for as long as the operator runs and fits into its pod."""

    async def seen() -> str:
        assert process.returncode is None, "it has died"
        if (peak := peak_mb(process)) >= LIMIT_MB:
            pytest.fail(f"it would have been killed: {peak} MiB")
        found = await databases.api.get("daapdatabases", databases.namespace, name)
        return str(((found or {}).get("status") or {}).get("phase"))

    await eventually(seen, lambda phase: phase == "Ready", seconds=SECONDS, every=0.2)


async def ordinary(api: Api, namespace: str) -> None:
    """Databases as there are many; of no class there is, so that they cost no more than a pass."""
    places = asyncio.Semaphore(16)

    async def make(number: int) -> None:
        async with places:
            await api.create("daapdatabases", database(namespace, f"ordinary-{number}"))

    await asyncio.gather(*(make(number) for number in range(ORDINARY)))
