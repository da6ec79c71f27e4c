"""Real failures of backups: what the database and a DaapBackup tell, and what comes by itself.

Each failure is a row of the table in docs/reliability.md, but for those that are told by it in
prose: a backup whose pod is killed, and restores of one database at once.
"""

import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from dev.cluster import barman, object_store, provider
from tests.e2e.backup_stage import SWITCH, TOLD, WAITING, Report, Stage, on_stage
from tests.e2e.test_restore import reaches, restore
from tests.e2e.test_source import CONTENT, RECOVERED, Server, backed_up
from tests.fix_e2e import OperatorProcess
from tests.support.api import Api, Object
from tests.support.buckets import SERVER, Buckets
from tests.support.clients import Clients
from tests.support.databases import Databases, condition, is_ready, phase
from tests.support.eventually import eventually
from tests.support.failure_table import EXPECTED_OF_BACKUPS
from tests.support.failures import AT_ONCE, Program, stopped
from tests.support.nightly import nightly
from tests.support.observer import now
from tests.support.small_volume import SmallVolume, small_volume

pytestmark = [pytest.mark.timeout(1500), nightly("e2e-nightly")]

PLUGIN = Program(barman.NAMESPACE, barman.DEPLOYMENT, f"app={barman.DEPLOYMENT}")


@pytest.fixture
def buckets(real_api: Api, elsewhere: str) -> Buckets:
    return Buckets(Clients(real_api, elsewhere))


# --- the store and the plugin ---------------------------------------------------------------------


async def test_what_keeps_a_database_from_being_backed_up(
    shop: Databases, buckets: Buckets, real_cluster: KindCluster, report: Report
) -> None:
    began = time.monotonic()
    bucket = shop.namespace
    await buckets.create(bucket)
    orders = await backed_up(shop, real_cluster, bucket=bucket)
    async with on_stage(shop, orders, report) as stage:
        await store_unreachable(stage)
        await wrong_credentials(stage)
        await bucket_deleted(stage, buckets, bucket)
        await plugin_stopped(stage)
    report(f"all of them: {time.monotonic() - began:.0f} s")


async def store_unreachable(stage: Stage) -> None:
    """Changes go on meanwhile, and wait on the volume; all are archived afterwards."""
    failure, orders = "object store cannot be reached", stage.orders
    since = now()
    async with stopped(stage.shop.api, SERVER):
        for first in (10_001, 11_001, 12_001):
            await orders.write(first, first + 999)
            await orders.says(SWITCH)
        await stage.told(failure, since)
        assert int(await orders.says(WAITING)) >= 3
    back = now()
    await stage.drained()
    await stage.recovered(failure, back)
    stage.served(since)


async def wrong_credentials(stage: Stage) -> None:
    """A DaapBackup fails meanwhile; one that is made after the repair makes all well."""
    failure, since = "wrong credentials in the store's Secret", now()
    await _credentials(stage, "not-the-key")
    await eventually(lambda: _written(stage), _is_failing, seconds=TOLD, every=2.0)
    await stage.told(failure, since)
    await stage.backups.create("refused")
    done = await stage.backed_up("refused", "Completed", "Failed")
    _as_documented(failure, done)
    assert done["status"]["error"]
    await _credentials(stage, object_store.SECRET_KEY)
    back = now()
    await stage.drained()
    await stage.recovered(failure, back, "BackupFailed")
    await stage.another("after-the-repair")
    await stage.recovered(failure, back)
    stage.served(since)


async def _credentials(stage: Stage, secret_key: str) -> None:
    body = {"stringData": {"SECRET_ACCESS_KEY": secret_key}}
    await stage.shop.api.patch(known.SECRET, stage.shop.namespace, "backups", body)


async def _written(stage: Stage) -> Object | None:
    """The database after one more change: for some seconds the plugin has the Secret as it was."""
    await stage.orders.says(SWITCH)
    return await stage.shop.get("orders")


def _is_failing(found: Object | None) -> bool:
    return bool(condition(found, "BackupHealthy").get("reason") == "ArchivingFailing")


