"""A namespace with an operator of its own: one process at a time, which can be made to crash."""

import uuid
from collections.abc import Mapping

from daap_operator.kinds.served import KINDS, Kinds
from tests.support import toys
from tests.support.api import Api
from tests.support.databases import Databases
from tests.support.faults import Process, inside
from tests.support.operator import RunningOperator
from tests.support.rights import grant_lease
from tests.support.rows import Rows


class Site:
    """Where one trial after the other is made."""

    def __init__(
        self,
        api: Api,
        rows: Rows,
        environment: Mapping[str, str],
        *,
        kinds: Kinds = KINDS,
        user: str = "",
    ) -> None:
        """`user` is who the operator is, if it is not the one of all tests."""
        self.api = api
        self._kinds, self._user = kinds, user
        self.rows = rows
        self.namespace = f"t-{uuid.uuid4().hex[:10]}"
        self.databases = Databases(api, self.namespace)
        self.process = Process()
        self._environment = {
            **environment,
            "DAAP_WATCH_NAMESPACES": self.namespace,
            # One after the other, never at the same time: the next need not wait for the Lease
            "DAAP_LEASE_NAME": "daap-operator",
            "DAAP_LEASE_NAMESPACE": self.namespace,
            "DAAP_LEASE_DURATION": "5m",
            "DAAP_IDENTITY": "site",
        }
        self._operator: RunningOperator | None = None

    async def open(self) -> None:
        """Make the namespace."""
        await self.api.create("namespaces", {"metadata": {"name": self.namespace}})
        if self._user:
            await toys.grant_lease(self.api, self._user, self.namespace, "daap-operator")
        else:
            await grant_lease(self.api, self.namespace, "daap-operator")

    async def begin(self, process: Process | None = None) -> None:
        """Start a process; it may not be ready yet."""
        self.process = process or Process()
        self._operator = RunningOperator(self._environment, self._kinds)
        with inside(self.process):
            await self._operator.__aenter__()

    async def start(self) -> None:
        """Start a process, and wait until it looks after databases."""
        await self.begin()
        assert self._operator
        await self._operator.ready()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._operator is not None and self._operator.alive

    async def crash(self) -> None:
        """End the process: from now on nothing of it leaves, whatever it still tries.

        Raises what it has died of by itself before.
        """
        self.process.dead = True
        if self._operator:
            operator, self._operator = self._operator, None
            await operator.kill()
