"""What others pass off as a DaapSchema's own, and what its pods are made to say."""

import json
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import known
from daap_operator.kinds.schema.orders import Mode, job_name
from tests.unit.schema_stage import (
    CHECKED,
    PLAN,
    SCHEMA,
    SchemaStage,
    applied,
    going,
    planned,
    ready,
)
from tests.unit.stage import setting

Object = dict[str, Any]
ANOTHERS = {
    "apiVersion": known.DAAP_SCHEMA.api_version,
    "kind": known.DAAP_SCHEMA.name,
    "name": "others",
    "uid": "another",
    "controller": True,
}


def planted(stage: SchemaStage, **metadata: Any) -> str:
    """Somebody's Job under the name of the next one, which is over and whose pod has a report."""
    uid, its = stage.kube.one(SCHEMA.kind, SCHEMA.name)["metadata"]["uid"], stage.its()
    name = job_name(SCHEMA.name, uid, Mode.APPLY, its["attempted"], PLAN, its["runs"])
    labels = {names.SCHEMA_LABEL: name}
    stage.kube.add(known.JOB, {"metadata": {"name": name, "labels": labels} | metadata})
    stage.over("Complete")
    job = stage.kube.one(known.JOB, name)["metadata"]
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["uid"]}
    pod = {"name": "theirs", "labels": labels, "ownerReferences": [reference]}
    stage.kube.add(known.POD, {"metadata": pod})
    ended = {"terminated": {"exitCode": 0, "message": json.dumps(applied())}}
    containers = [{"name": "schema", "state": ended}]
    stage.kube.change(known.POD, "theirs", setting("status", {"containerStatuses": containers}))
    return name


@pytest.mark.parametrize("of", [[], [ANOTHERS]], ids=["nobody's", "another schema's"])
async def test_a_job_that_is_not_the_schemas_is_not_believed(of: list[Object]) -> None:
    stage = await going(approval="Required")
    name = planted(stage, ownerReferences=of)
    stage.respecified(approve=PLAN)
    await stage.passes(3)
    assert stage.its()["applied"] == 0
    assert name in stage.why()
    assert "list Pod" not in " ".join(stage.kube.requests[-3:])
    stage.kube.delete_object(known.JOB, name)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Applying")
    assert stage.job["metadata"]["name"] == name


# --- a report without what it has to have ---------------------------------------------------------


@pytest.mark.parametrize("plan", [None, "", "a" * 63, "A" * 64, 7])
async def test_what_has_no_plan_is_not_applied(plan: object) -> None:
    stage = await going(planned(plan=plan), approval="Required")
    assert stage.told(SCHEMA)["Ready"] == ("False", "RunLost")
    assert "has no plan" in stage.why()
    assert stage.jobs == []
    stage.clock.advance(60)
    await stage.passes(2)
    assert stage.asked[1] == "check"


async def test_a_status_without_a_plan_is_looked_at_again() -> None:
    stage = await going(approval="Required")
    its = {key: value for key, value in stage.its().items() if key != "plan"}
    stage.kube.change(SCHEMA.kind, SCHEMA.name, setting("status", its))
    await stage.passes(2)
    assert stage.asked[1] == "check"


async def test_obstacles_that_had_no_room_are_in_the_way_all_the_same() -> None:
    """Of the last words alone, where there is no log any more."""
    obstacle = {"reason": "AppliedFileChanged", "file": "001_users.sql", "message": "was changed"}
    stage = await ready()
    stage.schema()
    await stage.passes(2)
    stage.reports(CHECKED | {"obstacles": [obstacle], "obstaclesCount": 1})
    stage.kube.logs.clear()
    await stage.passes(2)
    assert stage.told(SCHEMA)["Ready"] == ("False", "RunRefused")
    assert "log of the Job" in stage.why()
