"""A plan is applied to a restored copy before it is applied, and the copy is always removed."""

from datetime import timedelta
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import drills, known
from daap_operator.kinds.schema.watched import WATCHES
from tests.unit.fakes import refused
from tests.unit.schema_stage import (
    CHECKED,
    OTHER_PLAN,
    PLAN,
    SCHEMA,
    SchemaStage,
    applied,
    finding,
    killed_at,
    pending,
    planned,
    ready,
)
from tests.unit.stage import CLUSTER, setting

Object = dict[str, Any]

SCRATCH = "drill-tables-00000000"
DONE = CHECKED | {"count": 1, "current": "001_users.sql"}
ROWS = [
    {"part": "schema", "file": "001_users.sql", "checksum": "d" * 64, "seconds": 2.3456}
    | {"locks": [{"mode": "ACCESS EXCLUSIVE", "relation": "users"}]},
    {"part": "schema", "file": "002_x.sql", "checksum": "d" * 64, "seconds": 0.1},
]
REHEARSED = applied(applied=ROWS)
BROKEN = {
    "format": 1,
    "result": "Failed",
    "reason": "FileFailed",
    "message": "it failed",
    "applied": ROWS[:1],
    "lastError": {
        "part": "schema", "file": "002_x.sql", "line": 3, "sqlstate": "23505",
        "message": "could not create unique index",
    },
}  # fmt: skip
LOST = {"format": 1, "result": "Failed", "reason": "Unavailable", "message": "no connection"}


def with_backups(database: Object) -> None:
    database["status"]["backup"] = {"store": "backups"}


async def asked(said: Object | None = None, *, backups: bool = True, **spec: Any) -> SchemaStage:
    """A stage on which the plan is to be rehearsed."""
    stage = await ready()
    if backups:
        stage.kube.change(known.DATABASE, "orders", with_backups)
    stage.schema(**{"rehearsal": "Always"} | spec)
    await stage.passes(2)
    stage.reports(said or planned())
    await stage.passes(2)
    return stage


def drill(stage: SchemaStage) -> Object:
    """The only DaapDrill."""
    (name,) = stage.kube.there(known.DAAP_DRILL)
    return stage.kube.one(known.DAAP_DRILL, name)


def told(stage: SchemaStage, **status: Any) -> None:
    """The DaapDrill has another status."""
    stage.kube.change(known.DAAP_DRILL, drill(stage)["metadata"]["name"], setting("status", status))


def restored(stage: SchemaStage) -> None:
    """The copy serves."""
    told(
        stage,
        phase="Checking",
        clusterName=SCRATCH,
        recoveredTo="2026-03-01T13:58:31Z",
        restoreSeconds={"total": 41},
    )


async def rehearsing(**spec: Any) -> SchemaStage:
    """A stage on which a Job applies the plan to the copy."""
    stage = await asked(**spec)
    restored(stage)
    await stage.passes(2)
    return stage


async def rehearsed(said: Object | None = None, **spec: Any) -> SchemaStage:
    """A stage on which it has done so."""
    stage = await rehearsing(**spec)
    stage.reports(said or REHEARSED)
    await stage.passes(2)
    return stage


def rehearsal(stage: SchemaStage) -> Object:
    found: Object = stage.its()["rehearsal"]
    return found


# --- all goes well --------------------------------------------------------------------------------


async def test_a_copy_is_ordered_before_anything_is_applied() -> None:
    stage = await asked()
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Rehearsing")
    assert stage.its()["phase"] == "Planned"
    found = drill(stage)
    assert found["spec"] == {"databaseRef": {"name": "orders"}}
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("DaapSchema", "tables", True)
    assert drills.borrower(found) == "tables"
    assert rehearsal(stage)["drill"] == found["metadata"]["name"]
    assert (rehearsal(stage)["state"], rehearsal(stage)["plan"]) == ("Restoring", PLAN)


async def test_the_very_files_are_applied_to_the_copy_and_measured() -> None:
    stage = await rehearsing(onDestructive="Approve")
    assert rehearsal(stage)["state"] == "Applying"
    assert (rehearsal(stage)["restoreSeconds"], rehearsal(stage)["recoveredTo"]) == (
        41, "2026-03-01T13:58:31Z",
    )  # fmt: skip
    assert stage.asked[:2] == ["schema", "apply"]
    assert f"--files={stage.its()['files']['checksum']}" in stage.asked
    assert {"--measure", "--on-destructive=allow"} <= set(stage.asked)
    # The copy may lack more files than the plan has
    assert not [each for each in stage.asked if each.startswith("--plan")]
    template = stage.job["spec"]["template"]
    assert template["metadata"]["labels"][names.DRILL_LABEL] == SCRATCH
    (container,) = template["spec"]["containers"]
    assert f"{SCRATCH}-rw" in str(container["env"])
    assert f"{SCRATCH}-app" in str(container["env"])
    assert CLUSTER not in str(template["spec"])
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Rehearsing")


