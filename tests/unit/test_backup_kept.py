"""What is kept of a Backup and of a DaapBackup, and what the inventory has of one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from daap_operator import names
from daap_operator.api.meta import Metadata
from daap_operator.api.v1alpha1 import BackupPhase, DaapBackupStatus
from daap_operator.engine.child import Owner
from daap_operator.kinds import cnpg_backups, known
from daap_operator.kinds.backup import desired, trim
from daap_operator.kinds.backup.row import row
from tests.support.daapbackups import DONE
from tests.unit.builders import NOW, UID, condition

Object = dict[str, Any]

OWNER = Owner(known.DAAP_BACKUP, "shop", "now", UID)


def backup(*, ours: bool = True, **status: Any) -> Object:
    """A Backup as the API server has it."""
    manifest = desired.backup(OWNER, "now-5e1ec7ab", database="orders", cluster="daap-orders")
    assert manifest.manifest
    metadata = manifest.manifest["metadata"] | {"uid": "child", "resourceVersion": "7"}
    metadata |= {"creationTimestamp": "2026-03-01T12:00:00Z", "annotations": {"a": "b"}}
    if not ours:
        metadata["ownerReferences"] = [{"apiVersion": "v1", "kind": "Cluster", "name": "x"}]
    return manifest.manifest | {"metadata": metadata, "status": status}


def test_of_ours_everything_is_kept_that_is_told() -> None:
    kept = cnpg_backups.keep(backup(**DONE, backupLabelFile="x" * 100_000, instanceID={"a": "b"}))
    assert kept["status"] == DONE
    assert kept["metadata"]["labels"] == {
        "cnpg.io/cluster": "daap-orders",
        "app.kubernetes.io/managed-by": "daap-operator",
        "daap.io/backup-uid": UID,
    }
    assert kept["metadata"]["ownerReferences"] == [OWNER.reference]


@pytest.mark.parametrize("phase", ["", "running", "completed", "walArchivingFailing"])
def test_of_others_nothing_is_kept_that_has_not_failed(phase: str) -> None:
    kept = cnpg_backups.keep(backup(ours=False, **DONE | {"phase": phase}))
    assert set(kept) == {"metadata"}
    assert set(kept["metadata"]) == {"name", "namespace", "uid", "resourceVersion"}


def test_of_others_that_have_failed_it_is_kept_why() -> None:
    failed: Object = {"phase": "failed", "error": "no\nspace", "stoppedAt": DONE["stoppedAt"]}
    kept = cnpg_backups.keep(backup(ours=False, **failed, beginWal="1"))
    assert kept["status"] == failed | {"error": "no space"}


@pytest.mark.parametrize("value", [None, [], {"a": "b"}, 7, True, 1.5])
def test_what_is_no_text_is_not_kept(value: object) -> None:
    kept = cnpg_backups.keep(backup(phase=value, error=value, majorVersion="17"))
    assert kept["status"] == {"majorVersion": 0}


def test_a_daapbackup_is_kept_without_what_others_put_there() -> None:
    obj = {
        "metadata": {"name": "now", "namespace": "shop", "uid": UID, "annotations": {"a": "b"}},
        "spec": {"databaseRef": {"name": "orders"}},
    }
    metadata = {"name": "now", "namespace": "shop", "uid": UID}
    assert trim.backup(obj) == {"metadata": metadata, "spec": obj["spec"], "status": {}}


# --- the row --------------------------------------------------------------------------------------

META = Metadata(
    name="now",
    namespace="shop",
    uid=UID,
    resource_version="1",
    creation_timestamp=NOW,
    annotations={},
)
SPEC = {"databaseRef": {"name": "orders"}}


def test_a_row_before_the_first_status() -> None:
    made = row(META, SPEC, DaapBackupStatus(conditions=[]))
    assert (made.id, made.name, made.namespace) == (UID, "now", "shop")
    assert (made.database_name, made.status, made.created_at) == ("orders", "pending", NOW)
    assert {made.store, made.archive, made.backup_id, made.started_at, made.completed_at} == {None}
    assert made.error_message is None


@pytest.mark.parametrize(
    ("phase", "completed"), [(BackupPhase.COMPLETED, True), (BackupPhase.FAILED, False)]
)
def test_only_what_can_be_restored_has_been_completed(phase: BackupPhase, completed: bool) -> None:
    ended = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)
    made = row(META, SPEC, DaapBackupStatus(phase=phase, stopped_at=ended, conditions=[]))
    assert made.status == phase.lower()
    assert (made.completed_at == ended) is completed


def test_a_row_says_why_somebody_has_to_act_in_what_postgresql_can_store() -> None:
    stalled = condition("Stalled", "True", "BackupFailed") | {"message": "no\0space"}
    status = DaapBackupStatus.model_validate({"conditions": [stalled], "backupId": "a\0b"})
    made = row(META, {"databaseRef": {"name": "x\0" * 99}}, status)
    assert (made.error_message, made.backup_id) == ("nospace", "ab")
    assert made.database_name == "x" * 63


def test_of_a_databases_last_one_it_is_kept_whose_it_is() -> None:
    owner = Owner(known.DATABASE, "shop", "orders", UID)
    made = cnpg_backups.manifest(owner, "x", "daap-orders", labels={names.DATABASE_LABEL: "orders"})
    kept = cnpg_backups.keep(made | {"status": DONE | {"phase": "running"}})
    assert kept["status"] == DONE | {"phase": "running"}
    assert kept["metadata"]["labels"] == {
        "cnpg.io/cluster": "daap-orders",
        "app.kubernetes.io/managed-by": "daap-operator",
        "daap.io/database": "orders",
        "daap.io/database-uid": UID,
    }
