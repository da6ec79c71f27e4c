"""Real failures: what status, Events and inventory tell, and whether Ready is what clients see.

Each failure is a row of the table in docs/reliability.md.
"""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds.database.desired.cluster import SMART_SHUTDOWN_SECONDS
from daap_operator.kinds.database.desired.pooler import LEAVE_SECONDS
from tests.fix_e2e import OperatorProcess
from tests.scenarios.lifecycle import SLOW
from tests.support.api import Api
from tests.support.clients import Clients
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.failures import Failure, Stage, without_cloudnativepg
from tests.support.nightly import nightly
from tests.support.observer import asking, watching
from tests.support.rows import Rows
from tests.support.second_try import is_second_try

pytestmark = pytest.mark.timeout(600)

FENCED, HIBERNATION = "cnpg.io/fencedInstances", "cnpg.io/hibernation"
RESTARTED = "kubectl.kubernetes.io/restartedAt"

NO_IMAGE = "localhost/nowhere/postgresql:{major}"

SetStage = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def stage(
    shop: Databases,
    clients: Clients,
    real_rows: Rows,
    report: Callable[[str], None],
    request: pytest.FixtureRequest,
) -> SetStage:
    """Makes a database and its client; what both saw is kept in .artifacts."""
    again = "-again" if is_second_try(request.config) else ""
    directory = request.config.rootpath / ".artifacts" / f"{request.node.name}{again}"

    @asynccontextmanager
    async def on_stage(name: str, **spec: object) -> AsyncIterator[Stage]:
        await shop.create(name, **spec)
        await shop.ready(name, seconds=SLOW)
        async with watching(shop, name) as watched, asking(watched, clients, directory) as client:
            yield Stage(watched, client, real_rows, report)

    return on_stage


# --- two instances --------------------------------------------------------------------------------


async def test_two_instances(stage: SetStage) -> None:
    async with stage("orders", instances=2) as on_stage:
        await rolling_restart(on_stage)
        await primary_killed(on_stage)


async def rolling_restart(stage: Stage) -> None:
    failure = stage.failure("rolling restart of two instances")
    await stage.annotate(RESTARTED, "2026-11-21T12:00:00Z")
    await stage.told(failure)
    await stage.promised(failure)


async def primary_killed(stage: Stage) -> None:
    failure = stage.failure("primary killed")
    await stage.kill(await stage.primary())
    await stage.told(failure)
    await stage.promised(failure)


# --- one instance ---------------------------------------------------------------------------------


async def test_one_instance(
    stage: SetStage, real_operator: OperatorProcess, real_cluster: KindCluster
) -> None:
    async with stage("orders") as on_stage:
        await only_instance_killed(on_stage, real_cluster)
        await pooler_scaled_down(on_stage, real_operator)
        await cloudnativepg_stopped(on_stage)
        await killed_behind_cloudnativepg(on_stage)
        real_operator.stop()
        real_operator.start(DAAP_SECRET_CHECK_INTERVAL="1s")
        await secret_deleted(on_stage)


@nightly("e2e-nightly")
async def test_one_instance_stopped_by_hand_or_by_its_spec(
    stage: SetStage, real_operator: OperatorProcess
) -> None:
    async with stage("orders") as on_stage:
        await deployment_scaled_down(on_stage)
        await fenced(on_stage)
        await hibernated(on_stage)
        await wrong_image(on_stage, real_operator)
        await refused(on_stage)


async def only_instance_killed(stage: Stage, kind: KindCluster) -> None:
    failure = stage.failure("only instance killed")
    everything = ("sh", "-c", "kill -9 -1 || true")
    namespace, primary = stage.watched.shop.namespace, await stage.primary()
    kind.kubectl(
        "exec", f"--namespace={namespace}", primary, "--container=postgres", "--", *everything
    )
    await stage.told(failure)
    await stage.promised(failure)


async def pooler_scaled_down(stage: Stage, operator: OperatorProcess) -> None:
    """Told of once the pods, which serve on for a while, are gone: else clients never notice."""
    failure, name = stage.failure("Pooler scaled to 0 by hand"), f"{stage.cluster}-pooler"
    shop = stage.watched.shop
    with operator.frozen():
        await stage.patch("poolers", name, {"spec": {"instances": 0}})
        pods = f"labelSelector=cnpg.io/poolerName={name}"
        await eventually(
            lambda: shop.api.list("pods", shop.namespace, pods), lambda left: not left, seconds=60
        )
    await eventually(
        lambda: shop.child("poolers", name),
        lambda pooler: pooler and pooler["spec"]["instances"] == 1,
    )
    await stage.told(failure)
    await stage.promised(failure)


async def deployment_scaled_down(stage: Stage) -> None:
    failure = stage.failure("pooler's Deployment scaled to 0 by hand")
    await stage.patch("deployments", f"{stage.cluster}-pooler", {"spec": {"replicas": 0}})
    await stage.told(failure)
    await stage.patch("deployments", f"{stage.cluster}-pooler", {"spec": {"replicas": 1}})
    await stage.promised(failure, drained=LEAVE_SECONDS)


async def fenced(stage: Stage) -> None:
    failure = stage.failure("Cluster fenced by hand")
    await stage.annotate(FENCED, '["*"]')
    await stage.told(failure)
    await stage.annotate(FENCED, None)
    await stage.promised(failure)


