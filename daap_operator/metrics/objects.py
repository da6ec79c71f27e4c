"""What any kind's objects have to measure: keys, phases, conditions. Pure.

Read leniently: an object may hold anything that was stored before a rule existed.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from daap_operator import raw
from daap_operator.samples import Metric, Samples

Object = Mapping[str, Any]

NO_PHASE = "None"
_STATUSES = ("True", "False", "Unknown")


def key(seen: Object) -> tuple[str, str]:
    """Namespace and name."""
    return raw.text(seen, "metadata", "namespace"), raw.text(seen, "metadata", "name")


def by_phase(metric: Metric, objects: Collection[Object], phases: Collection[str]) -> Samples:
    """How many objects are in each of the phases, zeros too, and how many in none of them."""
    found = (raw.text(seen, "status", "phase") for seen in objects)
    counted = Counter(phase if phase in phases else NO_PHASE for phase in found)
    # Zeros too: a line that ends is not one that falls
    return Samples(metric, [((phase,), counted[phase]) for phase in (*phases, NO_PHASE)])


def conditions(metric: Metric, objects: Collection[Object], types: Collection[str]) -> Samples:
    """A series of the value 1 for each object's key, condition of these types, and its status."""
    return Samples(metric, (((*key(o), *held), 1) for o in objects for held in _held(o, types)))


def _held(seen: Object, types: Collection[str]) -> Iterator[tuple[str, str]]:
    """The conditions we write, once each: whatever else stands there is not ours to multiply."""
    found = {
        raw.text(condition, "type"): raw.text(condition, "status")
        for condition in raw.items(seen, "status", "conditions")
    }
    for name in types:
        if (status := found.get(name)) in _STATUSES:
            yield name, str(status)
