"""DaapRestores, as every kind that looks at them has them. Pure.

The one that restores a database writes nothing but its own status: from there the database's own
controller, which alone writes Clusters, reads what it is to replace and what with.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from daap_operator import raw
from daap_operator.api.v1alpha1 import RestorePhase
from daap_operator.engine.kinds import SUBJECT_METADATA, Reader, Ref
from daap_operator.kinds import known
from daap_operator.kinds.references import database_of

ORDERED = "ordered of database"
"""Index of the DaapRestores that are about to replace a Cluster, by the namespace and the name of
their database."""


class Order(NamedTuple):
    """What a database is to be restored from, and instead of which Cluster."""

    name: str
    """Of the DaapRestore."""
    uid: str
    """Of the DaapRestore."""
    cluster_uid: str
    """Of the only Cluster that may be replaced."""
    store: str
    archive: str
    at: str | None
    """The moment in UTC; None with a backup."""
    backup_id: str | None


def keep(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A DaapRestore: without others' annotations, labels and field managers."""
    return {
        "metadata": raw.picked(raw.mapping(obj, "metadata"), SUBJECT_METADATA),
        "spec": dict(raw.mapping(obj, "spec")),
        "status": dict(raw.mapping(obj, "status")),
    }


def ordered(restore: raw.Object) -> list[tuple[str, str]]:
    """The keys of the index ORDERED."""
    return [database_of(restore)] if _order(restore) else []


def order_of(store: Reader, namespace: str, database: str) -> Order | None:
    """What a database is to be restored from now; None when it is not.

    The oldest where there are several, which takes a status that nobody but an operator writes.
    """
    found = store.by(known.DAAP_RESTORE, ORDERED, (namespace, database))
    return next(filter(None, map(_order, sorted(found, key=age))), None)


def age(restore: raw.Object) -> tuple[str, str]:
    """Which of two came first."""
    metadata = raw.mapping(restore, "metadata")
    return raw.text(metadata, "creationTimestamp"), raw.text(metadata, "uid")


def ref_of(restore: raw.Object) -> Ref:
    """The database that is restored."""
    return Ref(known.DATABASE, *database_of(restore))


def _order(restore: raw.Object) -> Order | None:
    metadata, status = raw.mapping(restore, "metadata"), raw.mapping(restore, "status")
    source = raw.mapping(status, "source")
    asked = Order(
        name=raw.text(metadata, "name"),
        uid=raw.text(metadata, "uid"),
        cluster_uid=raw.text(status, "clusterUid"),
        store=raw.text(source, "store"),
        archive=raw.text(source, "archive"),
        at=raw.text(source, "at") or None,
        backup_id=raw.text(source, "backupId") or None,
    )
    whole = asked.cluster_uid and asked.store and asked.archive and (asked.at or asked.backup_id)
    due = raw.text(status, "phase") == RestorePhase.REPLACING
    return asked if due and whole and not raw.value(metadata, "deletionTimestamp") else None
