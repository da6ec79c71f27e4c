"""What a database with `spec.source` is made from, and why it is not: a table of what is asked."""

from dataclasses import replace
from typing import Any

import pytest

from daap_operator.engine.store import Store
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.backup.controller import BackupController
from daap_operator.kinds.database import origin
from daap_operator.kinds.database.desired.backup import BackupDefaults
from daap_operator.kinds.database.desired.resolved import Origin, Platform
from daap_operator.kinds.database.fitness import judged
from daap_operator.kinds.database.watched import WATCHES
from tests.unit import backups, builders

Object = dict[str, Any]

ARCHIVE = "daap-orders-0a1b2c3d"
WINDOWS = {ARCHIVE: backups.window(first="2026-02-20T09:01:00Z")}
STATUS: Object = {
    "databaseName": "shop",
    "postgresVersion": 16,
    "locale": "icu/und",
    "storage": "20Gi",
    "backup": {
        "archive": ARCHIVE,
        "store": "backups",
        "lastSuccessful": "2026-03-01T03:12:30Z",
    },
}
ROW = {
    "archive": ARCHIVE,
    "store": "backups",
    "database_name": "shop",
    "postgres_version": "16",
    "locale": "icu/und",
    "spec.storage.size": "20Gi",
}
ACROSS = replace(builders.PLATFORM, restore_across_namespaces=True)
ELSEWHERE = replace(builders.PLATFORM, backup=BackupDefaults(store="others"))


def there(*objects: tuple[Any, Object]) -> Store:
    """What the watches have seen."""
    store = Store([*WATCHES, *BackupController.watches])
    for kind, obj in objects:
        store.put(kind, obj)
    return store


def source(status: Object | None = None, **metadata: Any) -> tuple[Any, Object]:
    """The DaapDatabase `orders`, which is backed up."""
    metadata = {"uid": "another"} | metadata
    found = STATUS if status is None else STATUS | status
    return known.DATABASE, builders.database(status=found, **metadata)


def store(name: str = "backups", windows: Object | None = None) -> tuple[Any, Object]:
    """An ObjectStore that tells of the archive of `orders`."""
    found = WINDOWS if windows is None else windows
    return known.BARMAN_STORE, backups.object_store(found, name=name)


def backup(
    phase: str = "Completed", *, of: str = "orders", namespace: str = "shop", **status: Any
) -> tuple[Any, Object]:
    """A DaapBackup of `orders`."""
    told = {"phase": phase, "backupId": "20260301T031207"} | status
    made = {"name": "before", "namespace": namespace, "uid": "b", "resourceVersion": "1"}
    spec = {"databaseRef": {"name": of}}
    return known.DAAP_BACKUP, {"metadata": made, "spec": spec, "status": told}


def decided(
    objects: Store,
    spec: Object,
    *,
    platform: Platform = builders.PLATFORM,
    row: Object | None = None,
    name: str = "copy",
) -> Origin:
    """What is decided for a database with that spec; raises what is in the way."""
    sized = {"storage": {"size": "20Gi"}} | spec
    wanted = builders.model(sized, {}, name=name)
    assert origin.is_sought(wanted)
    found = origin.seen(objects, wanted, platform) or origin.deleted(wanted, row)
    return judged(objects, wanted, platform, builders.NOW, found)


FROM = {"database": "orders"}


# --- found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [None, ROW])
def test_a_source_gives_all_that_comes_with_the_data(row: Object | None) -> None:
    """Of a database that is there, or of one that is deleted."""
    objects = there(store()) if row else there(source(), store())
    found = decided(objects, {"source": FROM}, row=row)
    assert found.source.model_dump(by_alias=True, exclude_none=True) == {
        "database": "orders",
        "namespace": "shop",
        "archive": ARCHIVE,
        "store": "backups",
        "databaseName": "shop",
    }
    assert (found.postgres_version, str(found.locale)) == (16, "icu/und")


@pytest.mark.parametrize(
    ("at", "noted"),
    [
        ("2026-02-28T03:00:00Z", "2026-02-28T03:00:00Z"),
        ("2026-02-28T03:00:00.250000+01:00", "2026-02-28T02:00:00.25Z"),
        ("2026-02-20T09:01:00Z", "2026-02-20T09:01:00Z"),
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
    ],
)
def test_a_moment_is_noted_in_utc(at: str, noted: str) -> None:
    found = decided(there(source(), store()), {"source": FROM | {"at": at}})
    assert found.source.at == noted


