"""What stands in the Lease."""

from datetime import UTC, datetime, timedelta, timezone

from daap_operator.lease import MOST_EPOCH, Record, Term, manifest, plausible, read

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 14, 30, 0, 250000, tzinfo=timezone(timedelta(hours=2)))


def test_a_lease_as_its_holder_writes_it() -> None:
    lease = manifest("daap", "operator", Term("a", 7, SINCE), seconds=2.5, now=NOW)
    assert lease["metadata"] == {"namespace": "daap", "name": "operator"}
    assert lease["spec"] == {
        "holderIdentity": "a",
        "leaseTransitions": 7,
        "leaseDurationSeconds": 3,
        "acquireTime": "2026-03-01T12:00:00.000000Z",
        "renewTime": "2026-03-01T12:30:00.250000Z",
    }


def test_what_was_written_is_read() -> None:
    lease = manifest("daap", "operator", Term("a", 7, SINCE), seconds=15, now=NOW)
    lease["metadata"]["resourceVersion"] = "42"
    assert read(lease) == Record("a", 7, 15.0, "42")


def test_a_lease_given_back_has_no_holder_and_soon_ends() -> None:
    record = read(manifest("daap", "operator", Term("", 7, SINCE), seconds=15, now=NOW))
    assert record == Record("", 7, 1.0, "")


def test_a_lease_that_somebody_made_by_hand_counts_as_never_held() -> None:
    assert read({"spec": {"leaseTransitions": "many"}}) == Record("", 0, 0.0, "")


def test_an_epoch_that_has_been_reached_stays_plausible() -> None:
    """However far somebody has driven it: what the leader itself has written is no forgery."""
    assert plausible(MOST_EPOCH, MOST_EPOCH)
    assert not plausible(MOST_EPOCH, MOST_EPOCH + 1)
    assert plausible(MOST_EPOCH + 1, MOST_EPOCH + 1)
    assert plausible(MOST_EPOCH + 5, MOST_EPOCH + 3)
    assert not plausible(MOST_EPOCH + 1, MOST_EPOCH + 2)
