"""Volumes that are to grow, in passes: what the Cluster is told, and what is asked for it."""

from typing import Any

import pytest

from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.database.volumes import Expansion
from tests.unit.fakes import refused
from tests.unit.stage import CLUSTER, STANDARD, Stage, ready

Object = dict[str, Any]

CLAIM = f"{CLUSTER}-1"
CLASS = Ref(known.STORAGE_CLASS, "", STANDARD)
ASKED = f"get StorageClass {STANDARD}"


def storage(stage: Stage) -> Object:
    """What the Cluster says of its volumes."""
    found: Object = stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["storage"]
    return found


def fixed(stage: Stage) -> None:
    """Volumes of the class cannot grow from now on."""
    stage.kube.given[CLASS] = {}


async def test_volumes_that_can_grow_do_and_the_status_follows_them() -> None:
    stage = await ready(storage={"size": "1Gi"})
    assert stage.status()["storage"] == "1Gi"
    stage.edit(storage={"size": "2Gi"})
    await stage.look()
    assert storage(stage) == {"size": "2Gi"}
    assert stage.status()["storage"] == "1Gi"
    assert stage.condition("Reconciling") == ("True", "VolumeResizing")
    assert "The volumes grow from 1Gi to 2Gi" in stage.message("Reconciling")
    assert stage.condition("Ready") == ("True", "Ready")
    await stage.settle()
    assert stage.status()["storage"] == "2Gi"
    assert stage.condition("Reconciling") is None


async def test_what_cannot_be_had_is_held_back_and_can_be_taken_back() -> None:
    stage = await ready(storage={"size": "1Gi"})
    fixed(stage)
    stage.edit(storage={"size": "100Gi"})
    await stage.settle()
    assert storage(stage) == {"size": "1Gi"}
    assert stage.status()["storage"] == "1Gi"
    assert stage.condition("Stalled") == ("True", "VolumesCannotGrow")
    assert f"apply Cluster {CLUSTER}" not in stage.kube.writes
    stage.edit(storage={"size": "1Gi"})
    await stage.settle()
    assert stage.condition("Stalled") is None
    assert stage.condition("Ready") == ("True", "Ready")
    assert f"apply Cluster {CLUSTER}" not in stage.kube.writes


async def test_another_change_goes_on_beside_what_is_held_back() -> None:
    stage = await ready(storage={"size": "1Gi"})
    fixed(stage)
    stage.edit(storage={"size": "100Gi"}, instances=2)
    await stage.settle()
    assert storage(stage) == {"size": "1Gi"}
    assert stage.kube.one(known.CLUSTER, CLUSTER)["spec"]["instances"] == 2
    assert stage.status()["readyInstances"] == 2


async def test_a_cluster_that_is_stuck_already_is_freed() -> None:
    """Told a size that cannot be had, by hand or by an operator that did not know."""
    stage = await ready(storage={"size": "1Gi"})
    fixed(stage)
    stage.kube.change(
        known.CLUSTER, CLUSTER, lambda obj: obj["spec"]["storage"].update(size="100Gi")
    )
    stage.edit(storage={"size": "100Gi"})
    await stage.settle(playing=False)
    assert storage(stage) == {"size": "100Gi", "resizeInUseVolumes": False}
    assert stage.condition("Stalled") == ("True", "VolumesCannotGrow")
    stage.edit(storage={"size": "1Gi"})
    await stage.settle()
    assert storage(stage) == {"size": "100Gi", "resizeInUseVolumes": False}
    assert stage.status()["storage"] == "1Gi"
    assert stage.condition("Stalled") is None
    assert stage.condition("Ready") == ("True", "Ready")


async def test_a_class_that_is_mended_lets_them_grow_within_a_minute() -> None:
    stage = await ready(storage={"size": "1Gi"})
    fixed(stage)
    stage.edit(storage={"size": "2Gi"})
    await stage.settle()
    stage.kube.given[CLASS] = {"allowVolumeExpansion": True}
    stage.clock.advance(60)
    await stage.settle()
    assert storage(stage) == {"size": "2Gi"}
    assert stage.condition("Stalled") is None
    assert stage.status()["storage"] == "2Gi"


