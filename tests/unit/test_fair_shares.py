"""What a thousand objects of one tenant, stalled or blocked, cost the API server and the others.

The real workqueue, passes and store, in virtual time, before an API server that takes 20 ms for a
request. Fifty stand for a thousand: each costs the same (`COUNT = 1000` gives the same figures,
after some minutes).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.engine.workqueue import Workqueue
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from tests.unit import virtual_time
from tests.unit.fakes import Clock, refused
from tests.unit.stage import Stage
from tests.unit.virtual_time import now

Object = dict[str, Any]

COUNT = 50
SETTLING, MEASURED = 3600.0, 1800.0
"""Seconds after which nothing changes any more, and for which it is measured then."""
REQUEST_SECONDS = 0.02
AT_MOST = 10.0
"""Requests a second for a thousand objects; docs/reliability.md says so."""
log = logging.getLogger(__name__)

HONEST = ref("billing", "ledger")


class LoopClock(Clock):
    """The running loop's time."""

    @property
    def seconds(self) -> float:
        return now()

    @seconds.setter
    def seconds(self, value: float) -> None:
        assert value == 0.0


class Slow:
    """An API server that takes its time."""

    def __init__(self, kube: Any) -> None:
        self._kube = kube

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*args: Any, **more: Any) -> Any:
            await asyncio.sleep(REQUEST_SECONDS)
            return await getattr(self._kube, name)(*args, **more)

        return ask

    async def pages(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(REQUEST_SECONDS)
        async for page in self._kube.pages(*args, **more):
            yield page


class SlowStage(Stage):
    """A stage in virtual time, with the operator's own queue."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = self.kube._clock = LoopClock()
        self.shared.now = self.world.now = self.clock.now
        self.shared.monotonic = self.world.monotonic = self.clock.monotonic
        self.shared.kube = self.world.kube = Slow(self.kube)  # type: ignore[assignment]
        self.work: Workqueue[Ref] = Workqueue(
            self.loop.reconcile, workers=20, share=lambda key: key.namespace
        )
        self.queue.add = self.shared.wake = self.world.wake = self.work.add  # type: ignore[method-assign]
        self.kube.after_write = self.tell

    def tell(self) -> None:
        """The watches are at once."""
        self.watch()


def quota(stage: SlowStage) -> None:
    """None of them may have a Cluster."""
    stage.kube.without_quota = {"shop"}
    for number in range(COUNT):
        stage.order(f"db-{number}")


def no_pooler(stage: SlowStage) -> None:
    """Each has a Cluster, and may have no Pooler."""
    for number in range(COUNT):
        stage.order(f"db-{number}")
        stage.kube.refusals[f"create Pooler daap-db-{number}-pooler"] = refused(
            403, "exceeded quota"
        )


def terminating(stage: SlowStage) -> None:
    """A namespace that does not go, in which nothing can be created."""
    stage.kube.terminating = {"shop"}
    for number in range(COUNT):
        stage.order(f"db-{number}")


def blocked(stage: SlowStage) -> None:
    """Each is being deleted, and somebody holds a volume claim that looks like one of its own."""
    for number in range(COUNT):
        name = f"db-{number}"
        made = stage.order(name)
        owner = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "uid": f"gone-{number}"}
        labels = {names.CNPG_CLUSTER_LABEL: f"daap-{name}"}
        metadata = {"name": f"daap-{name}-1", "labels": labels, "ownerReferences": [owner]}
        stage.kube.add(known.CLAIM, {"metadata": metadata})
        stage.kube.change(known.DATABASE, made["metadata"]["name"], held)
        stage.kube.delete_object(known.DATABASE, name)


def held(obj: Object) -> None:
    obj["metadata"]["finalizers"] = [names.FINALIZER]


async def edits_of_others(stage: SlowStage, waited: list[float]) -> None:
    """Another tenant's edits, and how long each waits for its answer."""
    number = 0
    while True:
        number += 1
        began = now()

        def change(obj: Object, number: int = number) -> None:
            obj["spec"]["purpose"] = f"edit {number}"

        stage.kube.change(known.DATABASE, HONEST.name, change, HONEST.namespace)
        stage.tell()
        while not followed(stage.database(HONEST)):  # noqa: ASYNC110 - in virtual time
            await asyncio.sleep(0.01)
        waited.append(now() - began)
        await asyncio.sleep(59.7)


def followed(obj: Object) -> bool:
    seen: bool = obj["status"]["observedGeneration"] == obj["metadata"]["generation"]
    return seen


@pytest.mark.parametrize("misery", [quota, no_pooler, terminating, blocked])
def test_a_thousand_of_one_tenant_cost_little_and_delay_nobody(
    misery: Callable[[SlowStage], None],
) -> None:
    waited: list[float] = []

    async def scene() -> float:
        stage = SlowStage()
        misery(stage)
        stage.order(HONEST.name, namespace=HONEST.namespace)
        stage.tell()
        tasks = [
            asyncio.create_task(stage.work.run()),
            asyncio.create_task(edits_of_others(stage, waited)),
        ]
        await asyncio.sleep(SETTLING)
        stage.kube.requests.clear()
        await asyncio.sleep(MEASURED)
        asked = len(stage.kube.requests) / MEASURED * 1000 / COUNT
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return asked

    asked = virtual_time.run(scene())
    log.info("%s: %.1f requests/s, edits within %.2f s", misery.__name__, asked, max(waited))
    assert asked < AT_MOST
    assert len(waited) > (SETTLING + MEASURED) / 61
    assert max(waited) < 1
