"""What a database's backups are to be: resolved, and who archives where. Pure."""

from datetime import timedelta
from typing import Any

import pytest

from daap_operator.api.v1alpha1 import BackupStatus
from daap_operator.kinds.archiver import Archiver, archiver_of, plugins
from daap_operator.kinds.database.desired import backup
from daap_operator.kinds.database.desired.backup import BackupDefaults, Backups
from tests.unit import builders

DAILY, NIGHTLY = "3 53 5 * * *", "3 53 2 * * *"
NONE = BackupDefaults()
PLATFORMS = BackupDefaults(enabled=True, store="platforms", schedule="30 2 * * *")


@pytest.mark.parametrize(
    ("asked", "defaults", "made"),
    [
        (None, NONE, None),
        ({"enabled": False, "store": "mine"}, PLATFORMS, None),
        ({"enabled": True}, NONE, Backups("", DAILY)),
        ({"store": "mine"}, NONE, Backups("mine", DAILY)),
        (None, PLATFORMS, Backups("platforms", NIGHTLY)),
        ({}, PLATFORMS, Backups("platforms", NIGHTLY)),
        (
            {"store": "mine", "schedule": "@daily", "retention": "30d"},
            PLATFORMS,
            Backups("mine", DAILY, "30d"),
        ),
        ({}, BackupDefaults(schedule="7 3 * * *", spread=timedelta(0)), Backups("", "3 7 3 * * *")),
    ],
)
def test_what_is_not_said_is_the_platforms(
    asked: Any, defaults: BackupDefaults, made: Backups | None
) -> None:
    spec = builders.model({} if asked is None else {"backup": asked}).spec
    assert backup.wanted(spec, builders.UID, defaults) == made


# --- the name of the archive ----------------------------------------------------------------------

CLUSTER, FIRST = "daap-orders", "daap-orders-5e1ec7ab"


def test_an_archive_is_named_after_cluster_and_database() -> None:
    assert backup.archive_name(CLUSTER, builders.UID) == FIRST


@pytest.mark.parametrize(
    ("used", "following"),
    [
        (FIRST, f"{FIRST}-2"),
        (f"{FIRST}-2", f"{FIRST}-3"),
        (f"{FIRST}-9", f"{FIRST}-10"),
        ("another-12345678", FIRST),
        (f"{FIRST}-x", FIRST),
    ],
)
def test_a_cluster_that_is_created_again_has_another(used: str, following: str) -> None:
    assert backup.next_archive_name(used, CLUSTER, builders.UID) == following


def test_the_longest_name_fits() -> None:
    name = backup.archive_name("c" * 63, builders.UID)
    for _ in range(999):
        name = backup.next_archive_name(name, "c" * 63, builders.UID)
    assert name.endswith("-5e1ec7ab-1000")
    assert len(name) <= 63


# --- who archives ---------------------------------------------------------------------------------

LIVE = Archiver("old", "kept")
ASKED = Backups("backups", DAILY)


@pytest.mark.parametrize(
    ("backups", "live", "there", "told"),
    [
        (None, None, True, None),
        (None, LIVE, True, None),
        (ASKED, None, True, Archiver("backups", "kept")),
        (ASKED, None, False, None),
        (ASKED, LIVE, True, Archiver("backups", "kept")),
        (ASKED, LIVE, False, LIVE),
        (Backups("", DAILY), None, False, None),
        (Backups("", DAILY), LIVE, False, LIVE),
    ],
)
def test_a_cluster_archives_to_a_store_that_is_there(
    backups: Backups | None, live: Archiver | None, there: bool, told: Archiver | None
) -> None:
    assert backup.archiver(backups, "kept", live=live, there=there) == told


def test_what_the_plugin_is_told_can_be_read_back() -> None:
    spec = {"plugins": [{"name": "another"}, *plugins(LIVE)]}
    assert archiver_of({"spec": spec}) == LIVE


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {"barmanObjectName": "old"},
        {"serverName": "kept"},
        {"barmanObjectName": "old", "serverName": "a" * 254},
        {"barmanObjectName": "old", "serverName": "kept\u202e"},
        {"barmanObjectName": ["old"], "serverName": "kept"},
    ],
)
def test_half_of_it_or_what_is_no_name_is_nothing(parameters: Any) -> None:
    found = {"name": "barman-cloud.cloudnative-pg.io", "parameters": parameters}
    assert archiver_of({"spec": {"plugins": [found, "odd", None]}}) is None
    assert archiver_of({"spec": {"plugins": "odd"}}) is None
    assert archiver_of(None) is None


# --- what is told ---------------------------------------------------------------------------------


def test_the_status_says_what_was_resolved() -> None:
    told = backup.allotted(None, ASKED, "a", Archiver("backups", "a"))
    assert told == BackupStatus(store="backups", archive="a", schedule=DAILY)


def test_while_another_store_is_missing_the_status_names_the_one_that_is_used() -> None:
    told = backup.allotted(BackupStatus(archive="kept"), ASKED, "kept", LIVE)
    assert told == BackupStatus(store="old", archive="kept", schedule=DAILY)


def test_without_backups_the_status_keeps_where_the_old_ones_are() -> None:
    before = BackupStatus(store="old", archive="kept", schedule=DAILY)
    assert backup.allotted(before, None, "kept", None) == BackupStatus(store="old", archive="kept")
    assert backup.allotted(None, None, None, None) is None
