"""How far an approval goes, and a backup: to the end of one plan, and no further."""

from typing import Any

import pytest

from daap_operator.kinds import known
from tests.unit.schema_stage import (
    PLAN,
    SCHEMA,
    SchemaStage,
    applied,
    finding,
    going,
    pending,
    planned,
    ready,
)
from tests.unit.stage import CLUSTER, setting
from tests.unit.test_schema_passes import DONE, failed, option

Object = dict[str, Any]
DESTRUCTIVE = planned(pending(findings=[finding(destructive=True)]))


def unapproved(stage: SchemaStage) -> None:
    """Somebody takes the approval out of the spec."""
    spec = stage.kube.one(SCHEMA.kind, SCHEMA.name)["spec"]
    without = {key: value for key, value in spec.items() if key != "approve"}
    stage.kube.change(SCHEMA.kind, SCHEMA.name, setting("spec", without))


async def through(stage: SchemaStage) -> None:
    """The plan is applied, and the database is as the files have made it."""
    stage.reports(applied())
    await stage.passes(2)
    stage.reports(DONE)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Ready"] == ("True", "Ready")


async def planned_again(stage: SchemaStage, said: Object = DESTRUCTIVE) -> None:
    """A fixture that was changed and is as it was before: the same plan once more."""
    stage.files(**{"001_users_sql": "SELECT 2;"})
    await stage.passes(2)
    stage.reports(DONE)
    await stage.passes(2)
    stage.files(**{"001_users_sql": "SELECT 1;"})
    await stage.passes(2)
    stage.reports(said)
    await stage.passes(2)


async def test_an_approval_that_was_taken_back_is_not_used_again() -> None:
    stage = await going(DESTRUCTIVE, approve=PLAN)
    await through(stage)
    unapproved(stage)
    await planned_again(stage)
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ApprovalRequired")


async def test_an_approval_that_is_still_there_is_used_again() -> None:
    stage = await going(DESTRUCTIVE, approve=PLAN)
    await through(stage)
    await planned_again(stage)
    assert option(stage, "plan") == PLAN


async def test_what_was_approved_of_one_database_is_not_approved_of_a_restored_one() -> None:
    stage = await going(DESTRUCTIVE, approve=PLAN)
    stage.reports(failed("Unavailable"))
    await stage.passes(1)
    unapproved(stage)
    stage.kube.change(known.CLUSTER, CLUSTER, lambda obj: obj["metadata"].update(uid="another"))
    await stage.passes(3)
    stage.reports(DESTRUCTIVE)
    await stage.passes(3)
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ApprovalRequired")


# --- the backup before a plan ---------------------------------------------------------------------


async def backed_up() -> SchemaStage:
    """A stage on which there is a backup before a plan, and a Job applies that."""
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", with_backups)
    stage.schema(backupBefore=True)
    await stage.passes(2)
    stage.reports(planned())
    await stage.passes(2)
    await made(stage)
    assert "apply" in stage.asked
    return stage


def with_backups(database: Object) -> None:
    database["status"]["backup"] = {"store": "backups"}


async def made(stage: SchemaStage) -> str:
    """The backup that is waited for is completed; its name."""
    name = str(stage.its()["backup"])
    stage.kube.change(known.DAAP_BACKUP, name, setting("status", {"phase": "Completed"}))
    await stage.passes(2)
    return name


async def test_the_same_plan_at_another_time_gets_another_backup() -> None:
    stage = await backed_up()
    first = stage.its()["backup"]
    await through(stage)
    await planned_again(stage, planned())
    assert stage.jobs == []
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "BackingUp")
    assert await made(stage) != first
    assert "apply" in stage.asked
    assert len(stage.kube.there(known.DAAP_BACKUP)) == 2


@pytest.mark.parametrize("reason", ["Unavailable", "LockTimeout"])
async def test_another_try_of_a_plan_gets_no_other_backup(reason: str) -> None:
    stage = await backed_up()
    for _ in range(3):
        stage.reports(failed(reason))
        await stage.passes(1)
        stage.clock.advance(600)
        await stage.passes(2)
        assert "apply" in stage.asked
    assert stage.kube.there(known.DAAP_BACKUP) == [stage.its()["backup"]]


async def test_a_restarted_operator_waits_for_the_same_backup() -> None:
    stage = await backed_up()
    await stage.restart()
    await stage.passes(3)
    assert stage.kube.there(known.DAAP_BACKUP) == [stage.its()["backup"]]
