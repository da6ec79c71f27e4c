"""How much of something each address may have, and all of them together. Pure.

Addresses are what strangers have fewest of: who invents tokens or requests by the thousand does so
from a few of them, and must not use up what others need.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network

MOST_PEERS = 1000
"""Addresses that are remembered; one that is forgotten has all of its share again."""

IPV6_BITS = 64
"""Of an IPv6 address, what tells who it is: the rest can be had by anybody in that network."""


@dataclass(frozen=True)
class Rate:
    """So many at once, and then so often."""

    burst: int
    per_second: float


class Bucket:
    """What is left of one share."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left, self._filled = float(rate.burst), now

    def has(self, now: float) -> bool:
        """Whether one more may be taken."""
        more = (now - self._filled) * self._rate.per_second
        self._left, self._filled = min(self._left + more, float(self._rate.burst)), now
        return self._left >= 1

    def take(self) -> None:
        """Take one."""
        self._left -= 1


class Shares:
    """A share for each address, of those that came last."""

    def __init__(self, rate: Rate, monotonic: Callable[[], float], most: int = MOST_PEERS) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._most = most
        self._buckets: dict[str, Bucket] = {}

    def of(self, peer: str) -> Bucket:
        """The share of an address."""
        bucket = self._buckets.pop(peer, None) or Bucket(self._rate, self._monotonic())
        self._buckets[peer] = bucket
        if len(self._buckets) > self._most:
            del self._buckets[next(iter(self._buckets))]
        return bucket

    def __len__(self) -> int:
        return len(self._buckets)


class Requests:
    """Requests: each address has a share that nobody takes, and beyond it what is common to all."""

    def __init__(self, each: Rate, common: Rate, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._each = Shares(each, monotonic)
        self._common = Bucket(common, monotonic())

    def of(self, peer: str) -> Bucket | None:
        """Where the next request of an address is taken from; None while there is none left."""
        now = self._monotonic()
        buckets = self._each.of(peer), self._common
        return next((bucket for bucket in buckets if bucket.has(now)), None)


def peer_of(host: str) -> str:
    """Who is at an address of a socket: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, IPV6_BITS), strict=False).network_address)
