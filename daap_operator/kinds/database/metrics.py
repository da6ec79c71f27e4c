"""The metrics of the kind DaapDatabase alone. Pure.

Names are API: dashboards and alerts of others are made of them.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Any

from daap_operator import majors, raw
from daap_operator.api.meta import ConditionType
from daap_operator.api.v1alpha1 import Phase
from daap_operator.kinds.database.reasons import BackupHealthReason
from daap_operator.metrics import Metric, Samples, objects

Object = Mapping[str, Any]

DATABASES = Metric(
    "daap_databases",
    "gauge",
    "DaapDatabases by phase; 'None' before their first status.",
    ("phase",),
    leader_only=True,
)
DATABASE_CONDITION = Metric(
    "daap_database_condition",
    "gauge",
    "Always 1; one series for each condition a DaapDatabase has, with the status that holds.",
    ("namespace", "name", "type", "status"),
    leader_only=True,
)
DATABASE_INFO = Metric(
    "daap_database_info",
    "gauge",
    "Always 1; one series for each DaapDatabase. The version is empty until it is decided.",
    ("namespace", "name", "owner_team", "postgres_version"),
    leader_only=True,
)

DATABASE_EOL = Metric(
    "daap_database_postgres_eol",
    "gauge",
    "When PostgreSQL's project ends its support of the database's major version, as Unix time; "
    "there is none for a version that the operator does not know.",
    ("namespace", "name", "postgres_version"),
    leader_only=True,
)

BACKUP_HEALTHY = Metric(
    "daap_database_backup_healthy",
    "gauge",
    "1 while a DaapDatabase can be restored from backups as recent as was asked for, 0 while it "
    "cannot, with the reason of its condition BackupHealthy; none without backups.",
    ("namespace", "name", "reason"),
    leader_only=True,
)
LAST_BACKUP = Metric(
    "daap_database_backup_last_success",
    "gauge",
    "When the latest base backup of a DaapDatabase ended, as Unix time; none before the first.",
    ("namespace", "name"),
    leader_only=True,
)
FIRST_RECOVERABLE = Metric(
    "daap_database_backup_first_recoverable",
    "gauge",
    "The earliest moment that a DaapDatabase can be restored to, as Unix time; none before the "
    "first backup.",
    ("namespace", "name"),
    leader_only=True,
)

LAST_VERIFIED = Metric(
    "daap_database_backup_last_verified",
    "gauge",
    "When a drill last showed that the latest backup of a DaapDatabase restores, as Unix time; "
    "none before the first that passed.",
    ("namespace", "name"),
    leader_only=True,
)
RESTORE_DURATION = Metric(
    "daap_database_backup_restore_duration",
    "gauge",
    "How many seconds the latest drill that passed took to restore a DaapDatabase, until it "
    "served; none before the first that passed.",
    ("namespace", "name"),
    leader_only=True,
)
VERIFICATION_FAILED = Metric(
    "daap_database_backup_verification_failed",
    "gauge",
    "1 when the last drill of a DaapDatabase failed, 0 when it passed; none before the first one.",
    ("namespace", "name"),
    leader_only=True,
)

METRICS = (
    DATABASES,
    DATABASE_CONDITION,
    DATABASE_INFO,
    DATABASE_EOL,
    BACKUP_HEALTHY,
    LAST_BACKUP,
    FIRST_RECOVERABLE,
    LAST_VERIFIED,
    RESTORE_DURATION,
    VERIFICATION_FAILED,
)
"""All of them, in the order of the docs."""

_PHASES = tuple(str(phase) for phase in Phase)
_TYPES = tuple(str(kind) for kind in ConditionType)
_HEALTHY = {"True": 1, "False": 0}
_OF_BACKUPS = frozenset(map(str, BackupHealthReason))


def measured(databases: Collection[Object]) -> Iterator[Samples]:
    """What there is to report of all DaapDatabases."""
    yield objects.by_phase(DATABASES, databases, _PHASES)
    yield objects.conditions(DATABASE_CONDITION, databases, _TYPES)
    yield Samples(DATABASE_INFO, ((_description(seen), 1) for seen in databases))
    yield Samples(DATABASE_EOL, _ends(databases))
    yield Samples(BACKUP_HEALTHY, _healthy(databases))
    yield Samples(LAST_BACKUP, _moments(databases, "lastSuccessful"))
    yield Samples(FIRST_RECOVERABLE, _moments(databases, "firstRecoverable"))
    yield Samples(LAST_VERIFIED, _moments(databases, "lastVerified"))
    yield Samples(RESTORE_DURATION, _restore_durations(databases))
    yield Samples(VERIFICATION_FAILED, _refuted(databases))


def _description(seen: Object) -> tuple[str, ...]:
    version = raw.number(seen, "status", "postgresVersion")
    return *objects.key(seen), raw.text(seen, "spec", "ownerTeam"), str(version or "")


def _ends(databases: Collection[Object]) -> Iterator[tuple[tuple[str, ...], float]]:
    for seen in databases:
        version = raw.number(seen, "status", "postgresVersion")
        if (end := majors.END_OF_LIFE.get(version or 0)) is not None:
            midnight = datetime.combine(end, time(), UTC).timestamp()
            yield (*objects.key(seen), str(version)), midnight


def _healthy(databases: Collection[Object]) -> Iterator[tuple[tuple[str, ...], float]]:
    for seen in databases:
        found = {
            raw.text(condition, "type"): condition
            for condition in raw.items(seen, "status", "conditions")
        }
        condition = found.get(ConditionType.BACKUP_HEALTHY)
        held, reason = raw.text(condition, "status"), raw.text(condition, "reason")
        if held in _HEALTHY and reason in _OF_BACKUPS:
            yield (*objects.key(seen), reason), _HEALTHY[held]


def _moments(databases: Collection[Object], field: str) -> Iterator[tuple[tuple[str, ...], float]]:
    for seen in databases:
        if (moment := raw.moment(seen, "status", "backup", field)) is not None:
            yield objects.key(seen), moment.timestamp()


def _restore_durations(databases: Collection[Object]) -> Iterator[tuple[tuple[str, ...], float]]:
    for seen in databases:
        if seconds := raw.number(seen, "status", "backup", "measuredRestoreSeconds"):
            yield objects.key(seen), seconds


def _refuted(databases: Collection[Object]) -> Iterator[tuple[tuple[str, ...], float]]:
    for seen in databases:
        passed, failed = (
            raw.moment(seen, "status", "backup", field)
            for field in ("lastVerified", "lastVerificationFailed")
        )
        if passed or failed:
            refuted = failed is not None and (passed is None or passed < failed)
            yield objects.key(seen), float(refuted)
