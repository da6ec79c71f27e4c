"""How a DaapDatabase is named, and who has a name. Pure."""

from collections.abc import Callable

from daap_operator import names, raw
from daap_operator.engine.kinds import Object, Reader, Ref
from daap_operator.kinds.database.ownership import belongs_to
from daap_operator.kinds.known import CLUSTER, DATABASE

NAME = "name"
"""Index: by the name alone, of whatever namespace."""


def ref(namespace: str, name: str) -> Ref:
    """The reference to a DaapDatabase."""
    return Ref(DATABASE, namespace, name)


def name(database: raw.Object) -> list[str]:
    """The keys of the index NAME."""
    return [raw.text(database, "metadata", "name")]


def was_made_for(cluster: Object, name: str) -> bool:
    """Whether the operator made a Cluster for a DaapDatabase of that name, whatever its uid.

    After a restore each object has another uid. The labels tell; whoever may write Clusters in a
    namespace may write them there, and in no other namespace. One that is going gives no right.
    """
    labels = raw.mapping(cluster, "metadata", "labels")
    return (
        raw.text(labels, names.MANAGED_BY_LABEL) == names.FIELD_MANAGER
        and raw.text(labels, names.DATABASE_LABEL) == name
        and not raw.value(cluster, "metadata", "deletionTimestamp")
    )


class Arbiter:
    """Who has which of the platform-wide names.

    Why in this order: docs/adr/0030-rights-to-a-name-come-from-the-operator.md
    """

    def __init__(self, store: Reader) -> None:
        self._store = store
        self._promises: dict[str, str] = {}

    def holder(self, name: str, qualified: Callable[[Object], bool] = lambda _: True) -> Ref | None:
        """The DaapDatabase that has the name.

        It is the one whose status names its Cluster; else the one this process has promised it to,
        whose status is being written; else the one whose Cluster is there although its status is
        lost (in a restore, say); else the oldest that is qualified. What the operator has nothing
        left to do for is none, although others' finalizers keep it.
        """
        found = self._store.by(DATABASE, NAME, name)
        candidates = [each for each in found if not self._has_ended(each)]
        if not candidates:
            return None
        if len(candidates) == 1:  # nearly always: nothing to be judged then
            return Ref.of(DATABASE, candidates[0])
        promised = self._promises.get(name)
        first = min(candidates, key=lambda one: self._precedence(one, promised, qualified))
        return Ref.of(DATABASE, first)

    def _precedence(
        self, database: Object, promised: str | None, qualified: Callable[[Object], bool]
    ) -> tuple[bool, bool, int, bool, str, str]:
        """What counts before what; nothing of it that its team may write, but the last."""
        uid = raw.text(database, "metadata", "uid")
        return (
            not raw.text(database, "status", "clusterName"),
            uid != promised,
            self._without_cluster(database, uid),
            not qualified(database),
            raw.text(database, "metadata", "creationTimestamp"),
            uid,
        )

    def _has_ended(self, database: Object) -> bool:
        """Whether a deletion waits for others alone, and there is no Cluster any more."""
        metadata = raw.mapping(database, "metadata")
        if not raw.value(metadata, "deletionTimestamp"):
            return False
        if names.FINALIZER in raw.items(metadata, "finalizers"):
            return False
        return self._without_cluster(database, raw.text(metadata, "uid")) != 0

    def _without_cluster(self, database: Object, uid: str) -> int:
        """0 when its own Cluster is there, 1 when that of an earlier uid is, else 2."""
        namespace, name = (raw.text(database, "metadata", field) for field in ("namespace", "name"))
        cluster = self._store.get(Ref(CLUSTER, namespace, names.cluster_name(name)))
        if cluster is None:
            return 2
        if belongs_to(cluster, uid):
            return 0
        return 1 if was_made_for(cluster, name) else 2

    def promise(self, name: str, uid: str) -> None:
        """Promise the name: until that object is gone nobody else gets it from this process.

        Bridges the moment between the decision and the status that makes it known.
        """
        self._promises[name] = uid

    def forget(self, database: raw.Object) -> bool:
        """End the promise to an object that is gone, or gives the name back; False without one."""
        name, uid = (raw.text(database, "metadata", field) for field in ("name", "uid"))
        if self._promises.get(name) == uid:
            del self._promises[name]
            return True
        return False
