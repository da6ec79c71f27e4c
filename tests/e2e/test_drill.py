"""Restore drills on the real plugin: of a good backup, and of one that was damaged on purpose."""

import asyncio

import pytest
from pytest_kind import KindCluster

from dev.cluster import object_store
from tests.e2e.test_source import Server, backed_up
from tests.fix_e2e import OperatorProcess
from tests.support.api import Object
from tests.support.databases import Databases, condition
from tests.support.drilling import Drills
from tests.support.nightly import nightly
from tests.support.rows import Rows

pytestmark = pytest.mark.timeout(1200)

DRILLED = 600.0
"""Seconds for a drill: a restore, the checks, and everything removed again."""

REMOVE = f"""
import boto3
s3 = boto3.client("s3", endpoint_url="{object_store.ENDPOINT}", region_name="us-east-1",
                  aws_access_key_id="{object_store.ACCESS_KEY}",
                  aws_secret_access_key="{object_store.SECRET_KEY}")
found = s3.list_objects_v2(Bucket="{object_store.BUCKET}", Prefix="PREFIX/base/")["Contents"]
keys = [each["Key"] for each in found if "data.tar" in each["Key"]]
for key in keys:
    s3.delete_object(Bucket="{object_store.BUCKET}", Key=key)
print(len(keys))
"""
"""Takes the data of all base backups of an archive out of the bucket; what lists them stays."""

QUERIES = [
    {"name": "lines", "sql": "SELECT count(*) FROM lines", "expect": "10000"},
    {"sql": "SELECT current_user", "expect": "orders"},
    {"name": "unexpected", "sql": "SELECT 1"},
]


async def _damage(cluster: KindCluster, shop: Databases, archive: str) -> None:
    """The plugin's sidecar has what it takes to reach the bucket."""
    # As tests.e2e.test_backup has the ObjectStore's destination
    program = REMOVE.replace("PREFIX", f"{shop.namespace}/{archive}")
    place = (f"--namespace={shop.namespace}", "daap-orders-1", "--container=plugin-barman-cloud")
    run = ("exec", *place, "--", "python3", "-c", program)
    said = await asyncio.to_thread(cluster.kubectl, *run)
    assert int(said) >= 1


@nightly("e2e-nightly")
async def test_a_drill_proves_a_backup_and_finds_a_damaged_one(
    shop: Databases,
    real_cluster: KindCluster,
    real_operator: OperatorProcess,
    real_rows: Rows,
    operator_image: str,
) -> None:
    real_operator.stop()
    real_operator.start(DAAP_DRILL_IMAGE=operator_image)
    drills = Drills(shop.api, shop.namespace)
    orders: Server = await backed_up(shop, real_cluster)
    await orders.archived()
    database = await shop.get("orders")
    assert database
    archive = database["status"]["backup"]["archive"]

    await drills.create("proof", queries=QUERIES)
    passed = await drills.is_in("proof", "Passed", "Failed", seconds=DRILLED)
    assert passed["status"]["phase"] == "Passed", passed["status"]
    _proves(passed["status"], archive)
    assert await drills.left() == []
    (row,) = await real_rows.execute("SELECT * FROM drills WHERE name = 'proof'")
    assert (row["status"], row["rows_counted"], row["queries_failed"]) == ("passed", 10_000, 0)
    assert row["backup_id"] == passed["status"]["backupId"]
    assert await orders.says("SELECT count(*) FROM lines") == "10000"

    await _damage(real_cluster, shop, archive)
    await drills.create("damaged")
    failed = await drills.is_in("damaged", "Passed", "Failed", seconds=DRILLED)
    assert failed["status"]["phase"] == "Failed", failed["status"]
    stalled = condition(failed, "Stalled")
    assert stalled["reason"] == "RestoreFailed"
    assert "Missing file" in stalled["message"]
    assert await drills.left() == []


def _proves(status: Object, archive: str) -> None:
    """What a drill that has passed says of the backup."""
    checks, seconds = status["checks"], status["restoreSeconds"]
    assert (checks["tables"], checks["rows"], checks["corrupt"]) == (1, 10_000, 0)
    assert checks["relations"] > 100
    assert [each["ok"] for each in checks["queries"]] == [True, True, True]
    assert [each["name"] for each in checks["queries"]] == ["lines", "2", "unexpected"]
    assert status["archive"] == archive
    assert status["backupId"]
    assert seconds["total"] > 0
    assert {"base", "wal"} <= seconds.keys()
    assert status["recoveredTo"]
