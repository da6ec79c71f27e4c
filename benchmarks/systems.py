"""What can be measured: this operator; a peer has a module of its own."""

import asyncio
import io
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.programs import OperatorProgram, ServingProgram
from benchmarks.sql import Statements
from benchmarks.watching import Key, is_ready, is_reconciling
from daap_operator.kinds import known
from daap_operator.kube import Kind
from daap_operator.migrate import migrate
from dev.cluster import ControlPlane
from dev.postgres import Postgres
from tests.support import rights
from tests.support.api import Object
from tests.support.rows import Rows

SIZE, LARGER = "10Gi", "11Gi"


class System(ABC):
    """An operator that makes a Cluster and a Pooler for each of its objects."""

    name: str
    kind: Kind
    """The kind of its objects."""
    user: str
    """Whom the API server knows it as."""
    program: ServingProgram
    statements: Statements | None = None
    rows: Rows | None = None
    server: Postgres | None = None

    @abstractmethod
    def installed(self, plane: ControlPlane, directory: Path) -> Any:
        """Have it all there but running, and `program` set, while the async context lasts."""

    def database(self, key: Key) -> Object:
        """An object, as a user creates it."""
        kind, namespace, name = key
        metadata = {"namespace": namespace, "name": name}
        head = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
        return head | {"spec": {"ownerTeam": namespace, "purpose": "benchmark"} | self.size(SIZE)}

    @abstractmethod
    def size(self, size: str) -> Object:
        """The part of a spec that says how large the volumes are to be."""

    def has_larger(self, obj: Object | None) -> bool:
        """Whether an object has the larger volumes, and nothing is under way."""
        spec: dict[str, Any] = (obj or {}).get("spec") or {}
        asked = self.size(LARGER).items() <= spec.items()
        return asked and is_ready(obj) and not is_reconciling(obj)


class Ours(System):
    """This operator, by itself: rights as the chart ships them, and an inventory of its own."""

    name = "daap"
    kind = known.DATABASE
    user = rights.USER

    @asynccontextmanager
    async def installed(self, plane: ControlPlane, directory: Path) -> AsyncIterator[None]:
        """The inventory's server runs, its schema is up to date, the rights are granted."""
        with Postgres.start(directory / "postgres", durable=False) as server:
            await asyncio.to_thread(migrate, server.url, out=io.StringIO())
            environment = rights.environment(plane) | {"DATABASE_URL": server.url}
            self.program = OperatorProgram(environment, directory / "operator.log")
            self.server = server
            self.statements, self.rows = Statements(server), Rows(server.url)
            yield

    def size(self, size: str) -> Object:
        """The part of a spec that says how large the volumes are to be."""
        return {"storage": {"size": size}}

    def has_larger(self, obj: Object | None) -> bool:
        """Whether an object has the larger volumes, and nothing is under way."""
        told: dict[str, Any] = (obj or {}).get("status") or {}
        return told.get("storage") == LARGER and super().has_larger(obj)
