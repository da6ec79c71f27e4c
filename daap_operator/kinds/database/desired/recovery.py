"""What a Cluster was restored from, read back from what CloudNativePG and the plugin were told."""

from pydantic import ValidationError

from daap_operator import raw
from daap_operator.api.v1alpha1 import SourceStatus


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
