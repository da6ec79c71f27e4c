"""Restore drills on the real plugin: of a good backup, of one that was damaged on purpose, and
under an operator that is killed."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from dev.cluster import object_store
from tests.e2e.documented import apply
from tests.e2e.test_source import CONTENT, RECOVERED, Server, backed_up
from tests.fix_e2e import OperatorProcess
from tests.support.api import Object
from tests.support.databases import Databases, condition, phase
from tests.support.drilling import Drills
from tests.support.eventually import eventually
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
@pytest.mark.usefixtures("jobs_run")
async def test_a_drill_proves_a_backup_and_finds_a_damaged_one(
    shop: Databases,
    real_cluster: KindCluster,
    real_rows: Rows,
) -> None:
    drills = Drills(shop.api, shop.namespace)
    orders: Server = await backed_up(shop, real_cluster)
    await orders.archived()
    database = await shop.get("orders")
    assert database
    archive = database["status"]["backup"]["archive"]

    await apply(shop, known.DAAP_DRILL, "orders-proof")
    passed = await drills.is_in("orders-proof", "Passed", "Failed", seconds=DRILLED)
    assert passed["status"]["phase"] == "Passed", passed["status"]
    _proves(passed["status"], archive)
    assert await drills.left() == []
    (row,) = await real_rows.execute("SELECT * FROM drills WHERE name = 'orders-proof'")
    assert (row["status"], row["rows_counted"], row["queries_failed"]) == ("passed", 10_001, 0)
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

    # Nor does a database begin with it, which says so in the same words
    await shop.create("copy", source={"database": "orders"}, storage={"size": "1Gi"})
    told = await eventually(
        lambda: shop.get("copy"),
        lambda obj: condition(obj, "Ready").get("reason") == "RestoreFailing",
        seconds=RECOVERED,
    )
    assert "Missing file" in condition(told, "Ready")["message"]


def _proves(status: Object, archive: str) -> None:
    """What a drill that has passed says of the backup."""
    checks, seconds = status["checks"], status["restoreSeconds"]
    assert (checks["tables"], checks["rows"], checks["corrupt"]) == (2, 10_001, 0)
    assert checks["relations"] > 100
    assert checks["queries"] == [{"name": "invoices", "ok": True, "value": "t"}]
    assert status["archive"] == archive
    assert status["backupId"]
    assert seconds["total"] > 0
    assert {"base", "wal"} <= seconds.keys()
    assert status["recoveredTo"]


# --- an operator that is killed -------------------------------------------------------------------


def _is_in(*phases: str) -> Callable[[Any], bool]:
    return lambda found: phase(found) in phases


def _is_decided(found: Any) -> bool:
    return "result" in ((found or {}).get("status") or {})


STEPS: dict[str, Callable[[Any], bool]] = {
    "asked for": lambda found: found is not None,
    "noted": lambda found: "clusterName" in ((found or {}).get("status") or {}),
    "restoring": _is_in("Restoring", "Checking", "Passed", "Failed"),
    "checking": _is_in("Checking", "Passed", "Failed"),
    "decided, and being removed": _is_decided,
}
"""What is there when the operator is killed; another pass may have gone on since."""


@nightly("e2e-nightly")
async def test_drills_end_as_they_would_whenever_the_operator_is_killed(
    shop: Databases,
    real_cluster: KindCluster,
    real_operator: OperatorProcess,
    real_rows: Rows,
    operator_image: str,
    report: Callable[[str], None],
) -> None:
    real_operator.stop()
    real_operator.start(DAAP_DRILL_IMAGE=operator_image)
    drills = Drills(shop.api, shop.namespace)
    orders = await backed_up(shop, real_cluster)
    content = await orders.says(CONTENT)
    await orders.archived()
    names = ["first", "second"]
    for name in names:
        await drills.create(name, queries=QUERIES)
    for step, there in STEPS.items():
        found = await eventually(lambda: _first(drills, names), there, seconds=DRILLED)
        real_operator.stop(signal.SIGKILL)
        report(f"operator killed: {step}: {phase(found)}")
        real_operator.start(DAAP_DRILL_IMAGE=operator_image)
    over = [await drills.is_in(name, "Passed", "Failed", seconds=DRILLED) for name in names]
    for each in over:
        assert phase(each) == "Passed", each["status"]
        assert each["status"]["checks"]["rows"] == 10_001
        told = each["status"]["checks"]["queries"]
        assert [query["name"] for query in told] == ["lines", "2", "unexpected"]
        assert [query["ok"] for query in told] == [True, True, True]
    before, after = sorted(over, key=lambda each: str(each["status"]["startedAt"]))
    assert before["status"]["completedAt"] <= after["status"]["startedAt"]
    assert await drills.left() == []
    rows = await real_rows.execute(
        "SELECT status, rows_counted FROM drills WHERE name IN ('first', 'second')"
    )
    assert [tuple(row.values()) for row in rows] == [("passed", 10_001)] * 2
    assert await orders.says(CONTENT) == content


async def _first(drills: Drills, names: list[str]) -> Object | None:
    """The drill that has come further; one at a time reads the store."""
    found = [await drills.get(name) for name in names]
    begun = [each for each in found if each and "clusterName" in (each.get("status") or {})]
    return min(begun, key=lambda each: str(each["status"]["startedAt"]), default=found[0])
