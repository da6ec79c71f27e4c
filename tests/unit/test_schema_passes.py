"""What becomes of a DaapSchema, pass by pass."""

from dataclasses import replace
from typing import Any

import pytest

from daap_operator import names
from daap_operator.api.v1alpha1 import DaapSchemaSpec
from daap_operator.engine import child
from daap_operator.engine.child import Owner
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.schema import job, trim
from daap_operator.kinds.schema.job import CONTAINER, Order
from daap_operator.kube import EVENT
from tests.unit import server_side_apply
from tests.unit.kstatus import kstatus
from tests.unit.schema_stage import (
    CHECKED,
    CHOICES,
    DAY,
    OTHER_PLAN,
    PLAN,
    SCHEMA,
    SchemaStage,
    applied,
    done,
    finding,
    going,
    killed_at,
    pending,
    planned,
    ready,
)
from tests.unit.stage import CLUSTER, setting

Object = dict[str, Any]

OTHER = Ref(known.DAAP_SCHEMA, "shop", "others")
DONE = CHECKED | {"count": 1, "current": "001_users.sql"}
DESTRUCTIVE = planned(pending(findings=[finding(destructive=True)]))


def option(stage: SchemaStage, name: str) -> str:
    """What the Job is given for an option."""
    (found,) = [each for each in stage.asked if each.startswith(f"--{name}=")]
    return found.partition("=")[2]


def refused(reason: str, message: str = "") -> Object:
    return {"format": 1, "result": "Refused", "reason": reason, "message": message or reason}


def failed(reason: str, **error: Any) -> Object:
    said = {"format": 1, "result": "Failed", "reason": reason, "message": f"it was {reason}"}
    return said | ({"lastError": error} if error else {})


BROKEN = failed(
    "FileFailed", part="schema", file="001_users.sql", line=3, sqlstate="42601", message="syntax"
)


# --- all goes well --------------------------------------------------------------------------------


async def test_files_are_planned_applied_and_verified() -> None:
    stage = await done()
    status = stage.its()
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}, status
    assert kstatus(stage.kube.one(SCHEMA.kind, SCHEMA.name)) == "Current"
    assert (status["phase"], status["current"], status["applied"]) == (
        "Applied", "001_users.sql", 1,
    )  # fmt: skip
    assert (status["pendingCount"], status["driftCount"], status["pending"]) == (0, 0, [])
    assert "plan" not in status
    assert "job" not in status
    (row,) = stage.mirror.tables["schemas"].values()
    assert (row.status, row.current_file, row.files_applied) == ("applied", "001_users.sql", 1)


async def test_a_schema_costs_these_requests_in_this_order() -> None:
    stage = await done()
    jobs = stage.kube.there(known.JOB)
    named = [r for r in stage.kube.requests if r.startswith("create Job")]
    assert sorted(r.removeprefix("create Job ") for r in named) == jobs
    tell = "status of DaapSchema tables"
    assert [r.split(" tables-")[0] for r in stage.kube.requests] == [
        "finalizers of DaapSchema tables",
        "get ConfigMap tables",
        tell,  # Planning, and the Job's name
        "create Job",
        "list Pod shop",
        "get Pod",  # the log, with the whole plan
        tell,  # PlanReady
        tell,  # Applying, and the Job's name
        "create Job",
        "list Pod shop",
        tell,  # applied
        tell,  # Planning
        "create Job",
        "list Pod shop",
        "get Pod",
        tell,  # what was found
        tell,  # Ready
    ]


async def test_what_is_applied_costs_nothing() -> None:
    stage = await done()
    stage.forget_requests()
    await stage.passes(3)
    await stage.restart()
    await stage.passes(3)
    assert stage.kube.requests == []