async def test_then_the_plan_is_applied_and_the_copy_is_gone() -> None:
    stage = await rehearsed()
    assert stage.kube.there(known.DAAP_DRILL) == []
    found = rehearsal(stage)
    assert (found["state"], found["milliseconds"]) == ("Passed", 2446)
    assert found["files"] == [
        {"part": "schema", "file": "001_users.sql", "milliseconds": 2346,
         "locks": ["ACCESS EXCLUSIVE on users"]},
        {"part": "schema", "file": "002_x.sql", "milliseconds": 100, "locks": []},
    ]  # fmt: skip
    assert "drill" not in found
    assert f"--plan={PLAN}" in stage.asked
    assert f"{CLUSTER}-rw" in str(stage.job["spec"])
    assert names.DRILL_LABEL not in stage.job["spec"]["template"]["metadata"]["labels"]
    stage.reports(applied())
    await stage.passes(2)
    stage.reports(DONE)
    await stage.passes(2)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}
    assert rehearsal(stage)["state"] == "Passed"
    stage.forget_requests()
    await stage.passes(3)
    await stage.restart()
    await stage.passes(3)
    assert stage.kube.requests == []


async def test_whoever_approves_has_the_result() -> None:
    stage = await asked(approval="Required")
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Rehearsing")
    restored(stage)
    await stage.passes(2)
    stage.reports(REHEARSED)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ApprovalRequired")
    assert "it was applied to a restored copy in 2.4 s" in stage.why()
    assert stage.kube.there(known.DAAP_DRILL) == []
    stage.respecified(approve=PLAN)
    await stage.passes(2)
    assert f"--plan={PLAN}" in stage.asked


async def test_the_backup_is_made_last() -> None:
    stage = await rehearsed(backupBefore=True)
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "BackingUp")
    assert rehearsal(stage)["state"] == "Passed"


@pytest.mark.parametrize(
    ("which", "found", "is_rehearsed"),
    [
        ("Never", True, False),
        ("WhenFindings", False, False),
        ("WhenFindings", True, True),
        ("Always", False, True),
    ],
)
async def test_which_plans_are_rehearsed(which: str, found: bool, is_rehearsed: bool) -> None:
    plan = planned(pending(findings=[finding()] if found else []))
    stage = await asked(plan, rehearsal=which)
    assert bool(stage.kube.there(known.DAAP_DRILL)) is is_rehearsed
    assert bool(stage.jobs) is not is_rehearsed


async def test_what_is_refused_anyway_is_not_rehearsed() -> None:
    deletes = planned(pending(findings=[finding(destructive=True)]))
    stage = await asked(deletes, onDestructive="Refuse")
    assert stage.told(SCHEMA)["Stalled"] == ("True", "DestructiveRefused")
    assert stage.kube.there(known.DAAP_DRILL) == []


@pytest.mark.parametrize(
    "seconds", [None, "1", -1, float("nan"), float("inf"), 10**400, [], {"x": 1}]
)
async def test_what_is_no_duration_is_none(seconds: Any) -> None:
    rows = [ROWS[1] | {"seconds": seconds, "locks": seconds}, ROWS[0]]
    stage = await rehearsed(applied(applied=rows))
    found = rehearsal(stage)
    assert [each["milliseconds"] for each in found["files"]] == [0, 2346]
    assert found["files"][0]["locks"] == []


# --- the plan fails there -------------------------------------------------------------------------


async def test_a_plan_that_fails_on_the_copy_is_not_applied() -> None:
    stage = await rehearsed(BROKEN, approval="Required", approve=PLAN)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "RehearsalFailed")
    assert stage.jobs == stage.kube.there(known.DAAP_DRILL) == []
    for text in ("002_x.sql, line 3", "unique index", "SQLSTATE 23505", "spec.rehearsal to Never"):
        assert text in stage.why()
    found = rehearsal(stage)
    assert found["state"] == "Failed"
    assert (found["error"]["line"], len(found["files"])) == (3, 1)
    assert "lastError" not in stage.its()
    stage.forget_requests()
    await stage.restart()
    await stage.passes(5)
    assert stage.kube.requests == []


async def test_a_corrected_file_is_rehearsed_at_once() -> None:
    stage = await rehearsed(BROKEN)
    stage.files(**{"001_users_sql": "SELECT 2;\n"})
    await stage.passes(2)
    stage.reports(planned(plan=OTHER_PLAN))
    await stage.passes(2)
    assert (rehearsal(stage)["state"], rehearsal(stage)["plan"]) == ("Restoring", OTHER_PLAN)


