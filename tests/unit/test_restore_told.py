"""What is kept of a DaapRestore, what the inventory has of one, and what its status says."""

from datetime import UTC, datetime
from typing import Any

import pytest

from daap_operator.api.meta import Metadata
from daap_operator.api.v1alpha1 import (
    DaapRestore,
    DaapRestoreStatus,
    RestorePhase,
    RestoreSource,
    SafetyBackupStatus,
)
from daap_operator.engine.child import Owner, keep
from daap_operator.kinds import known, restores
from daap_operator.kinds.backup import trim
from daap_operator.kinds.restore import desired, metrics, status
from daap_operator.kinds.restore.progress import progress
from daap_operator.kinds.restore.row import row
from tests.unit import builders
from tests.unit.builders import NOW, UID, condition

Object = dict[str, Any]

SPEC = {"databaseRef": {"name": "orders"}, "confirm": "orders", "at": "2026-03-01T08:00:00Z"}
META = Metadata(
    name="back",
    namespace="shop",
    uid=UID,
    resource_version="1",
    creation_timestamp=NOW,
    annotations={},
)
OWNER = Owner(known.DAAP_RESTORE, "shop", "back", UID)
SOURCE = RestoreSource(store="s3", archive="daap-orders-5e1ec7ab", at="2026-03-01T08:00:00Z")
SAFETY = SafetyBackupStatus(name="back-5e1ec7ab", archive="daap-orders-5e1ec7ab", backup_id="x")


def seen(phase: str = "Replacing", **told: Any) -> Object:
    source = {"store": "s3", "archive": "daap-orders-5e1ec7ab", "at": "2026-03-01T08:00:00Z"}
    return {
        "metadata": {"name": "back", "namespace": "shop", "uid": UID},
        "spec": SPEC,
        "status": {"phase": phase, "clusterUid": "cluster", "source": source} | told,
    }


# --- what a database reads ------------------------------------------------------------------------


def test_a_database_is_ordered_to_be_restored_by_one_phase_alone() -> None:
    assert restores.ordered(seen()) == [("shop", "orders")]
    for phase in ("", "Pending", "BackingUp", "Restoring", "Completed", "Failed"):
        assert restores.ordered(seen(phase)) == []


@pytest.mark.parametrize(
    "told",
    [
        {"clusterUid": ""},
        {"clusterUid": None},
        {"source": None},
        {"source": {"store": "s3", "archive": "x"}},
        {"source": {"store": "s3", "at": "2026-03-01T08:00:00Z"}},
        {"source": []},
    ],
)
def test_an_order_that_is_not_whole_is_none(told: Object) -> None:
    assert restores.ordered(seen(**told)) == []


def test_what_is_being_deleted_orders_nothing() -> None:
    going = seen()
    going["metadata"]["deletionTimestamp"] = "2026-03-01T08:00:00Z"
    assert restores.ordered(going) == []


def test_of_a_restore_nothing_of_others_is_kept() -> None:
    full = seen()
    full["metadata"] |= {"annotations": {"a": "b"}, "managedFields": [], "labels": {"c": "d"}}
    assert restores.keep(full) == seen()


# --- how far the database is ----------------------------------------------------------------------


def database(*conditions: Object, **restore: Any) -> Object:
    return builders.database({}, {"conditions": [*conditions], "restore": restore})


READY = condition("Ready", "True", "Ready")


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (None, None),
        (database(READY), None),
        (database(READY, uid="other", clusterUid="new"), None),
        (database(READY, uid=UID), (False, False)),  # it speaks of the Cluster of before
        (database(READY, uid=UID, clusterUid="new"), (True, False)),
        (database(condition("Ready", "False", "x"), uid=UID, clusterUid="new"), (False, False)),
        (
            database(
                condition("Ready", "False", "x"),
                condition("Stalled", "True", "x"),
                uid=UID,
                clusterUid="new",
            ),
            (False, True),
        ),
        (database(condition("Stalled", "True", "x"), uid=UID), (False, False)),
    ],
)
def test_how_far_it_is(found: Object | None, wanted: tuple[bool, bool] | None) -> None:
    told = progress(found, UID)
    assert (told and told[:2]) == wanted


# --- the safety backup ----------------------------------------------------------------------------


def test_the_safety_backup_is_this_restores_and_has_no_owner() -> None:
    name = desired.safety_backup_name("back", UID)
    child = desired.safety_backup(OWNER, name, "orders")
    assert child.manifest
    metadata = child.manifest["metadata"]
    assert metadata["name"] == f"back-{UID[:8]}"
    assert metadata["labels"]["daap.io/restore-uid"] == UID
    assert "ownerReferences" not in metadata
    assert child.manifest["spec"] == {"databaseRef": {"name": "orders"}}
    made = {"metadata": metadata | {"uid": "x", "resourceVersion": "1"}, "spec": {}}
    assert child.difference(keep(made)) == ""