@pytest.mark.parametrize(
    ("asked", "spec", "platform", "told"),
    [
        ({"store": "mine"}, {}, builders.PLATFORM, "mine"),
        ({}, {"backup": {"store": "own"}}, ELSEWHERE, "backups"),
    ],
)
def test_the_store_is_that_which_is_named_or_the_sources(
    asked: Object, spec: Object, platform: Platform, told: str
) -> None:
    objects = there(source(), store(), store("mine"), store("own"), store("others"))
    found = decided(objects, {"source": FROM | asked} | spec, platform=platform)
    assert found.source.store == told


@pytest.mark.parametrize(("spec", "told"), [({"backup": {"store": "own"}}, "own"), ({}, "others")])
def test_an_archive_is_read_from_the_databases_own_store(spec: Object, told: str) -> None:
    asked = {"source": {"archive": ARCHIVE}, "postgresVersion": 16} | spec
    found = decided(there(store("own"), store("others")), asked, platform=ELSEWHERE)
    assert (found.source.store, found.source.database_name) == (told, "copy")
    assert (found.postgres_version, found.locale) == (None, None)


@pytest.mark.parametrize(
    ("status", "archive", "kept_in"),
    [
        ({}, ARCHIVE, "backups"),
        ({"archive": "daap-orders-older", "store": "older"}, "daap-orders-older", "older"),
        ({"archive": "../else", "store": "older"}, ARCHIVE, "backups"),
    ],
)
def test_a_daapbackup_tells_its_id_and_its_archive(
    status: Object, archive: str, kept_in: str
) -> None:
    objects = there(source(), store(), store("older"), backup(**status))
    found = decided(objects, {"source": FROM | {"backup": "before"}}).source
    assert found.backup_id == "20260301T031207"
    assert (found.archive, found.store, found.at) == (archive, kept_in, None)


@pytest.mark.parametrize("namespace", ["shop", "other"])
def test_a_daapbackup_gives_no_other_databases_data(namespace: str) -> None:
    """Who may read the one may not read the other: RBAC and policies go by the source's name."""
    secret = backup(of="secret", namespace=namespace, archive="daap-secret-0a1b2c3d")
    objects = there(source(namespace=namespace), store(), secret)
    asked = {"source": FROM | {"namespace": namespace, "backup": "before"}}
    with pytest.raises(Stalled, match="is no DaapBackup of orders in namespace") as told:
        decided(objects, asked, platform=ACROSS)
    assert told.value.finding.reason == "SourceNotFound"
    assert "secret" not in told.value.finding.message


def test_an_archive_and_a_daapbackup_that_is_in_another_contradict_each_other() -> None:
    objects = there(store(), backup(archive="daap-orders-older"))
    asked = {"source": {"archive": ARCHIVE, "store": "backups", "backup": "before"}}
    with pytest.raises(Stalled, match="is in the archive daap-orders-older") as told:
        decided(objects, asked | {"postgresVersion": 16})
    assert told.value.finding.reason == "SourceNotRecoverable"
    objects = there(store(), backup(archive=ARCHIVE, store="older"))
    found = decided(objects, asked | {"postgresVersion": 16}).source
    assert (found.archive, found.store) == (ARCHIVE, "backups")


def test_a_database_never_is_its_own_source() -> None:
    itself = source(uid=builders.UID)
    found = decided(there(itself, store()), {"source": FROM}, row=ROW, name="orders")
    assert found.source.database_name == "shop"


def test_another_namespace_is_read_where_the_platform_allows_it() -> None:
    objects = there(source(namespace="other"), store())
    asked = {"source": FROM | {"namespace": "other"}}
    assert decided(objects, asked, platform=ACROSS).source.namespace == "other"
    same = decided(there(source(), store()), {"source": FROM | {"namespace": "shop"}})
    assert same.source.namespace == "shop"


@pytest.mark.parametrize(
    "row",
    [
        ROW | {"store": "Not a name", "database_name": "x; DROP", "locale": "a/b"},
        {"archive": ARCHIVE, "store": "backups"},
        ROW | {"database_name": "Orders", "spec.storage.size": "huge"},
    ],
)
def test_what_the_inventory_says_is_taken_only_where_it_can_be_the_operators(row: Object) -> None:
    asked = {"source": FROM | {"store": "backups"}, "postgresVersion": 16}
    found = decided(there(store()), asked, row=row)
    assert found.source.database_name == "orders"
    assert found.source.store == "backups"