async def test_a_class_is_asked_once_a_minute_and_only_while_volumes_should_grow() -> None:
    stage = await ready(storage={"size": "1Gi"})
    await stage.look()
    assert ASKED not in stage.kube.requests
    fixed(stage)
    stage.edit(storage={"size": "2Gi"})
    for _ in range(5):
        await stage.look()
    assert stage.kube.requests.count(ASKED) == 1
    stage.clock.advance(60)
    await stage.look()
    assert stage.kube.requests.count(ASKED) == 2


async def test_what_was_asked_of_classes_is_forgotten_when_it_no_longer_holds() -> None:
    """Whoever makes claims names their classes, and may name another one each time."""
    stage = await ready(storage={"size": "1Gi"})
    now = stage.clock.monotonic()
    stage.world.storage_classes |= {f"x{number}": (now, Expansion.ABSENT) for number in range(9)}
    stage.clock.advance(60)
    stage.edit(storage={"size": "2Gi"})
    await stage.look()
    assert stage.world.storage_classes.keys() == {STANDARD}


async def test_without_the_right_to_read_the_class_nothing_is_risked() -> None:
    stage = await ready(storage={"size": "1Gi"})
    stage.kube.refusals[ASKED] = refused(403, "storageclasses is forbidden", "Forbidden")
    stage.edit(storage={"size": "2Gi"})
    await stage.settle()
    assert storage(stage) == {"size": "1Gi"}
    assert stage.condition("Stalled") == ("True", "Forbidden")
    assert "may not read StorageClass standard" in stage.message("Stalled")


async def test_another_trouble_with_the_class_is_tried_again() -> None:
    stage = await ready(storage={"size": "1Gi"})
    stage.kube.refusals[ASKED] = refused(500, "no answer")
    stage.edit(storage={"size": "2Gi"})
    with pytest.raises(Exception, match="no answer"):
        await stage.look()
    stage.kube.refusals.clear()
    await stage.settle()
    assert stage.status()["storage"] == "2Gi"


async def test_what_keeps_clients_from_being_served_is_told_before_the_volumes() -> None:
    stage = await ready(storage={"size": "1Gi"})
    fixed(stage)
    stage.edit(storage={"size": "2Gi"})
    await stage.settle()

    def down(obj: Object) -> None:
        obj["status"]["instancesStatus"] = {"healthy": []}

    stage.kube.change(known.CLUSTER, CLUSTER, down)
    await stage.look()
    assert stage.condition("Ready") == ("False", "NotServing")
    assert stage.condition("Reconciling") == ("True", "PrimaryDown")


async def test_a_full_disk_that_cannot_grow_tells_both() -> None:
    stage = await ready(storage={"size": "1Gi"})
    fixed(stage)
    stage.edit(storage={"size": "2Gi"})

    def full(obj: Object) -> None:
        obj["status"] |= {"phase": "Not enough disk space"}
        obj["status"]["instancesStatus"] = {"healthy": []}

    stage.kube.change(known.CLUSTER, CLUSTER, full)
    await stage.look()
    assert stage.condition("Stalled") == ("True", "DiskFull")
    assert "a volume is full" in stage.message("Stalled")
    assert "StorageClass standard does not let them grow" in stage.message("Stalled")


async def test_a_claim_wakes_the_database_that_has_its_cluster() -> None:
    stage = await ready(storage={"size": "1Gi"})

    def grown(obj: Object) -> None:
        obj["status"] = {"capacity": {"storage": "3Gi"}}

    stage.kube.change(known.CLAIM, CLAIM, grown)
    assert [key.name for key in stage.watch()] == ["orders"]
    await stage.look()
    assert stage.status()["storage"] == "3Gi"


async def test_a_retained_cluster_is_judged_by_its_real_volumes() -> None:
    stage = await ready(deletionPolicy="Retain", storage={"size": "1Gi"})
    fixed(stage)
    stage.kube.change(
        known.CLUSTER, CLUSTER, lambda obj: obj["spec"]["storage"].update(size="100Gi")
    )
    stage.edit(storage={"size": "100Gi"})
    await stage.settle(playing=False)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    stage.order(deletionPolicy="Retain", storage={"size": "1Gi"})
    await stage.settle()
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.status()["storage"] == "1Gi"
