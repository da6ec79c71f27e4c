"""What a DaapBackup's status says, from what there is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.api.v1alpha1 import BackupPhase, DaapBackupStatus
from daap_operator.kinds import cnpg_backups
from daap_operator.kinds.backup import desired, status
from daap_operator.kinds.backup.reasons import BackupReason
from tests.support.daapbackups import DONE
from tests.unit.backup_stage import ARCHIVE, STORE

Object = dict[str, Any]

ENDED = datetime(2026, 3, 1, 12, 2, 30, tzinfo=UTC)
ANYTHING: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 2**70, 1.5, "", "x" * 5000, "2026-03-01T12:00:00Z", "yesterday", [], {"a": []}]
)


def backup(**told: Any) -> Object:
    return {"metadata": {"name": "now-5e1ec7ab"}, "status": told}


def over(phase: BackupPhase, **fields: Any) -> DaapBackupStatus:
    return DaapBackupStatus(phase=phase, conditions=[], **fields)


DONE_THERE = over(
    BackupPhase.COMPLETED,
    backup_name="now-5e1ec7ab",
    backup_id=DONE["backupId"],
    store=STORE,
    archive=ARCHIVE,
    stopped_at=ENDED,
)


# --- what a Backup comes to -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "exists", "reason", "over", "doubtful"),
    [
        ("", True, BackupReason.RUNNING, False, False),
        ("pending", True, BackupReason.RUNNING, False, False),
        ("running", True, BackupReason.RUNNING, False, False),
        ("unheard of", True, BackupReason.RUNNING, False, False),
        ("walArchivingFailing", True, BackupReason.ARCHIVING_FAILING, False, False),
        ("failed", True, BackupReason.FAILING, False, True),
        ("failed", False, BackupReason.FAILING, False, True),
        ("running", False, BackupReason.DATABASE_MISSING, False, True),
        ("completed", True, BackupReason.COMPLETED, True, False),
        ("completed", False, BackupReason.COMPLETED, True, False),
    ],
)
def test_a_phase_of_cloudnativepg_comes_to(
    phase: str, exists: bool, reason: BackupReason, over: bool, doubtful: bool
) -> None:
    told = status.told(backup(phase=phase), database="orders", exists=exists)
    assert (told.finding.reason, told.over, told.doubtful) == (reason, over, doubtful)


NO_PLUGIN: Object = {
    "phase": "Cluster cannot proceed",
    "phaseReason": "Error while discovering plugins: dial tcp 10.96.7.1:9090: connection refused",
}


@pytest.mark.parametrize("phase", ["", "pending"])
def test_what_is_not_begun_says_what_is_in_the_way(phase: str) -> None:
    words = status.in_the_way({"status": NO_PLUGIN}, late=False)
    told = status.told(backup(phase=phase), database="orders", exists=True, in_the_way=words)
    assert told.finding.reason == BackupReason.PENDING
    assert "has not begun Backup now-5e1ec7ab" in told.finding.message
    assert "Error while discovering plugins" in told.finding.message
    assert "10.96" not in told.finding.message


@pytest.mark.parametrize(
    "cluster", [None, {"status": {"phase": "Cluster in healthy state"}}, {"status": {}}]
)
def test_of_a_cluster_that_is_well_nothing_is_in_the_way(cluster: Object | None) -> None:
    assert status.in_the_way(cluster, late=False) == ""
    assert "must find out why" in status.in_the_way(cluster, late=True)


def test_what_is_being_made_says_nothing_of_the_cluster() -> None:
    words = status.in_the_way({"status": NO_PLUGIN}, late=False)
    told = status.told(backup(phase="running"), database="orders", exists=True, in_the_way=words)
    assert told.finding.reason == BackupReason.RUNNING


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({}, "CloudNativePG does not say why"),
        ({"error": "no space"}, "no space"),
        ({"commandError": "exit 1"}, "exit 1"),
        ({"error": "no space", "commandError": "exit 1"}, "no space; exit 1"),
        ({"error": "same", "commandError": "same"}, "same"),
    ],
)
def test_why_it_failed_is_said_once(told: Object, error: str) -> None:
    assert cnpg_backups.error(backup(**told)) == error


def test_the_facts_are_in_utc_and_to_the_second() -> None:
    facts = status.facts(backup(**DONE | {"stoppedAt": "2026-03-01T14:02:30.987+02:00"}))
    assert facts["stopped_at"] == ENDED


def test_until_the_plugin_says_it_the_moments_are_cloudnativepgs() -> None:
    """Those of the plugin come at the end, and not at all with a failure."""
    began, ended = "2026-03-01T12:00:59Z", "2026-03-01T12:03:01Z"
    own = {"reconciliationStartedAt": began, "reconciliationTerminatedAt": ended}
    facts = status.facts(backup(**own))
    assert facts["started_at"] == datetime(2026, 3, 1, 12, 0, 59, tzinfo=UTC)
    assert facts["stopped_at"] == datetime(2026, 3, 1, 12, 3, 1, tzinfo=UTC)
    assert status.facts(backup(**own, **DONE))["stopped_at"] == ENDED


def test_what_a_backup_does_not_say_takes_nothing_away() -> None:
    assert status.facts(backup()) == {}
    assert status.facts(backup(backupId="", majorVersion=-3, startedAt="yesterday")) == {}


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*DONE, "error"), ANYTHING)))
def test_the_facts_fit_the_status_whatever_stands_there(told: Object) -> None:
    facts = status.facts(backup(**told))
    DaapBackupStatus.model_validate(
        facts | {"error": status.cut(cnpg_backups.error(backup(**told)))}
    )


# --- what stays to be said ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retention", "told"),
    [
        ("30d", "until 2026-03-31 at least, by the store's retention of 30d"),
        ("2w", "until 2026-03-15 at least"),
        ("1m", "until 2026-03-29 at least"),
        ("", "for as long as the store keeps it"),
        ("forever", "for as long as the store keeps it"),
        ("0d", "for as long as the store keeps it"),
        ("99999999999d", "for as long as the store keeps it"),
    ],
)
def test_until_when_it_can_be_restored(retention: str, told: str) -> None:
    verdict = status.final(DONE_THERE, "orders", retention)
    assert verdict.ready
    assert told in verdict.why.message
    assert verdict.why.message.startswith(
        f"Backup {DONE['backupId']} of DaapDatabase orders is in the archive {ARCHIVE} of "
        f"ObjectStore {STORE}; it can be restored "
    )


@given(st.integers(0, 9999), st.sampled_from("dwmy"))
def test_no_retention_is_too_long_to_be_told(count: int, unit: str) -> None:
    status.final(DONE_THERE, "orders", f"{count}{unit}")


@given(st.integers(1, 400), st.sampled_from("dwm"))
def test_a_date_is_never_later_than_the_store_keeps_it(count: int, unit: str) -> None:
    days = {"d": 1, "w": 7, "m": 28}[unit] * count
    day = (ENDED + timedelta(days=days)).date()
    assert (
        f"until {day} at least" in status.final(DONE_THERE, "orders", f"{count}{unit}").why.message
    )


def test_without_its_archive_it_says_no_other() -> None:
    known = DONE_THERE.model_copy(update={"archive": None})
    assert "is in the database's archive; " in status.final(known, "orders", "").why.message


def test_what_has_failed_names_the_store_that_it_was_for() -> None:
    failed = over(BackupPhase.FAILED, error="no space", store=STORE)
    message = status.final(failed, "orders", "30d").why.message
    assert f"into ObjectStore {STORE} failed: no space" in message


@pytest.mark.parametrize(
    ("error", "reason"), [("no space", BackupReason.FAILED), (None, BackupReason.DELETED)]
)
def test_what_has_failed_needs_somebody(error: str | None, reason: BackupReason) -> None:
    verdict = status.final(over(BackupPhase.FAILED, error=error), "orders", "30d")
    assert verdict.stalled == verdict.why
    assert verdict.why.reason == reason
    assert verdict.why.message.endswith("remove the cause and create another one")
    assert (error or "was deleted before it was completed") in verdict.why.message


# --- the Backup's name ----------------------------------------------------------------------------

UID = "5e1ec7ab-1e00-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("now", "now-5e1ec7ab"),
        ("before.migration", "before-migration-5e1ec7ab"),
        ("x" * 253, "x" * 54 + "-5e1ec7ab"),
        ("x" * 53 + "-y", "x" * 53 + "-5e1ec7ab"),
    ],
)
def test_a_backup_is_called(name: str, made: str) -> None:
    assert desired.backup_name(name, UID) == made


@given(st.from_regex(r"\A[a-z0-9]([-a-z0-9.]{0,80}[a-z0-9])?\Z"))
def test_every_name_is_one_that_cloudnativepg_takes(name: str) -> None:
    made = desired.backup_name(name, UID)
    assert len(made) <= 63
    assert made.strip("-") == made
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
