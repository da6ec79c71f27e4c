"""What of all that was seen is kept. Pure.

Nothing of strangers: an object that is to belong to one of ours, and does not, is not kept. And of
ours no more than there is memory for: the unit that has the most gives way, in the namespace that
has the most. It is put out: of the object itself stays what is small, and nothing of what belongs
to it. An object that was never begun is turned away instead: nothing is kept of it.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from daap_operator import names, raw
from daap_operator.api.kind import Kind
from daap_operator.engine.bounds import OVER_SHARE, is_out, stub
from daap_operator.engine.cache import Cache, version_of
from daap_operator.engine.kinds import Kept, Object, Of, Ref, Source, Watch
from daap_operator.engine.shares import OBJECT_BYTES, SHARED_BYTES, UNIT_BYTES, Shares, Unit
from daap_operator.engine.strangers import Strangers


class Listener(NamedTuple):
    """Who is told of what is not kept."""

    put_out: Callable[[Ref], object] = lambda _: None
    """An object was put out: it is to be reconciled, which reports that."""
    turned_away: Callable[[Ref, Object], object] = lambda *_: None
    """Nothing is kept of an object that was not begun: this would have been. Told once of each
    kind and namespace between two LISTs."""
    lacks: Callable[[Ref], object] = lambda _: None
    """Parts of an object may have come before it: they are to be listed."""
    room: Callable[[], object] = lambda: None
    """What was refused for want of room may have some now: it is known from a LIST only."""


class Keeping:
    """Decides on what the caches keep."""

    def __init__(
        self, watches: Sequence[Watch], caches: Mapping[Source, Cache], most: int = SHARED_BYTES
    ) -> None:
        """`most` is how many bytes of memory may be kept in all."""
        self._caches = caches
        self._of = _of(watches)
        self._keys = {of.kind: of.index for of in self._of.values()}
        """The kinds that others are of, each with the index that has the keys of those."""
        self._shares = Shares(most)
        self._strangers = Strangers()
        self.lacking: dict[Ref, None] = {}
        """Objects of which parts may have come before them, in the order of their coming."""
        self.listener = Listener()
        self._away: Counter[tuple[str, str]] = Counter()
        self._away_before: Counter[tuple[str, str]] = Counter()
        self._room_below = 0
        """There is room when this is kept; 0 while nothing was refused."""

    # what comes -----------------------------------------------------------------------------------

    def admitted(self, source: Source, kept: Kept) -> Kept | None:
        """What is to be kept of an object that a stream has told of; None for nothing."""
        ref = Ref.of(source.kind, kept)
        if source in self._of:
            return self._of_ours(source, ref, kept)
        there = self._caches[source].objects.get(ref)
        if there is None:
            return kept if self._may_come(ref, kept) else None
        if not is_out(there):
            return kept
        if version_of(kept) < version_of(there) or not self._bring_back(source, ref, kept):
            return Kept(stub(kept, there[OVER_SHARE]))
        return None

    def answered(self, source: Source, kept: Kept) -> Kept | None:
        """What is to be kept of the answer to a write."""
        ref = Ref.of(source.kind, kept)
        if self._shares.is_out(self._unit(source, ref, kept)):
            there = self._caches[source].objects.get(ref)
            return None if there is None else Kept(stub(kept, there.get(OVER_SHARE, {})))
        return kept

    def even_out(self) -> None:
        """Keep no more than may be: whoever has most gives way."""
        if self._shares.over:
            self._give_way()
            self._was_short()

    def _give_way(self) -> None:
        while self._shares.over:
            unit, before = self._shares.largest(), self._shares.total
            if self._shares.is_out(unit):  # of whoever has most, even what stays is too much
                self._forget(unit)
                if self._shares.total >= before:
                    return
            else:
                self._put_out(unit)

    def moved(self, source: Source, ref: Ref, before: Kept | None, now: Kept | None) -> None:
        """What a cache keeps of an object has changed."""
        units = [None if kept is None else self._unit(source, ref, kept) for kept in (before, now)]
        weights = [0 if kept is None else kept.weight + OBJECT_BYTES for kept in (before, now)]
        left, there = units
        if left == there and there is not None:
            self._shares.charge(there, weights[1] - weights[0])
            return
        if there is not None:
            self._shares.charge(there, weights[1])
        if left is not None:
            self._shares.charge(left, -weights[0])
        self._claim(ref, left, there)
        if self._shares.total < self._room_below:
            self._room_below = 0
            self.listener.room()

    # LISTs ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Everything is about to be listed."""
        self._strangers.begin()
        self._shares.hope()

    def end(self) -> None:
        """Everything was listed."""
        self._strangers.end()
        self._away_before, self._away = self._away, Counter()

    def over(self) -> Counter[tuple[str, str]]:
        """How many objects are put out or turned away, by namespace and the name of their kind."""
        found = self._away | self._away_before
        for unit in self._shares.out():
            found[unit.namespace, unit.kind.name] += 1
        return found

    @property
    def total(self) -> int:
        """Bytes that are kept, as they count."""
        return self._shares.total

    # ours and strangers ---------------------------------------------------------------------------

    def _of_ours(self, source: Source, ref: Ref, kept: Kept) -> Kept | None:
        key = self._key(source, kept)
        unit = self._unit(source, ref, kept)
        if key is not None:
            if self._owners(self._of[source].kind, key) and not self._shares.is_out(unit):
                return kept
            self._strangers.note(key)
        self._caches[source].forget(ref)
        return None

    def _claim(self, ref: Ref, left: Unit | None, there: Unit | None) -> None:
        """An object of ours has come, gone, or got another key."""
        if ref.kind not in self._keys:
            return
        if left is not None and not self._owners(ref.kind, left.key):
            self._drop_parts(ref.kind, left.key)
        if there is None:
            self.lacking.pop(ref, None)
        elif self._strangers.may_have(there.key):
            self._lacks(ref)

    def _lacks(self, ref: Ref) -> None:
        if ref in self.lacking:
            return
        self.lacking[ref] = None
        self.listener.lacks(ref)

    def _drop_parts(self, kind: Kind, key: Hashable) -> None:
        for cache, found in self._parts(kind, key):
            for ref in found:
                cache.forget(ref)
            if found:
                self._strangers.note(key)

    def _parts(self, kind: Kind, key: Hashable) -> Iterator[tuple[Cache, Sequence[Ref]]]:
        for source, of in self._of.items():
            if of.kind == kind:
                cache = self._caches[source]
                yield cache, list(cache.found(of.by, key))

    def _owners(self, kind: Kind, key: Hashable) -> list[Ref]:
        index = self._keys[kind]
        return [
            ref
            for source, cache in self._caches.items()
            if source.kind == kind
            for ref in cache.found(index, key)
        ]

    def _key(self, source: Source, kept: Object) -> Hashable:
        of = self._of.get(source)
        index = of.by if of else self._keys.get(source.kind)
        if index is None:
            return None
        return next(iter(self._caches[source].indexes[index](kept)), None)

    def _unit(self, source: Source, ref: Ref, kept: Object) -> Unit:
        of, key = self._of.get(source), self._key(source, kept)
        kind = of.kind if of else source.kind
        return Unit(ref.namespace, kind, ref if key is None else key)

    # shares ---------------------------------------------------------------------------------------

    def _may_come(self, ref: Ref, kept: Kept) -> bool:
        """Whether there is room for what is new; what was begun is not turned away for that."""
        if _begun(ref, kept) or self._shares.has_room(ref.namespace, UNIT_BYTES):
            return True
        self._turn_away(ref, kept)
        self._was_short()
        return False

    def _was_short(self) -> None:
        """Something was refused. What its own parts took is free at once, and tells nothing."""
        self._room_below = self._shares.below(self._shares.total)

    def _turn_away(self, ref: Ref, kept: Object) -> None:
        what = ref.namespace, ref.kind.name
        self._away[what] += 1
        if self._away[what] == 1 and not self._away_before[what]:
            self.listener.turned_away(ref, kept)

    def _bring_back(self, source: Source, ref: Ref, kept: Kept) -> bool:
        """Keep an object whole again if there is room for it; its parts are listed first."""
        if not self._shares.bring_back(self._unit(source, ref, kept)):
            return False
        self._caches[source].replace(ref, kept)
        self._lacks(ref)
        self.even_out()
        return True

    def _refs(self, unit: Unit) -> list[Ref]:
        return self._owners(unit.kind, unit.key) if unit.kind in self._keys else _one(unit.key)

    def _put_out(self, unit: Unit) -> None:
        parts = unit.kind in self._keys
        refs = self._refs(unit)
        mark = self._most_of(unit, refs)
        self._shares.put_out(unit)
        if parts:
            self._strangers.note(unit.key)
            self._drop_parts(unit.kind, unit.key)
        for ref in refs:
            self._shorten(ref, mark)

    def _most_of(self, unit: Unit, refs: Sequence[Ref]) -> Object:
        """The mark of a unit: of which kind most is kept for it."""
        counts: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        own = [(cache, refs) for one, cache in self._caches.items() if one.kind == unit.kind]
        for cache, found in [*own, *self._parts(unit.kind, unit.key)]:
            for ref in found:
                if kept := cache.objects.get(ref):
                    counts[ref.kind.name] += 1
                    sizes[ref.kind.name] += kept.weight
        name, size = max(sizes.items(), key=lambda one: one[1], default=(unit.kind.name, 0))
        return {"kind": name, "count": counts[name], "bytes": size}

    def _shorten(self, ref: Ref, mark: Object) -> None:
        """Keep what is small of an object that was begun, and nothing of any other."""
        self.lacking.pop(ref, None)
        for source, cache in self._caches.items():
            kept = cache.objects.get(ref) if source.kind == ref.kind else None
            if kept is not None and _begun(ref, kept):
                cache.replace(ref, stub(kept, mark))
                self.listener.put_out(ref)
            elif kept is not None:
                cache.forget(ref)
                self._turn_away(ref, kept)

    def _forget(self, unit: Unit) -> None:
        for ref in self._refs(unit):
            for source, cache in self._caches.items():
                if source.kind == ref.kind and (kept := cache.objects.get(ref)):
                    cache.forget(ref)
                    self._turn_away(ref, kept)


def _begun(ref: Ref, kept: Object) -> bool:
    """Whether our finalizer is on an object: there may be children, and it may have a name.

    Of a kind of ours: anybody may write it into anything else, and nothing comes of that.
    """
    ours = ref.kind.group == names.GROUP
    return ours and names.FINALIZER in raw.items(kept, "metadata", "finalizers")


def _one(key: Hashable) -> list[Ref]:
    """The object of a unit that nothing else is kept for."""
    return [key] if isinstance(key, Ref) else []


def _of(watches: Sequence[Watch]) -> dict[Source, Of]:
    """The streams whose objects are to be of ours, by all who look at them."""
    found: dict[Source, Of] = {}
    for source in dict.fromkeys(watch.source for watch in watches):
        fed = [watch for watch in watches if watch.source == source]
        of = {watch.of for watch in fed}
        if len(of) == 1 and (one := fed[0].of):
            found[source] = one
    return found
