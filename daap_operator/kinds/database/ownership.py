"""What belongs to a DaapDatabase, and the labels that say so. Pure."""

from daap_operator import names, raw
from daap_operator.engine import ownership
from daap_operator.kinds import known

Object = raw.Object


def owners(child: Object) -> list[Object]:
    """The owner references to DaapDatabases."""
    return ownership.owners(child, known.DATABASE)


def cluster_owners(child: Object) -> list[Object]:
    """The owner references to CloudNativePG's Clusters."""
    return ownership.owners(child, known.CLUSTER)


def belongs_to(child: Object, uid: str) -> bool:
    """Whether a child belongs to the DaapDatabase with that uid."""
    return ownership.belongs_to(child, known.DATABASE, uid)


def labels(name: str, uid: str) -> dict[str, str]:
    """The labels of every child. The user's own labels and annotations are never copied.

    Not `app.kubernetes.io/instance`: where Argo CD tracks by label, the Application of that name
    would take a retained child, which has no owner, for its own, and prune it.
    """
    return {
        "app.kubernetes.io/name": "daapdatabase",
        "app.kubernetes.io/part-of": "daap",
        names.DATABASE_LABEL: name,
        **ownership.owner_labels(known.DATABASE, uid),
    }