async def test_the_plan_stands_in_the_status_before_it_is_applied() -> None:
    stage = await going(planned(pending(findings=[finding()]), pending("002_x.sql")))
    status = stage.its()
    assert (status["phase"], status["pendingCount"], status["findingsCount"]) == ("Applying", 2, 1)
    first = status["pending"][0]
    assert first["locks"] == ["ACCESS EXCLUSIVE on users"]
    assert first["findings"][0]["rule"] == "slow-index"
    assert option(stage, "plan") == status["plan"] == PLAN
    assert "Planned" in repr(stage.announcer.announced)


async def test_a_job_knows_the_database_without_its_secret() -> None:
    """The owner's Secret of a Cluster that was restored has no `dbname`."""
    stage = await going()
    (container,) = stage.job["spec"]["template"]["spec"]["containers"]
    found = {each["name"]: each.get("value") for each in container["env"]}
    assert (found["PGDATABASE"], found["PGHOST"]) == ("orders", f"{CLUSTER}-rw")
    keys = [
        each["valueFrom"]["secretKeyRef"]["key"] for each in container["env"] if "valueFrom" in each
    ]
    assert keys == ["username", "password"]


async def test_the_files_that_were_read_are_those_that_are_applied() -> None:
    stage = await ready()
    stage.schema()
    await stage.passes(2)
    assert option(stage, "files") == stage.its()["files"]["checksum"]
    stage.reports(planned())
    await stage.passes(2)
    assert option(stage, "files") == stage.its()["files"]["checksum"]


@pytest.mark.parametrize("at", range(12))
async def test_an_operator_that_is_killed_at_any_write_applies_each_plan_once(at: int) -> None:
    stage = await ready()
    stage.schema()

    def answer() -> None:
        if stage.jobs:
            stage.reports(
                planned()
                if not _was_applied(stage) and "check" in stage.asked
                else (applied() if "apply" in stage.asked else DONE)
            )

    await killed_at(stage, at, 14, answer)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}, stage.its()
    args = [_arguments(stage, name) for name in stage.kube.there(known.JOB)]
    assert sum("apply" in each for each in args) == 1


def _arguments(stage: SchemaStage, name: str) -> list[str]:
    (container,) = stage.kube.one(known.JOB, name)["spec"]["template"]["spec"]["containers"]
    found: list[str] = container["args"]
    return found


def _was_applied(stage: SchemaStage) -> bool:
    return any(
        "apply" in _arguments(stage, name) and stage.kube.one(known.JOB, name).get("status")
        for name in stage.kube.there(known.JOB)
    )


# --- what changes ---------------------------------------------------------------------------------


async def test_another_file_is_planned_at_once() -> None:
    stage = await done()
    stage.files(**{"001_users_sql": "CREATE TABLE users (id int);\n", "002_x_sql": "SELECT 1;\n"})
    await stage.passes(1)
    assert "check" in stage.asked
    assert stage.its()["files"]["count"] == 2
    assert stage.told(SCHEMA)["Ready"] == ("False", "Planning")


async def test_files_that_change_under_way_put_an_end_to_the_run() -> None:
    stage = await going()
    before = stage.job["metadata"]["name"]
    stage.files(**{"001_users_sql": "SELECT 2;\n"})
    await stage.passes(3)
    assert before not in stage.kube.there(known.JOB)
    assert "check" in stage.asked


async def test_metadata_of_a_configmap_alone_costs_one_read_and_no_run() -> None:
    stage = await done()
    stage.forget_requests()
    labels = {"daap.io/schema-files": "yes", "team": "x"}
    stage.kube.change(known.CONFIG_MAP, "tables", lambda obj: obj["metadata"].update(labels=labels))
    await stage.passes(2)
    assert [r for r in stage.kube.requests if "status" not in r] == ["get ConfigMap tables"]
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}


async def test_a_database_that_was_restored_is_looked_at_again() -> None:
    stage = await done()
    stage.kube.change(known.CLUSTER, CLUSTER, lambda obj: obj["metadata"].update(uid="another"))
    await stage.passes(2)
    assert "check" in stage.asked


