"""What belongs to a DaapDatabase. Pure."""

from daap_operator import raw
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
