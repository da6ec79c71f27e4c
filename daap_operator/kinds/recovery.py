"""How a Cluster is told to begin with what is in an archive. Pure.

https://cloudnative-pg.io/plugin-barman-cloud/docs/usage/#restoring-a-cluster
"""

from datetime import UTC, datetime
from typing import Any

from daap_operator import names
from daap_operator.api.v1alpha1 import SourceStatus
from daap_operator.findings import Finding, Reason

Manifest = dict[str, Any]

ORIGIN = "source"
"""What a Cluster calls the archive that it is restored from."""


class Impossible(Exception):  # noqa: N818 - a verdict, not an error
    """It cannot be restored, and nothing that happens later changes that."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.finding = Finding(reason, message)


def moment_text(moment: datetime) -> str:
    """A moment in UTC as CloudNativePG takes it and a status tells it."""
    utc = moment.astimezone(UTC)
    fraction = f"{utc:.%f}".rstrip("0") if utc.microsecond else ""
    return f"{utc:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def bootstrap(source: SourceStatus) -> Manifest:
    """The `bootstrap` of a Cluster: without `database` and `owner` CloudNativePG would add one
    called `app`, and with them the owner gets a password of its own."""
    made: Manifest = {
        "source": ORIGIN,
        "database": source.database_name,
        "owner": source.database_name,
    }
    if source.at:
        made["recoveryTarget"] = {"targetTime": source.at}
    elif source.backup_id:
        # The plugin picks the backup by its id, and PostgreSQL stops as soon as it is consistent
        made["recoveryTarget"] = {"backupID": source.backup_id, "targetImmediate": True}
    return {"recovery": made}


def external_clusters(source: SourceStatus) -> list[Manifest]:
    """The `externalClusters` of a Cluster: where that archive is."""
    parameters = {"barmanObjectName": source.store, "serverName": source.archive}
    # Also what is the default: the API server fills it in, and the list is ours as a whole
    plugin = {
        "name": names.BACKUP_PLUGIN,
        "enabled": True,
        "isWALArchiver": False,
        "parameters": parameters,
    }
    return [{"name": ORIGIN, "plugin": plugin}]
