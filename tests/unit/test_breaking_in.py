"""What somebody may write who wants to be in the way: times, numbers, and as many as they like."""

import socket
from typing import Any

import pytest
from yarl import URL

from daap_operator import raw
from daap_operator.api.v1alpha1 import DaapBackupStatus
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.backup import status
from daap_operator.kinds.database.watched import CLUSTER, MOST_PARTS, WATCHES
from daap_operator.kinds.restore.watched import BEGUN, WAITING
from daap_operator.kube import Kind
from daap_operator.mirror import answers
from tests.unit.restore_stage import RestoreStage
from tests.unit.stage import SOURCES

TIMES = (
    "9999-12-31T23:59:59Z",
    "9500-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "1969-12-31T23:59:59Z",
)
"""A date-time, for all that the API server knows."""


@pytest.mark.parametrize("when", TIMES)
@pytest.mark.parametrize("retention", ["30d", "9999m"])
def test_a_time_that_no_calendar_has_is_none(when: str, retention: str) -> None:
    assert raw.moment({"at": when}, "at") is None
    metadata = {"name": "now-5e1ec7ab"}
    there = {"phase": "completed", "stoppedAt": when, "startedAt": when}
    told = status.facts({"metadata": metadata, "status": there})
    assert not set(told) & {"stopped_at", "started_at"}
    forged = DaapBackupStatus.model_validate({"phase": "Completed", "stoppedAt": when})
    said = status.final(forged, "orders", retention).why.message
    assert "for as long as the store keeps it" in said


@pytest.mark.parametrize(
    "forged", ["../../other/base/20260301T120100", "..", "a/b", " a", "a" * 254, "a\nb", "%2e%2e/x"]
)
def test_a_backup_is_called_nothing_that_leads_out_of_its_archive(forged: str) -> None:
    there = {"metadata": {"name": "now-5e1ec7ab"}, "status": {"backupId": forged}}
    assert "backup_id" not in status.facts(there)


@pytest.mark.parametrize("name", [".", "..", "../x", "%2e%2e", "a/../..", "x?y#z", "\n", "ü"])
@pytest.mark.parametrize("kind", [known.CLUSTER, known.SECRET], ids=lambda kind: kind.name)
def test_a_name_leads_nowhere_but_to_its_object(kind: Kind, name: str) -> None:
    """A status says how a database's parts are called, and may have been forged."""
    collection = URL(f"https://api{kind.path('shop')}")
    found = URL(f"https://api{kind.path('shop', name)}")
    assert found.parent == collection
    assert found.name
    assert len(found.parts) == len(collection.parts) + 1
    assert not found.query_string


def test_where_nobody_counts_what_comes_nothing_is_refused() -> None:
    here, there = socket.socketpair()  # a Unix socket, as a database in the same pod may have
    with here, there:
        there.send(b"x" * 1000)
        assert answers._received(here) == 0
        with answers._shut(here, shut=True):
            assert here.recv(2000) == b"x" * 1000
        with answers._line(here.fileno()) as line:
            assert line.fileno() != here.fileno()


def failed(number: int) -> dict[str, Any]:
    metadata = {
        "namespace": "shop",
        "name": f"b-{number:05d}",
        "uid": f"u-{number}",
        "resourceVersion": str(number + 1),
        "creationTimestamp": "2026-03-01T12:00:00Z",
        "labels": {"cnpg.io/cluster": "daap-orders"},
    }
    return {"metadata": metadata, "status": {"phase": "failed", "error": str(number)}}


def test_of_thousands_of_failed_backups_a_pass_looks_at_the_latest() -> None:
    store = Store(WATCHES)
    for number in range(3000):
        store.take(SOURCES[known.BACKUP], failed(number))
    place = "shop", "daap-orders"
    found = store.by(known.BACKUP, CLUSTER, place, MOST_PARTS, latest=True)
    assert [one["status"]["error"] for one in found] == [str(n) for n in range(2900, 3000)]


def restores(stage: RestoreStage, number: int) -> list[Ref]:
    """Somebody creates so many DaapRestores of a database that gets no Cluster."""
    stage.kube.without_quota = {"shop"}
    stage.order(backup={"store": "backups"})
    keys = [Ref(known.DAAP_RESTORE, "shop", f"r-{each:05d}") for each in range(number)]
    for key in keys:
        stage.restore(key)
    return keys


async def test_of_thousands_of_daaprestores_an_event_wakes_a_hundred() -> None:
    """Else each would look at all others whenever one of them changed."""
    stage = RestoreStage()
    keys = restores(stage, 400)
    await stage.passes()
    waiting = stage.store.refs_by(known.DAAP_RESTORE, WAITING, ("shop", "orders"))
    assert (len(waiting), stage.told(keys[-1])["Reconciling"]) == (
        400,
        ("True", "OtherRestoreUnderWay"),
    )
    stage.watch()
    stage.kube.change(known.DAAP_RESTORE, keys[-1].name, refinalized)
    assert len(stage.watch()) <= 101
    stage.edit(purpose="another")
    assert len(stage.watch()) <= 101


async def test_of_thousands_of_daaprestores_one_is_first() -> None:
    """The same one for all, until it ends: then there is another, and that one is woken."""
    stage = RestoreStage()
    keys = restores(stage, 250)
    for left in (249, 120, 1):
        await stage.passes()
        told = {key: stage.told(key)["Reconciling"][1] for key in keys}
        (first,) = [key for key, reason in told.items() if reason != "OtherRestoreUnderWay"]
        others = [key for key in keys if key != first]
        assert all(f"DaapRestore {first.name} of" in stage.says(key=key) for key in others)
        stage.watch()
        for key in (first, *others[left:]):
            stage.kube.delete_object(known.DAAP_RESTORE, key.name)
        keys = others[:left]
        woken = stage.watch()
        await stage.passes()
        (now,) = [key for key in keys if stage.told(key)["Reconciling"][1] == "DatabaseNotReady"]
        assert now in woken
    assert not stage.store.refs_by(known.DAAP_RESTORE, BEGUN, ("shop", "orders"))


def refinalized(obj: dict[str, Any]) -> None:
    """Somebody changes what is kept of an object, and nothing that counts."""
    obj["metadata"]["finalizers"] = [*obj["metadata"].get("finalizers", []), "example.com/x"]
