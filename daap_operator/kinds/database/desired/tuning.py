"""PostgreSQL's settings that follow the memory of an instance.

The worst case fits: every connection sorts, every autovacuum worker is busy and somebody builds an
index, all at once. https://www.postgresql.org/docs/current/runtime-config-resource.html
"""

from dataclasses import dataclass

from daap_operator.kinds.database.desired.amounts import MIB, of
from daap_operator.kinds.database.desired.resolved import Resolved

BASE = 64 * MIB
"""An estimate for CloudNativePG's instance manager and PostgreSQL's own processes."""
CONNECTION = 2 * MIB
"""A connection that has looked at a few tables, without its sorts."""
MAINTAINERS = 4
"""Autovacuum's three workers, and one person who builds an index."""

LEAST_CONNECTIONS, MOST_CONNECTIONS = 30, 250
"""The largest pooler there can be, ten pods and one that is being replaced, has two server
connections for each pod of the least, and eighteen of the most."""
_STEP = 5
MOST_MEMORY = 4 * 2**40
"""More would be settings that PostgreSQL refuses."""

SERVED_BY_POOLER = 4, 5
"""Of all connections those that the pooler may have. The others are for replication, maintenance
and direct clients."""


NAMES = (
    "max_connections",
    "shared_buffers",
    "effective_cache_size",
    "maintenance_work_mem",
    "work_mem",
)
"""The settings; one that somebody has set in the Cluster by hand is theirs."""


@dataclass(frozen=True)
class Tuning:
    """Settings for an amount of memory; sizes in bytes."""

    max_connections: int
    shared_buffers: int
    effective_cache_size: int
    maintenance_work_mem: int
    work_mem: int

    def parameters(self) -> dict[str, str]:
        """The same as a Cluster's `postgresql.parameters`."""
        return {
            "max_connections": str(self.max_connections),
            "shared_buffers": f"{self.shared_buffers // MIB}MB",
            "effective_cache_size": f"{self.effective_cache_size // MIB}MB",
            "maintenance_work_mem": f"{self.maintenance_work_mem // MIB}MB",
            "work_mem": f"{self.work_mem // 1024}kB",
        }

    def worst_case(self) -> int:
        """Bytes that are in use when everything is, but for what the kernel can give back."""
        sessions = self.max_connections * (CONNECTION + self.work_mem)
        return BASE + self.shared_buffers + MAINTAINERS * self.maintenance_work_mem + sessions


def tuning(limit: int, request: int) -> Tuning:
    """The settings for an instance with so much memory, in bytes.

    CloudNativePG refuses shared buffers that are more than what is requested.
    """
    limit = min(limit, MOST_MEMORY)
    shared = max(min(limit // 4, request) // MIB, 16) * MIB
    maintenance = _between(16 * MIB, limit // 16, 1024 * MIB) // MIB * MIB
    connections = _between(LEAST_CONNECTIONS, limit // (10 * MIB), MOST_CONNECTIONS)
    connections = connections // _STEP * _STEP
    taken = Tuning(connections, shared, 0, maintenance, 0).worst_case()
    work = _between(64 * 1024, (limit - taken) // connections, 1024 * MIB)
    return Tuning(
        max_connections=connections,
        shared_buffers=shared,
        effective_cache_size=limit // 4 * 3,
        maintenance_work_mem=maintenance,
        work_mem=work // (64 * 1024) * 64 * 1024,
    )


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def of_database(database: Resolved) -> Tuning | None:
    """The settings of a database; None for one that has PostgreSQL's own."""
    if (amounts := of(database)) is None:
        return None
    return tuning(amounts.memory_limit, amounts.memory_request)


POSTGRES_CONNECTIONS = 100
"""PostgreSQL's own default of max_connections."""


def max_connections(database: Resolved) -> int:
    """How many connections PostgreSQL takes, those that are reserved included."""
    settings = of_database(database)
    return settings.max_connections if settings else POSTGRES_CONNECTIONS


def server_connections(database: Resolved) -> int:
    """How many of them all pooler pods together may have."""
    part, whole = SERVED_BY_POOLER
    return max_connections(database) * part // whole
