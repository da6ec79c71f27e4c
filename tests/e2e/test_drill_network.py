"""A scratch Cluster where NetworkPolicies are enforced: closed off, and proved all the same."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from dev.cluster import object_store
from tests.e2e.test_drill import DRILLED
from tests.e2e.test_source import backed_up
from tests.fix_e2e import OperatorProcess
from tests.support.databases import Databases, phase
from tests.support.drilling import Drills
from tests.support.nightly import nightly
from tests.support.policy_engine import policies_enforced

pytestmark = pytest.mark.timeout(1200)

HELD = {"name": "held", "sql": "SELECT pg_sleep(45)"}
"""The drill stays in its checks meanwhile."""

CONNECT = "timeout 5 bash -c '</dev/tcp/{}/{}'"


class Pods:
    """What pods can reach."""

    def __init__(self, cluster: KindCluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    async def reaches(self, pod: str, host: str, port: int) -> bool:
        """Whether a TCP connection from an instance's pod is accepted, within 5 seconds."""
        place = (f"--namespace={self._namespace}", pod, "--container=postgres")
        command = ("exec", *place, "--", "bash", "-c", CONNECT.format(host, port))
        try:
            await asyncio.to_thread(self._cluster.kubectl, *command)
        except subprocess.CalledProcessError:
            return False
        return True


async def api_server_port(shop: Databases) -> int:
    """The port of its endpoint, which policies see, and not that of its Service."""
    found = await shop.api.get("endpointslices", "default", "kubernetes")
    assert found
    return int(found["ports"][0]["port"])


@nightly("e2e-nightly")
async def test_nobody_reaches_a_scratch_cluster_and_it_reaches_nobody_else(
    shop: Databases,
    real_cluster: KindCluster,
    real_operator: OperatorProcess,
    operator_image: str,
    tmp_path: Path,
) -> None:
    ports = f"{await api_server_port(shop)},{object_store.PORT}"
    real_operator.stop()
    real_operator.start(DAAP_DRILL_IMAGE=operator_image, DAAP_DRILL_EGRESS_PORTS=ports)
    orders = await backed_up(shop, real_cluster)
    await orders.archived()
    pods = Pods(real_cluster, shop.namespace)
    drills = Drills(shop.api, shop.namespace)
    async with policies_enforced(real_cluster, tmp_path):
        await drills.create("closed", queries=[HELD])
        found = await drills.is_in("closed", "Checking", "Failed", seconds=DRILLED)
        assert phase(found) == "Checking", found["status"]
        scratch = found["status"]["clusterName"]

        assert await pods.reaches("daap-orders-1", "daap-orders-rw", 5432), "the way to ask"
        instance = await shop.child("pods", f"{scratch}-1")
        assert instance
        address = instance["status"]["podIP"]
        for port in (5432, 8000, 9187):
            assert not await pods.reaches("daap-orders-1", address, port), port
        server = f"{object_store.NAME}.{object_store.NAMESPACE}.svc"
        assert await pods.reaches(f"{scratch}-1", server, object_store.PORT), "the way to ask"
        assert not await pods.reaches(f"{scratch}-1", "daap-orders-rw", 5432)

        passed = await drills.is_in("closed", "Passed", "Failed", seconds=DRILLED)
        assert phase(passed) == "Passed", passed["status"]
        assert passed["status"]["checks"]["rows"] == 10_001
        assert await drills.left() == []