async def test_without_rehearsals_it_is_applied_at_once() -> None:
    stage = await rehearsed(BROKEN)
    stage.respecified(rehearsal="Never")
    await stage.passes(2)
    assert f"--plan={PLAN}" in stage.asked


async def test_rows_that_nobody_watches_may_have_been_in_the_way() -> None:
    """It is rehearsed again, the later the more often it has failed."""
    stage = await rehearsed(BROKEN)
    before = stage.clock.now()
    while not stage.kube.there(known.DAAP_DRILL):
        await stage.passes()
        stage.clock.advance(60)
    assert timedelta(minutes=55) < stage.clock.now() - before < timedelta(minutes=65)
    restored(stage)
    await stage.passes(2)
    stage.reports(BROKEN)
    await stage.passes(2)
    assert stage.its()["failures"] == 2
    stage.clock.advance(3600)
    await stage.passes(2)
    assert stage.kube.there(known.DAAP_DRILL) == []


# --- no copy can be made --------------------------------------------------------------------------


async def test_no_copy_of_a_database_without_backups() -> None:
    stage = await asked(backups=False)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "RehearsalBlocked")
    for text in ("spec.rehearsal is Always", "spec.backup.enabled to true", "to Never"):
        assert text in stage.why()
    assert stage.kube.there(known.DAAP_DRILL) == []
    stage.kube.change(known.DATABASE, "orders", with_backups)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Rehearsing")


def stalled(kind: str, reason: str, message: str) -> list[Object]:
    return [{"type": kind, "status": "True", "reason": reason, "message": message}]


async def test_what_the_drill_waits_for_is_passed_on() -> None:
    stage = await asked()
    waits = "The archive has no base backup yet"
    told(stage, phase="Pending", conditions=stalled("Ready", "NeverBackedUp", waits))
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Rehearsing")
    assert waits in stage.why()
    told(stage, phase="Pending", conditions=stalled("Stalled", "StoreMissing", "No store."))
    await stage.passes(2)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "RehearsalBlocked")
    assert "No store. Remove the cause" in stage.why()


@pytest.mark.parametrize("applying", [False, True])
async def test_a_copy_that_comes_to_nothing_is_tried_again_later(applying: bool) -> None:
    stage = await (rehearsing() if applying else asked())
    first = drill(stage)["metadata"]["name"]
    ready = stalled("Ready", "TimedOut", "The drill took longer than 3600 s.")
    told(stage, phase="Restoring", result="Failed", conditions=ready)
    await stage.passes(3)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "RehearsalBlocked")
    assert "longer than 3600 s. Remove the cause" in stage.why()
    assert stage.jobs == stage.kube.there(known.DAAP_DRILL) == []
    assert "rehearsal" not in stage.its()
    stage.clock.advance(600)
    await stage.passes(2)
    assert drill(stage)["metadata"]["name"] != first
    restored(stage)
    await stage.passes(2)
    stage.reports(REHEARSED)
    await stage.passes(2)
    assert f"--plan={PLAN}" in stage.asked
    assert "failures" not in stage.its()


@pytest.mark.parametrize(
    "said", [LOST, BROKEN | {"reason": "LockTimeout"}, LOST | {"reason": "FilesChanged"}]
)
async def test_a_run_that_says_nothing_of_the_plan_is_repeated_on_another_copy(
    said: Object,
) -> None:
    stage = await rehearsing()
    first = drill(stage)["metadata"]["name"]
    stage.reports(said)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "RunLost")
    assert stage.kube.there(known.DAAP_DRILL) == []
    stage.clock.advance(15)
    await stage.passes(2)
    if said["reason"] == "FilesChanged":
        stage.reports(planned())
        await stage.passes(2)
    assert drill(stage)["metadata"]["name"] != first


async def test_somebody_deletes_the_drill() -> None:
    stage = await rehearsing()
    stage.kube.delete_object(known.DAAP_DRILL, drill(stage)["metadata"]["name"])
    await stage.passes(3)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "RunLost")
    assert "was deleted while the plan was rehearsed" in stage.why()
    assert stage.jobs == []


# --- the copy is removed, whatever happens --------------------------------------------------------


async def _other_files(stage: SchemaStage) -> None:
    stage.files(**{"001_users_sql": "SELECT 2;\n"})


async def _never(stage: SchemaStage) -> None:
    stage.respecified(rehearsal="Never")


async def _otherwise(stage: SchemaStage) -> None:
    stage.respecified(lockTimeoutSeconds=9)


