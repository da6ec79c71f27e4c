"""Events: what is worth one, and that posting them holds up nothing."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from daap_operator.api.v1alpha1 import DaapDatabaseStatus
from daap_operator.engine.announce import (
    WAITING,
    Announcement,
    Announcer,
    event,
    transitions,
)
from daap_operator.kinds.known import DATABASE
from daap_operator.kube import Kind, Unreachable
from tests.unit import builders, virtual_time
from tests.unit.fake_kube import FakeKube
from tests.unit.fakes import Clock, refused

Object = dict[str, Any]

METADATA = builders.model().metadata


def status(
    phase: str | None, ready: str = "", synced: str = "", said: str = ""
) -> DaapDatabaseStatus:
    """A status of that phase; the reason of Ready, and whether the inventory has it."""
    conditions = []
    if ready:
        conditions.append(builders.condition("Ready", "False", ready, message=said))
    if synced:
        conditions.append(builders.condition("MetadataSynced", synced, message="inventory"))
    return DaapDatabaseStatus.model_validate({"phase": phase, "conditions": conditions})


def stalled(
    ready: str, reason: str, *, phase: str = "Error", said: str = "down"
) -> DaapDatabaseStatus:
    """A status of which somebody must act; the reasons of Ready and Stalled."""
    status = "True" if ready == "Ready" else "False"
    conditions = [
        builders.condition("Ready", status, ready, message=said),
        builders.condition("Stalled", "True", reason, message=f"{reason}: act"),
    ]
    return DaapDatabaseStatus.model_validate({"phase": phase, "conditions": conditions})


SERVES_REFUSED = stalled("Ready", "Rejected", phase="Ready", said="connect")
REJECTED = Announcement(True, "Rejected", "Rejected: act")

NEW, PROVISIONING = status(None), status("Provisioning", "ClusterPending", said="soon")
READY = status("Ready", "Ready", said="connect")
BROKEN, FULL = status("Error", "NotServing", said="down"), status("Error", "DiskFull", said="full")

TRANSITIONS: dict[str, tuple[DaapDatabaseStatus, DaapDatabaseStatus, list[Announcement]]] = {
    "nothing": (READY, READY, []),
    "a new database": (NEW, PROVISIONING, [Announcement(False, "Provisioning", "soon")]),
    "progress": (PROVISIONING, status("Provisioning", "ClusterStarting", said="later"), []),
    "ready": (PROVISIONING, READY, [Announcement(False, "Ready", "connect")]),
    "an error": (READY, BROKEN, [Announcement(True, "NotServing", "down")]),
    "another error": (BROKEN, FULL, [Announcement(True, "DiskFull", "full")]),
    "the same error in other words": (BROKEN, status("Error", "NotServing", said="still"), []),
    "recovered": (FULL, READY, [Announcement(False, "Ready", "connect")]),
    "refused, and serving": (READY, SERVES_REFUSED, [REJECTED]),
    "refused, and serving at once": (
        PROVISIONING,
        SERVES_REFUSED,
        [Announcement(False, "Ready", "connect"), REJECTED],
    ),
    "still refused": (SERVES_REFUSED, SERVES_REFUSED, []),
    "refused for another reason": (
        SERVES_REFUSED,
        stalled("Ready", "QuotaExceeded", phase="Ready"),
        [Announcement(True, "QuotaExceeded", "QuotaExceeded: act")],
    ),
    "refused, and down": (
        SERVES_REFUSED,
        stalled("NotServing", "Rejected"),
        [Announcement(True, "NotServing", "down")],
    ),
    "refused, and back": (
        stalled("NotServing", "Rejected"),
        SERVES_REFUSED,
        [Announcement(False, "Ready", "connect")],
    ),
    "down, and refused": (BROKEN, stalled("NotServing", "Rejected"), [REJECTED]),
    "refused before it ever served": (
        PROVISIONING,
        stalled("Rejected", "Rejected"),
        [Announcement(True, "Rejected", "down")],
    ),
    "no longer refused": (SERVES_REFUSED, READY, [Announcement(False, "Ready", "connect")]),
    "down, and no longer refused": (
        stalled("NotServing", "Rejected"),
        BROKEN,
        [Announcement(True, "NotServing", "down")],
    ),
    "refused, and deleted": (
        SERVES_REFUSED,
        status("Deleting", "Deleting", said="bye"),
        [Announcement(False, "Deleting", "bye")],
    ),
    "deleting": (
        READY,
        status("Deleting", "Deleting", said="bye"),
        [Announcement(False, "Deleting", "bye")],
    ),
    "a deletion that is blocked": (
        status("Deleting", "Deleting", said="wait"),
        status("Deleting", "DeletionBlocked", said="act"),
        [Announcement(True, "DeletionBlocked", "act")],
    ),
    "a deletion that goes on": (
        status("Deleting", "DeletionProtected", said="held"),
        status("Deleting", "Deleting", said="bye"),
        [Announcement(False, "Deleting", "bye")],
    ),
    "a deletion that is held by protection": (
        READY,
        status("Deleting", "DeletionProtected", said="held"),
        [Announcement(True, "DeletionProtected", "held")],
    ),
    "an error without a condition": (READY, status("Error"), [Announcement(True, "Error", "")]),
    "the inventory is lost": (
        status("Ready", "Ready", "True"),
        status("Ready", "Ready", "False"),
        [Announcement(True, "MetadataNotSynced", "inventory")],
    ),
    "the inventory is back": (
        status("Ready", "Ready", "False"),
        status("Ready", "Ready", "True"),
        [Announcement(False, "MetadataSynced", "inventory")],
    ),
    "the first row": (status("Ready", "Ready"), status("Ready", "Ready", "True"), []),
    "no first row": (
        status("Ready", "Ready"),
        status("Ready", "Ready", "False"),
        [Announcement(True, "MetadataNotSynced", "inventory")],
    ),
    "no row any more": (status("Ready", "Ready", "True"), status("Ready", "Ready"), []),
    "two at once": (
        status("Ready", "Ready", "True"),
        status("Error", "NotServing", "False", said="down"),
        [
            Announcement(True, "NotServing", "down"),
            Announcement(True, "MetadataNotSynced", "inventory"),
        ],
    ),
}


@pytest.mark.parametrize(("before", "after", "announced"), TRANSITIONS.values(), ids=TRANSITIONS)
def test_what_is_announced_between_two_statuses(
    before: DaapDatabaseStatus, after: DaapDatabaseStatus, announced: list[Announcement]
) -> None:
    assert transitions(before, after) == announced


def test_an_event_speaks_of_the_object() -> None:
    now = datetime(2026, 3, 1, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert event(DATABASE, METADATA, Announcement(True, "DiskFull", "full"), now=now, number=1) == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "orders.64bf535b0f240001", "namespace": "shop"},
        "eventTime": "2026-03-01T12:00:00.123456Z",
        "reportingController": "daap.io/operator",
        "reportingInstance": "daap-operator",
        "action": "Reconcile",
        "type": "Warning",
        "reason": "DiskFull",
        "note": "full",
        "regarding": {
            "apiVersion": "daap.io/v1alpha1",
            "kind": "DaapDatabase",
            "namespace": "shop",
            "name": "orders",
            "uid": builders.UID,
        },
    }


def test_events_of_one_moment_have_names_of_their_own() -> None:
    news = Announcement(False, "Ready", "")
    made = [
        event(DATABASE, METADATA, news, now=builders.NOW, number=number) for number in range(100)
    ]
    assert len({one["metadata"]["name"] for one in made}) == 100
    assert {one["type"] for one in made} == {"Normal"}


def test_a_note_is_cut_to_what_the_api_server_takes() -> None:
    made = event(
        DATABASE, METADATA, Announcement(True, "Rejected", "a" * 2000), now=builders.NOW, number=1
    )
    assert len(made["note"]) == 1024


# --- posting --------------------------------------------------------------------------------------


class SlowKube(FakeKube):
    """An API server that takes its time, and refuses the Events of one reason."""

    refusal: Exception | None = None

    async def create_plain(self, kind: Kind, manifest: Object) -> Object:
        await asyncio.sleep(1)
        if self.refusal is not None and manifest["reason"] == "Refused":
            raise self.refusal
        return await super().create_plain(kind, manifest)


def posted(*announcements: Announcement, refusal: Exception | None = None) -> list[str]:
    """The reasons of the Events that were posted."""

    async def scene() -> list[str]:
        kube = SlowKube(Clock())
        kube.refusal = refusal
        announcer = Announcer(kube)
        for announcement in announcements:
            announcer.announce(DATABASE, METADATA, announcement, builders.NOW)
        running = asyncio.create_task(announcer.run())
        await asyncio.sleep(5000)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return [obj["reason"] for obj in kube.objects.values()]

    return virtual_time.run(scene())


def news(*reasons: str) -> list[Announcement]:
    return [Announcement(False, reason, "") for reason in reasons]


def test_events_are_posted_in_order() -> None:
    assert posted(*news("A", "B", "C")) == ["A", "B", "C"]


@pytest.mark.parametrize(
    "error", [refused(403), Unreachable("no answer")], ids=["refused", "unreachable"]
)
def test_an_event_that_cannot_be_posted_is_logged_and_forgotten(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    assert posted(*news("Refused", "Taken"), refusal=error) == ["Taken"]
    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["event"]) == ("Event not posted", "Refused")


def test_too_many_events_are_dropped_and_hold_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    made = posted(*news(*(f"R{number}" for number in range(WAITING + 2))))
    assert made == [f"R{number}" for number in range(WAITING)]
    (record,) = caplog.records
    assert record.getMessage() == "Events dropped: too many wait"
    assert vars(record)["namespace"] == METADATA.namespace


def test_a_namespace_with_too_many_events_takes_none_from_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its own are dropped, and its own wait; the others' next is posted after one of its."""
    dropped: list[str] = []
    other = METADATA.model_copy(update={"namespace": "billing"})

    async def scene() -> list[tuple[str, str]]:
        kube = SlowKube(Clock())
        announcer = Announcer(kube, on_drop=lambda kind: dropped.append(kind.name))
        running = asyncio.create_task(announcer.run())
        for one in news(*(f"R{number}" for number in range(3 * WAITING))):
            announcer.announce(DATABASE, METADATA, one, builders.NOW)
        await asyncio.sleep(10.5)
        for one in news("Provisioning", "Ready"):
            announcer.announce(DATABASE, other, one, builders.NOW)
        await asyncio.sleep(5)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        found = [(obj["metadata"]["namespace"], obj["reason"]) for obj in kube.objects.values()]
        return found[10:]

    last = virtual_time.run(scene())
    assert last[:5] == [
        (METADATA.namespace, "R10"),
        (METADATA.namespace, "R11"),
        ("billing", "Provisioning"),
        (METADATA.namespace, "R12"),
        ("billing", "Ready"),
    ]
    assert dropped == [DATABASE.name] * 2 * WAITING
    assert len(caplog.records) == 1


def test_the_loss_is_told_again_after_there_was_room(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        announcer = Announcer(SlowKube(Clock()))
        many = news(*(f"R{number}" for number in range(WAITING + 1)))
        for one in many:
            announcer.announce(DATABASE, METADATA, one, builders.NOW)
        running = asyncio.create_task(announcer.run())
        await asyncio.sleep(2)
        for one in many:
            announcer.announce(DATABASE, METADATA, one, builders.NOW)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    virtual_time.run(scene())
    assert len(caplog.records) == 2
