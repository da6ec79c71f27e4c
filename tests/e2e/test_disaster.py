"""A cluster is lost, and what is outside of it brings its databases back: the drill of the docs.

The inventory is on this machine and survives by itself. The S3 server runs in the cluster, so that
it is not the whole cluster that goes: everything goes that knows of a database, all at once and
without the operator: the operator, its CRDs, the namespace with the DaapDatabases, Clusters,
volumes, Secrets and ObjectStore. What stays is what step 3 of docs/disaster.md installs again.
"""

import argparse
import asyncio
import io
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_kind import KindCluster

from daap_operator import crd, rebuild
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.rebuild import command
from dev.cluster.established import wait_established
from tests.e2e.test_backup import create_store
from tests.e2e.test_source import CONTENT, RECOVERED, TABLES, Server, backed_up
from tests.fix_cluster import remove_namespace
from tests.fix_e2e import OperatorProcess
from tests.scenarios.lifecycle import SLOW
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.failures import AT_ONCE
from tests.support.nightly import nightly
from tests.support.rows import Rows

pytestmark = pytest.mark.timeout(1800)

SMALL: dict[str, Any] = {"storage": {"size": "1Gi"}, "backup": {"store": "backups"}}


def rebuilt(url: str, target: Path, *arguments: str) -> tuple[int, str]:
    """The command: its exit code, and what it has written."""
    parser = argparse.ArgumentParser()
    rebuild.add_arguments(parser)
    chosen = parser.parse_args(["--output", str(target), *arguments])
    code = rebuild.main(chosen, url, err=io.StringIO())
    return code, target.read_text()


async def lose(shop: Databases, cluster: KindCluster) -> None:
    """All that knows of a database goes, and nobody is asked."""
    await remove_namespace(shop.api, shop.namespace)
    for pod in await shop.api.list("pods", shop.namespace):
        await shop.api.delete("pods", shop.namespace, pod["metadata"]["name"], AT_ONCE)
    await shop.namespace_gone()
    names = [definition.name for definition in DEFINITIONS]
    await asyncio.to_thread(cluster.kubectl, "delete", "crd", "--wait=true", *names)


async def begin_anew(shop: Databases, cluster: KindCluster) -> None:
    """What the platform team has in Git and in its vault."""
    made = crd.render(*DEFINITIONS)
    await asyncio.to_thread(cluster.kubectl, "apply", "--server-side", "-f", "-", input=made)
    await asyncio.to_thread(wait_established, cluster.kubectl)
    await shop.api.create("namespaces", {"metadata": {"name": shop.namespace}})
    await create_store(shop)


@nightly("e2e-nightly")
async def test_everything_is_there_again_from_the_inventory_and_the_archives(
    shop: Databases,
    real_cluster: KindCluster,
    real_operator: OperatorProcess,
    real_rows: Rows,
    migrated_database: str,
    tmp_path: Path,
) -> None:
    orders = await backed_up(shop, real_cluster)
    await shop.create("bills", databaseName="orders", purpose="Bills", **SMALL)
    await shop.ready("bills", seconds=SLOW)
    bills = Server(real_cluster, shop, "bills")
    await bills.says(TABLES)
    await eventually(
        lambda: shop.get("bills"),
        lambda obj: condition(obj, "BackupHealthy").get("status") == "True",
        seconds=SLOW,
    )
    expected = [await orders.write(10_001, 12_000), await bills.write(1, 777)]
    await orders.archived()
    await bills.archived()

    real_operator.stop(signal.SIGKILL)
    lost_at = datetime.now(UTC).isoformat()  # noqa: TID251 - the drill's own clock
    await lose(shop, real_cluster)

    code, text = await asyncio.to_thread(rebuilt, migrated_database, tmp_path / "databases.yaml")
    assert code == command.DONE, text

    await begin_anew(shop, real_cluster)
    real_operator.start()
    for name in ("orders", "bills"):
        await real_rows.becomes(name, status="deleted", seconds=SLOW)
    late = tmp_path / "late.yaml"
    arguments = (migrated_database, late, "--lost-at", lost_at)
    assert await asyncio.to_thread(rebuilt, *arguments) == (code, text)

    apply = ("apply", "--server-side", "-f", str(late))
    await asyncio.to_thread(real_cluster.kubectl, *apply)
    for name in ("orders", "bills"):
        await shop.ready(name, seconds=RECOVERED)
    assert [await orders.says(CONTENT), await bills.says(CONTENT)] == expected
    found = await shop.get("bills")
    assert found
    assert found["spec"]["purpose"] == "Bills"
    assert found["status"]["databaseName"] == "orders"
    await real_rows.becomes("bills", status="ready", database_name="orders", seconds=SLOW)
