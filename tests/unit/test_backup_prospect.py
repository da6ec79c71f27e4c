"""Whether a database can be backed up, from what is seen of it."""

from typing import Any

import pytest

from daap_operator.engine.kinds import Ref
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.backup.prospect import Place, place, retention
from daap_operator.kinds.backup.reasons import BackupReason
from tests.unit import builders
from tests.unit.backup_stage import ARCHIVE, PLUGINS, STORE
from tests.unit.builders import condition

Object = dict[str, Any]

READY = condition("Ready", "True", "Ready")
ON: Object = {"store": STORE}
DATABASE = Ref(known.DATABASE, "shop", "orders")
CLUSTER = Ref(known.CLUSTER, "shop", "daap-orders")


class Seen(dict[Ref, Object]):
    """What a store has."""

    def refs(self, kind: object) -> list[Ref]:
        raise AssertionError(kind)

    def by(self, *which: object) -> list[Object]:
        raise AssertionError(which)

    def refs_by(self, *which: object) -> list[Ref]:
        raise AssertionError(which)


def seen(
    *conditions: Object,
    backup: object = ON,
    told: object = None,
    plugins: object = None,
    there: bool = True,
) -> Seen:
    """A database, and its Cluster."""
    status: Object = {"backup": told or {}}
    status |= {"clusterName": "daap-orders", "postgresVersion": 17, "conditions": [*conditions]}
    spec = {} if backup is None else {"backup": backup}
    cluster = {"spec": {"plugins": PLUGINS if plugins is None else plugins}}
    made = Seen({DATABASE: builders.database(spec, status)})
    return Seen({**made, CLUSTER: cluster}) if there else made


def why(store: Seen) -> tuple[type[Exception], str, str]:
    try:
        found = place(store, "shop", "orders")
    except (Stalled, Waiting) as problem:
        return type(problem), problem.finding.reason, problem.finding.message
    raise AssertionError(found)


@pytest.mark.parametrize("backup", [{}, {"enabled": True}, {"store": "other"}])
def test_it_goes_where_the_cluster_archives_to(backup: object) -> None:
    found = place(seen(READY, backup=backup), "shop", "orders")
    assert found == Place("daap-orders", STORE, ARCHIVE, 17)


def test_of_a_database_that_does_not_say_the_status_does() -> None:
    store = seen(READY, backup=None, told={"schedule": "7 12 3 * * *"})
    assert place(store, "shop", "orders").store == STORE


def test_a_database_that_is_not_there_is_waited_for() -> None:
    assert why(Seen())[:2] == (Waiting, BackupReason.DATABASE_MISSING)


@pytest.mark.parametrize(
    ("backup", "told"),
    [
        (None, {}),
        (None, {"archive": ARCHIVE, "store": STORE}),  # once had some
        ({"enabled": False}, {"schedule": "7 12 3 * * *"}),
    ],
)
def test_without_backups_somebody_must_turn_them_on(backup: object, told: object) -> None:
    kind, reason, message = why(seen(READY, backup=backup, told=told))
    assert (kind, reason) == (Stalled, BackupReason.BACKUPS_OFF)
    assert "set spec.backup.enabled of DaapDatabase orders to true" in message


def test_what_a_database_has_is_not_known_before_it_is_ready() -> None:
    store = seen(condition("Ready", "False", "Provisioning"), backup=None)
    assert why(store)[:2] == (Waiting, BackupReason.DATABASE_NOT_READY)


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ([], (Waiting, "DatabaseNotReady")),
        ([condition("Ready", "False", "Provisioning")], (Waiting, "DatabaseNotReady")),
        ([condition("Ready", "Unknown", "Provisioning")], (Waiting, "DatabaseNotReady")),
        ([condition("Ready", "False", "Hibernated")], (Stalled, "Hibernated")),
        (
            [condition("Ready", "False", "NameTaken"), condition("Stalled", "True", "NameTaken")],
            (Stalled, "DatabaseNotReady"),
        ),
        (
            [condition("Ready", "False", "Updating"), condition("Stalled", "False", "NameTaken")],
            (Waiting, "DatabaseNotReady"),
        ),
        ([READY, condition("BackupHealthy", "False", "StoreMissing")], (Stalled, "StoreMissing")),
        ([READY, condition("BackupHealthy", "False", "PluginMissing")], (Stalled, "PluginMissing")),
    ],
)
def test_a_database_that_cannot_be_backed_up_says_why(
    conditions: list[Object], wanted: tuple[type[Exception], str]
) -> None:
    for each in conditions:
        each["message"] = f"{each['reason']}, it says"
    kind, reason, message = why(seen(*conditions))
    assert (kind, reason) == wanted
    assert "DaapDatabase orders " in message
    if conditions:
        assert ", it says" in message


@pytest.mark.parametrize(
    "reason", ["NeverBackedUp", "BackupTooOld", "BackupFailed", "ArchivingFailing", "Recoverable"]
)
def test_backups_that_are_late_or_have_failed_are_no_reason_to_make_none(reason: str) -> None:
    store = seen(READY, condition("BackupHealthy", "False", reason))
    assert place(store, "shop", "orders").store == STORE


@pytest.mark.parametrize(
    "plugins",
    [
        [],
        [{"name": "another"}],
        [{"name": PLUGINS[0]["name"]}],
        [{"name": PLUGINS[0]["name"], "parameters": {"barmanObjectName": STORE}}],
        [{"name": PLUGINS[0]["name"], "parameters": {"serverName": ARCHIVE}}],
        ["barman"],
        "barman",
    ],
)
def test_a_cluster_without_the_plugin_is_waited_for(plugins: object) -> None:
    assert why(seen(READY, plugins=plugins))[:2] == (Waiting, BackupReason.ARCHIVE_PENDING)


def test_so_is_one_that_is_not_there() -> None:
    assert why(seen(READY, there=False))[:2] == (Waiting, BackupReason.ARCHIVE_PENDING)


@pytest.mark.parametrize(
    ("there", "told"), [({"spec": {"retentionPolicy": "30d"}}, "30d"), ({"spec": {}}, ""), ({}, "")]
)
def test_how_long_a_store_keeps_backups(there: Object, told: str) -> None:
    store = Seen({Ref(known.BARMAN_STORE, "shop", STORE): there})
    assert retention(store, "shop", STORE) == told
    assert retention(store, "shop", "another") == ""


def test_what_others_say_is_made_visible() -> None:
    told = condition("Ready", "False", "Provisioning") | {"message": "a\nb\x1b[2J" + "x" * 5000}
    message = why(seen(told))[2]
    assert message.isprintable()
    assert len(message) < 700
