"""How a DaapDatabase is named, and who has a name. Pure."""

from collections.abc import Callable

from daap_operator import names, raw
from daap_operator.engine.kinds import Object, Reader, Ref
from daap_operator.kinds.known import DATABASE

NAME = "name"
"""Index: by the name alone, of whatever namespace."""


def ref(namespace: str, name: str) -> Ref:
    """The reference to a DaapDatabase."""
    return Ref(DATABASE, namespace, name)


def name(database: raw.Object) -> list[str]:
    """The keys of the index NAME."""
    return [raw.text(database, "metadata", "name")]


class Arbiter:
    """Who has which of the platform-wide names."""

    def __init__(self, store: Reader) -> None:
        self._store = store
        self._promises: dict[str, str] = {}

    def holder(self, name: str, qualified: Callable[[Object], bool] = lambda _: True) -> Ref | None:
        """The DaapDatabase that has the name.

        It is the one whose status names its Cluster; else one that has our finalizer and lost its
        status (in a restore, say); else the one this process has promised it to, whose status is
        being written; else the oldest that is qualified.
        """
        candidates = self._store.by(DATABASE, NAME, name)
        if not candidates:
            return None
        if len(candidates) == 1:  # nearly always: nothing to be judged then
            return Ref.of(DATABASE, candidates[0])
        promised = self._promises.get(name)
        first = min(candidates, key=lambda one: _precedence(one, promised, qualified))
        return Ref.of(DATABASE, first)

    def promise(self, name: str, uid: str) -> None:
        """Promise the name: until that object is gone nobody else gets it from this process.

        Bridges the moment between the decision and the status that makes it known.
        """
        self._promises[name] = uid

    def forget(self, database: raw.Object) -> None:
        """End the promise to an object that is gone."""
        name, uid = (raw.text(database, "metadata", field) for field in ("name", "uid"))
        if self._promises.get(name) == uid:
            del self._promises[name]


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
