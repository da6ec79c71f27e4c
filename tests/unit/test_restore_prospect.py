"""Whether a database can be restored in place, and from what, by what is seen of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daap_operator.api.meta import Metadata
from daap_operator.api.v1alpha1 import DaapRestoreSpec
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.archiver import Archiver, plugins
from daap_operator.kinds.recovery import Impossible
from daap_operator.kinds.restore.prospect import Prospect, prospect
from daap_operator.kinds.restore.watched import WATCHES
from daap_operator.kinds.windows import packed
from tests.unit import builders
from tests.unit.builders import condition

Object = dict[str, Any]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MADE = "2026-03-01T06:00:00Z"
"""When the Cluster was created; the first backup ended an hour later."""
FIRST = "2026-03-01T07:00:00Z"
ASKED = datetime(2026, 3, 1, 11, 59, tzinfo=UTC)
"""When the DaapRestore was created."""
AT = "2026-03-01T08:00:00Z"
STORE, ARCHIVE = "s3", "daap-orders-5e1ec7ab"
UID = "0c0ffee0-0000-4000-8000-000000000000"
DATABASE = Ref(known.DATABASE, "shop", "orders")
CLUSTER = Ref(known.CLUSTER, "shop", "daap-orders")
STORE_REF = Ref(known.BARMAN_STORE, "shop", STORE)
NAMED = Ref(known.DAAP_BACKUP, "shop", "before")


class Seen(dict[Ref, Object]):
    """What a store has."""

    restores: list[Object] = []  # noqa: RUF012 - replaced, never changed

    def refs(self, kind: object) -> list[Ref]:
        raise AssertionError(kind)

    def by(self, kind: object, index: str, key: object, most: int | None = None) -> list[Object]:
        assert (kind, key) == (known.DAAP_RESTORE, ("shop", "orders"))
        found = WATCHES[0].indexes[index]
        return [restore for restore in self.restores if key in found(restore)][:most]

    def refs_by(self, *which: object) -> list[Ref]:
        raise AssertionError(which)


def restore_seen(name: str, uid: str, created: str, **status: Any) -> Object:
    metadata = {"name": name, "namespace": "shop", "uid": uid, "creationTimestamp": created}
    spec = {"databaseRef": {"name": "orders"}}
    return {"metadata": metadata, "spec": spec, "status": status}


MINE = restore_seen("back", UID, "2026-03-01T11:59:00Z")


def seen(*conditions: Object, backup: Object | None = None, **changed: Any) -> Seen:
    """A database that can be restored, but for what is changed."""
    status: Object = {"clusterName": "daap-orders", "postgresVersion": 17}
    status["conditions"] = [condition("Ready", "True", "Ready"), *conditions]
    metadata = {"name": "daap-orders", "uid": "cluster", "creationTimestamp": MADE}
    windows = packed({ARCHIVE: {"firstRecoverabilityPoint": FIRST}, "other-1": {}})
    cluster = {
        "metadata": metadata | changed.pop("cluster", {}),
        "spec": {"plugins": changed.pop("plugins", plugins(Archiver(STORE, ARCHIVE)))},
    }
    made = Seen({DATABASE: builders.database(changed.pop("spec", {}), status), CLUSTER: cluster})
    made[STORE_REF] = {"status": {"serverRecoveryWindow": windows}}
    if backup is not None:
        made[NAMED] = {"spec": {"databaseRef": {"name": "orders"}}} | backup
    made.restores = [MINE]
    assert not changed
    return made


def asked(**spec: Any) -> DaapRestoreSpec:
    if not {"at", "backup"} & spec.keys():
        spec["at"] = AT
    return DaapRestoreSpec.model_validate(
        {"databaseRef": {"name": "orders"}, "confirm": "orders"} | spec
    )


META = Metadata(
    name="back",
    namespace="shop",
    uid=UID,
    resource_version="1",
    creation_timestamp=ASKED,
    annotations={},
)


def judged(store: Seen, **spec: Any) -> Prospect:
    return prospect(store, META, asked(**spec), NOW)


def why(store: Seen, **spec: Any) -> tuple[type[Exception], str, str]:
    try:
        found = judged(store, **spec)
    except (Stalled, Waiting, Impossible) as problem:
        return type(problem), problem.finding.reason, problem.finding.message
    raise AssertionError(found)


def told(phase: str = "Completed", **status: Any) -> Object:
    full = {"phase": phase, "backupId": "20260301T070000", "archive": ARCHIVE, "store": STORE}
    return {"status": full | {"postgresVersion": 17} | status}


def test_a_moment_is_restored_from_the_archive_that_the_cluster_writes() -> None:
    source, cluster_uid = judged(seen(), at="2026-03-01T09:00:00.5+01:00")
    assert (source.store, source.archive, source.at) == (STORE, ARCHIVE, "2026-03-01T08:00:00.5Z")
    assert source.backup_id is None
    assert cluster_uid == "cluster"


def test_a_backup_is_restored_from_the_archive_that_it_is_in() -> None:
    earlier = "daap-orders-5e1ec7ab-2"
    source, _ = judged(seen(backup=told(archive=earlier)), backup="before")
    assert (source.archive, source.backup_id, source.at) == (earlier, "20260301T070000", None)


def test_a_backup_may_be_named_by_its_id() -> None:
    source, _ = judged(seen(), backup="20260301T060001")
    assert (source.archive, source.backup_id) == (ARCHIVE, "20260301T060001")
    earlier = "daap-orders-5e1ec7ab-2"
    source, _ = judged(seen(), backup="20250101T000000", archive=earlier)
    assert source.archive == earlier


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"at": "2026-03-01T06:59:59Z"}, ("begins at 2026-03-01T07:00:00Z", "spec.archive")),
        ({"at": "2026-03-01T12:00:01Z"}, ("future",)),
        ({"at": AT, "archive": "daap-orders-5e1ec7ab-7"}, ("no base backup",)),
        ({"backup": "20260301T055959"}, ("began later", "spec.archive")),
        ({"backup": "20269901T055959"}, ("began later",)),
    ],
)
def test_what_the_archive_does_not_have(spec: Object, words: tuple[str, ...]) -> None:
    kind, reason, message = why(seen(), **spec)
    assert (kind, reason) == (Impossible, "MomentNotCovered")
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "archive", ["daap-other-5e1ec7ab", "daap-orders-5e1ec7ab-0", "x", f"x{ARCHIVE}"]
)
def test_no_other_databases_archive_is_restored(archive: str) -> None:
    kind, reason, message = why(seen(), archive=archive)
    assert (kind, reason) == (Impossible, "CannotBeRestored")
    assert archive in message
    assert "spec.source" in message


@pytest.mark.parametrize(
    ("backup", "words"),
    [
        (None, "no DaapBackup of that name"),
        (told() | {"spec": {"databaseRef": {"name": "other"}}}, "DaapDatabase other"),
        (told("Failed"), "has failed"),
        (told(backupId=""), "status was lost"),
        (told(archive=""), "status was lost"),
        (told(postgresVersion=16), "PostgreSQL 16"),
    ],
)
def test_a_backup_that_cannot_be_restored(backup: Object | None, words: str) -> None:
    kind, reason, message = why(seen(backup=backup), backup="before")
    assert (kind, reason) == (Impossible, "CannotBeRestored")
    assert words in message
    assert "'before'" in message


def test_a_backup_in_another_archive_than_the_one_that_is_named() -> None:
    kind, _, message = why(seen(backup=told()), backup="before", archive="daap-orders-5e1ec7ab-9")
    assert kind is Impossible
    assert "daap-orders-5e1ec7ab-9" in message


def test_a_backup_that_is_being_made_is_waited_for() -> None:
    assert why(seen(backup=told("Running")), backup="before")[:2] == (
        Waiting,
        "BackupNotCompleted",
    )


@pytest.mark.parametrize("made", ["2026-03-01T11:59:00Z", "2026-03-01T11:59:01Z", None])
def test_a_cluster_that_is_not_older_is_not_replaced(made: object) -> None:
    kind, reason, _ = why(seen(cluster={"creationTimestamp": made}))
    assert (kind, reason) == (Impossible, "ClusterNewer")


def test_a_database_that_is_not_there_or_is_going() -> None:
    assert why(Seen({}))[:2] == (Impossible, "DatabaseMissing")
    going = seen()
    going[DATABASE]["metadata"]["deletionTimestamp"] = MADE
    kind, reason, message = why(going)
    assert (kind, reason) == (Impossible, "DatabaseMissing")
    assert "is being deleted" in message


def test_a_database_without_a_cluster_is_waited_for() -> None:
    without = seen()
    del without[CLUSTER]
    assert why(without)[:2] == (Waiting, "DatabaseNotReady")
    assert why(seen(cluster={"deletionTimestamp": MADE}))[:2] == (Waiting, "DatabaseNotReady")


def test_a_cluster_that_another_restore_is_about_to_replace_is_not_looked_at() -> None:
    taken = seen()
    uid = taken[CLUSTER]["metadata"]["uid"]
    taken[DATABASE]["status"]["restore"] = {"uid": "another", "replacedClusterUid": uid}
    assert why(taken)[:2] == (Waiting, "DatabaseNotReady")
    taken[DATABASE]["status"]["restore"] = {"uid": "another", "replacedClusterUid": "before"}
    assert judged(taken).cluster_uid == uid


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        (seen(plugins=[]), "BackupsOff"),
        (seen(condition("BackupHealthy", "False", "StoreMissing")), "StoreMissing"),
        (seen(condition("BackupHealthy", "False", "PluginMissing")), "PluginMissing"),
        (seen(condition("Reconciling", "True", "Hibernated")), "Hibernated"),
    ],
)
def test_what_only_a_person_can_change(store: Seen, reason: str) -> None:
    kind, told_reason, message = why(store)
    assert (kind, told_reason) == (Stalled, reason)
    assert "DaapDatabase orders" in message


def test_a_store_that_is_missing_is_told() -> None:
    without = seen(backup=told(store="gone"))
    kind, reason, message = why(without, backup="before")
    assert (kind, reason) == (Stalled, "StoreMissing")
    assert "ObjectStore gone" in message


def test_a_protected_database_is_not_replaced_without_a_way_back() -> None:
    protected = seen(spec={"deletionProtection": True})
    kind, reason, message = why(protected, safetyBackup="Skip")
    assert (kind, reason) == (Stalled, "DatabaseProtected")
    assert "spec.deletionProtection" in message
    assert judged(protected)
    assert judged(seen(), safetyBackup="Skip")


@pytest.mark.parametrize(
    ("phase", "created", "first"),
    [
        ("Pending", "2026-03-01T11:58:00Z", True),
        ("", "2026-03-01T11:58:00Z", True),
        ("Replacing", "2026-03-01T11:58:00Z", True),
        ("Restoring", "2026-03-01T11:58:00Z", False),
        ("Pending", "2026-03-01T11:59:30Z", False),
        ("BackingUp", "2026-03-01T11:59:30Z", True),  # it has begun, whoever came first
        ("Restoring", "2026-03-01T11:59:30Z", False),
        ("Completed", "2026-03-01T11:58:00Z", False),
    ],
)
def test_restores_of_one_database_take_turns(phase: str, created: str, first: bool) -> None:
    store = seen()
    source = {} if phase in ("Pending", "") else {"source": {"archive": ARCHIVE}}
    other = restore_seen("other", "other", created, phase=phase, **source)
    store.restores = [MINE, other]
    if first:
        kind, reason, message = why(store)
        assert (kind, reason) == (Waiting, "OtherRestoreUnderWay")
        assert "DaapRestore other" in message
    else:
        assert judged(store)


def test_one_that_is_being_deleted_is_not_waited_for() -> None:
    store = seen()
    other = restore_seen("other", "other", "2026-03-01T11:00:00Z")
    other["metadata"]["deletionTimestamp"] = MADE
    store.restores = [MINE, other]
    assert judged(store)


def test_any_moment_of_the_window_can_be_restored() -> None:
    first = datetime.fromisoformat(FIRST)
    for seconds in range(0, 18_000, 600):
        moment = first + timedelta(seconds=seconds)
        source, _ = judged(seen(), at=f"{moment:%Y-%m-%dT%H:%M:%SZ}")
        assert source.at == f"{moment:%Y-%m-%dT%H:%M:%SZ}"