def _as_documented(failure: str, backup: Object) -> None:
    wanted = EXPECTED_OF_BACKUPS[failure].backup
    assert (phase(backup), condition(backup, "Ready")["reason"]) == wanted, backup["status"]


async def bucket_deleted(stage: Stage, buckets: Buckets, bucket: str) -> None:
    """What was in it is lost: once there is a bucket again, a backup has to be made at once."""
    failure, since = "bucket deleted", now()
    await buckets.delete(bucket)
    await stage.orders.says(SWITCH)
    await stage.told(failure, since)
    lost = now()
    await buckets.create(bucket)
    back = now()
    await stage.drained()
    await stage.another("after-the-loss")
    await eventually(lambda: stage.shop.get("orders"), lambda obj: _first(obj) > lost, seconds=TOLD)
    await stage.recovered(failure, back)
    stage.served(since)


def _first(found: Any) -> float:
    """Since when it says that it can be restored."""
    return datetime.fromisoformat(found["status"]["backup"]["firstRecoverable"]).timestamp()


async def plugin_stopped(stage: Stage) -> None:
    """Changes are archived by what runs beside PostgreSQL; no base backup can be made."""
    failure, since = "plugin stopped", now()
    async with stopped(stage.shop.api, PLUGIN):
        await stage.told(failure, since)
        await stage.backups.create("waits")
        wanted = EXPECTED_OF_BACKUPS[failure].backup
        held = await eventually(
            lambda: stage.backups.get("waits"),
            lambda obj: (phase(obj), condition(obj, "Ready").get("reason")) == wanted,
        )
        stage.report(f"DaapBackup waits: {held}")
        await stage.orders.archived()
    back = now()
    await stage.backed_up("waits", "Completed")
    await stage.recovered(failure, back)
    stage.served(since)


# --- what is cut off ------------------------------------------------------------------------------

BACKING_UP = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'barman_cloud_backup'"

STEPS = ("BackingUp", "Replacing", "Restoring")


async def test_a_backup_and_a_restore_that_are_cut_off(
    shop: Databases, real_cluster: KindCluster, real_operator: OperatorProcess, report: Report
) -> None:
    began = time.monotonic()
    orders = await backed_up(shop, real_cluster)
    async with on_stage(shop, orders, report) as stage:
        backup, content = await backup_killed(stage)
        await two_restores(stage, real_operator, backup, content)
    report(f"both: {time.monotonic() - began:.0f} s")


async def backup_killed(stage: Stage) -> tuple[str, str]:
    """The pod that makes it is killed; gives back a backup that is complete, and what is in it.

    CloudNativePG makes it again, or gives it up: by whether it sees the pod go, or the next one
    come. Whichever it is, the DaapBackup is over, and what it says is true.
    """
    content = await stage.orders.write(10_001, 60_000)  # its checkpoint takes a while
    await stage.backups.create("cut-off")
    await eventually(
        lambda: stage.orders.says(BACKING_UP), lambda count: count != "0", seconds=RECOVERED
    )
    await stage.shop.api.delete("pods", stage.shop.namespace, "daap-orders-1", AT_ONCE)
    killed = now()
    done = await stage.backed_up("cut-off", "Completed", "Failed")
    stage.report(f"backup killed midway: {phase(done)} after {now() - killed:.0f} s")
    await stage.shop.ready("orders", seconds=RECOVERED)
    made = await _made(stage, "cut-off")
    assert made
    assert made["status"]["phase"] == phase(done).lower()
    if phase(done) == "Completed":
        return "cut-off", content
    assert done["status"]["error"] in condition(done, "Stalled")["message"]
    await stage.recovered("backup killed midway", killed, "BackupFailed")
    await stage.another("once-more")
    await stage.recovered("backup killed midway", killed)
    return "once-more", content


async def _made(stage: Stage, name: str) -> Object | None:
    """The Backup of a DaapBackup."""
    found = await stage.backups.get(name)
    child = ((found or {}).get("status") or {}).get("backupName")
    return await stage.shop.api.get(known.BACKUP, stage.shop.namespace, child) if child else None


