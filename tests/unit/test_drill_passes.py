"""What becomes of a DaapDrill, pass by pass."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Outage
from daap_operator.kinds import known
from tests.unit.backup_stage import STORE
from tests.unit.drill_stage import (
    CHOICES,
    DRILL,
    FOUND,
    HOUR,
    IMAGE,
    LAST,
    REDO_DONE,
    DrillStage,
    provable,
)
from tests.unit.fakes import Killed, refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import CLUSTER, KEY, setting

Object = dict[str, Any]

OTHER = Ref(known.DAAP_DRILL, "shop", "other")
SCRATCH = "drill-proof-00000000"
ARCHIVE = "daap-orders-00000000"


async def asked(**spec: Any) -> DrillStage:
    """A database that can be restored, and a DaapDrill of it."""
    stage = await provable()
    stage.drill(**spec)
    return stage


async def passed(**spec: Any) -> DrillStage:
    stage = await asked(**spec)
    await stage.checking()
    stage.checks()
    await stage.passes(4)
    return stage


# --- carried out ----------------------------------------------------------------------------------


async def test_a_drill_that_passes_leaves_nothing_but_its_result() -> None:
    stage = await passed()
    status = stage.its()
    assert stage.told(DRILL) == {"Ready": ("True", "DrillPassed")}
    assert kstatus(stage.backup(DRILL)) == "Current"
    assert status["phase"] == status["result"] == "Passed"
    assert status["checks"] == {
        "relations": 310, "corrupt": 0, "tables": 2, "rows": 7, "queries": [],
    }  # fmt: skip
    assert status["backupId"] == "20260301T110000"
    assert (status["store"], status["archive"]) == (STORE, ARCHIVE)
    assert status["database"]["name"] == "orders"
    assert status["completedAt"]
    assert stage.left == []
    (row,) = stage.mirror.tables["drills"].values()
    assert (row.status, row.rows_counted, row.queries_failed) == ("passed", 7, 0)


async def test_a_drill_costs_these_requests_in_this_order() -> None:
    stage = await passed()
    tell = "status of DaapDrill proof"
    assert stage.kube.requests == [
        "finalizers of DaapDrill proof",
        tell,  # what is restored, and into which Cluster
        f"create NetworkPolicy {SCRATCH}",
        f"create Cluster {SCRATCH}",
        tell,
        f"get Pod {SCRATCH}-1-full-recovery-1 log",
        tell,  # Checking
        f"create Job {SCRATCH}",
        tell,
        tell,  # the result
        f"delete Job {SCRATCH}",
        tell,
        f"get Job {SCRATCH}",
        f"delete Cluster {SCRATCH}",
        "list PersistentVolumeClaim shop",
        tell,
        f"get Job {SCRATCH}",
        f"get Cluster {SCRATCH}",
        "list PersistentVolumeClaim shop",
        f"delete NetworkPolicy {SCRATCH}",
        tell,  # Passed
    ]


async def test_a_drill_that_is_over_costs_nothing() -> None:
    stage = await passed()
    stage.forget_requests()
    await stage.passes(3)
    await stage.restart()
    await stage.passes(3)
    assert stage.kube.requests == []


async def test_the_scratch_cluster_is_the_databases_without_its_archive() -> None:
    stage = await asked()
    await stage.restoring()
    found, of = stage.kube.one(known.CLUSTER, SCRATCH), stage.kube.one(known.CLUSTER, CLUSTER)
    spec = found["spec"]
    assert "plugins" not in spec
    assert spec["instances"] == 1
    assert spec["imageName"] == of["spec"]["imageName"]
    assert spec["storage"]["size"] == of["spec"]["storage"]["size"]
    settings = spec["postgresql"]["parameters"]
    # Else a subscription in the copy takes the changes that the database's own waits for
    assert settings.pop("max_logical_replication_workers") == "0"
    assert spec["postgresql"] == of["spec"]["postgresql"]
    (source,) = spec["externalClusters"]
    assert source["plugin"]["parameters"] == {"barmanObjectName": STORE, "serverName": ARCHIVE}
    assert "recoveryTarget" not in spec["bootstrap"]["recovery"]
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("DaapDrill", "proof")
    assert names.DATABASE_LABEL not in found["metadata"]["labels"]
    assert spec["inheritedMetadata"]["labels"] == {names.DRILL_LABEL: SCRATCH}


async def test_the_database_knows_nothing_of_it() -> None:
    stage = await asked()
    before = stage.status()
    await stage.checking()
    stage.forget_requests()
    await stage.settle(playing=False)
    assert stage.status() == before
    assert not [r for r in stage.kube.writes if "DaapDrill" not in r and SCRATCH not in r]


async def test_the_network_is_closed_before_there_is_a_cluster() -> None:
    stage = await asked()
    await stage.restoring()
    policy = stage.kube.one(known.NETWORK_POLICY, SCRATCH)["spec"]
    ours = {"podSelector": {"matchLabels": {names.DRILL_LABEL: SCRATCH}}}
    assert policy["podSelector"] == {"matchLabels": {names.CNPG_CLUSTER_LABEL: SCRATCH}}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    postgres, cnpg = policy["ingress"]
    assert postgres == {"from": [ours], "ports": [{"protocol": "TCP", "port": 5432}]}
    assert [port["port"] for port in cnpg["ports"]] == [8000]
    (outside,) = policy["egress"]
    assert [port["port"] for port in outside["ports"]] == [53, 53, 443, 6443]


async def test_the_job_is_restricted_and_has_no_token() -> None:
    stage = await asked(queries=[{"sql": "SELECT 1"}])
    await stage.checking()
    pod = stage.kube.one(known.JOB, SCRATCH)["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (first,), (second,) = pod["initContainers"], pod["containers"]
    for container in (first, second):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
    assert first["image"] == stage.kube.one(known.CLUSTER, SCRATCH)["spec"]["imageName"]
    assert (second["image"], second["args"]) == (IMAGE, ["drill-check"])
    env = {each["name"]: each for each in second["env"]}
    assert json.loads(env["DRILL_QUERY_1"]["value"]) == {"sql": "SELECT 1"}
    secrets = {e["valueFrom"]["secretKeyRef"]["name"] for e in env.values() if "valueFrom" in e}
    assert secrets == {f"{SCRATCH}-superuser", f"{SCRATCH}-app"}
    (ca,) = [each["secret"] for each in pod["volumes"] if "secret" in each]
    assert ca["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


async def test_the_times_are_postgresqls_own() -> None:
    stage = await asked()
    await stage.restoring()
    stage.clock.advance(20)
    done = stage.clock.now().isoformat()
    log = [{"ts": done, "record": {"message": said}} for said in (REDO_DONE, LAST)]
    log += [{"ts": done, "msg": "another start and stop"}] * 100  # as CloudNativePG writes them
    stage.restores(log="\n".join(json.dumps(line) for line in log))
    stage.serves()
    await stage.passes(2)
    stage.checks()
    await stage.passes(4)
    seconds = stage.its()["restoreSeconds"]
    assert (seconds["base"], seconds["wal"]) == (7, 3)
    assert seconds["total"] >= 20
    assert stage.its()["recoveredTo"] == "2026-03-01T13:58:31Z"


async def test_without_the_log_the_total_alone_is_known() -> None:
    stage = await passed()
    assert list(stage.its()["restoreSeconds"]) == ["total"]


# --- what is restored -----------------------------------------------------------------------------


async def test_to_a_moment() -> None:
    stage = await asked(at="2026-03-01T15:45:00+02:00")
    await stage.restoring()
    target = stage.kube.one(known.CLUSTER, SCRATCH)["spec"]["bootstrap"]["recovery"]
    assert target["recoveryTarget"] == {"targetTime": "2026-03-01T13:45:00Z"}


async def test_to_the_end_of_a_backup_by_its_id() -> None:
    stage = await asked(backup="20260301T110000")
    await stage.restoring()
    target = stage.kube.one(known.CLUSTER, SCRATCH)["spec"]["bootstrap"]["recovery"]
    assert target["recoveryTarget"] == {"backupID": "20260301T110000", "targetImmediate": True}


async def test_a_backup_of_cloudnativepg_is_asked_for_its_id() -> None:
    stage = await provable()
    spec = {"cluster": {"name": CLUSTER}}
    stage.kube.add(known.BACKUP, {"metadata": {"name": "nightly"}, "spec": spec})
    stage.kube.change(
        known.BACKUP,
        "nightly",
        setting("status", {"phase": "completed", "backupId": "20260301T100000"}),
    )
    stage.drill(backup="nightly")
    await stage.restoring()
    assert stage.its()["backupId"] == "20260301T100000"


async def test_a_daapbackup_says_where_it_is() -> None:
    stage = await provable()
    stage.ask()
    told = {"phase": "Completed", "store": STORE, "archive": "earlier", "backupId": "b1"}
    stage.kube.change(known.DAAP_BACKUP, "now", setting("status", told))
    stage.drill(backup="now")
    await stage.restoring()
    assert (stage.its()["archive"], stage.its()["backupId"]) == ("earlier", "b1")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"database": "nobody"}, "DatabaseMissing"),
        ({"at": "2026-01-01T00:00:00Z"}, "MomentNotCovered"),
        ({"at": "2027-01-01T00:00:00Z"}, "MomentNotCovered"),
        ({"backup": "nothing"}, "CannotBeRestored"),
    ],
)
async def test_what_can_never_be_restored_fails_at_once(spec: Object, reason: str) -> None:
    stage = await asked(**spec)
    await stage.passes(2)
    assert stage.told(DRILL)["Stalled"] == ("True", reason)
    assert stage.phase(DRILL) == "Failed"
    assert kstatus(stage.backup(DRILL)) == "Failed"
    assert stage.left == []


async def test_what_comes_by_itself_is_waited_for() -> None:
    stage = DrillStage()
    stage.order(backup={"store": STORE})
    stage.object_store(STORE)
    await stage.settle()
    stage.drill()
    await stage.passes(2)
    assert stage.told(DRILL)["Ready"] == ("False", "NeverBackedUp")
    assert kstatus(stage.backup(DRILL)) == "InProgress"
    stage.covers()
    await stage.passes(2)
    assert stage.phase(DRILL) == "Restoring"


async def test_a_store_that_is_missing_needs_a_person() -> None:
    stage = await asked()
    stage.kube.delete_object(known.BARMAN_STORE, STORE)
    await stage.passes(2)
    assert stage.told(DRILL)["Ready"][1] in ("StoreMissing", "NeverBackedUp")
    assert stage.left == []


async def test_one_that_waits_for_a_store_is_looked_at_when_the_store_comes() -> None:
    """The database archives into another one, and has nothing to say of it."""
    stage = await provable()
    found = {"phase": "Completed", "store": "cold", "archive": "daap-orders-5e1ec7ab"}
    stage.ask()
    status = setting("status", found | {"backupId": "20260301T110000"})
    stage.kube.change(known.DAAP_BACKUP, "now", status)
    stage.drill(backup="now")
    await stage.passes()
    assert stage.told(DRILL)["Stalled"] == ("True", "StoreMissing")
    stage.watch()
    stage.object_store("cold")
    assert DRILL in stage.watch()
    await stage.passes()
    assert stage.phase(DRILL) == "Restoring"


async def test_a_drill_that_is_over_has_its_database_looked_at() -> None:
    """The drill's own controller writes that it is over, so that no event brings it."""
    stage = await asked()
    await stage.checking()
    stage.checks()
    stage.watch()
    for _ in range(4):
        assert KEY not in stage.queue.taken()
        await stage.look(DRILL)
        if stage.phase(DRILL) == "Passed":
            break
        stage.kube.collect_garbage()
    assert KEY in stage.queue.taken()


