"""What is gone leaves nothing behind in the process: whoever creates and deletes all day long does
not decide how much memory the operator takes."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from daap_operator.api.reasons import InventoryReason
from daap_operator.engine.kinds import Ref
from daap_operator.engine.workqueue import Workqueue
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from daap_operator.mirror import MetadataError
from tests.support.holds import holds
from tests.unit import virtual_time
from tests.unit.fakes import refused
from tests.unit.stage import Stage, play

EACH = 10
"""Databases in each way of life."""
SECONDS, ROUNDS = 7.0, 40
"""How long a round takes, and how many there may be until all is quiet."""

BOUNDED = ("_buried", "_retries")
"""Deletions are remembered for a while, ten thousand at most (`engine.cache.TOMBSTONES`), and what
has failed is counted by kind."""


class Life:
    """A stage whose passes are made by a real queue."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.queue: Workqueue[Ref] = Workqueue(self.stage.loop.reconcile, workers=3)
        self._number = 0
        self.fullest: Counter[str] | None = None
        """What was held when there was most, where that is over before the way ends."""

    async def rounds(self, number: int, *, playing: bool = True) -> None:
        """Let time pass: CloudNativePG works, the watches tell, the passes are made."""
        for _ in range(number):
            if playing:
                play(self.stage.kube)
            for key in self.stage.watch():
                self.queue.add(key)
            await asyncio.sleep(SECONDS)
            self.stage.clock.advance(SECONDS)
            self.stage.kube.collect_garbage()

    def order(self, way: str, **spec: Any) -> list[Ref]:
        """Some databases of names that were never there before."""
        self._number += EACH
        keys = [ref("shop", f"{way}-{self._number + each}") for each in range(EACH)]
        for key in keys:
            self.stage.order(key.name, **spec)
        return keys

    async def end(self) -> None:
        """Delete all that is there, and wait until nothing is."""
        kube = self.stage.kube
        for kind, namespace, name in [*kube.objects]:
            if kind == known.DATABASE and (kind, namespace, name) in kube.objects:
                kube.delete_object(kind, name, namespace)
        for _ in range(ROUNDS):
            if not self.stage.store.refs(known.DATABASE) and not len(self.queue):
                break
            await self.rounds(1)
        await self.rounds(2)
        assert not any(kind == known.DATABASE for kind, *_ in kube.objects)

    def holds(self) -> Counter[str]:
        """What the process holds by now; the world around it is played, and does not count."""
        stage = self.stage
        played = (stage.kube, stage.mirror, stage.announcer, stage.clock, stage.gone)
        apart = (*played, asyncio.get_running_loop())
        held = holds([stage.store, stage.intake, stage.loop, stage.world, self.queue], *apart)
        return Counter(
            {path: size for path, size in held.items() if size and not path.endswith(BOUNDED)}
        )


async def lived(life: Life) -> None:
    life.order("lived")
    await life.rounds(6)


async def invalid(life: Life) -> None:
    life.order("invalid", ownerTeam=" ")
    await life.rounds(2)


async def in_the_way_of_each_other(life: Life) -> None:
    for key in life.order("namesake"):
        life.stage.order(key.name, namespace="elsewhere")
    await life.rounds(3)


async def never_made(life: Life) -> None:
    """The API server fails at each of their Clusters, again and again."""
    for key in life.order("failing"):
        life.stage.kube.refusals[f"create Cluster daap-{key.name}"] = refused(500)
    await life.rounds(10)
    life.stage.kube.refusals.clear()


async def stuck(life: Life) -> None:
    """CloudNativePG does nothing, and Events are asked for."""
    life.order("stuck")
    await life.rounds(6, playing=False)


async def without_a_row(life: Life) -> None:
    life.stage.mirror.outage = MetadataError(InventoryReason.UNREACHABLE, "away")
    life.order("unsynced")
    await life.rounds(3)
    life.stage.mirror.outage = None


async def released_by_force(life: Life) -> None:
    """Their finalizers are taken away, and they are gone at once."""
    keys = life.order("forced")
    await life.rounds(4)
    life.fullest = life.holds()  # their parts go with them, at once
    for key in keys:
        life.stage.kube.change(known.DATABASE, key.name, _let_go, key.namespace)
        life.stage.kube.delete_object(known.DATABASE, key.name, key.namespace)
    await life.rounds(1)


def _let_go(obj: dict[str, dict[str, object]]) -> None:
    obj["metadata"]["finalizers"] = []


WAYS: dict[str, Callable[[Life], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        lived,
        invalid,
        in_the_way_of_each_other,
        never_made,
        stuck,
        without_a_row,
        released_by_force,
    )
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_process_holds_nothing_of_databases_that_are_gone(
    way: Callable[[Life], Awaitable[None]],
) -> None:
    async def scene() -> tuple[Life, list[Counter[str]]]:
        life, held = Life(), []
        passes = asyncio.create_task(life.queue.run())
        await life.rounds(1)
        held.append(life.holds())
        for _ in range(2):
            await way(life)
            fullest = life.fullest or life.holds()
            assert fullest.total() > held[0].total() + EACH, "nothing was held meanwhile"
            await life.end()
            held.append(life.holds())
        passes.cancel()
        return life, held

    life, (at_first, *later) = virtual_time.run(scene())
    for now in later:
        assert now - at_first == Counter()
    store, world = life.stage.store, life.stage.world
    for kind in store._of_kind:
        assert store.refs(kind) == []
        for _, table in store._of(kind):
            assert all(not table.keys(index) for index in table.indexes)
    assert not world.arbiter._promises
    assert not world.notes
    assert not life.stage.shared.notes
    assert not life.stage.shared.unsynced
    assert not life.queue._failures
    assert not life.queue._timers


async def test_a_name_is_free_when_another_object_has_taken_the_place_of_its_holder() -> None:
    """Nobody has told of the deletion: a LIST brings the next object under the same name."""
    stage = Stage()
    stage.order()
    stage.watch()
    stage.world.arbiter.promise("orders", stage.database()["metadata"]["uid"])
    stage.kube.objects.pop(ref("shop", "orders"))
    stage.order(ownerTeam=" ")
    await stage.relist()
    assert len(stage.gone) == 1
    assert not stage.world.arbiter._promises
