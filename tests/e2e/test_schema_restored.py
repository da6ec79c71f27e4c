"""A schema and the database's backups: one before a plan, and a ledger that was restored."""

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from tests.e2e.test_backup import create_store
from tests.e2e.test_restore import reaches, restore
from tests.e2e.test_schema import APPLIED, RUNS, SLOW
from tests.e2e.test_source import RECOVERED, Server
from tests.support.databases import Databases, is_ready
from tests.support.eventually import eventually
from tests.support.nightly import nightly
from tests.support.schemas import FIVE, Schemas

pytestmark = pytest.mark.timeout(1200)

FIRST = {name: FIVE[name] for name in ("001_users.sql", "002_orders.sql")}
LATER = {"003_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n"}


@nightly("e2e-nightly")
@pytest.mark.usefixtures("jobs_run")
async def test_a_restored_database_gets_the_files_that_it_lacks(
    shop: Databases,
    real_cluster: KindCluster,
) -> None:
    schemas, orders = Schemas(shop.api, shop.namespace), Server(real_cluster, shop, "orders")
    await create_store(shop)
    await shop.create("orders", storage={"size": "1Gi"}, backup={"store": "backups"})
    await shop.ready("orders", seconds=SLOW)
    await schemas.files("orders", FIRST)
    await schemas.create("orders", backupBefore=True)
    first = await schemas.applied("orders", "002_orders.sql", seconds=APPLIED + SLOW)
    backup = await shop.api.get(known.DAAP_BACKUP, shop.namespace, first["status"]["backup"])
    assert backup
    assert is_ready(backup), backup["status"]

    await orders.says("INSERT INTO users VALUES (1, 'kept')")
    between = await orders.now()
    await schemas.files("orders", FIRST | LATER)
    second = await schemas.applied("orders", "003_note.sql", seconds=APPLIED + SLOW)
    assert second["status"]["backup"] != first["status"]["backup"]
    await orders.archived()

    await shop.api.create(known.DAAP_RESTORE, restore(shop.namespace, "oops", at=between))
    done = await reaches(shop, "oops", "Completed", "Failed", seconds=2 * RECOVERED)
    assert is_ready(done), done["status"]
    await eventually(
        lambda: orders.says(RUNS.format("003_note.sql")),
        lambda said: said == "1",
        seconds=APPLIED + SLOW,
        every=1.0,
    )
    again = await schemas.applied("orders", "003_note.sql", seconds=APPLIED + SLOW)
    assert again["status"]["applied"] == 3
    assert await orders.says("SELECT name, note IS NULL FROM users, orders") == ""
    assert await orders.says("SELECT name FROM users") == "kept"