async def test_without_its_image_no_drill_begins() -> None:
    stage = await provable(replace(CHOICES, image=""))
    stage.drill()
    await stage.passes(2)
    assert stage.told(DRILL)["Stalled"] == ("True", "CheckImageUnknown")
    assert "DAAP_DRILL_IMAGE" in stage.says("Stalled", DRILL)
    assert stage.left == []


# --- in turn --------------------------------------------------------------------------------------


async def test_one_at_a_time_reads_a_store_the_oldest_first() -> None:
    stage = await asked()
    stage.clock.advance(1)
    stage.drill(OTHER)
    await stage.passes(2)
    assert stage.told(OTHER)["Ready"] == ("False", "Queued")
    assert "DaapDrill proof" in stage.says("Ready", OTHER)
    stage.restores()
    stage.serves()
    await stage.passes(2)
    stage.checks()
    await stage.passes(4)
    assert stage.phase(DRILL) == "Passed"
    assert stage.phase(OTHER) == "Restoring"


async def test_a_drill_that_waits_for_something_else_holds_up_nobody() -> None:
    stage = await provable()
    stage.ask()
    stage.kube.change(
        known.DAAP_BACKUP, "now", setting("status", {"phase": "Running", "store": STORE})
    )
    stage.drill(backup="now")
    await stage.passes()
    stage.clock.advance(1)
    stage.drill(OTHER)
    await stage.passes(2)
    assert stage.told(DRILL)["Ready"] == ("False", "BackupNotCompleted")
    assert stage.phase(OTHER) == "Restoring"


