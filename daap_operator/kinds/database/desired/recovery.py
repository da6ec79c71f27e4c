"""What a Cluster is restored from, as CloudNativePG and the plugin are told it; and the way back.

https://cloudnative-pg.io/plugin-barman-cloud/docs/usage/#restoring-a-cluster
"""

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import SourceStatus

Manifest = dict[str, Any]

ORIGIN = "source"
"""What a Cluster calls the archive that it is restored from."""


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


def of_cluster(spec: object) -> SourceStatus | None:
    """What a Cluster was restored from by its spec; None for one that began empty."""
    recovery = raw.mapping(spec, "bootstrap", "recovery")
    target = raw.mapping(recovery, "recoveryTarget")
    for origin in raw.items(spec, "externalClusters"):
        if raw.text(origin, "name") == raw.text(recovery, "source"):
            parameters = raw.mapping(origin, "plugin", "parameters")
            return _read(
                archive=raw.text(parameters, "serverName"),
                store=raw.text(parameters, "barmanObjectName"),
                at=raw.text(target, "targetTime") or None,
                backup_id=raw.text(target, "backupID") or None,
                database_name=raw.text(recovery, "database"),
            )
    return None


def _read(**fields: str | None) -> SourceStatus | None:
    try:
        return SourceStatus.model_validate(fields)
    except ValidationError:
        return None


def kept(told: SourceStatus | None, live: SourceStatus | None) -> SourceStatus | None:
    """What to tell of the source of a Cluster that is there: `live`, with what only `told` knows.

    A Cluster's own bootstrap is what it was made by, whatever the status says.
    """
    if told and live and told.model_copy(update={"database": None, "namespace": None}) == live:
        return told
    return live


def moment_text(moment: datetime) -> str:
    """A moment in UTC as CloudNativePG takes it and a status tells it."""
    fraction = f"{moment:.%f}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
