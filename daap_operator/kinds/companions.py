"""What another object of ours has made about its database, to be on the safe side. Pure.

A DaapBackup of the present state before it is changed, or a DaapDrill for a copy of it.
"""

from daap_operator import names
from daap_operator.engine.child import Child, Manifest, Owner, Reasons, made_once
from daap_operator.engine.ownership import owner_labels
from daap_operator.kinds import known
from daap_operator.kube import Kind


def backup_before(owner: Owner, name: str, database: str, reasons: Reasons) -> Child:
    """That DaapBackup, made once and never repaired; `database` is the DaapDatabase's name.

    It has no owner reference: whoever deletes the object that it was made for keeps the way back.
    """
    return _companion(known.DAAP_BACKUP, owner, name, database, reasons)


def drill_for(owner: Owner, name: str, database: str, reasons: Reasons) -> Child:
    """That DaapDrill, made once and never repaired; the label of its owner says what it is for.

    It goes with its owner.
    """
    return _companion(
        known.DAAP_DRILL, owner, name, database, reasons, ownerReferences=[owner.reference]
    )


def _companion(
    kind: Kind, owner: Owner, name: str, database: str, reasons: Reasons, **metadata: object
) -> Child:
    labels = {
        "app.kubernetes.io/name": owner.kind.name.lower(),
        "app.kubernetes.io/part-of": "daap",
        names.DATABASE_LABEL: database,
        **owner_labels(owner.kind, owner.uid),
    }
    manifest: Manifest = {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"namespace": owner.namespace, "name": name, "labels": labels, **metadata},
        "spec": {"databaseRef": {"name": database}},
    }
    return Child(kind, owner.namespace, name, reasons, manifest, compared=made_once)