async def _refused(stage: SchemaStage) -> None:
    stage.respecified(onDestructive="Refuse")


async def _replaced(stage: SchemaStage) -> None:
    stage.kube.change(known.CLUSTER, CLUSTER, lambda obj: obj["metadata"].update(uid="another"))


async def _deleted(stage: SchemaStage) -> None:
    stage.kube.delete_object(SCHEMA.kind, SCHEMA.name)


@pytest.mark.parametrize("what", [_other_files, _never, _otherwise, _refused, _replaced, _deleted])
@pytest.mark.parametrize("applying", [False, True])
async def test_a_copy_that_is_not_wanted_any_more_goes(what: Any, applying: bool) -> None:
    deletes = planned(pending(findings=[finding(destructive=True)]))
    stage = await asked(deletes)
    if applying:
        restored(stage)
        await stage.passes(2)
    name = drill(stage)["metadata"]["name"]
    await what(stage)
    await stage.passes(3)
    assert name not in stage.kube.there(known.DAAP_DRILL)
    assert not [each for each in stage.jobs if SCRATCH in str(stage.kube.one(known.JOB, each))]


@pytest.mark.parametrize("at", range(14))
async def test_an_operator_that_is_killed_at_any_write_rehearses_and_applies_once(at: int) -> None:
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", with_backups)
    stage.schema(rehearsal="Always")
    made: set[str] = set()

    def answer() -> None:
        made.update(stage.kube.there(known.DAAP_DRILL))
        if stage.kube.there(known.DAAP_DRILL):
            restored(stage)
        if stage.jobs:
            stage.reports(_answer(stage))

    await killed_at(stage, at, 20, answer)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}, stage.its()
    assert stage.kube.there(known.DAAP_DRILL) == []
    assert len(made) == 1
    modes = [_mode(stage, name) for name in stage.kube.there(known.JOB)]
    assert (modes.count("rehearse"), modes.count("apply")) == (1, 1)


def _answer(stage: SchemaStage) -> Object:
    modes = {_mode(stage, name): stage.kube.one(known.JOB, name) for name in _jobs(stage)}
    if _mode(stage, stage.jobs[0]) == "check":
        return DONE if modes.get("apply", {}).get("status") else planned()
    return applied() if _mode(stage, stage.jobs[0]) == "apply" else REHEARSED


def _jobs(stage: SchemaStage) -> list[str]:
    return stage.kube.there(known.JOB)


def _mode(stage: SchemaStage, name: str) -> str:
    (container,) = stage.kube.one(known.JOB, name)["spec"]["template"]["spec"]["containers"]
    return "rehearse" if "--measure" in container["args"] else str(container["args"][1])


# --- what is in the way of a drill ----------------------------------------------------------------


async def test_a_drill_that_is_refused_is_told_of() -> None:
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", with_backups)
    stage.schema(rehearsal="Always")
    await stage.passes(2)

    def refuse() -> None:
        if name := stage.its().get("rehearsal", {}).get("drill"):
            said = refused(403, f"daapdrills {name!r} is forbidden: exceeded quota: drills")
            stage.kube.refusals[f"create DaapDrill {name}"] = said

    stage.kube.after_write = refuse
    stage.reports(planned())
    await stage.passes(2)
    assert "exceeded quota: drills" in stage.why()
    assert stage.jobs == stage.kube.there(known.DAAP_DRILL) == []
    stage.kube.after_write = lambda: None
    stage.kube.refusals.clear()
    stage.clock.advance(300)
    await stage.passes(2)
    assert drill(stage)["metadata"]["name"] == rehearsal(stage)["drill"]


async def test_a_drill_of_another_database_is_not_rehearsed_on() -> None:
    stage = await asked()
    other = {"databaseRef": {"name": "payroll"}}
    stage.kube.change(known.DAAP_DRILL, drill(stage)["metadata"]["name"], setting("spec", other))
    restored(stage)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ObjectConflict")
    assert "does not restore DaapDatabase orders: delete it" in stage.why()
    assert stage.jobs == []


async def test_the_lists_are_read_from_the_log() -> None:
    """They have no room in the last words."""
    stage = await rehearsing()
    name = stage.jobs[0]
    stage.reports(REHEARSED)
    stage.forget_requests()
    await stage.passes(1)
    assert f"get Pod {name}-pod log" in stage.kube.requests


async def test_the_drill_wakes_its_schema() -> None:
    stage = await asked()
    (watch,) = [each for each in WATCHES if each.kind is known.DAAP_DRILL]
    assert list(watch.wakes(drill(stage), stage.store)) == [SCHEMA]
