"""Which database an object is about, as every kind that has to do with one reads it. Pure."""

from daap_operator import names, raw
from daap_operator.engine.ownership import owners
from daap_operator.kinds import known


def database_of(obj: raw.Object) -> tuple[str, str]:
    """The namespace and the name of the DaapDatabase in `spec.databaseRef`."""
    namespace = raw.text(obj, "metadata", "namespace")
    return namespace, raw.text(obj, "spec", "databaseRef", "name")


def database_of_child(child: raw.Object) -> tuple[str, str] | None:
    """The namespace and the name of the DaapDatabase that owns a child, or else is named on it.

    A child that outlives its DaapDatabase, or did, has no owner.
    """
    namespace = raw.text(child, "metadata", "namespace")
    for reference in owners(child, known.DATABASE):
        return namespace, raw.text(reference, "name")
    labelled = raw.text(child, "metadata", "labels", names.DATABASE_LABEL)
    return (namespace, labelled) if labelled else None