async def test_it_is_verified_once_a_day_and_stays_ready_meanwhile() -> None:
    stage = await done()
    stage.clock.advance(DAY)
    stage.forget_requests()
    await stage.passes(2)
    assert "check" in stage.asked
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}
    stage.reports(DONE | {"driftCount": 2, "drift": [{
        "change": "added", "kind": "table", "name": "by_hand", "file": "",
        "message": "table public.by_hand is there, and no file made it",
    }]})  # fmt: skip
    await stage.passes(2)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "Drifted")
    assert "public.by_hand" in stage.why()
    assert "(and 1 more)" in stage.why()
    await stage.passes(3)
    stage.reports(DONE)
    await stage.passes(1)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}


async def test_what_differs_keeps_no_plan_from_being_applied() -> None:
    stage = await going(planned(driftCount=1, drift=[]))
    assert "apply" in stage.asked


async def test_that_it_cannot_be_verified_now_takes_nothing_back() -> None:
    stage = await done()
    stage.clock.advance(DAY)
    await stage.passes(2)
    stage.reports(failed("Unavailable"))
    await stage.passes(1)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}
    assert stage.jobs == []
    await stage.passes(5)
    assert "check" in stage.asked


# --- approval -------------------------------------------------------------------------------------


async def test_a_plan_waits_for_its_approval_and_takes_no_other() -> None:
    stage = await going(approval="Required")
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ApprovalRequired")
    assert stage.its()["phase"] == "AwaitingApproval"
    assert f'"approve":"{PLAN}"' in stage.why()
    stage.respecified(approve=OTHER_PLAN)
    await stage.passes(2)
    assert stage.jobs == []
    assert "names another plan" in stage.why()
    stage.respecified(approve=PLAN)
    await stage.passes(2)
    assert option(stage, "plan") == PLAN


async def test_what_deletes_data_waits_unless_it_is_allowed() -> None:
    stage = await going(DESTRUCTIVE)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ApprovalRequired")
    assert "which deletes data" in stage.why()
    stage = await going(DESTRUCTIVE, onDestructive="Allow")
    assert option(stage, "on-destructive") == "allow"
    stage = await going(DESTRUCTIVE, onDestructive="Refuse", approve=PLAN)
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Stalled"] == ("True", "DestructiveRefused")


async def test_an_approved_plan_that_was_cut_off_needs_no_other_approval() -> None:
    stage = await going(approval="Required", approve=PLAN)
    stage.reports(failed("Unavailable"))
    await stage.passes(1)
    spec = stage.kube.one(SCHEMA.kind, SCHEMA.name)["spec"]
    without = {key: value for key, value in spec.items() if key != "approve"}
    stage.kube.change(SCHEMA.kind, SCHEMA.name, setting("spec", without))
    await stage.passes(5)
    assert option(stage, "plan") == PLAN


async def test_a_run_that_deletes_is_stopped_when_nothing_may_delete_any_more() -> None:
    stage = await going(DESTRUCTIVE, onDestructive="Allow")
    (before,) = stage.jobs
    assert "apply" in stage.asked
    stage.respecified(onDestructive="Refuse")
    await stage.passes(3)
    assert before not in stage.kube.there(known.JOB)
    assert "check" in stage.asked
    stage.reports(DESTRUCTIVE)
    await stage.passes(2)
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Stalled"] == ("True", "DestructiveRefused")


async def test_a_plan_that_nobody_had_to_approve_is_not_approved_later() -> None:
    stage = await going()
    stage.reports(failed("Unavailable"))
    await stage.passes(1)
    stage.respecified(approval="Required")
    await stage.passes(5)
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ApprovalRequired")


async def test_a_run_that_was_begun_before_anybody_had_to_approve_it_ends_as_it_was() -> None:
    stage = await going()
    before = stage.job
    stage.respecified(approval="Required")
    await stage.passes(2)
    assert stage.job == before
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Applying")
    stage.reports(applied())
    await stage.passes(2)
    assert stage.its()["applied"] == 1


