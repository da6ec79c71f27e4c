"""A drill's copy that is lent to a DaapSchema: restored, not checked, and always removed."""

from typing import Any

import pytest

from daap_operator.engine.kinds import Ref
from daap_operator.engine.ownership import owner_labels
from daap_operator.kinds import drills, known
from tests.unit.drill_stage import DRILL, HOUR, DrillStage, provable
from tests.unit.stage import CLUSTER, KEY

OWNER = {"apiVersion": known.DAAP_SCHEMA.api_version, "kind": "DaapSchema", "name": "tables"}


async def lent() -> DrillStage:
    """A stage on which the copy is restored, and lent."""
    stage = await provable()
    schema = stage.kube.add(known.DAAP_SCHEMA, {"metadata": {"name": "tables"}})
    uid = schema["metadata"]["uid"]
    metadata: dict[str, Any] = {"name": DRILL.name, "labels": owner_labels(known.DAAP_SCHEMA, uid)}
    metadata["ownerReferences"] = [OWNER | {"uid": uid}]
    spec = {"databaseRef": {"name": "orders"}}
    stage.kube.add(DRILL.kind, {"metadata": metadata, "spec": spec})
    await stage.restoring()
    stage.restores()
    stage.serves()
    await stage.passes(3)
    return stage


async def test_a_copy_that_is_lent_is_not_checked() -> None:
    stage = await lent()
    assert stage.phase(DRILL) == "Checking"
    assert stage.told(DRILL)["Ready"] == ("False", "LentForRehearsal")
    assert "DaapSchema tables rehearses its plan" in str(stage.its()["conditions"])
    assert "result" not in stage.its()
    assert stage.kube.there(known.JOB) == []
    assert stage.scratch in stage.left[0]


@pytest.mark.parametrize("gone", [DRILL, DRILL._replace(kind=known.DAAP_SCHEMA, name="tables")])
async def test_to_delete_the_drill_or_the_schema_leaves_nothing_of_the_copy(gone: Ref) -> None:
    stage = await lent()
    stage.kube.delete_object(gone.kind, gone.name)
    await stage.passes(6)
    assert stage.left == []
    assert stage.kube.there(DRILL.kind) == []


async def test_a_copy_that_nobody_gives_back_ends_with_the_time_of_a_drill() -> None:
    stage = await lent()
    stage.clock.advance(HOUR)
    await stage.passes(6)
    assert stage.its()["reason"] == "TimedOut"
    assert stage.left == []


async def test_a_copy_ends_with_its_database() -> None:
    stage = await lent()
    stage.kube.delete_object(KEY.kind, KEY.name)
    await stage.passes(6)
    assert stage.its()["reason"] == "DatabaseMissing"
    assert "while a plan was rehearsed" in stage.its()["error"]
    assert not [name for name in stage.left if CLUSTER not in name]


async def test_it_proves_nothing_of_the_databases_backups() -> None:
    stage = await lent()
    assert drills.latest_of(stage.store, KEY) == []
    stage.drill(DRILL._replace(name="proof-2"))
    await stage.passes()
    assert [each["metadata"]["name"] for each in drills.latest_of(stage.store, KEY)] == ["proof-2"]
    assert stage.told(DRILL._replace(name="proof-2"))["Ready"] == ("False", "Queued")
