"""CloudNativePG's Backup that makes a DaapBackup. Pure."""

from typing import Any

from daap_operator import names, raw
from daap_operator.engine.child import Child, Manifest, Owner, Reasons
from daap_operator.engine.ownership import OWNED, owner_labels
from daap_operator.errors import Problem, Stalled
from daap_operator.kinds import known
from daap_operator.kinds.backup.reasons import BackupReason
from daap_operator.kube import ApiError

_LONGEST = 63
_UID_DIGITS = 8

_REASONS = Reasons(
    pending=BackupReason.PENDING,
    deleted=BackupReason.DELETED,
    leftover=BackupReason.PENDING,
    conflict=BackupReason.OBJECT_CONFLICT,
    rejected=BackupReason.REJECTED,
)


def backup_name(name: str, uid: str) -> str:
    """The Backup's name: of this DaapBackup and of no later one that has the name.

    Always the same, so that the Backup is found again by a DaapBackup whose status was lost.
    """
    digits = uid[:_UID_DIGITS]
    start = name.replace(".", "-")[: _LONGEST - len("-") - len(digits)].rstrip("-")
    return f"{start}-{digits}"


def backup(owner: Owner, name: str, *, database: str = "", cluster: str = "") -> Child:
    """The Backup of a Cluster; without one it is only to be found or deleted."""
    made = _manifest(owner, name, database, cluster) if cluster else None
    return Child(
        known.BACKUP,
        owner.namespace,
        name,
        _REASONS,
        made,
        compared=_as_it_is,
        refused=refusal,
    )


def _manifest(owner: Owner, name: str, database: str, cluster: str) -> Manifest:
    labels = {
        "app.kubernetes.io/name": "daapbackup",
        "app.kubernetes.io/part-of": "daap",
        names.DATABASE_LABEL: database,
        # CloudNativePG's own label, from the beginning: it is what is watched
        names.CNPG_CLUSTER_LABEL: cluster,
        **owner_labels(owner.kind, owner.uid),
    }
    metadata = {
        "namespace": owner.namespace,
        "name": name,
        "labels": labels,
        "ownerReferences": [owner.reference],
    }
    return {
        "apiVersion": known.BACKUP.api_version,
        "kind": known.BACKUP.name,
        "metadata": metadata,
        "spec": {
            "cluster": {"name": cluster},
            "method": "plugin",
            "pluginConfiguration": {"name": names.BACKUP_PLUGIN},
        },
    }


def _as_it_is(manifest: Manifest, actual: dict[str, Any]) -> Manifest:
    """A Backup is made once: whatever has become of it, it is never repaired or replaced."""
    del manifest
    return {"metadata": {}, **raw.mapping(actual, OWNED)}


def refusal(error: ApiError, manifest: Manifest) -> Problem | ApiError:
    """What a refused Backup means where CloudNativePG has the say; else the error."""
    del manifest
    if error.absent:
        return Stalled(
            BackupReason.CLOUDNATIVEPG_MISSING,
            "The API server does not know the kind Backup: "
            "the platform team must install CloudNativePG",
        )
    return error