# --- that it fails --------------------------------------------------------------------------------


def fatal(said: str) -> str:
    return json.dumps({"record": {"error_severity": "FATAL", "message": said}})


async def failed(stage: DrillStage, reason: str, *words: str) -> None:
    await stage.passes(5)
    assert stage.told(DRILL)["Stalled"] == ("True", reason)
    for each in words:
        assert each in stage.says("Stalled", DRILL)
    assert stage.phase(DRILL) == "Failed"
    assert stage.left == []
    (row,) = stage.mirror.tables["drills"].values()
    assert row.status == "failed"
    assert row.error_message


UNREACHED = "recovery ended before configured recovery target was reached"


async def test_an_unreachable_target_fails_with_the_first_try() -> None:
    stage = await asked(at="2026-03-01T13:45:00Z")
    await stage.restoring()
    stage.recovery_pod("Failed", log=fatal(UNREACHED))
    await failed(stage, "RestoreFailed", UNREACHED)


async def test_a_backup_that_is_damaged_fails_with_the_second_try() -> None:
    stage = await asked()
    await stage.restoring()
    lost = json.dumps({"level": "error", "error": "no such object: data.tar"})
    stage.recovery_pod("Failed", log=lost)
    await stage.passes(2)
    assert stage.phase(DRILL) == "Restoring"
    stage.recovery_pod("Failed", 2, log=lost)
    await failed(stage, "RestoreFailed", "no such object: data.tar")


