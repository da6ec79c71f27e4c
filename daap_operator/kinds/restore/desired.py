"""The DaapBackup of the state before a restore. Pure."""

from typing import Any

from daap_operator import names
from daap_operator.engine.child import Child, Manifest, Owner, Reasons
from daap_operator.engine.ownership import OWNED, owner_labels
from daap_operator.kinds import known
from daap_operator.kinds.restore.reasons import RestoreReason

_LONGEST = 253
_UID_DIGITS = 8

_REASONS = Reasons(
    pending=RestoreReason.PENDING,
    deleted=RestoreReason.PENDING,
    leftover=RestoreReason.PENDING,
    conflict=RestoreReason.OBJECT_CONFLICT,
    rejected=RestoreReason.REJECTED,
)


def safety_backup_name(name: str, uid: str) -> str:
    """The DaapBackup's name: of this DaapRestore and of no later one that has the name."""
    tail = f"-{uid[:_UID_DIGITS]}"
    return f"{name[: _LONGEST - len(tail)].rstrip('-.')}{tail}"


def safety_backup(owner: Owner, name: str, database: str) -> Child:
    """The DaapBackup of a database that is about to be replaced.

    It has no owner reference: whoever deletes the DaapRestore keeps the way back.
    """
    return Child(
        known.DAAP_BACKUP,
        owner.namespace,
        name,
        _REASONS,
        _manifest(owner, name, database),
        compared=_as_it_is,
    )


def _manifest(owner: Owner, name: str, database: str) -> Manifest:
    labels = {
        "app.kubernetes.io/name": "daaprestore",
        "app.kubernetes.io/part-of": "daap",
        names.DATABASE_LABEL: database,
        **owner_labels(owner.kind, owner.uid),
    }
    return {
        "apiVersion": known.DAAP_BACKUP.api_version,
        "kind": known.DAAP_BACKUP.name,
        "metadata": {"namespace": owner.namespace, "name": name, "labels": labels},
        "spec": {"databaseRef": {"name": database}},
    }


def _as_it_is(manifest: Manifest, actual: dict[str, Any]) -> Manifest:
    """A DaapBackup is made once, and never repaired."""
    del manifest
    return {"metadata": {}, **actual[OWNED]}
