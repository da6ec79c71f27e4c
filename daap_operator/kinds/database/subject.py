"""A DaapDatabase as a pass sees it: what the engine reads, and what only a database has. Pure."""

from typing import Any

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import DaapDatabase, DaapDatabaseStatus, DeletionPolicy
from daap_operator.engine.subject import Subject, read, validated
from daap_operator.errors import Stalled
from daap_operator.kinds import known

Object = dict[str, Any]

DatabaseSubject = Subject[DaapDatabaseStatus]


def subject(seen: Object) -> DatabaseSubject:
    """Read a cached DaapDatabase."""
    return read(known.DATABASE, seen, DaapDatabaseStatus)


def cluster_of(looked_at: DatabaseSubject) -> str:
    """The Cluster's name, also of an object that has no status yet, or lost it."""
    return looked_at.status.cluster_name or names.cluster_name(looked_at.metadata.name)


def is_retained(looked_at: DatabaseSubject) -> bool:
    """Whether the data stays when the object goes."""
    return raw.text(looked_at.spec, "deletionPolicy") == DeletionPolicy.RETAIN


def is_protected(looked_at: DatabaseSubject) -> bool:
    """Whether a deletion is to be held."""
    return raw.truth(looked_at.spec, "deletionProtection")


def is_replaced(looked_at: DatabaseSubject) -> bool:
    """Whether its Cluster is to be created for a restore in place, and has not been yet."""
    noted = looked_at.status.restore
    return noted is not None and noted.cluster_uid is None


def is_going(looked_at: DatabaseSubject, cluster: raw.Object) -> bool:
    """Whether a Cluster is the one that a restore in place deletes: nothing of it counts."""
    noted = looked_at.status.restore
    uid = raw.text(cluster, "metadata", "uid")
    return is_replaced(looked_at) and noted is not None and uid == noted.replaced_cluster_uid


def database(seen: Object) -> DaapDatabase:
    """The object with a spec that keeps all rules.

    Raises Stalled, naming each field, its value and the remedy, when it does not.
    """
    return validated(seen, DaapDatabase, DaapDatabaseStatus)


def is_valid(seen: Object) -> bool:
    """Whether the object's spec keeps all rules."""
    try:
        database(seen)
    except Stalled:
        return False
    return True