async def two_restores(stage: Stage, operator: OperatorProcess, backup: str, content: str) -> None:
    """The first one is carried out, whenever the operator is killed; the second has failed."""
    shop, since = stage.shop, now()
    await stage.orders.says("DELETE FROM lines")
    await shop.api.create(known.DAAP_RESTORE, restore(shop.namespace, "first", backup=backup))
    # Of two that are created within a second, either is the first
    await reaches(shop, "first", "BackingUp", seconds=RECOVERED)
    await shop.api.create(known.DAAP_RESTORE, restore(shop.namespace, "second", backup=backup))
    for step in range(len(STEPS)):
        found = await reaches(shop, "first", *STEPS[step:], "Completed", seconds=RECOVERED)
        operator.stop(signal.SIGKILL)
        stage.report(f"operator killed: {phase(found)}")
        operator.start()
    first = await reaches(shop, "first", "Completed", "Failed", seconds=RECOVERED)
    second = await reaches(shop, "second", "Completed", "Failed", seconds=RECOVERED)
    stage.report(f"two restores: {now() - since:.0f} s; {condition(second, 'Ready')}")
    assert is_ready(first), first["status"]
    assert condition(second, "Stalled")["reason"] in ("ClusterNewer", "ClusterReplaced")
    await shop.ready("orders", seconds=RECOVERED)
    assert await stage.orders.says(CONTENT) == content


# --- a full volume --------------------------------------------------------------------------------

SMALL_MIB = 400

FILL = """SELECT pg_logical_emit_message(true, 'fill', repeat('x', 15728640)), pg_switch_wal()"""
"""A segment of the write-ahead log."""


async def test_a_volume_is_full_of_what_cannot_be_archived(
    shop: Databases, real_cluster: KindCluster, report: Report
) -> None:
    began = time.monotonic()
    on_node = node_prefix(real_cluster)
    async with small_volume(shop.api, on_node, mebibytes=SMALL_MIB) as volume:
        storage = {"size": "1Gi", "storageClass": volume.storage_class}
        orders = await backed_up(shop, real_cluster, storage=storage)
        async with on_stage(shop, orders, report) as stage:
            await volume_full(stage, volume)
        await shop.delete("orders")
        await shop.gone("orders", seconds=RECOVERED)
    report(f"a full volume: {time.monotonic() - began:.0f} s")


def node_prefix(cluster: KindCluster) -> tuple[str, ...]:
    """What runs a command on the only node: it is this machine, or a container of Docker's."""
    if Path(cluster.kind_path).resolve() == provider.OURS:
        return ()
    return ("docker", "exec", f"{cluster.name}-control-plane")


async def volume_full(stage: Stage, volume: SmallVolume) -> None:
    failure, orders = "volume full of what cannot be archived", stage.orders
    expected = await orders.write(10_001, 11_000)
    since = now()
    async with stopped(stage.shop.api, SERVER):
        await orders.says(FILL)
        await stage.told("object store cannot be reached", since)
        await _filled(orders)
        full = now()
        await stage.told(failure, since)
        found = await stage.shop.stalled("orders", "DiskFull", seconds=TOLD)
        said = [condition(found, kind) for kind in ("Ready", "Stalled")]
        stage.report(f"{failure}: told after {now() - full:.0f} s: {said}")
    await volume.grow()
    back = now()
    await stage.shop.ready("orders", seconds=RECOVERED)
    stage.report(f"{failure}: serves {now() - back:.0f} s after there is room")
    assert await orders.says(CONTENT) == expected
    await stage.drained()
    await stage.recovered(failure, back)


async def _filled(orders: Server) -> None:
    """Write until PostgreSQL cannot."""
    try:
        for _ in range(SMALL_MIB // 16):
            await orders.says(FILL)
    except subprocess.CalledProcessError:
        return
    raise AssertionError("the volume is never full")