async def _backed(**spec: Any) -> SchemaStage:
    """A stage on which the database has backups, and a plan waits for one."""
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", _with_backups)
    stage.schema(backupBefore=True, **spec)
    await stage.passes(2)
    stage.reports(planned())
    await stage.passes(2)
    return stage


def _with_backups(database: Object) -> None:
    database["status"]["backup"] = {"store": "backups"}


async def test_a_backup_is_not_asked_of_a_database_without_backups() -> None:
    stage = await going(backupBefore=True)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "BackupFailed")
    assert "spec.backup.enabled" in stage.why()
    assert stage.kube.there(known.DAAP_BACKUP) == []


async def test_a_plan_waits_for_the_backup_before_it() -> None:
    stage = await _backed()
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "BackingUp")
    (name,) = stage.kube.there(known.DAAP_BACKUP)
    assert stage.its()["backup"] == name
    backup = stage.kube.one(known.DAAP_BACKUP, name)
    assert "ownerReferences" not in backup["metadata"]
    stage.kube.change(known.DAAP_BACKUP, name, setting("status", {"phase": "Completed"}))
    await stage.passes(2)
    assert "apply" in stage.asked
    await stage.kube.delete(known.DAAP_BACKUP, "shop", name, uid=backup["metadata"]["uid"])
    await stage.passes(2)
    assert stage.kube.there(known.DAAP_BACKUP) == []


async def test_a_backup_that_fails_holds_the_plan() -> None:
    stage = await _backed()
    (name,) = stage.kube.there(known.DAAP_BACKUP)
    told = [{"type": "Stalled", "status": "True", "message": "The backups are off."}]
    stage.kube.change(known.DAAP_BACKUP, name, setting("status", {"conditions": told}))
    await stage.passes(2)
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Stalled"] == ("True", "BackupFailed")
    assert "The backups are off. Delete it" in stage.why()


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["AppliedFileChanged", "OutOfOrder", "LintFailed", "FileFailed"])
async def test_what_is_in_the_way_of_a_plan_is_told_and_looked_at_again_later(reason: str) -> None:
    obstacle = {"reason": reason, "file": "001_users.sql", "line": 1, "message": "what it is"}
    stage = await going(planned(obstacles=[obstacle], obstaclesCount=3))
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Stalled"] == ("True", reason)
    assert "001_users.sql: what it is (and 2 more)" in stage.why()
    await stage.passes(4)
    assert stage.jobs == []
    stage.clock.advance(600)
    await stage.passes(2)
    assert "check" in stage.asked
    stage.reports(planned())
    await stage.passes(2)
    assert "apply" in stage.asked


async def test_a_file_that_fails_is_told_with_line_and_code_and_tried_again_later() -> None:
    stage = await going()
    stage.reports(BROKEN)
    await stage.passes(1)
    error = stage.its()["lastError"]
    assert (error["file"], error["line"], error["sqlstate"]) == ("001_users.sql", 3, "42601")
    assert stage.told(SCHEMA)["Stalled"] == ("True", "FileFailed")
    assert "schema file 001_users.sql, line 3: syntax (SQLSTATE 42601)" in stage.why()
    assert stage.jobs == []
    await stage.passes(4)
    assert "apply" in stage.asked


async def test_detail_and_hint_of_postgresql_are_told_within_bounds() -> None:
    stage = await going()
    words = {"detail": "Key (id)=(1)\x1b[1m at 10.0.0.7:5432 already exists.", "hint": "h" * 5000}
    stage.reports(failed("FileFailed", part="schema", file="001_users.sql", message="no", **words))
    await stage.passes(1)
    error = stage.its()["lastError"]
    assert error["detail"].startswith("Key (id)=(1)")
    assert "\x1b" not in error["detail"]
    assert "10.0.0.7" not in error["detail"]
    assert error["hint"].startswith("hhh")
    assert len(error["hint"]) <= 1024