CODE_ALONE = (
    "while restoring cluster: rpc error: code = Unknown desc = Operation error (exit code 1)"
)
MISSING = "2026-11-30 17:20:10,226 [29] ERROR: Missing file shop/base/1/data.* for server orders"


def fetching(message: str) -> str:
    """A line of the sidecar that fetches the base backup, as it was read on a real cluster."""
    return json.dumps({"level": "info", "logger": "barman-cloud-restore", "msg": message})


@pytest.mark.parametrize(
    ("sidecar", "told"),
    [
        (fetching(MISSING) + "\n{}", ": Missing file shop/base/1/data.* for server orders"),
        (fetching("no error"), "Operation error (exit code 1)"),
        (MISSING, "Operation error (exit code 1)"),
    ],
)
async def test_the_cause_is_the_sidecars_where_only_an_exit_code_is_told(
    sidecar: str, told: str
) -> None:
    stage = await asked()
    await stage.restoring()
    error = json.dumps({"level": "error", "error": CODE_ALONE})
    for number in (1, 2):
        stage.recovery_pod("Failed", number, log=error, sidecar=sidecar)
    await failed(stage, "RestoreFailed", told)


async def test_a_cause_that_could_not_be_asked_for_is_asked_for_again() -> None:
    stage = await asked()
    await stage.restoring()
    for number in (1, 2):
        stage.recovery_pod("Failed", number, log=fatal("the WAL ends"))
    name = f"{SCRATCH}-1-full-recovery-2"
    stage.kube.refusals[f"get Pod {name} log"] = Outage("away")
    with pytest.raises(Outage):
        await stage.passes(2)
    stage.kube.refusals.clear()
    await failed(stage, "RestoreFailed", "the WAL ends")


