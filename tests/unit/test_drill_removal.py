"""What holds up the removal of what a drill has made, and what that costs."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import known
from tests.unit.drill_stage import DRILL, DrillStage, provable
from tests.unit.stage import CLUSTER

Object = dict[str, Any]
SCRATCH = "drill-proof-00000000"


def claim(stage: DrillStage, owner: Object) -> None:
    """Somebody makes a claim that looks like the scratch Cluster's."""
    labels = {names.CNPG_CLUSTER_LABEL: SCRATCH}
    metadata = {"name": "forged", "labels": labels, "ownerReferences": [owner]}
    stage.kube.add(known.CLAIM, {"metadata": metadata})


def owner(stage: DrillStage, name: str) -> Object:
    found = stage.kube.objects.get((known.CLUSTER, "shop", name), {"metadata": {}})
    reference = {"apiVersion": known.CLUSTER.api_version, "kind": "Cluster", "name": name}
    return reference | {"uid": found["metadata"].get("uid", "nobody's")}


@pytest.mark.parametrize("deleted", [True, False], ids=["deleted", "checked"])
async def test_what_does_not_go_is_looked_at_less_and_less_often(deleted: bool) -> None:
    stage = await provable()
    stage.drill()
    await stage.checking()
    claim(stage, owner(stage, SCRATCH))
    stage.kube.change(known.CLAIM, "forged", held)
    if deleted:
        stage.kube.delete_object(known.DAAP_DRILL, DRILL.name)
    else:
        stage.checks()
    await stage.passes(3)
    stage.forget_requests()
    seconds, looks = 0.0, 0
    while seconds < 24 * 3600:
        again = await stage.loop.reconcile(DRILL, 0)
        assert again
        stage.clock.advance(again)
        seconds, looks = seconds + again, looks + 1
    assert "PersistentVolumeClaim forged" in stage.says("Ready", DRILL)
    assert looks < 120  # a day has 96 quarters of an hour
    assert len(stage.kube.requests) < 4 * looks


async def test_a_claim_of_another_cluster_holds_up_nothing() -> None:
    stage = await provable()
    stage.drill()
    await stage.checking()
    claim(stage, owner(stage, CLUSTER))
    stage.checks()
    await stage.passes(4)
    assert stage.phase(DRILL) == "Passed"


def held(obj: Object) -> None:
    obj["metadata"]["finalizers"] = ["example.com/held"]
