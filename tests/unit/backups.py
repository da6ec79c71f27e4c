"""What there is of a database's backups, as the API server gives it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from daap_operator import names
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds.database import trim, trim_backup
from daap_operator.kinds.database.backups_seen import Plan, Seen
from tests.unit import builders

Object = dict[str, Any]

ARCHIVE = "daap-orders-5e1ec7ab"
PLAN = Plan("backups", ARCHIVE, "7 12 3 * * *", retention="30d", current="backups")
"""At 03:12:07 UTC every day, and the Cluster archives."""

DETACHED = replace(PLAN, current="")
"""The same, before the Cluster has been told to archive."""

BEGAN = datetime(2026, 2, 20, 9, 0, tzinfo=UTC)


def window(
    last: str = "2026-03-01T03:12:30Z",
    first: str = "2026-02-20T09:01:00Z",
    failed: str = "",
) -> Object:
    """A recovery window; a moment that is empty is left out."""
    found = {
        "firstRecoverabilityPoint": first,
        "lastSuccessfulBackupTime": last,
        "lastFailedBackupTime": failed,
    }
    return {field: moment for field, moment in found.items() if moment}


def object_store(
    windows: dict[str, Object] | None = None, retention: str = "30d", **metadata: Any
) -> Object:
    """An ObjectStore with a window for each archive; the database's, unless others are given."""
    found = {ARCHIVE: window()} if windows is None else windows
    born = {"uid": "store", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    secret = {"name": "backups", "key": "SECRET_KEY"}
    return {
        "metadata": {"name": "backups", "namespace": "shop"} | born | metadata,
        "spec": {
            "configuration": {
                "destinationPath": "s3://backups/",
                "endpointURL": "https://s3.example",
                "s3Credentials": {"accessKeyId": secret, "secretAccessKey": secret},
            },
            **({"retentionPolicy": retention} if retention else {}),
        },
        "status": {"serverRecoveryWindow": found},
    }


def backup(phase: str = "failed", **status: Any) -> Object:
    """A Backup of the Cluster."""
    born = {"uid": "backup", "resourceVersion": "1", "creationTimestamp": "2026-03-01T03:12:07Z"}
    labels = {"labels": {names.CNPG_CLUSTER_LABEL: "daap-orders", "other": "x"}}
    return {
        "metadata": {"name": "daap-orders-20260301031207", "namespace": "shop"} | born | labels,
        "spec": {"cluster": {"name": "daap-orders"}, "method": "plugin"},
        "status": {"phase": phase} | status,
    }


def scheduled(began: datetime = BEGAN, *, suspend: bool = False) -> Object:
    """The ScheduledBackup, as it is kept."""
    born = {"uid": "scheduled", "resourceVersion": "1", "creationTimestamp": began.isoformat()}
    return {
        "metadata": {"name": "daap-orders", "namespace": "shop"} | born,
        OWNED: {"spec": {"suspend": suspend}},
    }


def cluster(*conditions: Object, phase: str = "") -> Object:
    """The Cluster, as it is kept."""
    told: Object = {"conditions": list(conditions)}
    return trim.cluster(builders.cluster(told | ({"phase": phase} if phase else {})))


def seen(**changed: Any) -> Seen:
    """A database that is backed up, and all is well; but for these.

    The store is the one that is asked for, unless that is given.
    """
    well: Object = {
        "store": trim_backup.object_store(object_store()),
        "cluster": cluster(),
        "schedule": scheduled(),
    }
    found = well | changed
    return Seen(**{"asked": found["store"]} | found)