async def test_what_has_just_changed_is_removed_with_the_next_look() -> None:
    stage = await asked()
    await stage.checking()
    request = f"delete Job {SCRATCH}"
    stage.kube.refusals[request] = refused(409, "the object has been modified", "Conflict")
    stage.checks()
    await stage.passes(2)
    assert stage.told(DRILL)["Ready"] == ("False", "RemovingScratchCluster")
    assert f"Waiting for Job {SCRATCH} to be gone" in str(stage.its()["conditions"])
    del stage.kube.refusals[request]
    await stage.passes(4)
    assert stage.phase(DRILL) == "Passed"
    assert stage.kube.there(known.JOB) == []


async def test_each_log_is_read_once() -> None:
    stage = await asked()
    await stage.restoring()
    stage.recovery_pod("Failed", log="{}")
    await stage.passes(3)
    assert len([r for r in stage.kube.requests if r.endswith(" log")]) == 1


async def test_a_log_that_cannot_be_read_ends_no_pass() -> None:
    stage = await asked()
    await stage.restoring()
    for number in (1, 2):
        name = f"{SCRATCH}-1-full-recovery-{number}"
        stage.kube.refusals[f"get Pod {name} log"] = refused(403)
        stage.recovery_pod("Failed", number)
    await failed(stage, "RestoreFailed", "does not say why")


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        (
            {"corrupt": 2, "corruption": 'heap table "o.public.t", block 1'},
            "CorruptionFound",
            "o.public.t",
        ),
        ({"queries": [{"name": "sum", "ok": False, "value": "4"}]}, "QueryFailed", "'sum'"),
        ({"queries": [{"name": "1", "ok": False, "error": "no table"}]}, "QueryFailed", "no table"),
        (
            {"corrupt": 1, "corruption": 'heap table "o.public.t":', "rows": None, "error": "page"},
            "CorruptionFound",
            "o.public.t",
        ),
        ({"error": "connection refused"}, "ChecksFailed", "connection refused"),
        ({"rows": None}, "ChecksFailed", "without saying"),
    ],
)
async def test_what_the_checks_find(found: Object, reason: str, words: str) -> None:
    stage = await asked()
    await stage.checking()
    stage.checks(FOUND | found)
    await failed(stage, reason, words)


async def test_a_job_that_has_failed_for_good() -> None:
    stage = await asked()
    await stage.checking()
    why = {"type": "Failed", "status": "True", "message": "Job has reached the backoff limit"}
    stage.kube.change(known.JOB, SCRATCH, setting("status", {"conditions": [why]}))
    await failed(stage, "ChecksFailed", "backoff limit")


async def test_what_others_say_is_not_the_jobs_result() -> None:
    stage = await asked()
    await stage.checking()
    stage.checks(owner="11111111-0000-4000-8000-000000000000")
    await stage.passes(2)
    assert stage.phase(DRILL) == "Checking"


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', '{"relations": "many", "queries": 3}'])
async def test_last_words_that_say_nothing_pass_nothing(text: str) -> None:
    stage = await asked()
    await stage.checking()
    stage.checks(text=text)
    await stage.passes(3)
    assert stage.its().get("result") != "Passed"
    over = {"type": "Complete", "status": "True"}
    if stage.phase(DRILL) == "Checking":
        stage.kube.change(known.JOB, SCRATCH, setting("status", {"conditions": [over]}))
    await failed(stage, "ChecksFailed")


