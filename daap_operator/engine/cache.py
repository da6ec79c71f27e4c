"""What one stream of events has told, with its indexes; the store is made of these. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import NamedTuple

from daap_operator import raw
from daap_operator.engine.bounds import bounded, more_taken, taken
from daap_operator.engine.kinds import Index, Keep, Kept, Object, Ref, Source
from daap_operator.kube.sizes import only_metadata

TOMBSTONES = 10_000
"""Deletions remembered, so that a LIST begun before one does not bring the object back."""


CHANGES = 16
"""So many in a row are counted by what has changed. What equals need not take as much (1 and 1.0),
so that an error would add up."""


class Change(NamedTuple):
    """News of an object."""

    before: Object | None
    """What was kept of it; None when it is new."""
    now: Object


OnChange = Callable[[Ref, Kept | None, Kept | None], None]
"""Called with what was kept of an object and what is now; None for nothing."""


class Cache:
    """The objects of one stream: those of one kind that one label selector covers."""

    def __init__(
        self,
        source: Source,
        keep: Keep,
        indexes: Mapping[str, Index],
        on_change: OnChange = lambda *_: None,
    ) -> None:
        """`on_change` is called with every change, once the indexes have it."""
        self._keep = keep
        self._on_change = on_change
        self.objects: dict[Ref, Kept] = {}
        self._kind = source.kind
        self._metadata_only = source.metadata_only
        self.indexes = indexes
        self._found: dict[str, dict[Hashable, dict[Ref, None]]] = {
            name: defaultdict(dict) for name in indexes
        }
        self._buried: dict[str, int] = {}

    def found(self, index: str, key: Hashable) -> dict[Ref, None]:
        """The objects under a key of an index, in the order in which they came under it."""
        return self._found[index].get(key, {})

    def keys(self, index: str) -> Collection[Hashable]:
        """The keys of an index."""
        return self._found[index].keys()

    def reduced(self, obj: raw.Object) -> Kept:
        """What is kept of an object."""
        if isinstance(obj, Kept):
            return obj
        seen = only_metadata(obj) if self._metadata_only else obj
        return Kept(bounded(self._keep(seen), seen))

    def put(self, obj: raw.Object) -> Change | None:
        """Keep an object; the change if it tells anything new.

        None for an object older than the one that is kept, one that is known to be deleted, and one
        that differs only in what is not kept, unless that was not even seen (`metadata_only`).
        """
        kept = self.reduced(obj)
        ref, version = Ref.of(self._kind, kept), version_of(kept)
        before = self.objects.get(ref)
        if before is not None and version_of(before) >= version:
            return None
        if self._buried.get(raw.text(kept, "metadata", "uid"), 0) >= version:
            return None
        if before is not None and not self._metadata_only and _told(before) == _told(kept):
            self._set(ref, kept, before.weight, before.changes)
            return None
        if before is None or before.changes >= CHANGES:
            self._set(ref, kept, taken(kept))
        else:
            weight = before.weight + more_taken(before, kept)
            self._set(ref, kept, weight, before.changes + 1)
        return Change(before, kept)

    def replace(self, ref: Ref, kept: Object) -> None:
        """Keep something else of an object that is there, whatever its version."""
        self._set(ref, Kept(kept), taken(kept))

    def forget(self, ref: Ref) -> None:
        """Keep an object no longer, which is still there for all that is known."""
        if ref in self.objects:
            self._forget(ref)

    def _set(self, ref: Ref, kept: Kept, weight: int, changes: int = 0) -> None:
        kept.weight, kept.changes = weight, changes
        before = self.objects.get(ref)
        self.objects[ref] = kept
        self._index(ref, before, kept)
        self._on_change(ref, before, kept)

    def remove(self, obj: raw.Object) -> Object | None:
        """Forget a deleted object, and give back what was kept of it.

        None when another object has taken its place already, or the same one is back in the watch
        (a label that the watch selects by was removed and restored).
        """
        ref, uid = Ref.of(self._kind, obj), raw.text(obj, "metadata", "uid")
        self._bury(uid, version_of(obj))
        kept = self.objects.get(ref)
        if kept is None or raw.text(kept, "metadata", "uid") != uid:
            return None
        if version_of(kept) > version_of(obj):
            return None
        self._forget(ref)
        return kept

    def prune(self, listed: Collection[Ref], version: int, namespace: str) -> list[Object]:
        """Forget what a complete LIST made at `version`, of one namespace or of all, did not have.

        Gives back what was kept of the objects that are gone. One newer than the list stays.
        """
        gone: list[Object] = []
        for ref, kept in list(self.objects.items()):
            listed_here = not namespace or ref.namespace == namespace
            if listed_here and ref not in listed and version_of(kept) <= version:
                self._bury(raw.text(kept, "metadata", "uid"), version)
                self._forget(ref)
                gone.append(kept)
        return gone

    def _forget(self, ref: Ref) -> None:
        before = self.objects.pop(ref)
        self._index(ref, before, None)
        self._on_change(ref, before, None)

    def _index(self, ref: Ref, before: Object | None, now: Object | None) -> None:
        for name, keys in self.indexes.items():
            left = set() if before is None else set(keys(before))
            there = set() if now is None else set(keys(now))
            found = self._found[name]
            for key in there - left:
                found[key][ref] = None
            for key in left - there:
                found[key].pop(ref, None)
                if not found[key]:
                    del found[key]

    def _bury(self, uid: str, version: int) -> None:
        self._buried[uid] = max(version, self._buried.pop(uid, 0))
        while len(self._buried) > TOMBSTONES:
            self._buried.pop(next(iter(self._buried)))


def version_of(obj: raw.Object) -> int:
    """An object's resource version; 0 when it has none."""
    return int(raw.text(obj, "metadata", "resourceVersion") or 0)


def _told(kept: Object) -> Object:
    """What is kept, without what changes with every write."""
    metadata = {k: v for k, v in kept["metadata"].items() if k != "resourceVersion"}
    return kept | {"metadata": metadata}
