"""Thousands of objects that one other wakes cost nobody else a pass, nor anybody one of theirs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from daap_operator.engine.kinds import All, Object, Ref
from daap_operator.engine.many import AT_ONCE, Many
from daap_operator.kinds import known
from tests.unit.backup_stage import BackupStage, archiving
from tests.unit.stage import KEY, setting

FLOOD = 30 * AT_ONCE


def backups(number: int, namespace: str = "shop") -> list[Ref]:
    return [Ref(known.DAAP_BACKUP, namespace, f"b-{each:05d}") for each in range(number)]


async def flooded(number: int) -> BackupStage:
    """So many DaapBackups of one database."""
    stage = await archiving()
    for key in backups(number):
        stage.ask(key)
    stage.watch()
    return stage


def changed(stage: BackupStage, number: int) -> None:
    """The database changes so often, and its Cluster, and the store: nobody has looked yet."""
    for each in range(number):
        status = stage.status() | {"host": f"h{each}"}
        stage.kube.change(known.DATABASE, KEY.name, setting("status", status))
        stage.kube.change(known.CLUSTER, "daap-orders", setting("status", {"phase": f"p{each}"}))


def asked(stage: BackupStage, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were found each time somebody asked whom to wake."""
    numbers: list[int] = []
    refs_by = stage.store.refs_by

    def counting(*args: object, **kwargs: object) -> list[Ref]:
        found = refs_by(*args, **kwargs)  # type: ignore[arg-type]
        numbers.append(len(found))
        return found

    monkeypatch.setattr(stage.store, "refs_by", counting)
    return numbers


async def test_many_changes_go_through_the_many_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await flooded(FLOOD)
    changed(stage, 50)
    found = asked(stage, monkeypatch)
    woken = stage.watch()
    assert set(backups(FLOOD)) <= set(woken)
    assert [number for number in found if number > AT_ONCE + 1] == [FLOOD]


def test_a_few_are_woken_at_once() -> None:
    keys = Keys()
    keys.counts = {"a": AT_ONCE}
    many = Many(keys, keys)
    many.wake(of("a"))
    assert keys.added == backups(AT_ONCE, "a")
    assert many.next() is None


async def test_a_store_that_changes_wakes_thousands_of_databases_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = await archiving()
    for number in range(FLOOD):
        stage.order(f"other-{number:05d}")
    stage.watch()
    for each in range(20):
        spec = {"retentionPolicy": f"{each}d"}
        stage.kube.change(known.BARMAN_STORE, "s3", setting("spec", spec))
    found = asked(stage, monkeypatch)
    woken = [key for key in stage.watch() if key.kind == known.DATABASE]
    assert len(woken) == FLOOD + 1
    assert [number for number in found if number > AT_ONCE + 1] == [FLOOD + 1]


class Keys:
    """An index that has so many objects under a key: a store, and a queue."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.added: list[Ref] = []
        self.came = asyncio.Event()

    def refs_by(self, kind: object, index: str, key: object, most: int | None = None) -> list[Ref]:
        del kind, index
        return backups(self.counts[str(key)], str(key))[:most]

    def get(self, ref: Ref) -> Object | None:
        raise NotImplementedError

    def refs(self, kind: object) -> list[Ref]:
        raise NotImplementedError

    def by(self, *args: object) -> list[Object]:
        raise NotImplementedError

    def add(self, item: Ref) -> None:
        self.added.append(item)
        self.came.set()

    async def until(self, number: int) -> None:
        """So many were added."""
        while len(self.added) < number:
            self.came.clear()
            await self.came.wait()


def of(namespace: str) -> All:
    return All(known.DAAP_BACKUP, "of", namespace, namespace)


@contextlib.asynccontextmanager
async def running(many: Many) -> AsyncIterator[None]:
    task = asyncio.create_task(many.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_the_namespaces_take_turns_and_each_is_woken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = Keys()
    keys.counts = {"a": 5 * AT_ONCE, "b": 2 * AT_ONCE}
    paused: list[float] = []
    sleep = asyncio.sleep

    async def pausing(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 1:
            many.wake(of("a"))  # again, before anybody else's
            many.wake(of("a"))
            many.wake(of("b"))
        await sleep(0)

    many = Many(keys, keys)
    monkeypatch.setattr(asyncio, "sleep", pausing)
    many.wake(of("a"))
    assert keys.added == []
    async with running(many):
        while len(paused) < 3:
            await sleep(0)
    each = [ref.namespace for ref in keys.added]
    assert each == ["a"] * 500 + ["a"] * 500 + ["b"] * 200
    assert paused == pytest.approx([0.05, 0.05, 0.02])


async def test_who_is_meant_after_a_rest_is_woken_too() -> None:
    keys = Keys()
    keys.counts = {"a": 2 * AT_ONCE}
    many = Many(keys, keys)
    async with running(many):
        for _ in range(2):
            await asyncio.sleep(0)
            many.wake(of("a"))
            await keys.until(2 * AT_ONCE)
            keys.added.clear()