async def test_what_postgresql_did_not_say_is_not_there() -> None:
    stage = await going()
    stage.reports(BROKEN)
    await stage.passes(1)
    assert not {"detail", "hint"} & stage.its()["lastError"].keys()


async def test_the_pauses_grow_to_an_hour() -> None:
    stage = await going()
    pauses = []
    for _ in range(11):
        stage.reports(BROKEN)
        await stage.passes(1)
        began = stage.clock.now()
        while not stage.jobs:
            await stage.passes(1)
        pauses.append((stage.clock.now() - began).total_seconds())
    assert pauses == sorted(pauses)
    assert 9 <= pauses[0] <= 21
    assert 3590 <= pauses[-1] <= 3612


async def test_a_file_that_was_corrected_is_planned_at_once() -> None:
    stage = await going()
    for _ in range(3):
        stage.reports(BROKEN)
        while not stage.jobs:
            await stage.passes(1)
    stage.reports(BROKEN)
    await stage.passes(1)
    stage.files(**{"001_users_sql": "SELECT 2;\n"})
    await stage.passes(1)
    assert "check" in stage.asked
    stage.reports(planned())
    await stage.passes(2)
    assert "lastError" not in stage.its()
    assert "apply" in stage.asked


async def test_another_lock_timeout_is_tried_at_once() -> None:
    stage = await going()
    stage.reports(failed("LockTimeout"))
    await stage.passes(1)
    assert stage.told(SCHEMA) == {
        "Ready": ("False", "LockTimeout"), "Reconciling": ("True", "LockTimeout"),
    }  # fmt: skip
    stage.respecified(lockTimeoutSeconds=60)
    await stage.passes(1)
    assert option(stage, "lock-timeout") == "60"


async def test_a_database_that_comes_back_ends_the_pause() -> None:
    stage = await going()
    for _ in range(4):
        stage.reports(failed("Unavailable"))
        while not stage.jobs:
            await stage.passes(1)
    stage.reports(failed("Unavailable"))
    await stage.passes(1)
    assert stage.jobs == []
    now = stage.clock.now().isoformat()
    stage.kube.change(known.DATABASE, "orders", lambda obj: _became_ready(obj, now))
    await stage.passes(1)
    assert "apply" in stage.asked


def _became_ready(database: Object, when: str) -> None:
    for each in database["status"]["conditions"]:
        if each["type"] == "Ready":
            each["lastTransitionTime"] = when


async def test_what_is_applied_stays_so_while_the_database_is_not_ready() -> None:
    stage = await done()
    stage.kube.change(known.DATABASE, "orders", _became_unready)
    stage.forget_requests()
    await stage.passes(2)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}
    stage.clock.advance(DAY)
    await stage.passes(2)
    assert stage.told(SCHEMA) == {"Ready": ("True", "Ready")}
    assert stage.kube.requests == []
    stage.files(**{"001_users_sql": "SELECT 2;\n"})
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "WaitingForDatabase")
    assert stage.jobs == []


def _became_unready(database: Object) -> None:
    for each in database["status"]["conditions"]:
        if each["type"] == "Ready":
            each["status"] = "False"


@pytest.mark.parametrize("reason", ["PlanChanged", "FilesChanged"])
async def test_a_run_of_what_is_not_so_any_more_is_planned_anew(reason: str) -> None:
    stage = await going()
    stage.reports(refused(reason))
    await stage.passes(4)
    assert "check" in stage.asked


async def test_a_run_that_is_refused_is_looked_at_anew() -> None:
    stage = await going()
    stage.reports(refused("Refused", "the role 'x' is a superuser"))
    await stage.passes(1)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "RunRefused")
    assert "superuser" in stage.why()


