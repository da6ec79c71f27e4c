"""CPU and memory of each instance: what was asked for, made whole.

Every container has requests and limits, so that a ResourceQuota that demands them takes its pod.
"""

from dataclasses import dataclass
from decimal import Decimal

from daap_operator import quantity
from daap_operator.api.v1alpha1 import ResourceAmounts, Resources
from daap_operator.kinds.database.desired import defaults
from daap_operator.kinds.database.desired.resolved import Resolved

MIB = 2**20
MEMORY = "1Gi"
CPU_REQUEST, CPU_LIMIT = "100m", "2"
CPU_LIMIT_PER_REQUEST = 2


@dataclass(frozen=True)
class Amounts:
    """What each instance is guaranteed, and what it may use at most, as quantities."""

    requests: dict[str, str]
    limits: dict[str, str]

    @property
    def memory_request(self) -> int:
        """In bytes."""
        return int(quantity.parse(self.requests["memory"]))

    @property
    def memory_limit(self) -> int:
        """In bytes."""
        return int(quantity.parse(self.limits["memory"]))


def of(database: Resolved) -> Amounts | None:
    """Those of a database; None where only what was asked for counts."""
    return complete(database.spec.resources) if database.defaults >= defaults.LIMITED else None


def complete(asked: Resources | None) -> Amounts:
    """What was asked for, with what is missing.

    A limit without a request is the request, too, as everywhere in Kubernetes. A request without a
    limit is the limit of memory, for what is not guaranteed is taken away when a node runs out of
    it; of CPU, of which more does no harm, the limit is twice that, and no less than the default.
    """
    requests = (asked and asked.requests) or ResourceAmounts()
    limits = (asked and asked.limits) or ResourceAmounts()
    return Amounts(
        requests={
            "cpu": requests.cpu or limits.cpu or CPU_REQUEST,
            "memory": requests.memory or limits.memory or MEMORY,
        },
        limits={
            "cpu": limits.cpu or _cpu_limit(requests.cpu),
            "memory": limits.memory or requests.memory or MEMORY,
        },
    )


def _cpu_limit(request: str | None) -> str:
    if request is None:
        return CPU_LIMIT
    wanted = CPU_LIMIT_PER_REQUEST * quantity.parse(request)
    return CPU_LIMIT if wanted <= Decimal(CPU_LIMIT) else f"{int(wanted * 1000)}m"
