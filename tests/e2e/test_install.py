"""The operator as people install it: by Helm or kustomize, upgraded, interrupted, taken away."""

import asyncio
import shutil
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.cluster import commands
from dev.cluster.errors import ClusterError
from dev.cluster.established import wait_established
from dev.installation import CHART, NAMESPACE, ROOT
from tests.support.clients import Clients
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.nightly import nightly
from tests.support.release import Release

pytestmark = pytest.mark.timeout(900)

PREVIOUS = Path(__file__).parent / "charts" / "daap-operator-0.1.0.tgz"
"""The chart that users have before they upgrade to the one of this checkout."""
MANIFESTS = ROOT / "manifests"
SLOW = 120.0

ANSWER = """
with psycopg.connect(entry("uri"), **VERIFIED) as connection:
    tell(connection.execute("SELECT 1").fetchone())
"""


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """The chart of before, with the rights that this checkout's image asks for.

    Image and chart belong together, and no image of that time is kept.
    """
    commands.run("tar", "--extract", f"--file={PREVIOUS}", f"--directory={tmp_path}")
    chart = tmp_path / CHART.name
    shutil.copy(CHART / "templates" / "_rules.tpl", chart / "templates")
    return chart


async def test_a_release_from_install_to_uninstall(
    release: Release, team: Databases, clients: Clients, previous: Path
) -> None:
    release.install(previous)
    await team.create("orders")
    await team.ready("orders", seconds=SLOW)
    assert await answer(team, "orders", clients) == [1]

    before = await what_runs(team)
    async with readiness(team, "orders") as told:
        release.upgrade("--set=podAnnotations.upgraded=yes")  # other pods, whatever else changed
        await the_new_one_has_looked(team, "orders")
    assert set(told) == {"True"}, told
    assert await what_runs(team) == before
    assert "already up to date" in release.migrated()
    await a_migration_that_fails(release, team)

    await team.create("later")
    leader = await led(release)
    release.kubectl("delete", "pod", leader, f"--namespace={NAMESPACE}")
    await asyncio.gather(  # the test makes a database, too
        team.ready("later", seconds=SLOW),
        led(release, after=leader),
        asyncio.to_thread(release.test),
    )

    before = await what_runs(team)
    release.uninstall()
    release.kubectl("get", "crd", "daapdatabases.daap.io")
    assert await what_runs(team) == before
    assert await answer(team, "orders", clients) == [1]
    release.install()
    await the_new_one_has_looked(team, "orders")
    assert await what_runs(team) == before
    await gone(team, "orders", "later")
    release.uninstall()


@nightly("e2e-nightly")
async def test_installed_by_kustomize(release: Release, team: Databases, clients: Clients) -> None:
    made = (await team.api.get("secrets", NAMESPACE, "daap-metadata-app") or {})["data"]["uri"]
    # The manifests mount no certificate authority, so the URL has to say that this one will do
    uri = b64encode(b64decode(made) + b"?sslmode=require").decode()
    await team.api.create(
        "secrets",
        {
            "metadata": {"name": "daap-metadata", "namespace": NAMESPACE},
            "data": {"DATABASE_URL": uri},
        },
    )
    release.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", str(MANIFESTS))
    wait_established(release.kubectl, *(definition.name for definition in DEFINITIONS))
    await team.create("orders")
    await team.ready("orders", seconds=SLOW)
    assert await answer(team, "orders", clients) == [1]
    await gone(team, "orders")
    release.kubectl("delete", "--kustomize", str(MANIFESTS / "operator"), "--ignore-not-found")
    release.kubectl("get", "crd", "daapdatabases.daap.io")


async def a_migration_that_fails(release: Release, team: Databases) -> None:
    """The upgrade fails with it, and the operator of before goes on."""
    url = "postgresql://nobody@daap-metadata-rw:1/nowhere"
    release.kubectl(
        *("create", "secret", "generic", "nowhere", f"--namespace={NAMESPACE}"),
        f"--from-literal=DATABASE_URL={url}",
    )
    before = release.operators()
    where = "metadataDatabase.existingSecret"
    wrong = (f"--set={where}.name=nowhere", f"--set={where}.key=DATABASE_URL")
    once = ("--set=migrations.waitSeconds=1", "--set=migrations.backoffLimit=0")
    with pytest.raises(ClusterError, match="pre-upgrade hooks failed"):
        release.upgrade(*wrong, *once)
    assert release.operators() == before
    await the_new_one_has_looked(team, "orders")


async def answer(team: Databases, name: str, clients: Clients) -> Any:
    """What a client in another namespace gets."""
    found = await team.get(name)
    assert found
    secret = await team.child("secrets", found["status"]["secretName"])
    assert secret
    return await clients.run(ANSWER, secret)


async def what_runs(team: Databases) -> dict[str, object]:
    """The databases' objects by generation, their pods by id and restarts.

    Of a Pooler what its pods are made from: parameters that the running ones reload may change.
    """
    seen: dict[str, object] = {}
    for obj in await team.api.list("poolers", team.namespace):
        seen[f"poolers/{obj['metadata']['name']}"] = obj["spec"]["template"]
    for plural in ("clusters", "deployments"):
        for obj in await team.api.list(plural, team.namespace):
            seen[f"{plural}/{obj['metadata']['name']}"] = obj["metadata"]["generation"]
    # A Job's pod has done its work, and goes when garbage collection comes round
    for pod in await team.api.list("pods", team.namespace, "labelSelector=!job-name"):
        restarts = sum(c["restartCount"] for c in pod["status"].get("containerStatuses", []))
        seen[f"pods/{pod['metadata']['name']}"] = (pod["metadata"]["uid"], restarts)
    return seen


@asynccontextmanager
async def readiness(team: Databases, name: str) -> AsyncIterator[list[str]]:
    """Every value of Ready that was written meanwhile."""
    told: list[str] = []

    async def listen() -> None:
        async for _, obj in team.api.watch("daapdatabases"):
            if obj["metadata"]["namespace"] == team.namespace and obj["metadata"]["name"] == name:
                told.append(condition(obj, "Ready").get("status", "absent"))

    listening = asyncio.create_task(listen())
    try:
        await eventually(lambda: _value(told))
        yield told
    finally:
        listening.cancel()


async def _value(told: list[str]) -> list[str]:
    return told


async def led(release: Release, *, after: str = "") -> str:
    """Wait until a pod leads, and another one than that before; its name."""

    async def leader() -> str:
        return release.leader()

    return await eventually(leader, lambda name: name and name != after, seconds=SLOW, every=0.5)


async def the_new_one_has_looked(team: Databases, name: str) -> None:
    """A change that no child sees is taken up by whoever leads now."""
    found = await team.get(name)
    assert found
    await team.edit(name, purpose=f"looked at after generation {found['metadata']['generation']}")
    await team.ready(name, seconds=SLOW)


async def gone(team: Databases, *names: str) -> None:
    """Deleted by the operator, before it is taken away."""
    for name in names:
        await team.delete(name)
    for name in names:
        await team.gone(name, seconds=SLOW)