# --- in the way -----------------------------------------------------------------------------------

NEVER = {"backup": {"archive": ARCHIVE, "store": "backups"}}
WRONG: dict[str, tuple[list[tuple[Any, Object]], Object, type[Problem], str, str]] = {
    "nothing of that name": (
        [store()],
        {"source": FROM},
        Stalled,
        "SourceNotFound",
        "no DaapDatabase 'orders' in namespace shop",
    ),
    "no backups": (
        [source({"backup": None}), store()],
        {"source": FROM},
        Stalled,
        "SourceNotRecoverable",
        "has no backups: set its spec.backup",
    ),
    "an archive of no name": (
        [source({"backup": {"archive": "../x", "store": "backups"}}), store()],
        {"source": FROM},
        Stalled,
        "SourceNotRecoverable",
        "has no backups",
    ),
    "no base backup yet": (
        [source(NEVER), store(windows={})],
        {"source": FROM},
        Waiting,
        "SourcePending",
        "tells of no base backup of DaapDatabase orders",
    ),
    "no store": (
        [source()],
        {"source": FROM},
        Waiting,
        "StoreMissing",
        "There is no ObjectStore 'backups' in this namespace",
    ),
    "no store that anybody names": (
        [],
        {"source": {"archive": ARCHIVE}, "postgresVersion": 16},
        Stalled,
        "StoreMissing",
        "set spec.source.store",
    ),
    "a moment before the first": (
        [source(), store()],
        {"source": FROM | {"at": "2026-02-20T09:00:59Z"}},
        Stalled,
        "SourceNotRecoverable",
        "is before 2026-02-20T09:01:00Z",
    ),
    "a moment to come": (
        [source(), store()],
        {"source": FROM | {"at": "2026-03-01T12:00:01Z"}},
        Stalled,
        "SourceNotRecoverable",
        "is in the future",
    ),
    "another namespace": (
        [source(namespace="other"), store()],
        {"source": FROM | {"namespace": "other"}},
        Stalled,
        "SourceForbidden",
        "config.restore.acrossNamespaces",
    ),
    "another version": (
        [source(), store()],
        {"source": FROM, "postgresVersion": 17},
        Stalled,
        "SourceDiffers",
        "spec.postgresVersion '17' is not the '16' of DaapDatabase orders",
    ),
    "another database name": (
        [source(), store()],
        {"source": FROM, "databaseName": "other"},
        Stalled,
        "SourceDiffers",
        "spec.databaseName 'other' is not the 'shop'",
    ),
    "another locale": (
        [source(), store()],
        {"source": FROM, "locale": {"provider": "libc", "locale": "C"}},
        Stalled,
        "SourceDiffers",
        "spec.locale 'libc/C' is not the 'icu/und'",
    ),
    "too small a volume": (
        [source(), store()],
        {"source": FROM, "storage": {"size": "10Gi"}},
        Stalled,
        "SourceDiffers",
        "spec.storage.size '10Gi' is less than the '20Gi'",
    ),
    "no such DaapBackup": (
        [source(), store()],
        {"source": FROM | {"backup": "before"}},
        Stalled,
        "SourceNotFound",
        "spec.source.backup 'before' is no DaapBackup of orders in namespace shop",
    ),
    "a DaapBackup that has failed": (
        [source(), store(), backup("Failed")],
        {"source": FROM | {"backup": "before"}},
        Stalled,
        "SourceNotRecoverable",
        "name another",
    ),
    "a DaapBackup under way": (
        [source(), store(), backup("Running", backupId=None)],
        {"source": FROM | {"backup": "before"}},
        Waiting,
        "SourcePending",
        "DaapBackup before is not completed yet",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_is_in_the_way_is_told_with_its_remedy(
    case: tuple[list[tuple[Any, Object]], Object, type[Problem], str, str],
) -> None:
    objects, spec, kind, reason, words = case
    with pytest.raises((Stalled, Waiting)) as told:
        decided(there(*objects), spec)
    assert isinstance(told.value, kind)
    assert isinstance(told.value, (Stalled, Waiting))
    assert told.value.finding.reason == reason
    assert words in told.value.finding.message


def test_a_version_that_nothing_tells_has_to_be_said() -> None:
    row = {field: ROW[field] for field in ("archive", "store")}
    with pytest.raises(Stalled, match=r"set spec\.postgresVersion to the major"):
        decided(there(store()), {"source": FROM}, row=row)
