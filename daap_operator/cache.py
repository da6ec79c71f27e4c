"""What the watches saw, trimmed; like an informer's store.

Nothing here is a truth of its own: everything comes from the API server and can be listed again.
The newer resource version wins, so that the answer to a write and the event about it may arrive in
either order. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any, NamedTuple

from daap_operator import names, raw, trim
from daap_operator.observed import Children
from daap_operator.ownership import owners

Object = dict[str, Any]

TOMBSTONES = 10_000
"""Deletions remembered, so that a LIST begun before one does not bring the object back."""


class Key(NamedTuple):
    """What the workqueue works on: one DaapDatabase."""

    namespace: str
    name: str


class Kind(Enum):
    """The kinds that are cached, each with what is kept of it."""

    DATABASE = (trim.database,)
    CLUSTER = (trim.cluster,)
    POOLER = (trim.pooler,)
    DEPLOYMENT = (trim.deployment,)
    ENDPOINTS = (trim.endpoints,)
    POD = (trim.pod,)
    ACCOUNT = (trim.account,)
    CLAIM = (trim.claim,)

    @property
    def trim(self) -> Callable[[Mapping[str, Any]], Object]:
        """What is kept of an object of this kind."""
        kept: Callable[[Mapping[str, Any]], Object] = self.value[0]
        return kept


_GROUPED = {
    Kind.ENDPOINTS: names.SERVICE_LABEL,
    Kind.POD: names.CNPG_CLUSTER_LABEL,
    Kind.CLAIM: names.CNPG_CLUSTER_LABEL,
}
"""Kinds of which a database has several, and the label that says whose they are."""


class Cache:
    """Objects by kind, namespace and name. Not thread-safe: one event loop owns it."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[Key, Object]] = {kind: {} for kind in Kind}
        self._by_name: dict[str, set[Key]] = defaultdict(set)
        self._by_uid: dict[str, Key] = {}
        self._groups: dict[tuple[Kind, Key], set[Key]] = defaultdict(set)
        self._claims: dict[str, str] = {}
        self._buried: dict[str, int] = {}

    # what is in it --------------------------------------------------------------------------------

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object as last seen."""
        return self._objects[kind].get(Key(namespace, name))

    def database(self, key: Key) -> Object | None:
        """The DaapDatabase as last seen."""
        return self._objects[Kind.DATABASE].get(key)

    def databases(self) -> list[Key]:
        """The keys of all DaapDatabases."""
        return list(self._objects[Kind.DATABASE])

    def uids(self) -> Collection[str]:
        """The uids of all DaapDatabases."""
        return self._by_uid.keys()

    def by_uid(self, uid: str) -> Key | None:
        """The key of the DaapDatabase with that uid."""
        return self._by_uid.get(uid)

    def children(self, namespace: str, cluster: str) -> Children:
        """The children by their names, whoever owns them."""
        pooler = names.pooler_name(cluster)
        return Children(
            cluster=self.get(Kind.CLUSTER, namespace, cluster),
            pooler=self.get(Kind.POOLER, namespace, pooler),
            deployment=self.get(Kind.DEPLOYMENT, namespace, pooler),
            endpoints=self._group(Kind.ENDPOINTS, namespace, names.primary_service(cluster)),
            pooler_endpoints=self._group(Kind.ENDPOINTS, namespace, pooler),
            account=self.get(Kind.ACCOUNT, namespace, cluster),
            pods=self._group(Kind.POD, namespace, cluster),
            claims=self._group(Kind.CLAIM, namespace, cluster),
        )

    def _group(self, kind: Kind, namespace: str, name: str) -> tuple[Object, ...]:
        """Those of the kind whose label, which groups them, has that name."""
        found = self._groups.get((kind, Key(namespace, name)), ())
        return tuple(self._objects[kind][key] for key in sorted(found))

    def owner(self, kind: Kind, obj: Mapping[str, Any]) -> Key | None:
        """The DaapDatabase that is to look at this object."""
        namespace, name = raw.text(obj, "metadata", "namespace"), raw.text(obj, "metadata", "name")
        if kind is Kind.DATABASE:
            return Key(namespace, name)
        if kind is Kind.DEPLOYMENT:
            pooler = self.get(Kind.POOLER, namespace, name)
            return None if pooler is None else self.owner(Kind.POOLER, pooler)
        if kind in (Kind.POD, Kind.ACCOUNT, Kind.CLAIM):
            of = name if kind is Kind.ACCOUNT else _group_of(kind, obj).name
            cluster = self.get(Kind.CLUSTER, namespace, of)
            return None if cluster is None else self.owner(Kind.CLUSTER, cluster)
        for reference in owners(obj):
            return Key(namespace, raw.text(reference, "name"))
        labelled = raw.text(obj, "metadata", "labels", names.DATABASE_LABEL)
        return Key(namespace, labelled) if labelled else None

    # what comes in --------------------------------------------------------------------------------

    def put(self, kind: Kind, obj: Mapping[str, Any]) -> Object | None:
        """Keep an object, and give back what is kept if it tells anything new.

        None for an object older than the cached one, one that is known to be deleted, and one that
        differs only in what is not kept.
        """
        kept = kind.trim(obj)
        key, version = key_of(kept), _version(kept)
        before = self._objects[kind].get(key)
        if before is not None and _version(before) >= version:
            return None
        if self._buried.get(raw.text(kept, "metadata", "uid"), 0) >= version:
            return None
        self._objects[kind][key] = kept
        if kind is Kind.DATABASE:
            self._by_name[key.name].add(key)
            self._by_uid.pop(raw.text(before, "metadata", "uid"), None)
            self._by_uid[raw.text(kept, "metadata", "uid")] = key
        elif kind in _GROUPED:
            self._leave_group(kind, key, before)
            self._groups[kind, _group_of(kind, kept)].add(key)
        return kept if before is None or _told(before) != _told(kept) else None

    def remove(self, kind: Kind, obj: Mapping[str, Any]) -> Object | None:
        """Forget a deleted object, and give back what was kept of it.

        None when another object has taken its place already, or the same one is back in the watch
        (a label that the watch selects by was removed and restored).
        """
        key, uid = key_of(obj), raw.text(obj, "metadata", "uid")
        self._bury(uid, _version(obj))
        kept = self._objects[kind].get(key)
        if kept is None or raw.text(kept, "metadata", "uid") != uid:
            return None
        if _version(kept) > _version(obj):
            return None
        self._forget(kind, key)
        return kept

    def prune(
        self, kind: Kind, listed: Collection[Key], version: int, *, namespace: str = ""
    ) -> list[Object]:
        """Forget what a complete LIST made at `version`, of one namespace or of all, did not have.

        Gives back what was kept of the objects that are gone. One newer than the list stays.
        """
        gone = []
        for key, kept in list(self._objects[kind].items()):
            listed_here = not namespace or key.namespace == namespace
            if listed_here and key not in listed and _version(kept) <= version:
                self._bury(raw.text(kept, "metadata", "uid"), version)
                self._forget(kind, key)
                gone.append(kept)
        return gone

    def _forget(self, kind: Kind, key: Key) -> None:
        kept = self._objects[kind].pop(key)
        if kind is Kind.DATABASE:
            self._by_name[key.name].discard(key)
            self._by_uid.pop(raw.text(kept, "metadata", "uid"), None)
            if self._claims.get(key.name) == raw.text(kept, "metadata", "uid"):
                del self._claims[key.name]
        elif kind in _GROUPED:
            self._leave_group(kind, key, kept)

    def _leave_group(self, kind: Kind, key: Key, kept: Object | None) -> None:
        if kept is None:
            return
        where = kind, _group_of(kind, kept)
        self._groups[where].discard(key)
        if not self._groups[where]:
            del self._groups[where]

    def _bury(self, uid: str, version: int) -> None:
        self._buried[uid] = max(version, self._buried.pop(uid, 0))
        while len(self._buried) > TOMBSTONES:
            self._buried.pop(next(iter(self._buried)))

    # who has the name -----------------------------------------------------------------------------

    def namesakes(self, name: str) -> set[Key]:
        """All DaapDatabases of that name, of whatever namespace."""
        return set(self._by_name.get(name, ()))

    def holder(self, name: str, qualified: Callable[[Object], bool] = lambda _: True) -> Key | None:
        """The DaapDatabase that has the platform-wide name.

        It is the one whose status names its Cluster; else one that has our finalizer and lost its
        status (in a restore, say); else the one this process has promised it to, whose status is
        being written; else the oldest that is qualified.
        """
        candidates = [(key, self._objects[Kind.DATABASE][key]) for key in self.namesakes(name)]
        if len(candidates) == 1:  # nearly always: nothing to be judged then
            return candidates[0][0]
        promised = self._claims.get(name)
        return min(
            candidates, key=lambda c: _precedence(c[1], promised, qualified), default=(None,)
        )[0]

    def claim(self, name: str, uid: str) -> None:
        """Promise the name: until that object is gone nobody else gets it from this process.

        Bridges the moment between the decision and the status that makes it known.
        """
        self._claims[name] = uid


def _precedence(
    database: Object, promised: str | None, qualified: Callable[[Object], bool]
) -> tuple[bool, bool, bool, bool, str, str]:
    uid = raw.text(database, "metadata", "uid")
    return (
        not raw.text(database, "status", "clusterName"),
        names.FINALIZER not in raw.items(database, "metadata", "finalizers"),
        uid != promised,
        not qualified(database),
        raw.text(database, "metadata", "creationTimestamp"),
        uid,
    )


def key_of(obj: Mapping[str, Any]) -> Key:
    """Namespace and name of an object."""
    return Key(raw.text(obj, "metadata", "namespace"), raw.text(obj, "metadata", "name"))


def _group_of(kind: Kind, obj: Mapping[str, Any]) -> Key:
    """What an object is one of: a slice of its Service, a pod or a claim of its Cluster."""
    namespace = raw.text(obj, "metadata", "namespace")
    return Key(namespace, raw.text(obj, "metadata", "labels", _GROUPED[kind]))


def _version(obj: Mapping[str, Any]) -> int:
    return int(raw.text(obj, "metadata", "resourceVersion") or 0)


def _told(kept: Object) -> Object:
    """What is kept, without what changes with every write."""
    metadata = {k: v for k, v in kept["metadata"].items() if k != "resourceVersion"}
    return kept | {"metadata": metadata}
