"""A plan rehearsed on a copy that the real plugin restores: what only the rows tell, and locks."""

import signal
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from dev.cluster import object_store
from tests.e2e.test_backup import create_store
from tests.e2e.test_drill import DRILLED
from tests.e2e.test_drill_network import api_server_port
from tests.e2e.test_schema import APPLIED, RUNS, SLOW
from tests.e2e.test_schema_restored import FIRST
from tests.e2e.test_source import Server
from tests.fix_e2e import OperatorProcess
from tests.support.databases import Databases, condition
from tests.support.drilling import Drills
from tests.support.eventually import eventually
from tests.support.nightly import nightly
from tests.support.policy_engine import policies_enforced
from tests.support.schemas import Schemas

pytestmark = pytest.mark.timeout(1200)

UNIQUE = "-- as the form promises\nALTER TABLE users ADD CONSTRAINT one_name UNIQUE (name);\n"
INDEX = "CREATE INDEX users_name ON users (name);\n"
SLOW_FILE = "CREATE TABLE slow (id bigint);\nSELECT pg_sleep(20);\n"
CONSTRAINTS = "SELECT count(*) FROM pg_constraint WHERE conname = 'one_name'"


@nightly("e2e-nightly")
@pytest.mark.usefixtures("jobs_run")
async def test_a_plan_that_the_rows_refuse_fails_on_a_copy_and_not_on_the_database(
    shop: Databases,
    real_cluster: KindCluster,
) -> None:
    schemas, orders = Schemas(shop.api, shop.namespace), Server(real_cluster, shop, "orders")
    drills = Drills(shop.api, shop.namespace)
    await create_store(shop)
    await shop.create("orders", storage={"size": "1Gi"}, backup={"store": "backups"})
    await shop.ready("orders", seconds=SLOW)
    await schemas.files("orders", FIRST)
    await schemas.create("orders")
    await schemas.applied("orders", "002_orders.sql", seconds=APPLIED + SLOW)
    await orders.says("INSERT INTO users SELECT g, 'twice' FROM generate_series(1, 2) g")
    await orders.archived()

    await schemas.edit("orders", rehearsal="WhenFindings")
    await schemas.files("orders", FIRST | {"003_names.sql": UNIQUE})
    failed = await schemas.says("orders", "RehearsalFailed", seconds=2 * DRILLED)
    told = failed["status"]["rehearsal"]
    error = told["error"]
    assert (error["file"], error["line"], error["sqlstate"]) == ("003_names.sql", 2, "23505")
    assert "SQLSTATE 23505" in condition(failed, "Stalled")["message"]
    assert (told["state"], told["files"]) == ("Failed", [])
    assert told["restoreSeconds"] > 0
    assert await orders.says(CONSTRAINTS) == "0"
    assert await orders.says(RUNS.format("003_names.sql")) == "0"
    await _nothing_left(drills)

    await schemas.files("orders", FIRST | {"003_names.sql": INDEX})
    done = await schemas.applied("orders", "003_names.sql", seconds=2 * DRILLED)
    told = done["status"]["rehearsal"]
    (file,) = told["files"]
    assert (told["state"], file["file"], file["locks"]) == (
        "Passed", "003_names.sql", ["SHARE on users"],
    )  # fmt: skip
    assert file["milliseconds"] > 0
    assert await orders.says(RUNS.format("003_names.sql")) == "1"
    await _nothing_left(drills)


@nightly("e2e-nightly")
async def test_a_copy_is_closed_off_and_goes_although_the_operator_is_killed(
    shop: Databases,
    real_cluster: KindCluster,
    real_operator: OperatorProcess,
    operator_image: str,
    tmp_path: Path,
) -> None:
    ports = f"{await api_server_port(shop)},{object_store.PORT}"
    environment = {"DAAP_DRILL_IMAGE": operator_image, "DAAP_DRILL_EGRESS_PORTS": ports}
    real_operator.stop()
    real_operator.start(**environment)
    schemas, drills = Schemas(shop.api, shop.namespace), Drills(shop.api, shop.namespace)
    orders = Server(real_cluster, shop, "orders")
    await create_store(shop)
    await shop.create("orders", storage={"size": "1Gi"}, backup={"store": "backups"})
    await shop.ready("orders", seconds=SLOW)
    async with policies_enforced(real_cluster, tmp_path):
        await schemas.files("orders", {"001_slow.sql": SLOW_FILE})
        await schemas.create("orders", rehearsal="Always")
        held = await schemas.waits(
            "orders",
            lambda obj: obj["status"].get("rehearsal", {}).get("state") == "Applying",
            seconds=2 * DRILLED,
        )
        real_operator.stop(signal.SIGKILL)
        real_operator.start(**environment)
        done = await schemas.applied("orders", "001_slow.sql", seconds=2 * DRILLED)
        told = done["status"]["rehearsal"]
        assert told["startedAt"] == held["status"]["rehearsal"]["startedAt"]
        assert told["state"] == "Passed"
        assert told["milliseconds"] > 20_000
        assert await orders.says(RUNS.format("001_slow.sql")) == "1"
        await _nothing_left(drills)


async def _nothing_left(drills: Drills) -> None:
    """Neither a scratch Cluster with its volume, nor the drill that restored it."""
    await eventually(drills.left, lambda left: not left, seconds=DRILLED, every=1.0)
    await eventually(
        lambda: drills.api.list(known.DAAP_DRILL, drills.namespace),
        lambda found: not found,
        seconds=SLOW,
    )
