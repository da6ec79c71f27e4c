"""The Lease that says which replica leads. Pure.

`leaseTransitions` is the fencing epoch: it grows with every new leader, and nobody else counts it.
https://kubernetes.io/docs/concepts/architecture/leases/
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from daap_operator import raw

API_VERSION = "coordination.k8s.io/v1"

MOST_EPOCH = 2**30
"""The latest epoch that the inventory may raise the Lease to: leaseTransitions is an int32, and
half of it stays for the leaders to come."""

MOST_AHEAD = 1_000_000
"""How far ahead of its leader an inventory can be that was not forged: so many leaders at most took
turns on a Lease that was deleted since."""

RELEASED_SECONDS = 1
"""How long others wait for a Lease that was given back, should they not see that it was."""


@dataclass(frozen=True)
class Record:
    """What a Lease says."""

    holder: str
    """Who leads; empty when nobody does."""
    epoch: int
    """How many leaders there have been."""
    seconds: float
    """How long after its last renewal others have to leave it alone."""
    version: str
    """The resource version: another one means that it was renewed."""


def read(lease: raw.Object) -> Record:
    """What a Lease says; anything missing counts as never set."""
    spec = raw.mapping(lease, "spec")
    return Record(
        holder=raw.text(spec, "holderIdentity"),
        epoch=raw.number(spec, "leaseTransitions"),
        seconds=float(raw.number(spec, "leaseDurationSeconds")),
        version=raw.text(lease, "metadata", "resourceVersion"),
    )


def plausible(ours: int, found: int) -> bool:
    """Whether there can have been a leader of an epoch that the inventory names, seen from ours."""
    return isinstance(found, int) and 0 <= found <= max(ours, min(MOST_EPOCH, ours + MOST_AHEAD))


@dataclass(frozen=True)
class Term:
    """The time of one leader, from its own point of view."""

    holder: str
    epoch: int
    since: datetime


def manifest(
    namespace: str, name: str, term: Term, *, seconds: float, now: datetime
) -> dict[str, Any]:
    """The Lease as its holder writes it; a term without a holder gives it back."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Lease",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "holderIdentity": term.holder,
            "leaseTransitions": term.epoch,
            "leaseDurationSeconds": math.ceil(seconds) if term.holder else RELEASED_SECONDS,
            "acquireTime": _micro_time(term.since),
            "renewTime": _micro_time(now),
        },
    }


def _micro_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