async def test_a_run_speaks_of_the_spec_and_not_of_the_commands_options() -> None:
    stage = await going()
    stage.reports(refused("Refused", "--role x: no such role, or leave --role out"))
    await stage.passes(1)
    assert "spec.role x: no such role, or leave spec.role out" in stage.why()


async def test_a_job_that_ends_without_a_word_is_told_and_tried_again() -> None:
    stage = await going()
    stage.pod({"terminated": {"exitCode": 137, "reason": "OOMKilled"}})
    stage.over("Failed", "Job has reached the specified backoff limit")
    await stage.passes(1)
    assert stage.told(SCHEMA)["Ready"] == ("False", "RunLost")
    assert "backoff limit (its container: OOMKilled)" in stage.why()
    await stage.passes(4)
    assert "apply" in stage.asked


async def test_words_of_a_pod_that_only_borrows_the_label_are_not_read() -> None:
    stage = await going()
    stage.reports(applied(), owner="somebody else's Job")
    await stage.passes(1)
    assert stage.told(SCHEMA)["Ready"] == ("False", "RunLost")


async def test_last_words_do_when_the_log_is_gone() -> None:
    stage = await ready()
    stage.schema()
    await stage.passes(2)
    stage.reports(planned(), log=False)
    stage.kube.logs.clear()
    await stage.passes(2)
    assert "apply" in stage.asked


async def test_why_a_job_does_not_get_on_is_told() -> None:
    stage = await going()
    stage.pod({"waiting": {"reason": "ImagePullBackOff", "message": "back-off"}})
    stage.forget_requests()
    await stage.passes(6)
    assert "its pod waits: ImagePullBackOff back-off" in stage.why()
    assert stage.kube.requests.count("list Pod shop") == 1


WAITS = (
    "waiting for another run to end (20 of 600 s): process 71 of the role orders (daap-operator "
    "schema lock others-0123456789), connected since 2026-11-30T12:00:00Z"
)


async def test_a_run_that_waits_for_another_one_says_for_which() -> None:
    stage = await going()
    stage.pod({"running": {}})
    log = ("shop", f"{stage.job['metadata']['name']}-pod", CONTAINER)
    stage.kube.logs[log] = f"a plan\n{WAITS}\n"
    stage.forget_requests()
    await stage.passes(6)
    assert "its pod waits: for another run to end (20 of 600 s): process 71" in stage.why()
    assert "schema lock others-0123456789" in stage.why()
    assert len([each for each in stage.kube.requests if "log" in each]) <= 2
    stage.kube.logs[log] = f"{WAITS}\napplying 001_users.sql …\n"
    await stage.passes(20)
    assert "its pod waits" not in stage.why()


async def test_why_a_job_has_no_pod_is_told() -> None:
    stage = await going()
    about = {"kind": "Job", "name": stage.job["metadata"]["name"]}
    stage.kube.add(
        EVENT,
        {
            "metadata": {"name": "e1"},
            "type": "Warning",
            "regarding": about,
            "reason": "FailedCreate",
            "note": "exceeded quota: pods",
        },
    )
    await stage.passes(6)
    assert "exceeded quota: pods" in stage.why()


# --- what is waited for, and what cannot be -------------------------------------------------------


async def test_the_database_and_the_files_may_come_later() -> None:
    stage = SchemaStage()
    stage.schema()
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "WaitingForDatabase")
    stage.order()
    await stage.settle()
    await stage.passes(1)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "FilesMissing")
    assert "kubectl label configmap tables" in stage.why()
    stage.files()
    await stage.passes(1)
    assert "check" in stage.asked


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"readme_sql": "\0" * 921_601}, "has 921601 bytes, and one may have 921600: split it"),
        ({"a b_sql": "x"}, "a file's name has letters, digits"),
        ({f"{n:03}_sql": "x" * 900_000 for n in range(4)}, "more than the 3145728 bytes"),
    ],
)
async def test_files_that_cannot_be_are_told_before_anything_runs(
    files: dict[str, str], told: str
) -> None:
    stage = await ready()
    stage.files(**files)
    stage.schema()
    await stage.passes(2)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "FilesInvalid")
    assert told in stage.why()
    assert stage.jobs == []


