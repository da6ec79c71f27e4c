"""What somebody may write who wants to be in the way: times, numbers, and as many as they like."""

import socket
from typing import Any

import pytest
from yarl import URL

from daap_operator import raw
from daap_operator.api.v1alpha1 import DaapBackupStatus
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.backup import status
from daap_operator.kinds.database.watched import CLUSTER, MOST_PARTS, WATCHES
from daap_operator.kube import Kind
from daap_operator.mirror import answers
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
