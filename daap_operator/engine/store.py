"""What the watches saw, trimmed, with named indexes; like an informer's store. Pure.

Nothing here is a truth of its own: everything comes from the API server and can be listed again.
The newer resource version wins, so that the answer to a write and the event about it may arrive in
either order. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import cast

from daap_operator import raw
from daap_operator.api.kind import Kind
from daap_operator.engine.cache import Cache, Change, version_of
from daap_operator.engine.keeping import Keeping, Listener
from daap_operator.engine.kinds import (
    UID,
    Index,
    Keep,
    Kept,
    Object,
    Ref,
    Source,
    Watch,
    selects,
    sources,
)
from daap_operator.engine.shares import SHARED_BYTES


class Store:
    """Objects by reference and by index. Not thread-safe: one event loop owns it."""

    def __init__(self, watches: Sequence[Watch], *, most: int = SHARED_BYTES) -> None:
        """`most` is how many bytes of memory may be kept in all.

        Raises ValueError for watches that contradict each other.
        """
        self._caches: dict[Source, Cache] = {}
        self._keeping = Keeping(watches, self._caches, most)
        self._of_kind: dict[Kind, list[tuple[Source, Cache]]] = {}
        for source in sources(watches):
            fed = [watch for watch in watches if watch.source == source]
            on_change = partial(self._keeping.moved, source)
            cache = Cache(source, _keep(source, fed), _indexes(source, fed), on_change)
            self._caches[source] = cache
            self._of_kind.setdefault(source.kind, []).append((source, cache))
        self._absent: set[Kind] = set()

    # what is in it --------------------------------------------------------------------------------

    def watches(self, kind: Kind) -> bool:
        """Whether anything of a kind is watched."""
        return kind in self._of_kind

    def serves(self, kind: Kind) -> bool:
        """Whether the API server had the kind when it was last listed; True before it ever was."""
        return kind not in self._absent

    def get(self, ref: Ref) -> Object | None:
        """What is kept of an object as last seen; None when it is not there."""
        found = [kept for _, cache in self._of(ref.kind) if (kept := cache.objects.get(ref))]
        return max(found, key=version_of) if found else None

    def refs(self, kind: Kind) -> list[Ref]:
        """All objects of a kind."""
        caches = self._of(kind)
        if len(caches) == 1:
            return list(caches[0][1].objects)
        return list(dict.fromkeys(ref for _, cache in caches for ref in cache.objects))

    def by(
        self,
        kind: Kind,
        index: str,
        key: Hashable,
        most: int | None = None,
        *,
        latest: bool = False,
    ) -> list[Object]:
        """What is kept of the objects under a key of an index, in the order of their names.

        With `most`, of so many: those that have been there for longest, or came latest.
        """
        found = (self.get(ref) for ref in self.refs_by(kind, index, key, most, latest=latest))
        return [kept for kept in found if kept is not None]

    def refs_by(
        self,
        kind: Kind,
        index: str,
        key: Hashable,
        most: int | None = None,
        *,
        latest: bool = False,
    ) -> list[Ref]:
        """The objects under a key of an index, in the order of their names; `most` as in `by`."""
        each = [cache.found(index, key) for cache in self._indexed(kind, index)]
        found = {
            ref for refs in each for ref in islice(reversed(refs) if latest else iter(refs), most)
        }
        return sorted(found, key=_place)[:most]

    def keys(self, kind: Kind, index: str) -> Collection[Hashable]:
        """All keys of an index."""
        caches = self._indexed(kind, index)
        if len(caches) == 1:
            return caches[0].keys(index)
        return {key for cache in caches for key in cache.keys(index)}

    def uids(self, kind: Kind) -> Collection[str]:
        """The uids of all objects of a kind that has the index UID."""
        return cast("Collection[str]", self.keys(kind, UID))

    def by_uid(self, kind: Kind, uid: str) -> Ref | None:
        """The object with that uid, of a kind that has the index UID."""
        return next(iter(self.refs_by(kind, UID, uid)), None)

    def kept(self, kind: Kind, obj: raw.Object) -> Object:
        """What would be kept of an object, by the first stream that it belongs into."""
        _, cache = next(iter(self._covering(kind, obj)), self._of(kind)[0])
        return cache.reduced(obj)

    def reduced(self, source: Source, obj: raw.Object) -> Kept:
        """What would be kept of an object of a stream. Looks at nothing else: any thread may."""
        return self._caches[source].reduced(obj)

    # what the streams tell ------------------------------------------------------------------------

    def take(self, source: Source, obj: raw.Object) -> Change | None:
        """Keep an object of a stream, reduced or not; the change if it tells anything new.

        None also for an object that is not kept: a stranger, or one that there is no room for.
        """
        cache = self._caches[source]
        kept = self._keeping.admitted(source, cache.reduced(obj))
        if kept is None:
            return None
        change = cache.put(kept)
        self._keeping.even_out()
        return change

    def has(self, source: Source, ref: Ref) -> bool:
        """Whether anything is kept of an object of a stream."""
        return ref in self._caches[source].objects

    def drop(self, source: Source, obj: raw.Object) -> Object | None:
        """Forget an object that has left a stream; what was kept of it, None if it has not."""
        return self._caches[source].remove(obj)

    def prune(
        self, source: Source, listed: Collection[Ref], version: int, *, namespace: str = ""
    ) -> list[Object]:
        """Forget what a complete LIST of a stream, of one namespace or of all, did not have."""
        return self._caches[source].prune(listed, version, namespace)

    def note(self, kind: Kind, *, served: bool) -> None:
        """Note whether the API server has the kind, as its answer to a LIST says."""
        (self._absent.discard if served else self._absent.add)(kind)

    # what the answers to writes tell --------------------------------------------------------------

    def put(self, kind: Kind, obj: raw.Object) -> Object | None:
        """Keep the answer to a write; what is kept if it tells anything new."""
        changes = []
        for source, cache in self._covering(kind, obj):
            if (kept := self._keeping.answered(source, cache.reduced(obj))) is not None:
                changes.append(cache.put(kept))
                self._keeping.even_out()
        return next((change.now for change in changes if change is not None), None)

    def remove(self, kind: Kind, obj: raw.Object) -> Object | None:
        """Forget an object that a write has deleted; what was kept of it."""
        found = [cache.remove(obj) for _, cache in self._of(kind)]
        return next((kept for kept in found if kept is not None), None)

    # what is not kept -----------------------------------------------------------------------------

    def tell(self, listener: Listener) -> None:
        """Have somebody told of what is not kept."""
        self._keeping.listener = listener

    def begin_list(self) -> None:
        """Everything is about to be listed."""
        self._keeping.begin()

    def end_list(self) -> None:
        """Everything was listed."""
        self._keeping.end()

    @property
    def lacking(self) -> Collection[Ref]:
        """Objects of which parts may have come before them, and are not known."""
        return self._keeping.lacking.keys()

    def complete(self, ref: Ref) -> bool:
        """All parts of an object were listed; False when it did not lack any."""
        return self._keeping.lacking.pop(ref, self) is None

    def over(self) -> Mapping[tuple[str, str], int]:
        """How many objects there is no room for, by namespace and the name of their kind."""
        return self._keeping.over()

    @property
    def weight(self) -> int:
        """Bytes of memory that are kept, as they count."""
        return self._keeping.total

    def _covering(self, kind: Kind, obj: raw.Object) -> Iterable[tuple[Source, Cache]]:
        """The caches that an object belongs into; the only one takes whatever we have written."""
        caches = self._of(kind)
        if len(caches) == 1:
            return caches
        return [(source, cache) for source, cache in caches if selects(source.selector, obj)]

    def _of(self, kind: Kind) -> list[tuple[Source, Cache]]:
        """Raises KeyError for a kind that is not watched: of that nothing is known."""
        return self._of_kind[kind]

    def _indexed(self, kind: Kind, index: str) -> list[Cache]:
        """The caches that have an index; raises KeyError when none has."""
        found = [cache for _, cache in self._of(kind) if index in cache.indexes]
        if not found:
            raise KeyError(index)
        return found


def _place(ref: Ref) -> tuple[str, str]:
    return ref.namespace, ref.name


def _keep(source: Source, watches: Sequence[Watch]) -> Keep:
    keeps = list(dict.fromkeys(watch.keep for watch in watches if watch.keep is not None))
    if len(keeps) != 1:
        raise ValueError(
            f"{len(keeps)} watches of {source.kind.name} with the selector '{source.selector}' say "
            "what is kept of an object: have one say it, and give the others `keep=None`"
        )
    return keeps[0]


def _indexes(source: Source, watches: Sequence[Watch]) -> dict[str, Index]:
    indexes: dict[str, Index] = {}
    for watch in watches:
        for name, index in watch.indexes.items():
            if indexes.setdefault(name, index) is not index:
                raise ValueError(
                    f"two watches of {source.kind.name} have an index '{name}': name one of them "
                    "after the kind that asks for it"
                )
    return indexes
