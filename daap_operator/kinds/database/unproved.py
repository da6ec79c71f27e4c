"""Why it is not proved that the backups restore, and when that has to be looked at again. Pure."""

from collections.abc import Iterator
from datetime import datetime

from daap_operator.findings import Finding
from daap_operator.kinds.database.backups_seen import Facts
from daap_operator.kinds.database.due import missed_at, next_due
from daap_operator.kinds.database.reasons import BackupHealthReason
from daap_operator.kinds.database.verified import GRACE


def unproved(facts: Facts, now: datetime) -> Iterator[Finding]:
    """What speaks against the backups that there are; what counts most comes first."""
    yield from _refuted(facts)
    yield from _not_drilled(facts)
    yield from _not_for_long(facts, now)


def _refuted(facts: Facts) -> Iterator[Finding]:
    """A drill by hand counts as well, and one that passes is what ends it."""
    failed = facts.seen.verified.failed
    if failed is None or not facts.seen.verified.refuted:
        return
    again = next_due(facts.plan.verify, failed) if facts.plan.verify else None
    next_one = f" The next one is due at {at(again)}." if again else ""
    yield Finding(
        BackupHealthReason.VERIFICATION_FAILED,
        f"The drill of {at(failed)} did not prove that the backups restore"
        f"{_until(facts)}: correct spec.backup.verify.queries where it is a query that failed, "
        f"else the platform team must find out why; another DaapDrill tries again at once."
        f"{next_one} {facts.seen.verified.error}",
    )


def _until(facts: Facts) -> str:
    passed = facts.seen.verified.passed
    return f" (the latest one that passed: {at(passed)})" if passed else ""


def _not_drilled(facts: Facts) -> Iterator[Finding]:
    if facts.seen.undrilled:
        yield Finding(
            BackupHealthReason.VERIFICATION_BLOCKED,
            f"The drill that spec.backup.verify asks for cannot be made: {facts.seen.undrilled}",
        )


def _not_for_long(facts: Facts, now: datetime) -> Iterator[Finding]:
    missed = _missed(facts)
    if missed is None or now < missed[1]:
        return
    passed = facts.seen.verified.passed
    told = f"since {at(passed)}" if passed else "yet"
    yield Finding(
        BackupHealthReason.VERIFICATION_TOO_OLD,
        f"No drill has proved {told} that the backups restore, and one was due at "
        f"{at(missed[0])}: the platform team must find out what the DaapDrills of this database "
        "wait for (kubectl get daapdrills)",
    )


def _missed(facts: Facts) -> tuple[datetime, datetime] | None:
    """The first drill that was missed, and when that is certain; None while none can be."""
    last = facts.seen.verified.passed or facts.seen.verified.since
    if not facts.plan.verify or facts.suspended or facts.latest is None or last is None:
        return None
    return missed_at(facts.plan.verify, last, GRACE)


def drills_due(facts: Facts, now: datetime) -> Iterator[datetime]:
    """When to look again: a drill is to be made, or has been missed."""
    if facts.plan.verify and facts.latest and (then := next_due(facts.plan.verify, now)):
        yield then
    if missed := _missed(facts):
        yield missed[1]


def at(moment: datetime | None) -> str:
    """A moment for people, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "an unknown moment"
