"""What others in the namespace pass off as a part of a drill."""

import json
from datetime import timedelta
from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.ownership import owner_labels
from daap_operator.kinds import known
from daap_operator.kinds.drill.watched import MOST_PODS
from daap_operator.kinds.recovery_log import ROLE, measured
from tests.unit.drill_stage import DRILL, FOUND, DrillStage, provable
from tests.unit.stage import setting

Object = dict[str, Any]
SCRATCH = "drill-proof-00000000"


async def asked() -> DrillStage:
    stage = await provable()
    stage.drill()
    return stage


def pods(stage: DrillStage, labels: Object, phase: str, number: int = MOST_PODS) -> None:
    """Somebody who may create Deployments has so many pods with these labels."""
    there = stage.database()["metadata"]["uid"]  # of anything that is there: else it is collected
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": there}
    ended = {"state": {"terminated": {"exitCode": 1, "message": '{"error": "forged"}'}}}
    for each in range(number):
        metadata = {"name": f"decoy-{each}", "labels": labels, "ownerReferences": [owner]}
        stage.kube.add(known.POD, {"metadata": metadata})
        told = {"phase": phase, "containerStatuses": [{"name": "check", **ended}]}
        stage.kube.change(known.POD, f"decoy-{each}", setting("status", told))
        stage.kube.logs["shop", f"decoy-{each}", ROLE] = '{"level": "error", "error": "forged"}'


async def test_a_deployments_pods_do_not_hide_the_result() -> None:
    stage = await asked()
    await stage.checking()
    pods(stage, {names.DRILL_LABEL: SCRATCH}, "Failed")
    await stage.passes()
    stage.checks()
    await stage.passes(4)
    assert stage.phase(DRILL) == "Passed"


async def test_a_deployments_evicted_pods_are_no_tries_to_restore() -> None:
    stage = await asked()
    await stage.restoring()
    labels = {names.CNPG_CLUSTER_LABEL: SCRATCH, names.CNPG_JOB_ROLE_LABEL: ROLE}
    pods(stage, labels, "Failed")
    await stage.passes(2)
    assert stage.phase(DRILL) == "Restoring"
    assert "forged" not in str(stage.its())


def claimed(stage: DrillStage, number: int, **said: Any) -> None:
    """Somebody who may create pods has so many labelled as CloudNativePG's that restore, and says
    that they are the checking Job's: no mark of a drill is on them."""
    job = stage.kube.one(known.JOB, SCRATCH)["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": SCRATCH, "uid": job["uid"]}
    labels = {names.CNPG_CLUSTER_LABEL: SCRATCH, names.CNPG_JOB_ROLE_LABEL: ROLE}
    ended = {"state": {"terminated": {"exitCode": 0, "message": json.dumps(said)}}}
    for each in range(number):
        metadata = {"name": f"a-{each}", "labels": labels, "ownerReferences": [owner]}
        stage.kube.add(known.POD, {"metadata": metadata})
        told = {"phase": "Running", "containerStatuses": [{"name": "check", **ended}]}
        stage.kube.change(known.POD, f"a-{each}", setting("status", told))


async def test_a_pod_that_is_labelled_as_one_that_restores_says_nothing_of_the_checks() -> None:
    stage = await asked()
    await stage.checking()
    claimed(stage, 1, **FOUND)
    await stage.passes(4)
    assert stage.phase(DRILL) == "Checking"
    stage.checks({"error": "really"})
    await stage.passes(4)
    assert stage.phase(DRILL) == "Failed"


async def test_such_pods_do_not_hide_the_result() -> None:
    stage = await asked()
    await stage.checking()
    claimed(stage, MOST_PODS)
    await stage.passes()
    stage.checks()
    await stage.passes(4)
    assert stage.phase(DRILL) == "Passed"


def marked(stage: DrillStage, kind: Any) -> None:
    """Something with the drill's names that has the marks of another drill."""
    labels = {names.DRILL_LABEL: SCRATCH} | owner_labels(known.DAAP_DRILL, "another")
    stage.kube.add(kind, {"metadata": {"name": SCRATCH, "labels": labels}, "spec": {}})


@pytest.mark.parametrize("kind", [known.JOB, known.CLUSTER, known.NETWORK_POLICY], ids=str)
async def test_what_another_has_made_is_not_the_drills(kind: Any) -> None:
    stage = await asked()
    marked(stage, kind)
    if kind is known.JOB:
        await stage.restoring()
        stage.restores()
        stage.serves()
        await stage.passes(2)
        stage.checks(FOUND)
    await stage.passes(2)
    assert stage.phase(DRILL) not in ("Passed", "Failed")
    assert stage.told(DRILL)["Stalled"] == ("True", "ObjectConflict")


@pytest.mark.parametrize("took", ["99999999", "99999999.999999", "1.2.3", "...", "9" * 12])
def test_a_log_that_tells_of_impossible_times_tells_of_none(took: str) -> None:
    message = f"redo done at 0/5000060 system usage: CPU, elapsed: {took} s"
    for when in ("1970-01-01T00:00:00Z", "2026-03-01T12:00:00Z"):
        line = f'{{"ts": "{when}", "record": {{"message": "{message}"}}}}'
        found = measured(line)
        assert found.replayed is None or found.replayed < timedelta(days=1200).total_seconds()


async def test_the_last_words_tell_no_address() -> None:
    stage = await asked()
    await stage.checking()
    refused = 'connection to server at "10.96.7.8", port 5432 failed: refused'
    stage.checks({"error": refused})
    await stage.passes(4)
    assert "connection to server at" in stage.its()["error"]
    assert "10.96.7.8" not in str(stage.backup(DRILL)["status"])


@pytest.mark.parametrize(
    "words",
    [
        "[" * 4096,
        '{"a":' * 800,
        '{"relations": 1, "rows": ' + "9" * 4000 + "}",
        '{"relations": true, "rows": 1e999, "queries": 7}',
        '{"queries": [[], null, {"name": {}, "ok": "yes", "value": ["x"]}], "rows": null}',
        '{"error": "' + "\\u001b[31m\\u202e" * 200 + '"}',
        '{"relations": -1, "corrupt": 9223372036854775808, "tables": 1, "rows": 2}',
        "\x00\x1b",
    ],
)
async def test_whatever_the_last_words_are_the_drill_comes_to_an_end(words: str) -> None:
    stage = await asked()
    await stage.checking()
    stage.checks(text=words)
    stage.kube.change(known.JOB, SCRATCH, setting("status", {"conditions": [COMPLETE]}))
    await stage.passes(5)
    assert stage.phase(DRILL) in ("Passed", "Failed")
    told = str(stage.backup(DRILL)["status"])
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert stage.left == []


COMPLETE = {"type": "Complete", "status": "True"}