async def hibernated(stage: Stage) -> None:
    failure = stage.failure("Cluster hibernated by hand")
    await stage.annotate(HIBERNATION, "on")
    await stage.told(failure)
    await eventually(
        lambda: stage.api.list(
            "pods", stage.watched.shop.namespace, "labelSelector=cnpg.io/instanceName"
        ),
        lambda pods: not pods,
        seconds=SLOW,
    )
    await stage.annotate(HIBERNATION, None)
    await stage.promised(failure, drained=SMART_SHUTDOWN_SECONDS)


async def cloudnativepg_stopped(stage: Stage) -> None:
    failure = stage.failure("CloudNativePG stopped, spec changed")
    async with without_cloudnativepg(stage.api):
        await stage.watched.shop.edit("orders", instances=2)
        await stage.told(failure)
        await stage.watched.shop.edit("orders", instances=1)
        await stage.promised(failure)


async def killed_behind_cloudnativepg(stage: Stage) -> None:
    """Only Kubernetes tells of the instance then, by the endpoints of the primary's Service."""
    failure = stage.failure("CloudNativePG stopped, only instance killed")
    async with without_cloudnativepg(stage.api):
        await stage.kill(await stage.primary())
        await stage.told(failure)
        failure.nothing_else_was_told()
    await stage.promised(failure)


async def secret_deleted(stage: Stage) -> None:
    failure = stage.failure("connection Secret deleted")
    name = f"{stage.cluster}-connection"
    before = await stage.watched.shop.child("secrets", name)
    assert before
    await stage.api.delete("secrets", stage.watched.shop.namespace, name)
    after = await eventually(lambda: stage.watched.shop.child("secrets", name))
    assert after
    assert after["data"] == before["data"]
    await stage.told(failure)
    await stage.promised(failure)


async def wrong_image(stage: Stage, operator: OperatorProcess) -> None:
    failure = stage.failure("image that cannot be pulled")
    operator.stop()
    operator.start(DAAP_POSTGRES_IMAGE=NO_IMAGE)
    await stage.told(failure)
    operator.stop()
    operator.start()
    await eventually(
        lambda: stage.watched.shop.child("clusters", stage.cluster),
        lambda cluster: cluster and "nowhere" not in cluster["spec"]["imageName"],
    )
    await eventually(lambda: replaced(stage, f"{stage.cluster}-1"), seconds=SLOW, every=1.0)
    await stage.promised(failure, drained=SMART_SHUTDOWN_SECONDS)


async def replaced(stage: Stage, pod: str) -> bool:
    """Kill a pod whose image is nowhere: CloudNativePG never replaces one that did not start.

    It may make one such pod more: its view of the Cluster may be older than ours.
    """
    found = await stage.api.get("pods", stage.watched.shop.namespace, pod)
    if found is None:
        return False
    wrong = any("nowhere" in container["image"] for container in found["spec"]["containers"])
    if wrong:
        await stage.kill(pod)
    return not wrong


async def refused(stage: Stage) -> None:
    """By hand the Cluster was made to need two instances, and the spec asks for one again."""
    name, shop = stage.watched.name, stage.watched.shop
    await shop.edit(name, instances=2)
    await shop.ready(name, seconds=SLOW)
    await stage.patch("clusters", stage.cluster, {"spec": {"maxSyncReplicas": 1}})
    failure = stage.failure("CloudNativePG refuses the spec")
    await shop.edit(name, instances=1)
    await stage.told(failure)
    await stage.patch("clusters", stage.cluster, {"spec": {"maxSyncReplicas": 0}})
    await stage.over(failure)


# --- no instance yet ------------------------------------------------------------------------------


async def test_databases_that_cannot_come_up(
    shop: Databases, real_rows: Rows, real_operator: OperatorProcess
) -> None:
    async def created(failure: str, name: str, **spec: object) -> None:
        async with watching(shop, name) as watched:
            seen = Failure(failure, watched, real_rows)
            await shop.create(name, **spec)
            await seen.told()

    nowhere = {"size": "10Gi", "storageClass": "nowhere"}
    await created("new database, storage class that does not exist", "volume", storage=nowhere)
    async with one_small_volume(shop.api) as storage_class:
        large = {"size": "100Gi", "storageClass": storage_class}
        await created("new database, larger than any volume", "large", storage=large)
    real_operator.stop()
    real_operator.start(DAAP_POSTGRES_IMAGE=NO_IMAGE)
    await created("new database, image that cannot be pulled", "image")
    async with without_cloudnativepg(shop.api):
        await created("new database, CloudNativePG stopped", "webhook")


@asynccontextmanager
async def one_small_volume(api: Api) -> AsyncIterator[str]:
    """A StorageClass whose volumes are made by hand, and the only one that was."""
    name = f"shelf-{uuid.uuid4().hex[:8]}"
    volume = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": name,
        "hostPath": {"path": f"/tmp/{name}"},
    }
    by_hand = {"metadata": {"name": name}, "provisioner": "kubernetes.io/no-provisioner"}
    await api.create("storageclasses", by_hand)
    await api.create("persistentvolumes", {"metadata": {"name": name}, "spec": volume})
    try:
        yield name
        found = await api.get("persistentvolumes", "", name)
        assert found
        assert found["status"]["phase"] == "Available"
    finally:
        await api.delete("persistentvolumes", "", name)
        await api.delete("storageclasses", "", name)
