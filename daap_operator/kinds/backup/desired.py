"""CloudNativePG's Backup that makes a DaapBackup. Pure."""

from daap_operator import names
from daap_operator.engine.child import Child, Manifest, Owner, Reasons, made_once
from daap_operator.errors import Problem, Stalled
from daap_operator.kinds import cnpg_backups, known
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
        compared=made_once,
        refused=refusal,
    )


def _manifest(owner: Owner, name: str, database: str, cluster: str) -> Manifest:
    labels = {
        "app.kubernetes.io/name": "daapbackup",
        "app.kubernetes.io/part-of": "daap",
        names.DATABASE_LABEL: database,
    }
    owners = [owner.reference]
    return cnpg_backups.manifest(owner, name, cluster, labels=labels, ownerReferences=owners)


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
