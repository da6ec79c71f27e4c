"""Thousands of DaapDrills in one namespace, and what each of them costs the operator."""

import pytest

from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.drill.watched import MOST
from tests.unit.drill_stage import DrillStage, provable
from tests.unit.stage import KEY, setting
from tests.unit.test_breaking_in import refinalized

FLOOD = 3 * MOST


async def flooded(number: int = FLOOD) -> tuple[DrillStage, list[Ref]]:
    """So many of one database, of which one has begun and the others wait."""
    stage = await provable()
    keys = [Ref(known.DAAP_DRILL, "shop", f"d-{each:05d}") for each in range(number)]
    for key in keys:
        stage.drill(key)
    await stage.passes(2)
    stage.watch()
    return stage, keys


async def test_one_has_begun_and_all_others_wait() -> None:
    stage, keys = await flooded()
    reasons = [stage.told(key)["Ready"][1] for key in keys]
    assert sorted(set(reasons)) == ["Queued", "RestoringBackup"]
    assert reasons.count("RestoringBackup") == 1


async def test_what_changes_one_wakes_that_one() -> None:
    stage, keys = await flooded()
    stage.kube.change(known.DAAP_DRILL, keys[-1].name, refinalized)
    assert stage.watch() == [keys[-1]]


async def test_a_change_of_their_database_wakes_a_hundred() -> None:
    stage, _ = await flooded()
    stage.kube.change(known.DATABASE, KEY.name, setting("status", stage.status() | {"host": "x"}))
    assert len([key for key in stage.watch() if key.kind == known.DAAP_DRILL]) == MOST


@pytest.mark.parametrize("which", [0, -1])
async def test_a_pass_looks_at_a_hundred(which: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, keys = await flooded()
    asked: list[Ref] = []
    get = stage.store.get

    def counting(ref: Ref) -> object:
        asked.append(ref)
        return get(ref)

    monkeypatch.setattr(stage.store, "get", counting)
    await stage.loop.reconcile(keys[which], 0)
    assert len(asked) < 4 * MOST  # of a hundred: itself, and the database that it is of


async def test_one_after_the_other_has_its_turn() -> None:
    stage, keys = await flooded(2 * MOST + 2)
    for left in (2 * MOST, MOST, 1):
        (begun,) = [key for key in keys if stage.its(key).get("clusterName")]
        others = [key for key in keys if key != begun]
        for key in (begun, *others[left:]):
            stage.kube.delete_object(known.DAAP_DRILL, key.name)
        woken = await removed(stage, {begun, *others[left:]})
        keys = others[:left]
        for key in woken:
            await stage.loop.reconcile(key, 0)
        assert len([key for key in keys if stage.its(key).get("clusterName")]) == 1


async def removed(stage: DrillStage, going: set[Ref]) -> set[Ref]:
    """Passes over those that are being deleted, until they are gone; whom that has woken last."""
    woken: set[Ref] = set()
    while going:
        for key in going:
            await stage.loop.reconcile(key, 0)
        stage.kube.collect_garbage()
        woken = set(stage.watch()) - going or woken
        going = {key for key in going if tuple(key) in stage.kube.objects}
    return woken


async def test_one_that_is_being_deleted_holds_up_nobody_unless_it_has_begun() -> None:
    stage, keys = await flooded(3)
    first, second, third = keys
    for key in (first, second):
        stage.kube.change(known.DAAP_DRILL, key.name, deleted)
    assert third in stage.watch()
    await stage.loop.reconcile(third, 0)
    assert f"DaapDrill {first.name} comes first" in stage.says(key=third)


def deleted(obj: dict[str, dict[str, object]]) -> None:
    obj["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
