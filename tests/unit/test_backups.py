"""What is told of a database's backups, in each situation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.api.meta import ConditionType
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds import cnpg_backups
from daap_operator.kinds.database import trim_backup
from daap_operator.kinds.database.backups import NOTHING, Told, tell
from daap_operator.kinds.database.backups_seen import Plan, Seen
from daap_operator.kinds.database.reasons import BackupHealthReason
from daap_operator.kinds.database.verified import Verified
from tests.unit import backups, strategies
from tests.unit.backups import BEGAN, DETACHED, PLAN
from tests.unit.builders import NOW

Object = dict[str, Any]

UNKNOWN_PLUGIN = "Cluster cannot proceed to reconciliation due to an unknown plugin being required"
FAILING_PLUGIN = (
    "Cluster cannot proceed to reconciliation due to an error while interacting with plugins"
)


def store(windows: dict[str, Object] | None = None, retention: str = "30d") -> Object:
    return trim_backup.object_store(backups.object_store(windows, retention))


def with_window(**changed: str) -> Object:
    return store({backups.ARCHIVE: backups.window(**changed)})


def failing(**changed: Any) -> Object:
    condition = {
        "type": "ContinuousArchiving",
        "status": "False",
        "reason": "ContinuousArchivingFailing",
        "message": "exit status 4",
        "lastTransitionTime": "2026-03-01T09:30:00Z",
    }
    return condition | changed


def failed(when: str = "2026-03-01T03:12:40Z", **status: Any) -> Object:
    return cnpg_backups.keep(backups.backup(stoppedAt=when, error="no such bucket", **status))


def finding(told: Told) -> tuple[bool, str, str]:
    assert told.healthy is not None
    assert told.healthy.kind is ConditionType.BACKUP_HEALTHY
    return told.healthy.holds, told.healthy.why.reason, told.healthy.why.message


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DRILLED = replace(PLAN, verify="0 0 5 * * 0")
"""Besides at 05:00 UTC every Sunday its backups are verified."""

REFUTED = Verified(
    at("2026-02-22T05:00"),
    "20260222T031200",
    77,
    at("2026-03-01T05:00"),
    "DaapDrill orders-202603010500: 2 of 40 relations are corrupt",
)

# --- the situations -------------------------------------------------------------------------------

LAST = "2026-03-01 03:12 UTC"
BY_HAND = "kubectl get backups.postgresql.cnpg.io --namespace shop --selector cnpg.io/cluster="

SITUATIONS: dict[str, tuple[Plan, Seen, str, list[str]]] = {
    "all is well": (
        PLAN,
        backups.seen(),
        "Recoverable",
        [
            "Any moment since 2026-02-20 09:01 UTC can be restored",
            f"the latest backup is of {LAST}",
        ],
    ),
    "hibernated": (
        PLAN,
        backups.seen(
            schedule=backups.scheduled(suspend=True),
            store=with_window(last="2026-02-22T03:12:30Z"),
        ),
        "Recoverable",
        ["2026-02-22 03:12 UTC; none is made while the database is stopped"],
    ),
    "the plugin's definitions are not there": (
        DETACHED,
        backups.seen(plugin=False, store=None),
        "PluginMissing",
        ["not installed, so nothing is backed up: the platform team must install it"],
    ),
    "the plugin has been removed": (
        PLAN,
        backups.seen(cluster=backups.cluster(failing(), phase=UNKNOWN_PLUGIN)),
        "PluginMissing",
        [
            "does not reach its Barman Cloud plugin, so no backup can be made, and the write-ahead",
            "log fills the volume: the platform team must make sure that it is installed",
        ],
    ),
    "the plugin is stopped, and what runs beside PostgreSQL archives": (
        PLAN,
        backups.seen(cluster=backups.cluster(phase=FAILING_PLUGIN)),
        "PluginMissing",
        [
            "no backup can be made, though changes are still archived: the platform team must",
            "that its Deployment barman-cloud runs",
        ],
    ),
    "the plugin is stopped before anything was archived": (
        DETACHED,
        backups.seen(cluster=backups.cluster(phase=UNKNOWN_PLUGIN)),
        "PluginMissing",
        ["so no backup can be made: the platform team must"],
    ),
    "nobody has named a store": (
        replace(DETACHED, store=""),
        backups.seen(store=None, schedule=None),
        "StoreMissing",
        ["No ObjectStore is named", "set spec.backup.store", "config.backup.store"],
    ),
    "the store is not there yet": (
        DETACHED,
        backups.seen(store=None, schedule=None),
        "StoreMissing",
        ["ObjectStore 'backups' does not exist in this namespace, so nothing is backed up: the"],
    ),
    "the store is gone": (
        PLAN,
        backups.seen(store=None, cluster=backups.cluster(failing())),
        "StoreMissing",
        ["so nothing is backed up, and the write-ahead log fills the volume: the platform team"],
    ),
    "changes are not archived": (
        PLAN,
        backups.seen(cluster=backups.cluster(failing()), backups=(failed(),)),
        "ArchivingFailing",
        [
            "not archived since 2026-03-01 09:30 UTC",
            "ObjectStore 'backups' can be reached, that its bucket is there and that its",
            "what the store answered: kubectl logs --namespace shop --selector",
            "cnpg.io/cluster=daap-orders,cnpg.io/podRole=instance --container plugin-barman-cloud",
            "CloudNativePG says: exit status 4",
        ],
    ),
    "the last backup has failed": (
        PLAN,
        backups.seen(
            store=with_window(last="2026-02-28T03:12:30Z"), backups=(failed(), failed("2026-02-01"))
        ),
        "BackupFailed",
        [
            f"The backup of {LAST} failed (the latest one that can be restored: 2026-02-28",
            "The next one is due at 2026-03-02 03:12 UTC",
            "what the store answered: kubectl logs --namespace shop --selector",
            "CloudNativePG says: no such bucket",
        ],
    ),
    "the store alone tells of the failure": (
        PLAN,
        backups.seen(store=with_window(failed="2026-03-01T03:12:31Z")),
        "BackupFailed",
        [f"The backup of {LAST} failed"],
    ),
    "the first backup has failed": (
        PLAN,
        backups.seen(store=store({}), backups=(failed(),)),
        "BackupFailed",
        [f"The backup of {LAST} failed: the platform team must find out why"],
    ),
    "archiving is being attached": (
        DETACHED,
        backups.seen(store=store({}), schedule=None),
        "NeverBackedUp",
        ["No backup has been made yet: archiving is being set up"],
    ),
    "another store is asked for that is not there": (
        replace(PLAN, store="other"),
        backups.seen(asked=None),
        "StoreMissing",
        ["ObjectStore 'other' does not exist in this namespace, so backups go on into 'backups'"],
    ),
    "the store is not named any more": (
        replace(PLAN, store=""),
        backups.seen(asked=None),
        "StoreMissing",
        ["No ObjectStore is named, so backups go on into 'backups'"],
    ),
    "the database does not serve yet": (
        PLAN,
        backups.seen(store=store({}), schedule=None),
        "NeverBackedUp",
        ["the first one follows once the database serves"],
    ),
    "the first backups are suspended": (
        PLAN,
        backups.seen(store=store({}), schedule=backups.scheduled(suspend=True)),
        "NeverBackedUp",
        ["the first one follows once the database serves"],
    ),
    "the first backup is being made": (
        PLAN,
        backups.seen(store=store({}), schedule=backups.scheduled(NOW - timedelta(minutes=59))),
        "NeverBackedUp",
        ["No backup has been made yet: the first one follows"],
    ),
    "there is no backup after an hour": (
        PLAN,
        backups.seen(store=store({})),
        "NeverBackedUp",
        [
            "ObjectStore 'backups' has no backup, although they are made since 2026-02-20",
            f"({BY_HAND}daap-orders)",
        ],
    ),
    "nothing can be restored any more": (
        PLAN,
        backups.seen(store=with_window(first="")),
        "NeverBackedUp",
        ["so nothing can be restored"],
    ),
    "the store has others' archives only": (
        PLAN,
        backups.seen(store=store({f"{backups.ARCHIVE}-2": backups.window()})),
        "NeverBackedUp",
        [],
    ),
    "a run was missed": (
        PLAN,
        backups.seen(store=with_window(last="2026-02-27T03:12:30Z")),
        "BackupTooOld",
        [
            "The latest backup is of 2026-02-27 03:12 UTC",
            "since the one that was due at 2026-02-28 03:12 UTC",
            f"({BY_HAND}daap-orders)",
        ],
    ),
    "the latest drill has failed": (
        DRILLED,
        backups.seen(verified=REFUTED),
        "VerificationFailed",
        [
            "The drill of 2026-03-01 05:00 UTC did not prove that the backups restore",
            "(the latest one that passed: 2026-02-22 05:00 UTC)",
            "another DaapDrill tries again at once. The next one is due at 2026-03-08 05:00 UTC.",
            "DaapDrill orders-202603010500: 2 of 40 relations are corrupt",
        ],
    ),
    "a drill by hand has failed": (
        PLAN,
        backups.seen(verified=REFUTED),
        "VerificationFailed",
        ["tries again at once. DaapDrill orders-202603010500: 2 of 40 relations are corrupt"],
    ),
    "a drill cannot be made": (
        DRILLED,
        backups.seen(undrilled="The platform team must correct the operator's permissions"),
        "VerificationBlocked",
        ["The drill that spec.backup.verify asks for cannot be made: The platform team must"],
    ),
    "no drill has passed for long": (
        DRILLED,
        backups.seen(verified=Verified(at("2026-02-14T05:02"))),
        "VerificationTooOld",
        [
            "No drill has proved since 2026-02-14 05:02 UTC that the backups restore",
            "one was due at 2026-02-15 05:00 UTC: the platform team must",
            "kubectl get daapdrills",
        ],
    ),
    "no drill has ever passed": (
        DRILLED,
        backups.seen(verified=Verified(since=at("2026-02-14T05:00"))),
        "VerificationTooOld",
        ["No drill has proved yet that the backups restore"],
    ),
    "a database that is stopped is not drilled": (
        DRILLED,
        backups.seen(
            schedule=backups.scheduled(suspend=True), verified=Verified(at("2026-01-01T00:00"))
        ),
        "Recoverable",
        [],
    ),
    "nothing is drilled any more": (
        PLAN,
        backups.seen(verified=Verified(at("2026-01-01T00:00"))),
        "Recoverable",
        [],
    ),
    "the store keeps too little": (
        PLAN,
        backups.seen(store=store(retention="4w")),
        "RetentionTooShort",
        ["asks for 30d, and ObjectStore 'backups' keeps backups for 4w", "spec.retentionPolicy"],
    ),
}


@pytest.mark.parametrize(("plan", "seen", "reason", "words"), SITUATIONS.values(), ids=SITUATIONS)
def test_each_situation_has_its_reason_and_a_message_that_helps(
    plan: Plan, seen: Seen, reason: str, words: list[str]
) -> None:
    holds, found, message = finding(tell(plan, seen, NOW))
    assert (holds, found) == (reason == "Recoverable", reason)
    for each in words:
        assert each in message
    if not holds and "yet" not in message:
        assert "platform team must" in message


def test_there_is_a_situation_for_every_reason() -> None:
    assert {reason for _, _, reason, _ in SITUATIONS.values()} == set(map(str, BackupHealthReason))


ORDER: list[tuple[str, Callable[[Seen], Seen]]] = [
    ("PluginMissing", lambda seen: replace(seen, plugin=False)),
    ("StoreMissing", lambda seen: replace(seen, store=None, asked=None)),
    ("ArchivingFailing", lambda seen: replace(seen, cluster=backups.cluster(failing()))),
    ("BackupFailed", lambda seen: replace(seen, backups=(failed("2026-03-01T04:00:00Z"),))),
]
"""What may be the matter all at once; of the rest each excludes the others, or comes last."""


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_of_several_reasons_the_one_that_counts_most_is_told(first: int) -> None:
    seen = backups.seen(
        store=store({backups.ARCHIVE: backups.window("2026-02-01T03:12:30Z")}, "1d")
    )
    for _, spoilt in ORDER[first:]:
        seen = spoilt(seen)
    assert finding(tell(PLAN, seen, NOW))[1] == ORDER[first][0]


@pytest.mark.parametrize(
    ("last", "reason"), [("", "NeverBackedUp"), ("2026-02-01T03:12:30Z", "BackupTooOld")]
)
def test_what_a_store_keeps_is_judged_last(last: str, reason: str) -> None:
    seen = backups.seen(store=store({backups.ARCHIVE: backups.window(last)}, "1d"))
    assert finding(tell(PLAN, replace(seen), NOW))[1] == reason


# --- the fields -----------------------------------------------------------------------------------


def test_the_status_says_what_the_store_and_cloudnativepg_say() -> None:
    seen = backups.seen(store=with_window(failed="2026-02-25T03:12:31Z"), backups=(failed(),))
    told = tell(PLAN, seen, NOW).status
    assert told is not None
    assert told.model_dump(mode="json", by_alias=True) == {
        "store": "backups",
        "archive": backups.ARCHIVE,
        "schedule": PLAN.schedule,
        "lastSuccessful": "2026-03-01T03:12:30Z",
        "firstRecoverable": "2026-02-20T09:01:00Z",
        "finalBackup": None,
        "lastFailed": "2026-03-01T03:12:40Z",
        "lastError": "no such bucket",
        "verifySchedule": None,
        "lastVerified": None,
        "verifiedBackup": None,
        "measuredRestoreSeconds": None,
        "lastVerificationFailed": None,
        "verificationError": None,
    }


def test_the_status_says_what_drills_have_shown() -> None:
    told = tell(DRILLED, backups.seen(verified=REFUTED), NOW).status
    assert told is not None
    assert (
        told.model_dump(mode="json", by_alias=True).items()
        >= {
            "verifySchedule": "0 0 5 * * 0",
            "lastVerified": "2026-02-22T05:00:00Z",
            "verifiedBackup": "20260222T031200",
            "measuredRestoreSeconds": 77,
            "lastVerificationFailed": "2026-03-01T05:00:00Z",
            "verificationError": "DaapDrill orders-202603010500: 2 of 40 relations are corrupt",
        }.items()
    )


def test_an_error_is_told_until_a_backup_has_succeeded() -> None:
    seen = backups.seen(backups=(failed("2026-03-01T03:12:30Z"),))
    told = tell(PLAN, seen, NOW).status
    assert told is not None
    assert told.last_failed == datetime(2026, 3, 1, 3, 12, 30, tzinfo=UTC)
    assert told.last_error is None


def test_of_a_backup_that_did_not_even_begin_it_is_told_when_it_was_made() -> None:
    seen = backups.seen(backups=(cnpg_backups.keep(backups.backup(error="refused")),))
    told = tell(PLAN, replace(seen, store=store({})), NOW).status
    assert told is not None
    assert told.last_failed == datetime(2026, 3, 1, 3, 12, 7, tzinfo=UTC)


def test_of_a_backup_that_has_not_failed_no_more_is_kept_than_that_it_is_there() -> None:
    for phase in ("", "pending", "started", "running", "finalizing", "completed"):
        kept = cnpg_backups.keep(backups.backup(phase, error="not yet"))
        assert kept.keys() == {"metadata"}
        assert kept["metadata"].keys() == {"name", "namespace", "uid", "resourceVersion"}


def test_of_a_store_neither_its_place_nor_its_secret_is_kept() -> None:
    kept = trim_backup.object_store(backups.object_store())
    assert kept["spec"] == {"retentionPolicy": "30d"}
    assert "SECRET" not in str(kept)
    assert "s3" not in str(kept)


def test_backups_that_are_turned_off_are_still_there() -> None:
    told = tell(replace(PLAN, schedule=""), backups.seen(schedule=None), NOW)
    assert (told.healthy, told.due) == (None, None)
    assert told.status is not None
    assert told.status.archive == backups.ARCHIVE
    assert told.status.last_successful is not None
    assert told.status.schedule is None


def test_of_a_database_that_never_had_backups_nothing_is_told() -> None:
    assert tell(None, backups.seen(), NOW) == NOTHING


@pytest.mark.parametrize(
    ("asked", "kept", "short"),
    [
        ("30d", "30d", False),
        ("30d", "29d", True),
        ("1m", "31d", False),
        ("1m", "30d", True),
        ("4w", "28d", False),
        ("9999m", "1d", True),
        ("30d", "", False),
        ("30d", "for ever", False),
        ("30d", "0d", False),
        ("", "1d", False),
    ],
)
def test_a_store_keeps_too_little_only_when_it_says_so(asked: str, kept: str, short: bool) -> None:
    told = tell(replace(PLAN, retention=asked), backups.seen(store=store(retention=kept)), NOW)
    assert (finding(told)[1] == "RetentionTooShort") is short


def test_a_cluster_that_was_not_told_to_archive_does_not_fail_to() -> None:
    seen = backups.seen(cluster=backups.cluster(failing()))
    assert finding(tell(DETACHED, seen, NOW))[1] == "Recoverable"


URL = "dial tcp 10.0.0.7:9000: no route; https://s3.internal.example/b?X-Amz-Credential=abc"


def test_what_is_quoted_names_no_address_of_the_platforms() -> None:
    unreachable = cnpg_backups.keep(backups.backup(error=URL))
    for seen in (
        backups.seen(store=store({}), backups=(unreachable,)),
        backups.seen(
            store=store({}), cluster=backups.cluster(failing(message=URL)), backups=(unreachable,)
        ),
    ):
        told = tell(PLAN, seen, NOW)
        assert told.status is not None
        for text in (finding(told)[2], told.status.last_error or ""):
            assert "no route" in text
            assert not any(word in text for word in ("10.0.0.7", "internal", "abc"))


# --- time -----------------------------------------------------------------------------------------


def test_a_backup_is_too_old_from_the_moment_on_that_was_asked_for() -> None:
    told = tell(PLAN, backups.seen(), NOW)
    assert told.due == datetime(2026, 3, 3, 4, 12, 7, tzinfo=UTC)
    before = tell(PLAN, backups.seen(), told.due - timedelta(seconds=1))
    assert before == told
    after = tell(PLAN, backups.seen(), told.due)
    assert finding(after)[1] == "BackupTooOld"
    assert after.due is None


def test_a_first_backup_is_late_after_an_hour() -> None:
    seen = backups.seen(store=store({}))
    told = tell(PLAN, seen, BEGAN)
    assert told.due == BEGAN + timedelta(hours=1)
    assert tell(PLAN, seen, told.due - timedelta(seconds=1)) == told
    assert finding(tell(PLAN, seen, told.due)) != finding(told)
    assert tell(PLAN, seen, told.due).due is None


@pytest.mark.parametrize("windows", [{}, None], ids=["never", "once"])
def test_what_is_suspended_does_not_age(windows: dict[str, Object] | None) -> None:
    seen = backups.seen(store=store(windows), schedule=backups.scheduled(suspend=True))
    told = tell(PLAN, seen, NOW)
    assert told.due is None
    assert tell(PLAN, seen, NOW + timedelta(days=1000)) == told


def test_a_schedule_that_is_never_due_is_never_missed() -> None:
    told = tell(replace(PLAN, schedule="0 0 0 30 2 *"), backups.seen(), NOW)
    assert (finding(told)[1], told.due) == ("Recoverable", None)


def test_the_next_drill_is_an_appointment_and_so_is_one_that_would_be_missed() -> None:
    seen = backups.seen(verified=Verified(at("2026-02-22T05:20")))
    weekly = replace(DRILLED, schedule="0 0 0 1 1 *")
    told = tell(weekly, seen, NOW)
    assert told.due == at("2026-03-08T05:00")
    late = tell(weekly, seen, told.due)
    assert late.due == at("2026-03-08T11:00")
    assert finding(late)[1] == "Recoverable"
    assert finding(tell(weekly, seen, late.due))[1] == "VerificationTooOld"


@pytest.mark.parametrize(
    "waits",
    [
        backups.seen(store=store({})),
        backups.seen(schedule=backups.scheduled(suspend=True)),
    ],
    ids=["no backup yet", "stopped"],
)
def test_what_cannot_be_drilled_makes_no_appointment(waits: Seen) -> None:
    assert tell(replace(DRILLED, verify="0 * * * * *"), waits, NOW).due is None


ODD = strategies.objects_with(
    {
        "metadata": [{"name": "a", "creationTimestamp": "2026-03-01T11:30:00Z"}],
        "spec": [{"retentionPolicy": "1d"}, {"plugins": [1]}],
        "status": [
            {"phase": "failed", "stoppedAt": "2026-03-01T11:30:00Z", "error": "x\ny"},
            {"serverRecoveryWindow": {backups.ARCHIVE: backups.window()}},
            {"conditions": [failing(), None, failing(message=3)]},
        ],
        OWNED: [{"spec": {"plugins": [1]}}, {"spec": {"suspend": True}}],
    }
)
MOMENTS = strategies.moments(NOW - timedelta(days=2), NOW + timedelta(days=3))
SEEN = st.builds(
    Seen,
    plugin=st.booleans(),
    store=st.none() | ODD.map(trim_backup.object_store),
    asked=st.none() | ODD,
    cluster=st.none() | ODD,
    schedule=st.none() | ODD,
    backups=st.lists(ODD, max_size=3).map(tuple),
    verified=st.builds(
        Verified,
        passed=st.none() | MOMENTS,
        failed=st.none() | MOMENTS,
        error=st.sampled_from(["", "DaapDrill x: y"]),
        since=st.none() | MOMENTS,
    ),
    undrilled=st.sampled_from(["", "forbidden"]),
)


@given(
    st.sampled_from([PLAN, DRILLED, replace(DRILLED, verify="0 30 * * * *")]),
    SEEN,
    MOMENTS,
    MOMENTS,
)
def test_until_the_moment_that_was_asked_for_the_same_is_told(
    plan: Plan, seen: Seen, one: datetime, other: datetime
) -> None:
    earlier, later = sorted((one, other))
    told = tell(plan, seen, earlier)
    assert told.due is None or told.due > earlier
    if told.due is None or later < told.due:
        assert tell(plan, seen, later) == told
    assert told.healthy is not None
    assert told.healthy.why.message.isprintable()
    assert told.status is not None
    assert len(told.status.last_error or "") <= 1024
