"""The DaapBackup of a database's present state, before another object of ours changes it. Pure."""

from daap_operator import names
from daap_operator.engine.child import Child, Manifest, Owner, Reasons
from daap_operator.engine.kinds import Object
from daap_operator.engine.ownership import OWNED, owner_labels
from daap_operator.kinds import known


def backup_before(owner: Owner, name: str, database: str, reasons: Reasons) -> Child:
    """That DaapBackup, made once and never repaired; `database` is the DaapDatabase's name.

    It has no owner reference: whoever deletes the object that it was made for keeps the way back.
    """
    manifest = _manifest(owner, name, database)
    return Child(known.DAAP_BACKUP, owner.namespace, name, reasons, manifest, compared=_as_it_is)


def _manifest(owner: Owner, name: str, database: str) -> Manifest:
    labels = {
        "app.kubernetes.io/name": owner.kind.name.lower(),
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


def _as_it_is(manifest: Manifest, actual: Object) -> Manifest:
    del manifest
    return {"metadata": {}, **actual[OWNED]}
