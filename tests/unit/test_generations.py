"""A status speaks of the spec that its pass has applied, whatever happens in mid-pass.

An edit is brought about after each write of a pass, and its event arrives before the write's
answer is handled: as a watch is another connection, it may.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from daap_operator.engine.loop import TRIES_BEFORE_TELLING
from daap_operator.errors import Outage
from daap_operator.kinds import known
from tests.unit.fakes import refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import CLUSTER, KEY, Stage, ready

Object = dict[str, Any]

WRITES = range(1, 8)
"""After which write of the pass the edit comes: more than any of them makes."""


async def created() -> Stage:
    stage = Stage()
    stage.order()
    return stage


async def edited() -> Stage:
    stage = await ready()
    stage.edit(instances=2)
    return stage


async def renamed() -> Stage:
    """The pass notes the name of a new connection Secret."""
    stage = await ready()
    stage.edit(connectionSecretName="mine")
    return stage


async def adopting() -> Stage:
    """The pass notes the name of the Secret that was retained, and that of its successor."""
    stage = await ready(deletionPolicy="Retain")
    stage.kube.delete_object(known.DATABASE, KEY.name)
    await stage.settle()
    stage.order(deletionPolicy="Retain", connectionSecretName="mine")
    return stage


async def held() -> Stage:
    """The deletion is held, and the pass notes the name of a new connection Secret."""
    stage = await ready(deletionProtection=True)
    stage.kube.delete_object(known.DATABASE, KEY.name)
    stage.edit(connectionSecretName="mine")
    return stage


async def invalid() -> Stage:
    """The spec breaks a rule that it was stored before."""
    stage = await ready()
    stage.edit(instances=0)
    return stage


async def rejected() -> Stage:
    stage = await ready()
    stage.edit(instances=2)
    stage.kube.refusals[f"apply Cluster {CLUSTER}"] = refused(422)
    return stage


PASSES = [created, edited, renamed, adopting, held, invalid, rejected]


class Witness:
    """Edits in mid-pass, and looks at every status and row that is written in that pass."""

    def __init__(self, stage: Stage, edit: Callable[[], object], after: int) -> None:
        self._stage = stage
        self._edit = edit
        self._after = after
        self._writes = 0
        stage.watch()
        self.generation = stage.database()["metadata"]["generation"]
        self._rows_before = len(stage.mirror.saved)
        stage.kube.after_write = self._written
        self.wrong: list[object] = []
        self.edited = False

    def _written(self) -> None:
        self._writes += 1
        if KEY not in self._stage.kube.objects:
            return
        status = self._stage.status()
        told = {status["observedGeneration"]} | {
            condition["observedGeneration"] for condition in status.get("conditions", ())
        }
        if max(told) > self.generation:
            self.wrong.append(status)
        if self._writes == self._after:
            self._edit()
            self.edited = True
            self._stage.watch()

    def leave(self) -> None:
        """The pass is over."""
        self._stage.kube.after_write = lambda: None
        saved = self._stage.mirror.saved[self._rows_before :]
        self.wrong += [row for row in saved if row.generation > self.generation]


@pytest.mark.parametrize("after", WRITES)
@pytest.mark.parametrize("begun", PASSES)
async def test_an_edit_in_mid_pass_is_not_told_as_applied(
    begun: Callable[[], Awaitable[Stage]], after: int
) -> None:
    stage = await begun()
    witness = Witness(stage, lambda: stage.edit(instances=3), after)
    again = await stage.look()
    witness.leave()
    assert witness.wrong == []
    if witness.edited:
        assert kstatus(stage.database()) in ("InProgress", "Terminating")
        assert again is not None
    stage.kube.refusals.clear()
    stage.edit(instances=3)
    await stage.settle()
    assert kstatus(stage.database()) in ("Current", "Terminating")
    assert stage.status()["observedGeneration"] == stage.database()["metadata"]["generation"]
    assert stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["instances"] == 3


@pytest.mark.parametrize("begun", PASSES)
async def test_the_edits_do_come_in_mid_pass(begun: Callable[[], Awaitable[Stage]]) -> None:
    stage = await begun()
    witness = Witness(stage, lambda: stage.edit(instances=3), 1)
    await stage.look()
    assert witness.edited


async def test_the_rename_of_the_secret_does_not_hide_the_edit_after_it() -> None:
    """The case that was seen: generation 3 told as Current, with the Cluster of generation 2."""
    stage = await renamed()
    witness = Witness(stage, lambda: stage.edit(instances=3), 1)
    assert await stage.look() == 0.0
    assert witness.edited
    assert stage.status()["observedGeneration"] == 1
    assert kstatus(stage.database()) == "InProgress"
    await stage.look()
    assert stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["instances"] == 3


@pytest.mark.parametrize("after", [1, 2, 3, 4])
async def test_a_deletion_in_mid_pass_takes_all_along_that_was_made(after: int) -> None:
    stage = await created()
    witness = Witness(stage, lambda: stage.kube.delete_object(known.DATABASE, KEY.name), after)
    await stage.look()
    witness.leave()
    assert witness.edited
    assert witness.wrong == []
    await stage.settle()
    assert KEY not in stage.kube.objects
    assert stage.kube.there(known.CLUSTER) == []


async def test_what_is_to_be_kept_in_mid_deletion_is_not_deleted() -> None:
    """After the status that tells of the deletion, and before the first child goes."""
    stage = await ready()
    stage.kube.delete_object(known.DATABASE, KEY.name)
    witness = Witness(stage, lambda: stage.edit(deletionPolicy="Retain"), 1)
    await stage.look()
    witness.leave()
    assert witness.wrong == []
    await stage.settle()
    assert stage.kube.there(known.CLUSTER) == [CLUSTER]


@pytest.mark.parametrize("begun", [created, renamed])
async def test_a_new_object_of_the_name_is_not_told_of_the_one_before(
    begun: Callable[[], Awaitable[Stage]],
) -> None:
    """Whether its generation is the same or another."""
    stage = await begun()

    def replace() -> None:
        stage.kube.change(known.DATABASE, KEY.name, let_go)
        stage.kube.delete_object(known.DATABASE, KEY.name)
        stage.order(instances=3)

    witness = Witness(stage, replace, 1)
    assert await stage.look() == 0.0
    assert witness.edited
    assert stage.status() == {"observedGeneration": -1}


def let_go(obj: Object) -> None:
    obj["metadata"]["finalizers"] = []


async def test_trouble_is_told_of_the_spec_it_was_had_with() -> None:
    stage = await ready()
    stage.edit(instances=2)
    stage.watch()
    stage.kube.refusals[f"apply Cluster {CLUSTER}"] = refused(500)
    asked = stage.kube.apply

    async def apply(*args: Any, **named: Any) -> Object:
        stage.edit(instances=3)
        stage.watch()
        return await asked(*args, **named)

    stage.kube.apply = apply  # type: ignore[method-assign]
    with pytest.raises(Outage):
        await stage.look(failures=TRIES_BEFORE_TELLING)
    del stage.kube.apply
    assert stage.status()["observedGeneration"] == 1
    with pytest.raises(Outage):
        await stage.look(failures=TRIES_BEFORE_TELLING)
    assert stage.status()["observedGeneration"] == 3
    assert stage.condition("Reconciling") == ("True", "Retrying")
