"""Whoever has all rights on the newest kinds in one namespace: what others notice of it."""

import asyncio
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from daap_operator.kinds import known
from dev.cluster import ControlPlane
from tests.integration.test_large_objects import peak_mb
from tests.integration.test_many_objects import is_ready
from tests.support.api import Api, ApiError, Object
from tests.support.databases import Databases
from tests.support.databases import is_ready as ready
from tests.support.eventually import eventually
from tests.support.nightly import nightly
from tests.support.process import operator_process
from tests.support.tenants import RBAC

LIMIT_MB = 224
"""32 MiB of it are for what is kept: 4,000 of the smallest objects."""
FLOOD = 4200
AT_ONCE = 16
GROUPS = ["daap.io", "barmancloud.cnpg.io", "postgresql.cnpg.io"]


@pytest.fixture
async def mallory(
    control_plane: ControlPlane, api: Api, other_namespace: str
) -> AsyncIterator[Api]:
    """Somebody who may do everything with these kinds in one namespace, the status included."""
    name = {"metadata": {"name": "everything", "namespace": other_namespace}}
    rules = [{"apiGroups": GROUPS, "resources": ["*"], "verbs": ["*"]}]
    await api.create("roles", name | {"rules": rules})
    subjects = [{**RBAC, "kind": "User", "name": "mallory"}]
    reference = {**RBAC, "kind": "Role", "name": "everything"}
    await api.create("rolebindings", name | {"subjects": subjects, "roleRef": reference})
    async with Api(control_plane.user_kubeconfig("mallory")) as client:

        async def may() -> bool:
            try:
                await client.list("daapbackups", other_namespace)
            except ApiError:
                return False
            return True

        await eventually(may, bool)
        yield client
    for kind in (known.DAAP_BACKUP, known.BACKUP, known.SCHEDULED_BACKUP, known.BARMAN_STORE):
        await api.call("DELETE", kind.path(other_namespace), {"gracePeriodSeconds": 0})


def narrow(environment: dict[str, str]) -> dict[str, str]:
    """An operator with little memory."""
    return {
        **os.environ,
        **environment,
        "DAAP_IDENTITY": "tests",
        "DAAP_MEMORY_LIMIT": f"{LIMIT_MB}Mi",
        "DAAP_LEASE_DURATION": "5m",
        "DAAP_RESYNC_INTERVAL": "1h",
    }


@pytest.fixture
async def process(operator_environment: dict[str, str]) -> AsyncIterator[Process]:
    async with operator_process(narrow(operator_environment)) as running:
        yield running


async def made(api: Api, plural: Any, objects: list[Object]) -> list[Object]:
    """Create all of them, several at once."""
    places = asyncio.Semaphore(AT_ONCE)

    async def create(obj: Object) -> Object:
        async with places:
            return await api.create(plural, obj)

    return await asyncio.gather(*map(create, objects))


def store(namespace: str, name: str, windows: Object | None = None, **metadata: Any) -> Object:
    return {
        "apiVersion": known.BARMAN_STORE.api_version,
        "kind": known.BARMAN_STORE.name,
        "metadata": {"namespace": namespace, "name": name, **metadata},
        "spec": {"configuration": {"destinationPath": "s3://x/"}},
        **({"status": {"serverRecoveryWindow": windows}} if windows else {}),
    }


class Honest:
    """Another tenant's edits, and how long each waits for its answer."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._number = 0
        self.waited: list[float] = []

    async def edit(self) -> None:
        self._number += 1
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._databases.edit("orders", purpose=f"edit {self._number}")
        await eventually(lambda: self._databases.get("orders"), ready, every=0.02)
        self.waited.append(loop.time() - began)

    async def during(self, attack: Coroutine[Any, Any, Any]) -> float:
        self.waited = []
        task = asyncio.create_task(attack)
        while not task.done():
            await self.edit()
            await asyncio.sleep(0.2)
        await task
        await self.edit()
        return max(self.waited)


@nightly("large")
@pytest.mark.timeout(900)
async def test_a_flood_of_others_objects_ends_nothing(
    databases: Databases,
    mallory: Api,
    api: Api,
    other_namespace: str,
    operator_environment: dict[str, str],
) -> None:
    """More than there is memory for, as they come and as they are listed."""
    objects = [store(other_namespace, f"flood-{number}") for number in range(FLOOD)]
    environment = narrow(operator_environment)
    async with operator_process(environment) as process:
        await databases.create("orders")
        await is_ready(process, api, databases.namespace, "orders")
        honest = Honest(databases)
        slowest = await honest.during(made(mallory, known.BARMAN_STORE, objects))
        await told_of_no_memory(process, api, other_namespace)
        await databases.create("payments")
        await is_ready(process, api, databases.namespace, "payments")
    async with operator_process(environment) as process:  # the next one sees them in its LIST
        await databases.create("carts")
        for name in ("carts", "orders", "payments"):
            await is_ready(process, api, databases.namespace, name)
        assert peak_mb(process) < LIMIT_MB
    print(f"{FLOOD} ObjectStores: others' edits within {slowest:.2f} s")  # noqa: T201


async def told_of_no_memory(process: Process, api: Api, namespace: str) -> None:
    """Wait for the Event about the first that is not kept."""

    async def events() -> list[Object]:
        assert process.returncode is None, f"it has died: {process.returncode}"
        return await api.list("events", namespace)

    await eventually(
        events, lambda found: any(one["reason"] == "NamespaceOverShare" for one in found)
    )