def test_the_name_of_a_safety_backup_is_one_that_there_may_be() -> None:
    assert len(desired.safety_backup_name("a" * 253, UID)) == 253
    assert desired.safety_backup_name("a." + "b" * 260, UID).startswith("a.b")


def test_of_a_safety_backup_it_is_kept_whose_it_is() -> None:
    child = desired.safety_backup(OWNER, "back-5e1ec7ab", "orders")
    assert child.manifest
    obj = child.manifest | {"status": {"phase": "Completed"}}
    kept = trim.backup(obj)
    assert kept["metadata"]["labels"]["daap.io/restore-uid"] == UID
    assert kept["status"] == {"phase": "Completed"}
    assert kept["spec"] == {"databaseRef": {"name": "orders"}}


# --- the words and the row ------------------------------------------------------------------------


def test_what_is_said_of_the_way_back() -> None:
    with_backup = DaapRestoreStatus(conditions=[], source=SOURCE, safety_backup=SAFETY)
    assert "spec.backup 'back-5e1ec7ab'" in status.way_back(with_backup)
    assert "daap-orders-5e1ec7ab" in status.way_back(with_backup)
    assert status.way_back(DaapRestoreStatus(conditions=[])) == "Its state before was not backed up"
    assert status.target(with_backup).startswith("2026-03-01T08:00:00Z, from the archive")
    to_backup = SOURCE.model_copy(update={"at": None, "backup_id": "20260301T080000"})
    told = status.target(DaapRestoreStatus(conditions=[], source=to_backup))
    assert told.startswith("the end of the backup 20260301T080000, from")


def test_what_has_failed_keeps_its_reason_and_its_words() -> None:
    stalled = {"type": "Stalled", "status": "True", "reason": "MomentNotCovered", "message": "x"}
    stalled |= {"lastTransitionTime": "2026-03-01T08:00:00Z"}
    over = {"conditions": [stalled], "phase": "Failed", "error": "why"}
    verdict = status.final(DaapRestoreStatus.model_validate(over), "orders")
    assert verdict.stalled
    assert (verdict.stalled.reason, verdict.stalled.message) == ("MomentNotCovered", "why")
    lost = status.final(DaapRestoreStatus(conditions=[], phase=RestorePhase.FAILED), "orders")
    assert lost.stalled
    assert lost.stalled.reason == "CannotBeRestored"
    assert len(status.failure("x" * 5000)) == 2048


def test_a_row_has_what_was_restored() -> None:
    made = row(META, SPEC, DaapRestoreStatus(conditions=[]))
    assert (made.id, made.name, made.status, made.restored_to) == (UID, "back", "pending", None)
    ended = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)
    full = DaapRestoreStatus(
        conditions=[],
        phase=RestorePhase.COMPLETED,
        source=SOURCE,
        safety_backup=SAFETY,
        completed_at=ended,
    )
    made = row(META, SPEC, full)
    assert (made.store, made.archive) == ("s3", "daap-orders-5e1ec7ab")
    assert made.restored_to == datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    assert (made.safety_backup, made.completed_at) == ("back-5e1ec7ab", ended)
    backing_up = row(META, SPEC, DaapRestoreStatus(conditions=[], phase=RestorePhase.BACKING_UP))
    assert backing_up.status == "backing_up"
    assert row(META, SPEC, full.model_copy(update={"source": None})).restored_to is None


def test_restores_are_counted_by_phase() -> None:
    (counted,) = metrics.measured([{"status": {"phase": "Completed"}}, {}])
    assert counted.metric is metrics.RESTORES
    phases = {tuple(labels): value for labels, value in counted.series if value}
    assert phases == {("Completed",): 1, ("None",): 1}


# --- the spec -------------------------------------------------------------------------------------


def spec(**changed: Any) -> Object:
    asked = {k: v for k, v in (SPEC | changed).items() if v is not None}
    metadata = {"name": "back", "uid": UID, "resourceVersion": "1", "creationTimestamp": NOW}
    return {"metadata": metadata, "spec": asked}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"confirm": "order"}, "confirm 'order' must be 'orders'"),
        ({"at": None}, "either 'at' or 'backup'"),
        ({"backup": "x"}, "either 'at' or 'backup'"),
        ({"at": "2026-03-01T08:00:00"}, "time zone"),
        ({"at": "2026-02-30T08:00:00Z"}, "time zone"),
        ({"at": None, "backup": "No Name"}, "DaapBackup"),
        ({"archive": "a/b"}, "archive"),
        ({"databaseRef": {"name": "X"}, "confirm": "X"}, "DaapDatabase"),
    ],
)
def test_what_was_not_meant_is_no_spec(changed: Object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DaapRestore.model_validate(spec(**changed))


def test_what_was_meant_is_one() -> None:
    assert DaapRestore.model_validate(spec()).spec.moment == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert DaapRestore.model_validate(spec(at=None, backup="x")).spec.moment is None
