"""The invariants about backups and restores notice what they are for, and the bucket keeps."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daap_operator.kinds.archiver import Archiver, plugins
from daap_operator.kinds.recovery import moment_text
from tests.chaos.kept import violations
from tests.chaos.lives import Lives
from tests.chaos.seen import KEPT, PLURALS, Seen
from tests.standin.bucket import Bucket

Object = dict[str, Any]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = "daap-orders-5e1ec7ab"
SYNCED: Object = {"type": "MetadataSynced", "status": "True"}


def cluster(
    uid: str,
    archive: str = FIRST,
    *,
    of: str = "u",
    name: str = "orders",
    origin: str = "",
    at: str = "",
) -> Object:
    """A Cluster of a database; restored if there is an archive that it comes from."""
    labels = {"daap.io/database-uid": of, "daap.io/database": name}
    metadata = {"namespace": "a", "name": f"daap-{name}", "uid": uid, "labels": labels}
    spec: Object = {"plugins": plugins(Archiver("backups", archive)), "bootstrap": {"initdb": {}}}
    if origin:
        plugin = {"parameters": {"barmanObjectName": "backups", "serverName": origin}}
        target = {"targetTime": at} if at else {}
        begun: Object = {"source": "source", "database": "orders", "recoveryTarget": target}
        spec["externalClusters"] = [{"name": "source", "plugin": plugin}]
        spec["bootstrap"] = {"recovery": begun}
    return {"metadata": metadata, "spec": spec}


def restored(uid: str, archive: str, at: str = "") -> Object:
    return cluster(uid, archive, origin=FIRST, at=at)


def backed_up() -> Bucket:
    """One Cluster that has archived, with a base backup."""
    bucket = Bucket()
    first = cluster("c1")
    bucket.saw(first)
    assert bucket.back_up(first, NOW)
    return bucket


def follows(bucket: Bucket, made: Object) -> None:
    """Another Cluster comes after it."""
    bucket.saw(made)
    bucket.restore(made)
    bucket.begin(made)


def lives(*, restores: int = 0, by_hand: bool = False) -> Lives:
    made = Lives(["a"])
    made.created({"metadata": {"uid": "u", "name": "orders"}}, 0)
    made.restores = {(0, "orders", f"r{number}") for number in range(restores)}
    if by_hand:
        made.cluster_lost(cluster("c1"), told_of_backup=True)
    return made


def nothing() -> Seen:
    return Seen({plural: [] for plural in PLURALS}, [])


def ended(plural: str, **status: Any) -> Object:
    """A DaapBackup or a DaapRestore that has failed."""
    stalled = {"type": "Stalled", "status": "True", "reason": "DatabaseMissing"}
    ready = {"type": "Ready", "status": "False", "reason": "DatabaseMissing"}
    told = {"phase": "Failed", "conditions": [ready, stalled, SYNCED]} | status
    return {
        "plural": plural,
        "metadata": {"namespace": "a", "name": "one", "uid": "b"},
        "spec": {"databaseRef": {"name": "orders"}},
        "status": told,
    }


def row(**columns: Any) -> Object:
    made = {"id": "b", "namespace": "a", "name": "one", "database_name": "orders"}
    return made | {"archive": None, "store": None, "status": "failed", "deleted_at": None} | columns


def seen(plural: str = "daapbackups", obj: Object | None = None, **columns: Any) -> Seen:
    """One of them and its row."""
    found = nothing()
    found.objects[plural].append(obj or ended(plural))
    rows = {
        "daapbackups": found.backup_rows,
        "daaprestores": found.restore_rows,
        "daapdrills": found.drill_rows,
    }
    rows[plural].append(row(**columns))
    return found


# --- data -----------------------------------------------------------------------------------------


def test_a_cluster_that_is_lost_and_comes_back_with_its_data_violates_nothing() -> None:
    bucket = backed_up()
    follows(bucket, restored("c2", f"{FIRST}-2"))
    assert bucket.births["c2"].data == "c1"
    assert violations(lives(by_hand=True), nothing(), bucket) == []
    assert violations(lives(restores=1), nothing(), bucket) == []


def test_one_that_comes_back_empty_does_unless_no_backup_was_told_of() -> None:
    bucket = backed_up()
    follows(bucket, cluster("c2", f"{FIRST}-2"))
    (found,) = violations(lives(by_hand=True), nothing(), bucket)
    assert "had the data of c1" in found
    unknown = lives()
    unknown.cluster_lost(cluster("c1"), told_of_backup=False)
    assert violations(unknown, nothing(), bucket) == []


def test_what_was_not_restored_yet_is_still_known() -> None:
    bucket = backed_up()
    bucket.saw(restored("c2", f"{FIRST}-2", at="2026-02-01T00:00:00Z"))
    assert not bucket.restore(restored("c2", f"{FIRST}-2", at="2026-02-01T00:00:00Z"))
    follows(bucket, cluster("c3", f"{FIRST}-3"))
    asked = lives(restores=1, by_hand=True)
    asked.cluster_lost(cluster("c2"), told_of_backup=True)
    (found,) = violations(asked, nothing(), bucket)
    assert "had the data of c1 in Cluster c2" in found


def test_one_restore_replaces_one_cluster() -> None:
    bucket = backed_up()
    for number in (2, 3):
        follows(bucket, restored(f"c{number}", f"{FIRST}-{number}"))
    (found,) = violations(lives(restores=1), nothing(), bucket)
    assert "has lost 2 Clusters that nobody deleted by hand" in found
    assert violations(lives(restores=2), nothing(), bucket) == []


def test_a_copy_has_the_data_that_was_asked_for() -> None:
    bucket, asked = backed_up(), Lives(["a"])
    spec = {"source": {"database": "orders"}}
    asked.created({"metadata": {"uid": "u2", "name": "copy"}, "spec": spec}, 0)
    copy = cluster("c2", "daap-copy-1", of="u2", name="copy", origin=FIRST)
    follows(bucket, copy)
    assert violations(asked, nothing(), bucket) == []
    other = Bucket()
    other.saw(cluster("c2", "daap-copy-1", of="u2", name="copy"))
    (found,) = violations(asked, nothing(), other)
    assert "asked for the data of orders" in found


def going(**changed: Any) -> tuple[Lives, Object]:
    """One that is asked to go, and asks for a last backup."""
    asked = lives()
    backup = {"enabled": True, "onDelete": "FinalBackup"}
    metadata = {"uid": "u", "name": "orders", "namespace": "a"}
    obj = {"metadata": metadata, "spec": {"backup": backup | changed}, "status": {"host": "h"}}
    child = cluster("c1") | {"plural": "clusters"}
    asked.deletion_asked(obj, [child])
    asked.last_backup_asked(obj, [child], NOW)
    return asked, child


@pytest.mark.parametrize(("seconds", "enough"), [(-1, False), (0, True)])
def test_a_last_backup_is_one_after_the_deletion_was_asked_for(seconds: int, enough: bool) -> None:
    asked, child = going()
    bucket = Bucket()
    bucket.saw(child)
    bucket.back_up(child, NOW + timedelta(seconds=seconds))
    found = violations(asked, nothing(), bucket)
    assert any("without the last backup" in told for told in found) is not enough


@pytest.mark.parametrize("changed", [{"onDelete": "Keep"}, {"enabled": False}])
def test_none_is_due_where_none_was_asked_for(changed: Object) -> None:
    asked, _ = going(**changed)
    assert violations(asked, nothing(), Bucket()) == []


def test_none_is_due_of_what_was_deleted_by_hand_or_with_its_namespace() -> None:
    for befalls in ("hand", "namespace"):
        asked, child = going()
        assert len(violations(asked, nothing(), Bucket())) == 1
        if befalls == "hand":
            asked.child_deleted(child)
        else:
            asked.namespace_deleted(0)
        assert violations(asked, nothing(), Bucket()) == []


def test_a_cluster_whose_data_nobody_knows_is_told() -> None:
    found = nothing()
    found.objects["clusters"].append(cluster("c1") | {"plural": "clusters"})
    assert any("not known" in told for told in violations(lives(), found, Bucket()))
    assert not any("not known" in told for told in violations(lives(), found, backed_up()))


# --- archives -------------------------------------------------------------------------------------


def test_a_live_cluster_never_changes_its_archive() -> None:
    bucket = backed_up()
    bucket.saw(cluster("c1", f"{FIRST}-2"))
    (found,) = violations(lives(), nothing(), bucket)
    assert "has changed its archive" in found


def test_no_archive_has_two_histories() -> None:
    bucket = backed_up()
    follows(bucket, restored("c2", FIRST))
    assert not bucket.back_up(restored("c2", FIRST), NOW)
    (found,) = violations(lives(by_hand=True), nothing(), bucket)
    assert "which another one began" in found


@pytest.mark.parametrize(
    ("at", "reaches"), [(NOW - timedelta(seconds=1), False), (NOW, True)], ids=["before", "at"]
)
def test_a_moment_is_reached_from_a_base_backup_before_it(at: datetime, reaches: bool) -> None:
    made = restored("c2", f"{FIRST}-2", at=moment_text(at))
    bucket = backed_up()
    bucket.saw(made)
    assert bucket.restore(made) is reaches


# --- the objects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("plural", KEPT)
def test_what_is_over_and_in_the_inventory_violates_nothing(plural: str) -> None:
    assert violations(lives(), seen(plural), Bucket()) == []


def waiting_for_ever(plural: str) -> Object:
    ready = {"type": "Ready", "status": "False", "reason": "BackupRunning"}
    return ended(plural, phase="Running", conditions=[ready, ready | {"type": "Reconciling"}])


def orphan() -> Seen:
    found = seen()
    metadata = {"namespace": "a", "name": "x", "ownerReferences": [{"uid": "gone", "name": "gone"}]}
    found.objects["backups"].append({"plural": "backups", "metadata": metadata})
    return found


def remains(plural: str, **metadata: Any) -> Seen:
    """One object of whatever kind, and nothing else."""
    found = nothing()
    made = {"plural": plural, "metadata": {"namespace": "a", "name": "x", "uid": "l"} | metadata}
    found.objects[plural].append(made)
    return found


@pytest.mark.parametrize("plural", ["clusters", "networkpolicies", "jobs"])
def test_nothing_that_a_drill_makes_is_left(plural: str) -> None:
    left = remains(plural, labels={"daap.io/drill": "drill-x"})
    assert violations(lives(), left, Bucket()) == [f"{plural} a/x is left of a drill"]


@pytest.mark.parametrize("plural", ["secrets", "persistentvolumeclaims"])
def test_nothing_that_its_cluster_made_is_left(plural: str) -> None:
    left = remains(plural, labels={"cnpg.io/cluster": "drill-x"})
    assert violations(lives(), left, Bucket()) == [f"{plural} a/x is left of a drill"]
    assert violations(lives(), remains(plural, labels={"cnpg.io/cluster": "y"}), Bucket()) == []


WRONGS: dict[str, Callable[[], Seen]] = {
    "is not over": lambda: seen(obj=waiting_for_ever("daapbackups")),
    "daapdrills a/one is not over": lambda: seen("daapdrills", waiting_for_ever("daapdrills")),
    "row of daapdrills a/one is": lambda: seen("daapdrills", status="restoring"),
    "is not synced": lambda: seen(obj=ended("daapbackups", conditions=[])),
    "row of daapbackups a/one is": lambda: seen(status="running"),
    "its object is gone": lambda: Seen({p: [] for p in PLURALS}, [], [row()]),
    "has no row": lambda: Seen(seen().objects, []),
    "is an orphan of ['gone']": orphan,
}


@pytest.mark.parametrize(
    ("reason", "spec", "may"),
    [
        ("BackupsOff", {}, True),
        ("BackupsOff", {"backup": {"enabled": True}}, False),
        ("DatabaseProtected", {"deletionProtection": True}, True),
        ("DatabaseProtected", {}, False),
        ("DatabaseNotReady", {}, True),
        ("DatabaseMissing", {}, False),
        ("OtherRestoreUnderWay", {}, False),
        ("StoreMissing", {}, True),
        ("Queued", {}, False),
        ("NeverBackedUp", {}, True),
    ],
)
def test_what_is_waited_for_must_be_so(reason: str, spec: Object, may: bool) -> None:
    ready = {"type": "Ready", "status": "False", "reason": reason}
    conditions = [ready, ready | {"type": "Stalled", "status": "True"}, SYNCED]
    found = seen(obj=ended("daapbackups", phase="Pending", conditions=conditions), status="pending")
    database = {"metadata": {"namespace": "a", "name": "orders", "uid": "u"}, "spec": spec}
    found.objects["daapdatabases"].append(database)
    assert (violations(lives(), found, Bucket()) == []) is may


@pytest.mark.parametrize("archive", [FIRST, "another"])
def test_a_drill_may_wait_for_a_backup_that_no_store_tells_of(archive: str) -> None:
    ready = {"type": "Ready", "status": "False", "reason": "NeverBackedUp"}
    conditions = [ready, ready | {"type": "Reconciling", "status": "True"}, SYNCED]
    waits = ended("daapdrills", phase="Pending", conditions=conditions)
    found = seen("daapdrills", waits, status="pending")
    metadata = {"namespace": "a", "name": "orders", "uid": "u"}
    status = {"backup": {"store": "backups", "archive": FIRST}}
    found.objects["daapdatabases"].append({"metadata": metadata, "spec": {}, "status": status})
    window = {"serverRecoveryWindow": {archive: {"firstRecoverabilityPoint": "then"}}}
    store = {"metadata": {"namespace": "a", "name": "backups"}, "status": window}
    found.objects["objectstores"].append(store)
    assert (violations(lives(), found, Bucket()) == []) is (archive != FIRST)


@pytest.mark.parametrize("told", WRONGS)
def test_what_is_wrong_is_told(told: str) -> None:
    found = violations(lives(), WRONGS[told](), Bucket())
    assert any(told in violation for violation in found), found
