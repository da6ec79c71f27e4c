"""Databases made from archives, on a real API server and a real inventory."""

from typing import Any

from daap_operator.kinds.database.desired import recovery
from tests.integration.test_requests import all_of_creations, without_lists
from tests.support.api import Object
from tests.support.audit import Audit
from tests.support.backups import STORE, tell_of_backup
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows

BACKED_UP: dict[str, Any] = {"backup": {"store": STORE}, "storage": {"size": "1Gi"}}


async def backed_up(databases: Databases) -> str:
    """The database `orders` with a base backup; the name of its archive."""
    await databases.object_store()
    await databases.create("orders", **BACKED_UP)
    await databases.ready("orders")
    await tell_of_backup(databases, "orders")
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "BackupHealthy").get("status") == "True",
    )
    assert found
    archive: str = found["status"]["backup"]["archive"]
    return archive


async def restored_from(databases: Databases, cluster: str) -> Object:
    """What a Cluster is restored from, as it says itself."""
    found = await databases.child("clusters", cluster)
    assert found
    told = recovery.of_cluster(found["spec"])
    assert told
    return told.model_dump(by_alias=True, exclude_none=True)


async def test_a_copy_is_made_once_and_costs_nothing_afterwards(
    databases: Databases, operators: Operators, audit: Audit
) -> None:
    operator = await operators.start()
    archive = await backed_up(databases)
    audit.forget()
    created = await databases.create("copy", source={"database": "orders"}, **BACKED_UP)
    copy = await databases.ready("copy")
    await all_of_creations(audit)
    source = {"archive": archive, "store": STORE, "databaseName": "orders"}
    assert await restored_from(databases, "daap-copy") == source
    assert copy["status"]["source"] == source | {
        "database": "orders",
        "namespace": databases.namespace,
    }
    assert copy["status"]["databaseName"] == copy["status"]["username"] == "orders"
    made = await databases.child("clusters", "daap-copy")
    assert made

    await databases.delete("orders")
    await databases.gone("orders")
    await operator.stop()
    audit.forget()
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    again = {"spec": created["spec"]}
    await databases.api.patch("daapdatabases", databases.namespace, "copy", again)

    async def listings() -> int:
        return sum(r.resource == "daapdatabases" for r in audit.requests())

    await eventually(listings, lambda count: count >= 4)
    writes = [r for r in without_lists(audit.requests()) if r.verb != "get"]
    assert writes == []
    assert await databases.child("clusters", "daap-copy") == made


async def test_a_status_that_was_lost_is_read_off_the_cluster(
    databases: Databases, operators: Operators
) -> None:
    operator = await operators.start()
    await backed_up(databases)
    at = await eventually(lambda: databases.get("orders"))
    assert at
    moment = at["status"]["backup"]["firstRecoverable"]
    await databases.create("copy", source={"database": "orders", "at": moment}, **BACKED_UP)
    before = await databases.ready("copy")
    cluster = await restored_from(databases, "daap-copy")
    assert cluster["at"] == moment
    await operator.stop()
    lost = {"status": dict.fromkeys(before["status"])}
    lost["status"] |= {"observedGeneration": -1}
    await databases.api.patch("daapdatabases", databases.namespace, "copy", lost, "status")
    await databases.delete("orders")
    await operators.start()
    after = await databases.ready("copy")
    assert await restored_from(databases, "daap-copy") == cluster
    assert after["status"]["source"] == cluster
    assert after["status"]["databaseName"] == "orders"
    assert after["status"]["backup"]["archive"] == before["status"]["backup"]["archive"]


async def test_a_deleted_database_comes_back_by_the_inventory(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    archive = await backed_up(databases)
    await databases.delete("orders")
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")
    await databases.create("orders", source={"database": "orders"}, postgresVersion=17, **BACKED_UP)
    found = await databases.ready("orders")
    assert found["status"]["source"]["archive"] == archive
    assert (await restored_from(databases, "daap-orders"))["archive"] == archive
    assert found["status"]["backup"]["archive"] != archive
    assert [row["deleted_at"] is None for row in await rows.named("orders")] == [False, True]


async def test_a_store_that_is_gone_when_the_cluster_is_lost_is_waited_for(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    operator = await operators.start()
    archive = await backed_up(databases)
    await operator.stop()
    await databases.api.delete("objectstores", databases.namespace, STORE)
    await databases.api.delete("clusters", databases.namespace, "daap-orders")
    await operators.start()
    found = await databases.stalled("orders", "StoreMissing")
    assert archive in condition(found, "Stalled")["message"]
    row = await rows.becomes("orders", status="error")
    assert "must create it again" in row["error_message"]
    assert (row["archive"], row["store"]) == (archive, STORE)
    assert await databases.api.list("clusters", databases.namespace) == []
    await databases.object_store()  # it tells of nothing: what was told before counts
    found = await databases.ready("orders")
    assert (await restored_from(databases, "daap-orders"))["archive"] == archive
    assert found["status"]["backup"]["archive"] == f"{archive}-2"
    assert "ClusterRecreated" in await eventually(
        lambda: databases.events("orders"), {"ClusterRecreated"}.issubset
    )


async def test_the_newest_row_that_has_an_archive_is_the_one(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    """Of rows that anybody may have written: long, odd, or of another namespace."""
    await databases.object_store()
    values = (
        (databases.namespace, "daap-orders-older", "2026-01-01"),
        (databases.namespace, "daap-orders-newer", "2026-02-01"),
        (databases.namespace, None, "2026-03-01"),
        ("elsewhere", "daap-orders-theirs", "2026-04-01"),
    )
    for namespace, archive, deleted in values:
        await rows.execute(
            "INSERT INTO databases (name, owner_team, purpose, cluster_name, pooler_name,"
            " namespace, archive, store, status, deleted_at)"
            " VALUES ('orders', 'x', repeat('x', 100000), 'c', 'p', %s, %s, %s, 'deleted', %s)",
            *(namespace, archive, "s" * 2000, deleted),
        )
    await operators.start()
    source = {"database": "orders", "store": STORE}
    await databases.create("orders", source=source, postgresVersion=17)
    found = await databases.ready("orders")
    assert found["status"]["source"]["archive"] == "daap-orders-newer"


async def test_what_nobody_knows_is_told_and_nothing_is_made(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await databases.create("copy", source={"database": "orders"})
    found = await databases.stalled("copy", "SourceNotFound")
    assert "clusterName" not in found["status"]
    assert await databases.api.list("clusters", databases.namespace) == []
    await databases.edit("copy", source={"database": None, "archive": "old"}, postgresVersion=17)
    await databases.stalled("copy", "StoreMissing")
