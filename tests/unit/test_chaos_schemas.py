"""What must hold of schemas in random interleavings: each violation is noticed."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.chaos.authors import ANY
from tests.chaos.schemas_kept import violations
from tests.chaos.seen import PLURALS, Seen
from tests.support.schema_plans import Ledger, Order, Row
from tests.support.schema_runner import Run, Runner

Object = dict[str, Any]

SQL, PLAN = "SELECT 1;\n", "a" * 64
READY: Object = {"type": "Ready", "status": "True", "reason": "Ready", "observedGeneration": 1}
SYNCED: Object = {"type": "MetadataSynced", "status": "True", "reason": "Synced"}
KEY = "a", "orders-1"


def metadata(name: str, uid: str) -> Object:
    made = {"namespace": "a", "name": name, "uid": uid, "resourceVersion": "1", "generation": 1}
    return made | {"creationTimestamp": "2026-03-01T12:00:00Z"}


@dataclass
class Scene:
    """A schema that is applied, and all that there is around it."""

    seen: Seen
    runner: Runner
    approved: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    @property
    def schema(self) -> Object:
        return self.seen.objects["daapschemas"][0]

    def says(self, reason: str) -> None:
        told = {"type": "Ready", "status": "False", "reason": reason}
        self.schema["status"]["conditions"] = [told, SYNCED]

    def wrong(self) -> list[str]:
        return violations(self.approved, self.seen, self.runner, ["a"])


def whole() -> Scene:
    database = {"metadata": metadata("orders", "d"), "spec": {}}
    database |= {
        "status": {"observedGeneration": 1, "clusterName": "daap-orders"} | {"conditions": [READY]}
    }
    spec = {"databaseRef": {"name": "orders"}, "approval": "Required", "approve": PLAN}
    status = {"phase": "Applied", "observedGeneration": 1, "conditions": [READY, SYNCED]}
    over = {"conditions": [{"type": "Complete", "status": "True"}]}
    labelled = {"labels": {"daap.io/schema": "orders-1-0"}}
    objects: dict[str, list[Object]] = {plural: [] for plural in PLURALS} | {
        "daapdatabases": [database],
        "clusters": [{"metadata": metadata("daap-orders", "c")}],
        "daapschemas": [{"metadata": metadata("orders-1", "s"), "spec": spec, "status": status}],
        "configmaps": [{"metadata": metadata("orders-1", "f"), "data": {"001_x.sql": SQL}}],
        "jobs": [{"metadata": metadata("orders-1-0", "j") | labelled, "status": over}],
    }
    for plural, found in objects.items():
        for obj in found:
            obj["plural"] = plural
    rows = [{"id": "s", "name": "orders-1", "status": "applied", "deleted_at": None}]
    checksum = hashlib.sha256(SQL.encode()).hexdigest()
    runner = Runner(cast(Any, None))
    runner.ledgers["c", "default"] = Ledger([Row("schema", "001_x.sql", checksum, "orders-1-0")])
    order = Order("apply", {"plan": PLAN, "ledger": "default"})
    report = {"result": "Applied", "applied": [{"file": "001_x.sql"}]}
    runner.runs.append(Run("a", "orders-1-0", "c", order, report))
    return Scene(Seen(objects, [], schema_rows=rows), runner, {KEY: {PLAN}})


def test_all_is_well() -> None:
    scene = whole()
    assert scene.wrong() == []
    scene.approved = {KEY: {ANY}}
    assert scene.wrong() == []


def _twice(scene: Scene) -> None:
    scene.runner.runs *= 2


def _unapproved(scene: Scene) -> None:
    scene.approved = {KEY: {"b" * 64}}


def _unfinished(scene: Scene) -> None:
    scene.seen.objects["jobs"][0]["status"] = {"active": 1}


def _unapplied(scene: Scene) -> None:
    scene.seen.objects["configmaps"][0]["data"]["002_x.sql"] = SQL


def _of_another_cluster(scene: Scene) -> None:
    scene.seen.objects["clusters"][0]["metadata"]["uid"] = "c2"


def _without_files(scene: Scene) -> None:
    scene.seen.objects["configmaps"].clear()


def _unsynced(scene: Scene) -> None:
    scene.schema["status"]["conditions"] = [READY]


def _row_of_one_that_is_gone(scene: Scene) -> None:
    scene.seen.objects["daapschemas"].clear()


def _row_of_another_phase(scene: Scene) -> None:
    scene.seen.schema_rows[0]["status"] = "planning"


def _no_row(scene: Scene) -> None:
    scene.seen.schema_rows.clear()


WRONG: dict[str, Callable[[Scene], None]] = {
    "was applied 2 times": _twice,
    "which nobody has approved": _unapproved,
    "runs on": _unfinished,
    "002_x.sql is not applied": _unapplied,
    "is not applied in Cluster c2": _of_another_cluster,
    "without its database or its files": _without_files,
    "is not synced": _unsynced,
    "its object is gone": _row_of_one_that_is_gone,
    "should be applied": _row_of_another_phase,
    "has no row": _no_row,
}


@pytest.mark.parametrize("told", WRONG)
def test_what_is_wrong_is_noticed(told: str) -> None:
    scene = whole()
    WRONG[told](scene)
    assert told in "\n".join(scene.wrong())


def test_a_job_may_wait_for_what_its_pod_cannot_start_without() -> None:
    scene = whole()
    scene.seen.objects["jobs"][0]["metadata"]["ownerReferences"] = [{"uid": "s"}]
    _unfinished(scene)
    assert "runs on" in "\n".join(scene.wrong())
    scene.says("FilesMissing")
    _without_files(scene)
    assert scene.wrong() == []


def _not_ready(scene: Scene) -> None:
    scene.seen.objects["daapdatabases"][0]["status"]["conditions"] = []


def _another_plan(scene: Scene) -> None:
    scene.schema["status"]["plan"] = "b" * 64


def _older(scene: Scene) -> None:
    older = metadata("orders-0", "r") | {"creationTimestamp": "2026-03-01T11:00:00Z"}
    ready = {"phase": "Applied", "observedGeneration": 1, "conditions": [READY, SYNCED]}
    other = scene.schema | {"metadata": older, "status": ready}
    scene.seen.objects["daapschemas"].append(other)
    scene.seen.schema_rows.append(scene.seen.schema_rows[0] | {"id": "r"})


WAITS: dict[str, Callable[[Scene], None]] = {
    "WaitingForDatabase": _not_ready,
    "FilesMissing": _without_files,
    "ApprovalRequired": _another_plan,
    "LedgerTaken": _older,
}


@pytest.mark.parametrize("reason", WAITS)
def test_one_that_waits_says_for_what(reason: str) -> None:
    scene = whole()
    scene.says(reason)
    assert Counter("does not get on" in each for each in scene.wrong())[True] == 1
    WAITS[reason](scene)
    assert not any("does not get on" in each for each in scene.wrong())