async def test_inline_files_are_not_kept_and_reach_the_job() -> None:
    stage = await ready()
    sql = "CREATE TABLE secret_plan (id int);"
    stage.schema(schema=[{"inline": [{"name": "001_x.sql", "sql": sql}]}])
    await stage.passes(2)
    assert sql not in repr(stage.store.get(SCHEMA))
    assert sql in repr(stage.job)
    assert all(sql not in repr(stage.store.get(ref)) for ref in stage.store.refs(known.JOB))
    assert stage.its()["files"]["bytes"] == len(sql)


async def test_only_the_files_that_are_meant_are_mounted() -> None:
    stage = await ready()
    stage.files(s1_sql="SELECT 1;", f1_sql="SELECT 2;")
    stage.schema(schema=[{"configMap": {"name": "tables", "files": "s*.sql"}}])
    await stage.passes(2)
    volumes = stage.job["spec"]["template"]["spec"]["volumes"]
    (found,) = [each["configMap"] for each in volumes if "configMap" in each]
    assert found["items"] == [{"key": "s1.sql", "path": "s1.sql"}]
    assert stage.its()["files"]["count"] == 1


async def test_the_older_one_has_the_ledger() -> None:
    stage = await done()
    stage.schema(OTHER)
    await stage.passes(2)
    assert stage.told(OTHER)["Stalled"] == ("True", "LedgerTaken")
    assert "DaapSchema tables" in stage.why(OTHER)


async def test_of_two_older_ones_the_oldest_has_the_ledger() -> None:
    """The other one waits for it, too, and has nothing to add files to."""
    stage = await done()
    third = Ref(known.DAAP_SCHEMA, "shop", "youngest")
    for key in (OTHER, third):
        stage.schema(key)
        await stage.passes(2)
    assert OTHER.name < SCHEMA.name < third.name
    for key in (OTHER, third):
        assert "add its files to tables" in stage.why(key)
    uid = stage.kube.one(SCHEMA.kind, SCHEMA.name)["metadata"]["uid"]
    await stage.kube.delete(SCHEMA.kind, "shop", SCHEMA.name, uid=uid)
    await stage.passes(30)
    assert stage.told(OTHER)["Ready"] == ("False", "Planning")
    assert "add its files to others" in stage.why(third)


async def test_without_an_image_nothing_is_begun() -> None:
    stage = await ready(replace(CHOICES, image=""))
    stage.schema()
    await stage.passes(2)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "RunnerImageUnknown")
    assert stage.jobs == []


async def test_deleting_a_schema_removes_nothing_in_the_database() -> None:
    stage = await done()
    uid = stage.kube.one(SCHEMA.kind, SCHEMA.name)["metadata"]["uid"]
    await stage.kube.delete(SCHEMA.kind, "shop", SCHEMA.name, uid=uid)
    await stage.passes(2)
    assert SCHEMA not in stage.kube.objects
    assert stage.mirror.tables["schemas"] == {}


def test_a_job_is_never_repaired_whatever_is_kept_of_it() -> None:
    """Two streams have Jobs, and one keeps all that was applied."""
    owner = Owner(*SCHEMA, "u")
    order = Order("tables-0", CLUSTER, "orders", CHOICES.image, ["check"])
    spec = DaapSchemaSpec.model_validate(
        {"databaseRef": {"name": "orders"}, "schema": [{"configMap": {"name": "tables"}}]}
    )
    made = job.manifest(owner, order, spec)
    applied = server_side_apply.apply(None, made, names.FIELD_MANAGER)
    for keep in (child.keep, trim.job):
        assert job.child(owner, "tables-0", made).difference(keep(applied)) == ""