async def test_a_drill_that_takes_too_long_has_failed() -> None:
    stage = await asked()
    await stage.restoring()
    stage.clock.advance(HOUR)
    await failed(stage, "TimedOut", "3600 s")


async def test_a_database_deleted_meanwhile_changes_nothing() -> None:
    stage = await asked()
    await stage.restoring()
    stage.kube.delete_object(known.DATABASE, KEY.name)
    stage.restores()
    stage.serves()
    await stage.passes(2)
    stage.checks()
    await stage.passes(4)
    assert stage.phase(DRILL) == "Passed"


async def test_somebody_elses_object_is_never_touched() -> None:
    stage = await provable()
    stage.kube.add(known.CLUSTER, {"metadata": {"name": SCRATCH}, "spec": {"instances": 3}})
    before = stage.kube.one(known.CLUSTER, SCRATCH)
    stage.drill()
    await stage.passes(3)
    assert stage.told(DRILL)["Stalled"] == ("True", "ObjectConflict")
    stage.clock.advance(HOUR)
    await stage.passes(4)
    assert stage.phase(DRILL) == "Failed"
    assert stage.kube.one(known.CLUSTER, SCRATCH) == before


# --- deleted, killed ------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["restoring", "checking"])
async def test_deleting_it_removes_what_there_is(at: str) -> None:
    stage = await asked()
    await getattr(stage, at)()
    stage.kube.delete_object(known.DAAP_DRILL, DRILL.name)
    await stage.passes(5)
    assert DRILL not in stage.kube.objects
    assert stage.left == []
    assert len(stage.mirror.deleted) == 1


async def test_deleting_one_that_is_over_asks_for_nothing() -> None:
    stage = await passed()
    stage.forget_requests()
    stage.kube.delete_object(known.DAAP_DRILL, DRILL.name)
    await stage.passes(2)
    assert stage.kube.requests == ["get DaapDrill proof", "finalizers of DaapDrill proof"]


async def play(stage: DrillStage) -> None:
    """What the world does for the drill, as far as it is."""
    if SCRATCH not in stage.kube.there(known.CLUSTER):
        return
    if not stage.kube.one(known.CLUSTER, SCRATCH).get("status"):
        if (known.CLAIM, "shop", f"{SCRATCH}-1") not in stage.kube.objects:
            stage.restores()
        stage.serves()
    if SCRATCH in stage.kube.there(known.JOB):
        stage.checks()


async def rounds(stage: DrillStage, count: int) -> None:
    for _ in range(count):
        await play(stage)
        await stage.passes()


async def _writes() -> int:
    stage = await asked()
    await rounds(stage, 12)
    assert stage.phase(DRILL) == "Passed"
    return len(stage.kube.writes)


async def test_killed_after_any_write_it_ends_the_same() -> None:
    for number in range(1, await _writes() + 1):
        stage = await asked()
        left = [number]

        def after_write(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        stage.kube.after_write = after_write
        with suppress(Killed):
            await rounds(stage, 12)
        stage.kube.after_write = lambda: None
        await stage.restart()
        await rounds(stage, 12)
        assert stage.phase(DRILL) == "Passed", number
        assert stage.left == [], number


async def test_each_request_may_fail_once() -> None:
    whole = await asked()
    await rounds(whole, 12)
    for request in dict.fromkeys(whole.kube.requests):
        stage = await asked()
        stage.kube.refusals[request] = refused(500)
        with suppress(Outage):
            await rounds(stage, 12)
        stage.kube.refusals.clear()
        await rounds(stage, 12)
        assert stage.phase(DRILL) == "Passed", request
        assert stage.left == [], request
