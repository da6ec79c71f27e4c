"""Which connection makes room for another when all places are taken. Pure.

The address that has more than its share loses one of its own; only while none has, who has said
nothing, or has been answered for long, makes room whoever it is.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(eq=False)
class Place:
    """One connection."""

    peer: str
    """Who has it, by its address."""
    spoke: float | None = None
    """Since when its request is there; None while it is not."""


def victim(
    places: Iterable[Place], newcomer: str, *, share: int, patience: float, now: float
) -> Place | None:
    """The place that a newcomer gets; None when it gets none. `places` are the oldest first.

    `share` is how many places one address has as long as others want them, and `patience` how long
    the answering of a request keeps its place among those of the same address, or of no greedy one.
    """
    places = list(places)
    held = Counter(place.peer for place in places)
    held[newcomer] += 1
    greedy, most = held.most_common(1)[0]
    if most == held[newcomer]:
        greedy = newcomer
    if most > share:
        places = [place for place in places if place.peer == greedy]
    silent = next((place for place in places if place.spoke is None), None)
    if silent is not None:
        return silent
    if most > share and greedy != newcomer:
        return places[0]
    oldest = min(places, key=lambda place: place.spoke or 0.0, default=None)
    if oldest is None or now - (oldest.spoke or 0.0) < patience:
        return None
    return oldest
