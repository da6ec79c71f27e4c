"""What a run takes place on: a control plane, the stand-in, clients and an operator."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import usage
from benchmarks.audit import Audit, policy
from benchmarks.programs import ServingProgram, StandInProgram
from benchmarks.systems import System
from benchmarks.watching import Watching
from daap_operator.kinds import known
from dev.cluster import ControlPlane
from dev.cluster.processes import Processes
from dev.cluster.progress import Step
from tests.standin.cnpg import CONTROL_PLANE_FLAGS
from tests.support.api import Api
from tests.support.furnished import furnish

CONNECTIONS = 60
"""Of the client that creates, edits and deletes, its watches among them."""


@dataclass
class Stage:
    """All there is while a run lasts."""

    system: System
    api: Api
    watching: Watching
    standin: StandInProgram
    audit: Audit
    programs: dict[str, int]
    """The pids of the control plane's programs and of the stand-in."""

    @property
    def operator(self) -> ServingProgram:
        """The operator that is measured."""
        return self.system.program

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far of each program."""
        ours = {"operator": self.operator.pid, "bench": os.getpid()}
        server = self.system.server
        return usage.cpu(
            self.programs | ours, {"postgres": server.pid} if server and server.pid else {}
        )


@asynccontextmanager
async def stage(system: System, directory: Path) -> AsyncIterator[Stage]:
    """A stage of its own for a run; nothing of it is left afterwards but the logs in `directory`.

    The operator has not been started. Raises ClusterError and PostgresError.
    """
    async with AsyncExitStack() as stack:
        with Step(f"starting what {system.name} is measured on"):
            plane = stack.enter_context(_plane(system.user, directory))
            furnish(plane)
            await stack.enter_async_context(system.installed(plane, directory))
        stack.push_async_callback(system.program.kill)
        standin = StandInProgram(
            plane.user_kubeconfig("cnpg", ("system:masters",)), directory / "standin.log"
        )
        stack.push_async_callback(standin.kill)
        await standin.start()
        api = await stack.enter_async_context(Api(plane.kubeconfig, connections=CONNECTIONS))
        watching = await _watching(stack, api, system)
        pids = _pids(plane) | {"standin": standin.pid}
        yield Stage(system, api, watching, standin, Audit(plane.audit_log), pids)


def _plane(user: str, directory: Path) -> ControlPlane:
    """A control plane that logs what the operator asks of it, and nothing else."""
    chosen = directory / "audit-policy.json"
    chosen.write_text(policy(user))
    logged = {"kube-apiserver": [f"--audit-policy-file={chosen}"]}
    name = f"bench-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return ControlPlane.create(name, audit=True, flags=CONTROL_PLANE_FLAGS | logged)


def _pids(plane: ControlPlane) -> dict[str, int]:
    live = Processes(plane.kubeconfig.parent).live()
    return {record.name: record.pid for record in live}


async def _watching(stack: AsyncExitStack, api: Api, system: System) -> Watching:
    """Watches that end with the stage."""
    made = Watching()
    tasks = [asyncio.create_task(made.watch(api, kind)) for kind in (system.kind, known.CLUSTER)]

    async def end() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    stack.push_async_callback(end)
    return made
