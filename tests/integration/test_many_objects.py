"""However many objects a tenant makes, the operator keeps no more than it has room for."""

import asyncio
import json
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import known
from dev.cluster import ControlPlane
from tests.integration.test_large_objects import peak_mb
from tests.standin.cnpg import StandIn
from tests.support.api import Api
from tests.support.databases import Databases, condition, database
from tests.support.eventually import eventually
from tests.support.large import SPECS, clear
from tests.support.limits import limit
from tests.support.process import operator_process
from tests.support.tenants import tenant

Object = dict[str, Any]

LIMIT_MB = 224
"""The operator's limit: 32 MiB of it are for what it keeps."""

PODS, STRANGERS = 1500, 1000
AT_ONCE = 16
SECONDS = 240.0

TEXT = "x" * 55_000
"""Nearly as much as is kept of one object."""


@pytest.fixture
async def mallory(
    control_plane: ControlPlane, api: Api, other_namespace: str
) -> AsyncIterator[Api]:
    """Somebody who has Kubernetes' role `edit` in one namespace."""
    async with tenant(control_plane, api, "mallory", other_namespace) as client:
        yield client
    await clear(api, ("pods", "deployments"), other_namespace)


@pytest.mark.timeout(900)
async def test_thousands_of_objects_take_only_what_their_namespace_has(
    databases: Databases,
    standin: StandIn,
    api: Api,
    mallory: Api,
    other_namespace: str,
    operator_environment: dict[str, str],
) -> None:
    environment = {
        **os.environ,
        **operator_environment,
        "DAAP_IDENTITY": "tests",
        "DAAP_LEASE_DURATION": "5m",  # so many requests may keep the API server busy
        "DAAP_MEMORY_LIMIT": f"{LIMIT_MB}Mi",
        "DAAP_RESYNC_INTERVAL": "1h",
    }
    peaks = []
    with limit(LIMIT_MB) as limited:
        async with operator_process(environment, prefix=limited.prefix) as process:
            await databases.create("orders")
            await mallory.create("daapdatabases", database(other_namespace, "greedy"))
            await is_ready(process, api, databases.namespace, "orders")
            await is_ready(process, api, other_namespace, "greedy")
            standin.sleep(other_namespace)
            size = await many(mallory, other_namespace)
            await is_over(process, api, other_namespace)
            await databases.create("payments")
            await is_ready(process, api, databases.namespace, "payments")
            peaks.append(peak_mb(process))
        # The next one sees it all at once, in its LISTs
        async with operator_process(environment, prefix=limited.prefix) as process:
            await databases.create("carts")
            await is_ready(process, api, databases.namespace, "carts")
            await is_over(process, api, other_namespace)
            for name in ("orders", "payments"):
                await is_ready(process, api, databases.namespace, name)
            peaks.append(peak_mb(process))
            await clear(api, ("pods",), other_namespace)
            await mallory.call("DELETE", path(other_namespace, "greedy"))
            await gone(process, api, other_namespace)
        told = limited.told
    print(  # noqa: T201 - the figure of docs/reliability.md
        f"\n{PODS + STRANGERS} objects of {size / 1e6:.0f} MB: at most {peaks[0]} MiB while they "
        f"come, {peaks[1]} MiB when they are listed, with {told}"
    )
    assert max(peaks) < LIMIT_MB


async def many(mallory: Api, namespace: str) -> int:
    """Pods that say they are of a database, and Deployments of none; the bytes they have."""
    places = asyncio.Semaphore(AT_ONCE)

    async def make(plural: str, obj: Object) -> int:
        async with places:
            return len(json.dumps(await mallory.create(plural, obj)))

    pods = [make("pods", pod(namespace, number)) for number in range(PODS)]
    others = [make("deployments", stranger(namespace, number)) for number in range(STRANGERS)]
    return sum(await asyncio.gather(*pods, *others))


def pod(namespace: str, number: int) -> Object:
    """A pod that somebody has labelled as one of a database, and of which much is kept."""
    spec = {"containers": [{"name": "postgres", "image": TEXT}]}
    metadata = {
        "name": f"pod-{number}",
        "namespace": namespace,
        "labels": {names.CNPG_CLUSTER_LABEL: names.cluster_name("greedy")},
        "annotations": {"cnpg.io/podSpec": json.dumps(spec)},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": SPECS["pods"]}


def stranger(namespace: str, number: int) -> Object:
    """A Deployment that somebody has labelled as a Pooler's that is not there."""
    metadata = {
        "name": f"other-{number}-pooler",
        "namespace": namespace,
        "labels": {names.CNPG_POOLER_LABEL: f"other-{number}-pooler"},
    }
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    return made | {"spec": SPECS["deployments"]}


def path(namespace: str, name: str) -> str:
    """Where a DaapDatabase is."""
    return (
        f"/apis/{known.DATABASE.api_version}/namespaces/{namespace}/{known.DATABASE.plural}/{name}"
    )


async def is_ready(process: Process, api: Api, namespace: str, name: str) -> None:
    """Wait until a database is Ready, for as long as the operator runs."""
    await until(process, api, namespace, name, "Ready", "Ready")


async def is_over(process: Process, api: Api, namespace: str) -> None:
    """Wait until the database that takes too much is reported, with what and where."""
    await until(process, api, namespace, "greedy", "Stalled", "NamespaceOverShare")
    found = condition(await api.get("daapdatabases", namespace, "greedy"), "Stalled")
    assert f"Namespace {namespace} " in found["message"]
    assert "kind Pod" in found["message"]


async def until(
    process: Process, api: Api, namespace: str, name: str, kind: str, reason: str
) -> None:
    """Wait for the reason of a condition."""

    async def seen() -> str:
        assert process.returncode is None, f"it has died: {process.returncode}"
        return str(condition(await api.get("daapdatabases", namespace, name), kind).get("reason"))

    await eventually(seen, lambda found: found == reason, seconds=SECONDS, every=0.2)


async def gone(process: Process, api: Api, namespace: str) -> None:
    """Wait until a database that was put out is deleted."""

    async def there() -> bool:
        assert process.returncode is None
        return await api.get("daapdatabases", namespace, "greedy") is not None

    await eventually(there, lambda found: not found, seconds=SECONDS, every=0.2)
