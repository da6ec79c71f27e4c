"""How much of what the store keeps is whose: nobody takes the memory of others. Pure.

What is kept has one bound for all. Nobody has a fixed part of it: as long as there is room, it is
anybody's. When there is none, whoever has most gives way (max-min fairness): first the namespace,
and in it the unit, that has most. So what one namespace has grows at the cost of no other that has
less, however many objects are made in it.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from daap_operator.api.kind import Kind
from daap_operator.engine.most import Most

SHARED_BYTES = 320 * 1024 * 1024
"""What is kept in all, for a limit of 512 MiB. A database of one instance takes 70 KB."""

RESERVED_BYTES = 192 * 1024 * 1024
"""What the process takes besides: Python and its libraries, a page of a LIST, what is read now."""

LEAST_SHARED_BYTES = 32 * 1024 * 1024

UNIT_BYTES = 8 * 1024
"""What a unit counts at least: its notes and its row take memory, too. A unit that was put out
counts what it has."""

HEADROOM = 16
"""The part of all (one of so many) that stays free of what is new: what has come still grows."""

OBJECT_BYTES = 1024
"""What an object counts besides: its places in the caches and indexes."""


def shared_bytes(limit: int) -> int:
    """What may be kept in all by a process that may take so many bytes of memory."""
    return max(LEAST_SHARED_BYTES, limit - RESERVED_BYTES)


class Unit(NamedTuple):
    """What is kept or put out together: an object of ours and all that is kept for it."""

    namespace: str
    kind: Kind
    """That of the object of ours."""
    key: Hashable
    """What those that are kept for it have in common with it."""


@dataclass(eq=False, slots=True)
class _Use:
    since: int
    """The later a unit came, the more."""
    bytes: int = 0
    needed: int = 0
    """Of one that was put out: what it had; 0 for one that is whole."""

    @property
    def counted(self) -> int:
        return self.bytes if self.needed else max(self.bytes, UNIT_BYTES)

    @property
    def rank(self) -> int:
        """Those that are whole before those that are not; of several with as much the latest."""
        return ((0 if self.needed else _WHOLE) + self.bytes) * _MANY + self.since


_WHOLE, _MANY = 2**50, 2**50
"""More bytes, and more units, than there can ever be."""


@dataclass(eq=False)
class _Share:
    since: int
    total: int = 0
    whole: int = 0
    """How many of the units were not put out."""
    units: dict[Unit, _Use] = field(default_factory=dict)
    most: Most[Unit] = field(init=False)

    def __post_init__(self) -> None:
        self.most = Most(self.units)

    @property
    def rank(self) -> int:
        return self.total * _MANY + self.since


class Shares:
    """What each unit takes, in bytes of memory."""

    def __init__(self, most: int = SHARED_BYTES) -> None:
        self._most = most
        self._shares: dict[str, _Share] = {}
        self._most_of: Most[str] = Most(self._shares)
        self._came = 0
        self.total = 0
        """Of all units, as they count."""

    def charge(self, unit: Unit, more: int) -> None:
        """A unit takes so much more, or less; it is no more when it takes nothing."""
        with_it = self._shares.get(unit.namespace)
        if with_it is None:
            with_it = self._shares[unit.namespace] = _Share(self._next())
        use = with_it.units.get(unit)
        if use is None:
            use = with_it.units[unit] = _Use(self._next())
            with_it.whole += 1
            self._add(unit, UNIT_BYTES)
        self._change(unit, use, bytes=use.bytes + more)
        if use.bytes <= 0:
            self._add(unit, -use.counted)
            with_it.whole -= not use.needed
            del with_it.units[unit]
            if not with_it.units:
                del self._shares[unit.namespace]

    def put_out(self, unit: Unit) -> None:
        """From now on nothing is kept for a unit, but of itself."""
        with_it = self._shares[unit.namespace]
        use = with_it.units[unit]
        with_it.whole -= 1
        self._change(unit, use, needed=use.counted)

    def bring_back(self, unit: Unit) -> bool:
        """Whether a unit that was put out may be whole again: there is room for what it had."""
        with_it = self._shares[unit.namespace]
        use = with_it.units[unit]
        if self.total + use.needed - use.counted > self._most - self._most // HEADROOM:
            return False
        with_it.whole += 1
        self._change(unit, use, needed=0)
        return True

    def hope(self) -> None:
        """Some time has passed: what was put out may need less than it did."""
        self._most_of.forget()
        for share in self._shares.values():
            share.most.forget()
            for use in share.units.values():
                if use.needed:
                    use.needed = max(use.needed // 2, use.bytes, UNIT_BYTES)

    def is_out(self, unit: Unit) -> bool:
        """Whether a unit was put out."""
        share = self._shares.get(unit.namespace)
        use = None if share is None else share.units.get(unit)
        return use is not None and use.needed > 0

    def out(self) -> Iterator[Unit]:
        """All units that were put out."""
        for share in self._shares.values():
            if share.whole < len(share.units):
                yield from (unit for unit, use in share.units.items() if use.needed)

    @property
    def over(self) -> bool:
        """Whether more is kept than may be."""
        return self.total > self._most

    def has_room(self, namespace: str, needed: int) -> bool:
        """Whether so much more of a namespace may be kept, at most at the cost of one with more."""
        if self.total + needed <= self._most - self._most // HEADROOM:
            return True
        own = self._shares.get(namespace)
        then = needed + (own.total if own else 0)
        # Whoever has most has more than this one, or is this one
        return bool(self._shares) and self._shares[self._most_of.first()].total > then

    def below(self, total: int) -> int:
        """What is to be kept, where so much is, for what was refused to be asked for again."""
        return total - self._most // HEADROOM

    def largest(self) -> Unit:
        """The unit that gives way: of the namespace that has most, whatever of it is put out.

        Never one of another: what stays of many that were put out is at their own cost, too.
        In it the unit that has most of those that are whole, else of all; of several the latest.
        """
        return self._shares[self._most_of.first()].most.first()

    def _next(self) -> int:
        self._came += 1
        return self._came

    def _change(self, unit: Unit, use: _Use, **fields: int) -> None:
        before = use.counted
        for name, value in fields.items():
            setattr(use, name, value)
        self._shares[unit.namespace].most.changed(unit)
        self._add(unit, use.counted - before)

    def _add(self, unit: Unit, more: int) -> None:
        if more:
            self._shares[unit.namespace].total += more
            self.total += more
            self._most_of.changed(unit.namespace)
